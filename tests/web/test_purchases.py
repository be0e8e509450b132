"""Orders that were placed: the list and one order, for an account and for the browser of a guest."""

from uuid import uuid4

import pytest

from browsing import Browser
from buying import at_review, the_order
from shopwright.contracts.problems import Unavailable


class TestOrders:
    async def test_a_guest_sees_what_this_browser_bought_and_nobody_else_does(self, shop, web, mesh):
        mesh.purchases.pay = "paid"
        await shop.send(await at_review(shop), "/checkout/place")
        path = f"/orders/{the_order(mesh)['id']}"

        own, listed, other = await shop.get(path), await shop.get("/orders"), await Browser(web).get(path)

        assert "We set your items aside" in own.text
        assert the_order(mesh)["number"] in listed.text
        assert other.path.startswith("/login")

    async def test_an_account_sees_its_orders_in_every_browser(self, shop, web, mesh):
        mesh.purchases.pay = "paid"
        await shop.log_in()
        await shop.send(await at_review(shop), "/checkout/place")
        other = Browser(web)
        await other.log_in()

        assert the_order(mesh)["number"] in (await other.get("/orders")).text
        assert (await other.get(f"/orders/{the_order(mesh)['id']}")).status == 200

    async def test_an_account_order_is_no_longer_open_after_log_out(self, shop, mesh):
        mesh.purchases.pay = "paid"
        await shop.log_in()
        await shop.send(await at_review(shop), "/checkout/place")
        await shop.send(await shop.get("/account"), "/logout")

        page = await shop.get(f"/orders/{the_order(mesh)['id']}")

        assert page.path.startswith("/login")

    async def test_says_how_many_of_a_line_were_cancelled(self, shop, mesh):
        mesh.purchases.pay = "paid"
        await shop.send(await at_review(shop), "/checkout/place")
        line = the_order(mesh)["lines"][0]
        path = f"/orders/{the_order(mesh)['id']}"

        line |= {"quantity": 3, "fulfilled": 1, "cancelled": 2}
        some = await shop.get(path)
        line |= {"fulfilled": 0, "cancelled": 3}
        all_of_it = await shop.get(path)

        assert "2 of 3 cancelled" in some.text
        assert "Cancelled" in all_of_it.text
        assert "of 3" not in all_of_it.text

    async def test_an_unknown_order_is_not_found(self, shop):
        await shop.log_in()

        assert (await shop.get(f"/orders/{uuid4()}")).status == 404

    async def test_lists_a_guests_orders_in_pages_with_a_fixed_number_of_calls(self, shop, mesh):
        mesh.purchases.pay = "paid"
        for _ in range(7):
            await shop.send(await at_review(shop), "/checkout/place")
        mesh.asked.clear()

        first = await shop.get("/orders")
        calls = len(mesh.asked)
        second = await shop.get(next(link for link in first.links if "cursor" in link))

        assert calls == 5
        assert [page.text.count("SW-1000") for page in (first, second)] == [5, 2]

    async def test_an_account_list_takes_one_call_however_long_it_is(self, shop, mesh):
        mesh.purchases.pay = "paid"
        await shop.log_in()
        for _ in range(3):
            await shop.send(await at_review(shop), "/checkout/place")
        mesh.asked.clear()

        await shop.get("/orders")

        assert len(mesh.asked) == 1

    async def test_says_that_orders_cannot_be_shown_while_orders_is_away(self, shop, mesh):
        await shop.log_in()
        mesh.away.add("orders")

        page = await shop.get("/orders")

        assert (page.status, "None of them is lost" in page.text) == (200, True)

    async def test_an_order_is_shown_without_its_history_when_that_is_away(self, shop, mesh):
        mesh.purchases.pay = "paid"
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.refusals[f"/v1/orders/{the_order(mesh)['id']}/timeline"] = Unavailable()

        page = await shop.get(f"/orders/{the_order(mesh)['id']}")

        assert (page.status, "The history cannot be shown" in page.text) == (200, True)

    async def test_shows_a_guest_where_a_parcel_is(self, shop, mesh):
        await shop.send(await at_review(shop), "/checkout/place")
        order = the_order(mesh)
        mesh.purchases.finish(order["id"], "fulfilled")
        tracking = {"carrier": "DHL", "number": "00340", "url": "https://dhl.example/00340"}
        parcel = {"id": str(uuid4()), "lines": [], "tracking": tracking, "created_at": order["created_at"]}
        mesh.after_sale.fulfilments[order["id"]] = [parcel]

        page = await shop.get(f"/orders/{order['id']}")

        assert "A parcel was sent : DHL 00340" in page.text
        assert "https://dhl.example/00340" in page.links

    async def test_says_what_was_sent_returned_and_given_back(self, shop, mesh):
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.purchases.finish(the_order(mesh)["id"], "partially_fulfilled", "partially_refunded")
        the_order(mesh)["lines"][0] |= {"quantity": 3, "fulfilled": 2, "returned": 1}
        the_order(mesh)["refunded"] = {"amount": 4_900, "currency": "EUR"}

        page = await shop.get(f"/orders/{the_order(mesh)['id']}")

        assert "2 of 3 sent, 1 returned" in page.text
        assert "Given back €49.00" in page.text

    @pytest.mark.parametrize(
        ("status", "payment", "words"),
        [
            ("cancelled", "voided", "Cancelled"),
            ("expired", "voided", "Not paid in time"),
            ("fulfilled", "captured", "Sent"),
        ],
    )
    async def test_says_how_an_order_stands(self, shop, mesh, status, payment, words):
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.purchases.finish(the_order(mesh)["id"], status, payment)

        assert words in (await shop.get(f"/orders/{the_order(mesh)['id']}")).text
