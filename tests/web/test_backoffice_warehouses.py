"""Warehouses in the back office, and what staff set of a SKU beside its count."""

import pytest

from officing import Office, hire

SKU = "/admin/stock/STONE-MUG-0"


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


class TestWarehouses:
    async def test_are_listed_in_their_order_with_how_they_are_taken_from(self, office):
        page = await office.get("/admin/warehouses")

        assert page.text.index("Main warehouse") < page.text.index("North warehouse")
        assert page.form("/admin/warehouses")["strategy"] == "priority"

    async def test_are_made_and_closed(self, office, mesh):
        page = await office.get("/admin/warehouses/new")
        page = await office.send(page, "/admin/warehouses/new", code="Paris-1", name="Paris", country="fr")
        assert "Paris is saved" in page.text

        page = await office.get("/admin/warehouses/paris-1")
        form = page.form("/admin/warehouses/paris-1")
        form.fields = [field for field in form.fields if field[0] != "active"]
        await office.send(page, "/admin/warehouses/paris-1")

        made = mesh.stockroom.places[-1]
        assert (made["code"], made["country"], made["active"]) == ("paris-1", "FR", False)

    async def test_say_beside_the_field_what_is_wrong(self, office):
        page = await office.get("/admin/warehouses/new")

        taken = await office.send(page, "/admin/warehouses/new", code="main", name="Main")
        wrong = await office.send(page, "/admin/warehouses/new", code="x", country="FRA")

        assert (taken.status, "There is a warehouse of this code" in taken.text) == (422, True)
        assert "Give it a name" in wrong.text
        assert "Use the two letters of the country" in wrong.text

    async def test_are_taken_from_as_chosen(self, office, mesh):
        page = await office.get("/admin/warehouses")

        page = await office.send(page, "/admin/warehouses", strategy="nearest")

        assert mesh.stockroom.strategy == "nearest"
        assert "nearest" in page.text

    async def test_are_read_only_to_who_may_only_read(self, web, mesh):
        reader = Office(web)
        await reader.enter(**hire(mesh, "inventory:read"))

        page = await reader.get("/admin/warehouses")

        assert "By priority" in page.text
        assert "/admin/warehouses/new" not in page.links
        assert (await reader.get("/admin/warehouses/new")).status == 403


class TestMove:
    async def test_carries_units_and_says_so(self, office, mesh):
        page = await office.get(SKU)

        page = await office.send(page, r".*do=move", quantity="3", reason="Fair")

        move = mesh.stockroom.moves[0]
        assert (move["from"], move["to"], move["quantity"]) == ("main", "north", 3)
        assert "3 units of STONE-MUG-0 moved" in page.text

    async def test_refuses_in_the_form_what_cannot_be(self, office):
        page = await office.get(SKU)

        too_many = await office.send(page, r".*do=move", quantity="11", reason="Fair")
        nowhere = await office.send(page, r".*do=move", quantity="x", reason="", to="main")

        assert (too_many.status, "Fewer are free there" in too_many.text) == (422, True)
        for text in ("Enter a whole number from 1", "Say why", "Choose another warehouse"):
            assert text in nowhere.text


class TestRules:
    async def test_are_saved_and_shown_again(self, office, mesh):
        page = await office.get(SKU)

        page = await office.send(
            page,
            r".*do=rules",
            safety_stock="2",
            preorder_from="2999-01-31",
            preorder_max="5",
            low_stock_at="0",
        )

        assert mesh.stockroom.policies["STONE-MUG-0"] == {
            "safety_stock": 2, "backorder_max": 0, "preorder_max": 5, "low_stock_at": 0,
            "preorder_from": "2999-01-31",
        }  # fmt: skip
        assert page.form(r".*do=rules")["preorder_from"] == "2999-01-31"
        assert page.form(r".*do=rules")["low_stock_at"] == "0"

    async def test_keep_what_was_typed_when_it_is_wrong(self, office, mesh):
        page = await office.get(SKU)

        page = await office.send(page, r".*do=rules", safety_stock="many", preorder_max="5")

        assert page.status == 422
        assert page.form(r".*do=rules")["safety_stock"] == "many"
        assert "Say from which day it ships" in page.text
        assert mesh.stockroom.policies == {}


class TestBundle:
    async def test_is_made_shown_and_taken_apart(self, office, mesh):
        page = await office.get(SKU)
        fields = {"sku-0": "OAK-LAMP-0", "count-0": "2", "sku-2": "LINEN-APRON-0"}

        page = await office.send(page, r".*do=bundle", **fields)
        assert [part["quantity"] for part in mesh.stockroom.bundles["STONE-MUG-0"]] == [2, 1]
        assert "A bundle of" in page.text
        assert "OAK-LAMP-0 2 8" in page.text

        page = await office.send(page, r".*do=unbundle")
        assert mesh.stockroom.bundles == {}
        assert "is no bundle any more" in page.text

    async def test_keeps_more_components_than_a_form_begins_with(self, office, mesh):
        parts = [{"sku": f"PART-{number}", "quantity": number + 1} for number in range(9)]
        mesh.stockroom.bundles["STONE-MUG-0"] = parts

        await office.send(await office.get(SKU), r".*do=bundle")

        assert mesh.stockroom.bundles["STONE-MUG-0"] == parts

    async def test_refuses_beside_the_component_that_is_none(self, office):
        page = await office.get(SKU)

        page = await office.send(page, r".*do=bundle", **{"sku-0": "OAK-LAMP-0", "sku-3": "NOWHERE"})

        assert page.status == 422
        assert "no SKU of this shop" in page.text
        assert "#sku-3" in page.links


class TestLow:
    async def test_lists_only_what_is_low(self, office, mesh):
        page = await office.get("/admin/stock?low=1")

        assert mesh.calls("/v1/inventory")[-1].query["low"] == "5"
        assert "STONE-MUG-0" in page.text
        assert "OAK-LAMP-0" not in page.text
