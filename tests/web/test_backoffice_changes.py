"""Orders changed by staff at their desk: units out and in, returns and exchanges, the push; and drafts."""

import pytest

from officing import Office, hire, placed, step


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


def line_of(order):
    return order["lines"][0]["id"]


def sent(mesh, **more):
    """An order of which two units are with the buyer."""
    order = placed(mesh, "fulfilled", user_id=None, **more)
    order["lines"][0] |= {"quantity": 2, "fulfilled": 2}
    return order


class TestEdit:
    async def test_sends_what_is_to_stay_and_what_is_added(self, office, mesh):
        order = placed(mesh)
        page = await office.get(f"/admin/orders/{order['id']}/edit")

        page = await office.send(
            page, ".*/edit", **{f"keep-{line_of(order)}": "0", "sku-0": "OAK-LAMP-1", "reason": "called"}
        )

        assert mesh.staff_orders.edits == [
            {
                "lines": [{"line_id": line_of(order), "quantity": 0}],
                "add": [{"sku": "OAK-LAMP-1", "quantity": 1}], "reason": "called",
                "expected_difference": {"amount": 0, "currency": "EUR"},
            }
        ]  # fmt: skip
        assert "The order is changed." in page.text
        assert page.path == f"/admin/orders/{order['id']}"

    async def test_says_how_much_dearer_it_is_and_asks_how_that_is_paid(self, office, mesh):
        order = placed(mesh)
        mesh.staff_orders.difference = 600
        page = await office.get(f"/admin/orders/{order['id']}/edit")

        asked = await office.send(page, ".*/edit", **{"sku-0": "OAK-LAMP-1", "reason": "called"})
        before = list(mesh.staff_orders.edits)
        page = await office.send(asked, ".*/edit", paid="link")

        assert (asked.status, before) == (200, [])
        assert "It costs €6.00 more" in asked.text
        assert dict(asked.form(".*/edit").fields)["sku-0"] == "OAK-LAMP-1"
        [sent] = mesh.staff_orders.edits
        assert (sent["expected_difference"]["amount"], "payment" in sent) == (600, False)
        assert "A change waits for €6.00" in page.text
        page = await office.send(page, ".*/withdraw")
        assert "The change is withdrawn" in page.text
        assert "A change waits for" not in page.text

    async def test_asks_again_when_the_difference_is_another_than_the_one_seen(self, office, mesh):
        order = placed(mesh)
        mesh.staff_orders.difference = 600
        page = await office.get(f"/admin/orders/{order['id']}/edit")
        page = await office.send(page, ".*/edit", **{"sku-0": "OAK-LAMP-1", "reason": "called"})

        mesh.staff_orders.difference = 700
        page = await office.send(page, ".*/edit", paid="cash_on_delivery")

        assert ("It costs €7.00 more" in page.text, mesh.staff_orders.edits) == (True, [])
        await office.send(page, ".*/edit", paid="cash_on_delivery")
        assert mesh.staff_orders.edits[0]["payment"] == {"method": "cash_on_delivery"}

    async def test_what_is_no_number_or_too_many_is_told_beside_its_field(self, office, mesh):
        order = placed(mesh)
        page = await office.get(f"/admin/orders/{order['id']}/edit")

        page = await office.send(page, ".*/edit", **{f"keep-{line_of(order)}": "7", "reason": ""})

        assert "Enter a number from 0 to 1" in page.text
        assert "Say why, for the books" in page.text
        assert mesh.staff_orders.edits == []

    async def test_is_offered_only_before_shipment_and_to_who_may_pay_back(self, web, office, mesh):
        order, gone = placed(mesh), sent(mesh)

        before = await office.get(f"/admin/orders/{order['id']}")
        after = await office.get(f"/admin/orders/{gone['id']}")
        clerk = Office(web)
        await clerk.enter(**hire(mesh, "orders:read orders:write"))
        refused = await clerk.get(f"/admin/orders/{order['id']}/edit")

        assert f"/admin/orders/{order['id']}/edit" in before.links
        assert f"/admin/orders/{gone['id']}/edit" not in after.links
        assert refused.status == 403


class TestReturn:
    async def test_books_what_came_back(self, office, mesh):
        order = sent(mesh)
        page = await office.get(f"/admin/orders/{order['id']}/return")

        page = await office.send(
            page, ".*/return", **{f"back-{line_of(order)}": "1", "refund": "1.50", "reason": "scratch"}
        )

        booked = mesh.staff_orders.returns[0]
        assert (booked["lines"], booked["restock"], booked["to"]) == (
            [{"id": line_of(order), "quantity": 1}], True, "source",
        )  # fmt: skip
        assert booked["refund"] == {"amount": 150, "currency": "EUR"}
        assert "The return is booked." in page.text

    async def test_sends_others_for_it(self, office, mesh):
        order = sent(mesh)
        page = await office.get(f"/admin/orders/{order['id']}/return")

        page = await office.send(
            page, ".*/return", **{f"back-{line_of(order)}": "2", "sku-0": "OAK-LAMP-1", "reason": "size"}
        )

        assert mesh.staff_orders.returns[0]["send"] == [{"sku": "OAK-LAMP-1", "quantity": 1}]
        assert "SW-200001 is sent for what came back." in page.text
        assert "Exchanged for SW-200001" in page.text

    async def test_needs_to_know_what_came_back(self, office, mesh):
        order = sent(mesh)

        page = await office.send(
            await office.get(f"/admin/orders/{order['id']}/return"), ".*/return", reason="size"
        )

        assert "Enter how many of which line came back" in page.text


class TestPush:
    async def test_of_an_order_that_waits_is_written_down_by_the_service(self, office, mesh):
        order = placed(mesh, "in_progress", "pending")

        page = await office.send(await office.get(f"/admin/orders/{order['id']}"), ".*/look-again")

        assert mesh.staff_orders.retried == [order["id"]]
        assert "The next step was tried again." in page.text

    async def test_the_timeline_names_who_did_what(self, office, mesh):
        order = placed(mesh)
        mesh.purchases.timelines[order["id"]] = [
            step("capture"), step("fulfil") | {"text": "Shipped.", "by": "eve@shop.example"},
        ]  # fmt: skip

        page = await office.get(f"/admin/orders/{order['id']}")

        assert "Shipped by eve@shop.example" in page.text
        assert f"/admin/orders/{order['id']}/packing-slip.pdf" in page.links


class TestDrafts:
    async def test_are_begun_priced_and_shown(self, office, mesh):
        page = await office.get("/admin/drafts/new")

        page = await office.send(
            page, "/admin/drafts/new",
            **{"email": "bob@example.com", "sku-0": "OAK-LAMP-0", "quantity-0": "2", "price-0": "5.00"},
        )  # fmt: skip

        assert "The draft is saved." in page.text
        assert "2 × OAK-LAMP-0" in page.text
        assert "your price" in page.text
        assert dict(page.form("/admin/drafts/[0-9a-f-]+").fields)["price-0"] == "5.00"
        assert "bob@example.com" in (await office.get("/admin/drafts")).text

    async def test_are_sent_placed_and_thrown_away(self, office, mesh):
        order = placed(mesh)
        page = await office.get("/admin/drafts/new")
        page = await office.send(page, "/admin/drafts/new", **{"sku-0": "OAK-LAMP-0"})
        draft = page.path

        mailed = await office.send(page, ".*/send")
        done = await office.send(await office.get(draft), ".*/place", method="cash_on_delivery")
        gone = await office.send(await office.get(draft), ".*/delete")

        assert "The buyer is mailed a link" in mailed.text
        assert (done.path, order["payment"]["method"]) == (f"/admin/orders/{order['id']}", "cash_on_delivery")
        assert "No drafts" in gone.text

    async def test_say_what_is_wrong_beside_the_field(self, office, mesh):
        page = await office.get("/admin/drafts/new")

        page = await office.send(page, "/admin/drafts/new", **{"email": "bob", "price-0": "x"})

        assert "Enter an e-mail address such as" in page.text
        assert "Enter at least one SKU" in page.text
        assert mesh.staff_orders.drafts == {}
