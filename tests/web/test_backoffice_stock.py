"""Stock in the back office: the scarcest first, one SKU's ledger, and adjustments that count once."""

import asyncio

import pytest

from officing import Office

SKU = "/admin/stock/STONE-MUG-0"


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


def skus(page):
    return [link.rpartition("/")[2] for link in page.links if link.startswith("/admin/stock/")]


class TestList:
    async def test_begins_with_the_scarcest(self, office, mesh):
        page = await office.get("/admin/stock")

        assert skus(page) == ["LINEN-APRON-0", "STONE-MUG-0", "OAK-LAMP-0", "OAK-LAMP-1"]

    async def test_goes_by_sku_when_asked(self, office, mesh):
        page = await office.get("/admin/stock?sort=sku")

        assert skus(page) == ["LINEN-APRON-0", "OAK-LAMP-0", "OAK-LAMP-1", "STONE-MUG-0"]

    async def test_finds_part_of_a_sku_and_keeps_the_order(self, office, mesh):
        page = await office.send(await office.get("/admin/stock?sort=sku"), "/admin/stock", q="lamp")

        assert skus(page) == ["OAK-LAMP-0", "OAK-LAMP-1"]
        assert mesh.calls("/v1/inventory")[-1].query["sort"] == "sku"

    async def test_a_whole_sku_leads_to_its_page(self, office, mesh):
        assert (await office.get("/admin/stock?q=stone-mug-0")).path == SKU


class TestSku:
    async def test_shows_levels_and_where_they_came_from(self, office, mesh):
        await adjust(office, delta="4", reason="Delivery")

        page = await office.get(SKU)

        assert "Main warehouse 8 1 7" in page.text
        assert "Delivery" in page.text
        assert "+4" in page.text

    async def test_one_without_stock_offers_to_begin_it(self, office, mesh):
        page = await office.get("/admin/stock/NEW-SKU")

        assert "has no stock yet" in page.text
        assert page.form("/admin/stock/NEW-SKU")

    async def test_a_sku_may_have_any_signs(self, office, mesh):
        mesh.goods.products[0]["variants"][0]["sku"] = "A+B 1%2F&?"

        page = await office.get("/admin/stock/A%2BB%201%252F%26%3F")

        assert (page.status, "A+B 1%2F&? " in page.text) == (200, True)
        assert "Main warehouse" in page.text


class TestAdjust:
    async def test_adds_and_takes_with_the_reason_in_the_ledger(self, office, mesh):
        page = await adjust(office, delta="12", reason="Delivery")
        assert "Stock of STONE-MUG-0 is now 16" in page.text

        page = await adjust(office, delta="-3", reason="Damaged")

        assert "is now 13" in page.text
        assert [m["delta_on_hand"] for m in mesh.goods.movements] == [12, -3]

    async def test_counts_once_however_often_it_is_sent(self, office, mesh):
        form = (await office.get(SKU)).form("/admin/stock/[^?]*")
        fields = dict(form.fields) | {"delta": "5", "reason": "Count"}

        await asyncio.gather(*(office.post(SKU, fields) for _ in range(3)))

        assert [m["delta_on_hand"] for m in mesh.goods.movements] == [5]

    @pytest.mark.parametrize("typed", ["", "some", "1.5", "--2", "0", "99999999999", "5 or 6"])
    async def test_asks_for_a_whole_number_and_keeps_the_rest(self, office, mesh, typed):
        page = await adjust(office, delta=typed, reason="Count")

        assert page.status == 422
        assert page.all("input", id="delta")[0]["aria-invalid"] == "true"
        assert page.form("/admin/stock/[^?]*")["reason"] == "Count"
        assert not mesh.goods.movements

    async def test_books_nothing_for_a_sku_that_no_product_has(self, office, mesh):
        page = await office.get("/admin/stock/NOPE-SKU")

        page = await office.send(page, "/admin/stock/NOPE-SKU", delta="5", reason="Count")

        assert page.status == 422
        assert "no product has the SKU NOPE-SKU" in page.text
        assert page.form("/admin/stock/NOPE-SKU")["delta"] == "5"
        assert not mesh.calls("/v1/inventory/adjustments")

    async def test_asks_for_a_reason(self, office, mesh):
        page = await adjust(office, delta="5", reason="")

        assert "Say why" in page.text
        assert page.form("/admin/stock/[^?]*")["delta"] == "5"

    async def test_never_goes_below_what_is_reserved(self, office, mesh):
        page = await adjust(office, delta="-4", reason="Lost")

        assert page.status == 422
        assert "less than the 1 reserved" in page.text

    async def test_a_form_sent_again_with_other_values_is_told(self, office, mesh):
        form = dict((await office.get(SKU)).form("/admin/stock/[^?]*").fields)
        await office.post(SKU, form | {"delta": "5", "reason": "Count"})

        answer = await office.post(SKU, form | {"delta": "6", "reason": "Count"})

        assert "sent before with other values" in answer.text
        assert [m["delta_on_hand"] for m in mesh.goods.movements] == [5]


async def adjust(office, **typed):
    return await office.send(await office.get(SKU), "/admin/stock/[^?]*", **typed)
