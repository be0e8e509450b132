"""Checkout: address, delivery, review, payment and what becomes of it. One order, whatever a buyer clicks."""

import asyncio

import pytest

from buying import ADDRESS, at_delivery, at_review, the_order
from shopwright.contracts.money import Money
from shopwright.contracts.payments import GiftCardSpent
from shopwright.contracts.problems import (
    DeadlineExceeded,
    FieldError,
    InternalError,
    InvalidInput,
    OutOfStock,
    PaymentDeclined,
    RequestInFlight,
    Shortage,
    Unavailable,
)
from shopwright.web.testing.people import refusal


class TestAddress:
    async def test_an_empty_cart_has_nothing_to_check_out(self, shop):
        for path in ("/checkout", "/checkout/shipping", "/checkout/review"):
            assert (await shop.get(path)).path == "/cart"

    async def test_names_every_field_that_is_missing_beside_it_and_keeps_the_others(self, shop):
        await shop.put_in_cart()

        page = await shop.send(
            await shop.get("/checkout"), "/checkout", **{**ADDRESS, "city": "", "country": "", "email": "ada"}
        )

        assert page.status == 422
        wrong = page.all("input", **{"aria-invalid": "true"}) + page.all("select", **{"aria-invalid": "true"})
        assert [field["name"] for field in wrong] == ["email", "city", "country"]
        assert {"#email", "#city", "#country"} <= set(page.links)
        described = [field["aria-describedby"].split()[0] for field in wrong]
        assert set(described) <= {item.get("id") for _, item in page.tags}
        assert page.form("/checkout")["line1"] == "1 Long Lane"

    async def test_puts_what_orders_refuses_beside_the_field(self, shop):
        await shop.put_in_cart()

        page = await shop.send(
            await shop.get("/checkout"), "/checkout", **{**ADDRESS, "postal_code": "1" * 21}
        )

        assert page.status == 422
        assert "Expected at most 20 characters" in page.text
        assert page.all("input", name="postal_code")[0]["aria-invalid"] == "true"

    async def test_says_in_plain_words_what_orders_say_in_theirs(self, shop, mesh):
        await shop.put_in_cart()
        page = await shop.get("/checkout")
        errors = [FieldError("/address/name", "Expected `str` of length <= 200")]
        mesh.refusals[f"/v1/carts/{next(iter(mesh.purchases.carts))}/address"] = InvalidInput(errors=errors)

        told = await shop.send(page, "/checkout", **ADDRESS)

        assert "Use at most 200 characters" in told.text
        assert "Expected" not in told.text

    async def test_goes_on_to_delivery_and_can_be_changed_later(self, shop, mesh):
        page = await at_delivery(shop)
        again = await shop.get("/checkout")

        assert page.path == "/checkout/shipping"
        assert again.form("/checkout")["city"] == "Berlin"
        cart = next(iter(mesh.purchases.carts.values()))
        assert cart["address"] == {name: value for name, value in ADDRESS.items() if name != "email"}

    async def test_an_account_is_offered_its_addresses(self, shop):
        await shop.log_in()
        await shop.send(await shop.get("/account"), "/account/addresses", **{**ADDRESS, "city": "Bonn"})
        await shop.put_in_cart()

        page = await shop.get("/checkout")

        assert page.form("/checkout")["city"] == "Bonn"
        assert page.form("/checkout")["email"] == "buyer@example.com"

    async def test_keeps_what_was_typed_while_orders_is_away(self, shop, mesh):
        await shop.put_in_cart()
        page = await shop.get("/checkout")
        mesh.away.add("orders")

        page = await shop.send(page, "/checkout", **ADDRESS)

        assert page.status == 422
        assert page.form("/checkout")["line1"] == "1 Long Lane"

    async def test_the_address_book_being_away_costs_the_address_book_only(self, shop, mesh):
        await shop.log_in()
        await shop.put_in_cart()
        mesh.away.add("users")

        assert (await shop.get("/checkout")).status == 200


class TestDelivery:
    async def test_asks_for_the_address_first(self, shop):
        await shop.put_in_cart()

        assert (await shop.get("/checkout/shipping")).path == "/checkout"

    async def test_offers_every_way_with_price_and_time_and_one_chosen(self, shop):
        page = await at_delivery(shop)

        assert "Standard delivery 2–4 working days €4.90" in page.text
        assert "Express delivery 1 working day €12.90" in page.text
        assert page.form("/checkout/shipping")["method"] == "standard"

    async def test_refuses_a_way_that_there_is_not(self, shop):
        page = await shop.send(await at_delivery(shop), "/checkout/shipping", method="by-drone")

        assert page.status == 422
        assert page.all("div", id="errors")

    async def test_goes_on_to_the_review(self, shop):
        page = await at_review(shop)

        assert page.path == "/checkout/review"
        assert "Order and pay €53.90" in page.text


class TestPlace:
    async def test_orders_what_was_seen_and_leads_to_the_provider(self, shop, mesh):
        page = await shop.send(await at_review(shop), "/checkout/place")

        order = the_order(mesh)
        sent = mesh.calls("/v1/orders")[-1]
        assert sent.body["payment"] == {"method": "card", "return_url": "/checkout/return"}
        assert sent.body["expected_total"] == {"amount": 5_390, "currency": "EUR"}
        assert (page.path, order["status"]) == ("/sandbox/pay/1", "awaiting_buyer")

    @pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080"])
    async def test_the_provider_sends_the_buyer_back_to_the_name_they_used(self, shop, mesh, host):
        shop.origin = f"http://{host}"
        shop.client.base_url = shop.origin

        await shop.send(await at_review(shop), "/checkout/place")

        sent = mesh.calls("/v1/orders")[-1].body["payment"]
        assert sent["return_url"] == f"http://{host}/checkout/return"

    async def test_a_provider_elsewhere_is_reached_by_a_page_between(self, shop, mesh):
        mesh.purchases.action_url = "https://pay.example/s/1"

        page = await shop.send(await at_review(shop), "/checkout/place")

        assert "https://pay.example/s/1" in page.links
        assert page.all("meta", **{"http-equiv": "refresh"})[0]["content"] == "0;url=https://pay.example/s/1"

    async def test_never_leads_to_an_address_that_runs_code(self, shop, mesh):
        mesh.purchases.action_url = "javascript:alert(1)//"

        page = await shop.send(await at_review(shop), "/checkout/place")

        assert "javascript:" not in page.html

    async def test_two_clicks_are_one_order(self, shop, mesh):
        mesh.purchases.pay = "paid"
        page = await at_review(shop)
        form = page.form("/checkout/place")

        answers = await asyncio.gather(*(shop.post("/checkout/place", form.fields) for _ in range(2)))

        assert the_order(mesh)["status"] == "confirmed"
        assert {answer.headers["location"] for answer in answers} == {
            f"/checkout/done/{the_order(mesh)['id']}"
        }

    async def test_a_form_of_yesterday_leads_to_the_order_that_was_made_then(self, shop, mesh):
        mesh.purchases.pay = "slow"
        page = await at_review(shop)
        await shop.send(page, "/checkout/place")

        again = await shop.send(page, "/checkout/place", key="another")

        assert again.path == f"/checkout/return/{the_order(mesh)['id']}"

    async def test_a_total_that_changed_is_shown_before_anything_is_ordered(self, shop, mesh):
        page = await at_review(shop)
        mesh.goods.products[0]["variants"][0]["price"]["amount"] = 5_000

        page = await shop.send(page, "/checkout/place")

        assert mesh.purchases.orders == {}
        assert "A price has changed since you looked" in page.text
        assert "Order and pay €54.90" in page.text

    @pytest.mark.parametrize(
        "total", [{"total": "1"}, {"total": "x"}, {"currency": "euro"}, {"currency": "USD"}]
    )
    async def test_a_total_made_up_by_somebody_orders_nothing(self, shop, mesh, total):
        page = await shop.send(await at_review(shop), "/checkout/place", **total)

        assert (page.status, mesh.purchases.orders) == (200, {})

    async def test_a_declined_card_leads_back_with_the_cart_as_it_was(self, shop, mesh):
        page = await at_review(shop)
        mesh.refusals["/v1/orders"] = PaymentDeclined(code="insufficient_funds")

        page = await shop.send(page, "/checkout/place")

        assert page.path == "/checkout/review"
        assert "There is not enough money on the card. You were not charged" in page.text
        assert "Oak lamp" in page.text

    @pytest.mark.parametrize(("left", "said"), [(500, "now holds €5.00"), (0, "is used up")])
    async def test_a_gift_card_that_was_used_meanwhile_leads_back_with_what_is_left(
        self, shop, mesh, left, said
    ):
        page = await at_review(shop)
        mesh.refusals["/v1/orders"] = GiftCardSpent(balance=Money(left, "EUR"))

        page = await shop.send(page, "/checkout/place")

        assert page.path == "/checkout/review"
        assert f"Your gift card {said}. You were not charged" in page.text
        assert "Oak lamp" in page.text

    async def test_somebody_who_was_faster_leads_back_to_the_cart(self, shop, mesh):
        page = await at_review(shop)
        mesh.refusals["/v1/orders"] = OutOfStock(shortages=[Shortage("OAK-LAMP-0", 1, 0)])

        page = await shop.send(page, "/checkout/place")

        assert page.path == "/cart"
        assert "Somebody was faster" in page.text

    @pytest.mark.parametrize(
        ("slug", "path"),
        [
            ("email-missing", "/checkout"),
            ("shipping-unavailable", "/checkout/shipping"),
            ("cart-changed", "/cart"),
            ("not-for-sale", "/cart"),
        ],
    )
    async def test_leads_to_where_the_buyer_can_do_something(self, shop, mesh, slug, path):
        page = await at_review(shop)
        mesh.refusals["/v1/orders"] = refusal(slug, 409, skus=["OAK-LAMP-0"])

        assert (await shop.send(page, "/checkout/place")).path == path

    @pytest.mark.parametrize(
        "problem", [Unavailable(), DeadlineExceeded(), InternalError(), RequestInFlight()]
    )
    async def test_an_unknown_outcome_is_asked_again_with_the_same_key(self, shop, mesh, problem):
        page = await at_review(shop)
        key = page.form("/checkout/place")["key"]
        mesh.refusals["/v1/orders"] = problem

        unsure = await shop.send(page, "/checkout/place")
        done = await shop.send(unsure, "/checkout/place")

        assert "will not order or charge twice" in unsure.text
        assert unsure.form("/checkout/place")["key"] == key
        assert done.path == "/sandbox/pay/1"
        assert [call.headers["idempotency-key"] for call in mesh.calls("/v1/orders")] == [key, key]
