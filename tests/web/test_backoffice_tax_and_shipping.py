"""Tax rates, shipping zones and prices in the back office; who may only read sees them all the same."""

import pytest

from officing import Office, hire

NEW = "/admin/shipping/methods/new"
TYPED = {
    "code": "standard", "name": "Standard", "days_min": "2", "days_max": "4",
    "rule-0-amount": "4.90", "rule-0-currency": "EUR", "rule-0-free_from": "75",
    "rule-2-amount": "500", "rule-2-currency": "JPY", "rule-2-weight_below_g": "2000",
}  # fmt: skip


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


@pytest.fixture
async def reader(web, mesh):
    browser = Office(web)
    await browser.enter(**hire(mesh, "settings:read"))
    return browser


async def add_rate(office, **typed):
    page = await office.get("/admin/tax/rates/new")
    return await office.send(
        page, "/admin/tax/rates/new", **{"name": "VAT", "country": "DE", "percent": "19", **typed}
    )


class TestTax:
    async def test_a_rate_is_added_changed_and_removed(self, office, mesh):
        page = await add_rate(office, percent="19,0 %")
        rate = next(iter(mesh.rulebook.rates.values()))
        at = f"/admin/tax/rates/{rate['id']}"
        assert "Germany All of it standard VAT 19 %" in page.text.replace("\xa0", " ")

        await office.send(await office.get(at), at, percent="7", tax_class="Food")
        assert (
            mesh.rulebook.rates[rate["id"]] | {"name": "VAT", "percent": "7", "tax_class": "food"}
            == (mesh.rulebook.rates[rate["id"]])
        )
        page = await office.send(await office.get(at), f"{at}/remove")

        assert "No rates yet" in page.text

    async def test_is_refused_beside_the_field_and_keeps_the_others(self, office, mesh):
        page = await add_rate(office, country="", percent="a lot", region="Bavaria")

        assert page.status == 422
        assert {"#country", "#percent"} <= set(page.links)
        assert page.form("/admin/tax/rates/new")["region"] == "Bavaria"

    async def test_one_that_there_is_already_is_told(self, office):
        await add_rate(office)

        page = await add_rate(office)

        assert page.status == 422
        assert "There is a rate for this place and class already" in page.text

    async def test_says_how_the_shop_counts(self, office, mesh):
        page = await office.get("/admin/tax")

        await office.send(page, "/admin/tax", prices_include_tax="0", country="US")

        assert mesh.rulebook.settings == {
            "prices_include_tax": False, "country": "US", "shipping_tax_class": "standard",
        }  # fmt: skip

    async def test_long_lists_have_pages(self, office, mesh):
        for number in range(101):
            mesh.rulebook.rates[str(number)] = {
                "id": f"00000000-0000-7000-8000-{number:012}", "name": f"Rate {number}.", "country": "US",
                "region": f"R{number}", "tax_class": "standard", "percent": "8.875",
            }  # fmt: skip

        page = await office.get("/admin/tax")
        second = await office.get("/admin/tax" + page.all("a", rel="next")[0]["href"])

        assert "Rate 99." in page.text
        assert "Rate 100." in second.text

    async def test_reading_alone_shows_no_form(self, reader, office):
        await add_rate(office)

        page = await reader.get("/admin/tax")

        assert "Germany" in page.text
        assert "Include tax" in page.text
        assert [form.action for form in page.forms] == ["/admin/logout"]
        assert (await reader.get("/admin/tax/rates/new")).status == 403


class TestZones:
    async def test_are_typed_a_place_a_line(self, office, mesh):
        page = await office.get("/admin/shipping/zones/new")

        page = await office.send(
            page, "/admin/shipping/zones/new", name="Near", places="de\nUS: California\n"
        )

        zone = next(iter(mesh.rulebook.zones.values()))
        assert zone["places"] == [
            {"country": "DE", "region": ""}, {"country": "US", "region": "California"},
        ]  # fmt: skip
        assert "Near Germany, United States (California)" in page.text
        form = (await office.get(f"/admin/shipping/zones/{zone['id']}")).form("/admin/shipping/zones/.*")
        assert form["places"] == "DE\nUS: California"

    @pytest.mark.parametrize(
        ("places", "words"),
        [("Germany", "does not begin with a country"), ("FR", "FR is in another zone already")],
    )
    async def test_are_refused_beside_the_field(self, office, mesh, places, words):
        other = {"id": "1", "name": "Other", "places": [{"country": "FR", "region": ""}]}
        mesh.rulebook.zones["1"] = other
        page = await office.get("/admin/shipping/zones/new")

        page = await office.send(page, "/admin/shipping/zones/new", name="Near", places=places)

        assert page.status == 422
        assert words in page.text
        assert page.form("/admin/shipping/zones/new")["places"] == places

    async def test_one_with_prices_is_kept(self, office, mesh):
        zone_id = "00000000-0000-7000-8000-000000000001"
        mesh.rulebook.zones[zone_id] = {"id": zone_id, "name": "Near", "places": []}
        mesh.rulebook.methods["std"] = {"rules": [{"zone_id": zone_id, "currency": "EUR", "amount": 1}]}
        mesh.rulebook.methods["std"] |= {"code": "std", "name": "Standard"}
        at = f"/admin/shipping/zones/{zone_id}"

        page = await office.send(await office.get(at), f"{at}/remove")

        assert "Not removed" in page.text
        assert zone_id in mesh.rulebook.zones


class TestMethods:
    async def test_prices_stand_in_rows_and_empty_rows_are_none(self, office, mesh):
        await office.send(await office.get(NEW), NEW, **TYPED)

        rules = mesh.rulebook.methods["standard"]["rules"]
        assert rules == [
            {"currency": "EUR", "zone_id": None, "amount": 490, "free_from": 7_500},
            {"currency": "JPY", "zone_id": None, "amount": 500, "weight_below_g": 2_000},
        ]

    async def test_are_listed_and_edited_as_they_are(self, office):
        page = await office.send(await office.get(NEW), NEW, **TYPED)
        edited = await office.get("/admin/shipping/methods/standard")

        assert "Everywhere: €4.90 , free from €75.00" in page.text
        form = edited.form("/admin/shipping/methods/standard")
        assert (form["rule-0-free_from"], form["rule-1-amount"]) == ("75.00", "500")
        assert form["rule-4-amount"] == ""

    async def test_what_orders_refuse_of_a_row_stands_in_that_row(self, office):
        wrong = {"rule-2-total_from": "10", "rule-2-total_below": "5"}

        page = await office.send(await office.get(NEW), NEW, **(TYPED | wrong))

        assert page.status == 422
        assert page.all("input", id="rule-2-total_below")[0]["aria-invalid"] == "true"
        assert "Must be more than total_from" in page.text

    async def test_a_code_that_is_taken_does_not_replace_the_other(self, office, mesh):
        await office.send(await office.get(NEW), NEW, **TYPED)

        page = await office.send(await office.get(NEW), NEW, **(TYPED | {"name": "Mine"}))

        assert page.status == 422
        assert mesh.rulebook.methods["standard"]["name"] == "Standard"

    async def test_reading_alone_shows_them(self, reader, office):
        await office.send(await office.get(NEW), NEW, **TYPED)

        page = await reader.get("/admin/shipping")

        assert "€4.90" in page.text
        assert NEW not in page.links
