"""Back from the provider: what becomes of an order, and where the buyer goes with it."""

import pytest

from buying import at_review, the_order


class TestComeBack:
    async def test_a_paid_order_is_confirmed_and_the_cart_is_empty(self, shop, mesh):
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.purchases.finish(the_order(mesh)["id"])

        page = await shop.get("/checkout/return?payment=whatever")

        assert page.path == f"/checkout/done/{the_order(mesh)['id']}"
        assert "Thank you , Ada" in page.text or "Thank you, Ada" in page.text
        assert the_order(mesh)["number"] in page.text
        assert mesh.calls("/internal/orders/.*/look-again")
        assert "Nothing in it yet" in (await shop.get("/cart")).text

    async def test_waits_while_the_order_is_in_progress_and_asks_again_by_itself(self, shop, mesh):
        mesh.purchases.pay = "slow"

        page = await shop.send(await at_review(shop), "/checkout/place")

        assert page.status == 200
        assert "You will not be charged twice" in page.text
        assert page.all("meta", **{"http-equiv": "refresh"})[0]["content"] == "2"

    async def test_waits_while_orders_is_away(self, shop, mesh):
        mesh.purchases.pay = "slow"
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.away.add("orders")

        page = await shop.get("/checkout/return")

        assert (page.status, "Your order is not lost" in page.text) == (200, True)

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("card_declined", "The card was declined."),
            ("cancelled_by_buyer", "You cancelled the payment."),
            ("authentication_failed", "Your bank did not get your confirmation."),
        ],
    )
    async def test_a_declined_payment_brings_the_buyer_back_with_the_cart_intact(
        self, shop, mesh, code, words
    ):
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.purchases.finish(the_order(mesh)["id"], "refused", "declined", code)

        page = await shop.get("/checkout/return")

        assert page.path == "/checkout/review"
        assert words in page.text
        assert "Oak lamp" in page.text
        assert (await shop.send(page, "/checkout/place")).path == "/sandbox/pay/1"

    async def test_an_order_that_was_not_paid_in_time_keeps_the_cart(self, shop, mesh):
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.purchases.finish(the_order(mesh)["id"], "expired", "voided")

        page = await shop.get("/checkout/return")

        assert page.path == "/cart"
        assert "not finished in time" in page.text
        assert "Oak lamp" in page.text

    async def test_the_right_one_of_two_orders_is_shown(self, shop, mesh):
        mesh.purchases.pay = "hosted"
        await shop.send(await at_review(shop), "/checkout/place")
        first = the_order(mesh)
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.purchases.finish(first["id"])

        page = await shop.get(f"/checkout/return?payment={first['payment']['id']}")

        assert page.path == f"/checkout/done/{first['id']}"

    @pytest.mark.parametrize("left_at", ["/cart", "/orders/{}", "/checkout/return/{}"])
    async def test_a_payment_that_was_left_can_be_gone_on_with(self, shop, mesh, left_at):
        await shop.send(await at_review(shop), "/checkout/place")

        page = await shop.get(left_at.format(the_order(mesh)["id"]))
        paying = await shop.get(next(link for link in page.links if link.startswith("/checkout/pay/")))

        assert paying.path == "/sandbox/pay/1"

    async def test_a_payment_can_be_left_to_change_the_cart(self, shop, mesh):
        await shop.send(await at_review(shop), "/checkout/place")

        page = await shop.send(await shop.get("/cart"), "/checkout/cancel/.*")

        assert page.path == "/cart"
        assert "Nothing was ordered" in page.text
        assert the_order(mesh)["status"] == "cancelled"
        assert page.form("/cart/lines/.*")["quantity"] == "1"

    async def test_a_payment_that_went_through_cannot_be_left(self, shop, mesh):
        await shop.send(await at_review(shop), "/checkout/place")
        page = await shop.get("/cart")
        mesh.purchases.finish(the_order(mesh)["id"])

        page = await shop.send(page, "/checkout/cancel/.*")

        assert page.path == f"/checkout/done/{the_order(mesh)['id']}"

    async def test_a_cart_that_was_paid_without_coming_back_is_empty_next_time(self, shop, mesh):
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.purchases.finish(the_order(mesh)["id"])

        assert "Nothing in it yet" in (await shop.get("/cart")).text

    async def test_a_log_in_that_ended_meanwhile_is_asked_for_and_leads_back(self, shop, mesh):
        await shop.log_in()
        await shop.send(await at_review(shop), "/checkout/place")
        mesh.people.revoke()

        page = await shop.get(f"/checkout/return/{the_order(mesh)['id']}")
        mesh.purchases.finish(the_order(mesh)["id"])
        page = await shop.send(page, "/login", email="buyer@example.com", password="buyer-password")

        assert page.path == f"/checkout/done/{the_order(mesh)['id']}"
