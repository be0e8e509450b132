"""Checkout: address, delivery, review, payment and what becomes of it. One order, whatever a buyer clicks."""

import asyncio
from uuid import uuid4

import pytest

from browsing import Browser
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

ADDRESS = {
    "email": "ada@example.com", "name": "Ada Buyer", "line1": "1 Long Lane", "postal_code": "10115",
    "city": "Berlin", "country": "DE",
}  # fmt: skip


async def at_delivery(shop):
    await shop.put_in_cart()
    return await shop.send(await shop.get("/checkout"), "/checkout", **ADDRESS)


async def at_review(shop):
    return await shop.send(await at_delivery(shop), "/checkout/shipping", method="standard")


def the_order(mesh):
    assert len(mesh.purchases.orders) == 1
    return next(iter(mesh.purchases.orders.values()))


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
