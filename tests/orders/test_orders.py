"""Placing an order over HTTP: one outcome per cart, whatever repeats, fails, waits or comes late."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from orders.purchasing import ADA, BOB, STAFF, look, place, ready_cart, until
from shopwright.chassis.outbox import encode
from shopwright.chassis.streams import stream_of
from shopwright.contracts.events import encode_data
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentChanged
from shopwright.contracts.users import UserErased


async def delayed(seconds, call, *given, **named):
    await asyncio.sleep(seconds)
    return await call(*given, **named)


async def tell(valkey, source, fact):
    """A fact on the bus, as its service's relay puts it there."""
    row = {
        "id": new_id(), "topic": fact.topic, "subject": fact.subject, "sequence": 1,
        "data": encode_data(fact), "traceparent": "", "created_at": datetime.now(UTC),
    }  # fmt: skip
    await valkey.xadd(stream_of(source), {"e": encode(source, row)})


class TestPlace:
    async def test_confirms_takes_the_stock_and_the_money(self, client, shop):
        cart = await ready_cart(client, shop, quantity=2, free=5)

        answer = await place(client, cart, expected_total=cart["total"])

        order = answer.json()
        assert answer.status_code == 201, answer.text
        assert (order["status"], order["payment"]["status"]) == ("confirmed", "captured")
        assert order["total"] == cart["total"]
        assert shop.stock.free["MUG"] == 3
        assert shop.faults.calls == Counter(reserve=1, authorise=1, claim=1, capture=1)

    async def test_numbers_can_be_read_and_differ(self, client, shop):
        orders = [(await place(client, await ready_cart(client, shop))).json() for _ in range(3)]

        assert len({order["number"] for order in orders}) == 3
        assert all(order["number"].startswith("SW-") for order in orders)

    async def test_the_same_key_gets_the_same_answer(self, client, shop):
        cart, key = await ready_cart(client, shop), uuid4().hex

        answers = await asyncio.gather(*[place(client, cart, key=key) for _ in range(10)])

        assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
        assert {answer.status_code for answer in answers} == {201}
        assert shop.faults.calls["authorise"] == 1

    async def test_the_same_key_gets_the_same_answer_though_it_bought_the_last_one(self, client, shop):
        for sku in ("A", "B", "C", "D", "E"):  # a cart may take its quote from two seconds ago
            shop.stock.put(sku, free=1)
            cart, key = await ready_cart(client, shop, sku=sku), uuid4().hex

            answers = await asyncio.gather(*[delayed(number / 200, place, client, cart, key=key)
                                             for number in range(20)])  # fmt: skip

            assert {answer.status_code for answer in answers} == {201}
            assert len({answer.json()["id"] for answer in answers}) == 1

    async def test_the_same_key_with_another_body_is_refused(self, client, shop):
        cart, key = await ready_cart(client, shop), uuid4().hex
        await place(client, cart, key=key)

        answer = await place(client, cart, key=key, email="other@example.com")

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")

    async def test_a_repeat_by_somebody_else_is_not_told_of_the_order(self, client, shop):
        cart, key = await ready_cart(client, shop, headers=ADA), uuid4().hex
        assert (await place(client, cart, key=key, headers=ADA)).status_code == 201

        strangers = [await place(client, cart, key=key, headers=headers) for headers in (None, BOB)]

        assert [answer.status_code for answer in strangers] == [404, 404]

    async def test_text_that_no_database_can_hold_is_refused(self, client, shop):
        cart = await ready_cart(client, shop)

        placed = await place(client, cart, token="tok\0ok")
        searched = await client.get("/v1/orders?q=%00", headers=STAFF)

        assert (placed.status_code, searched.status_code) == (422, 422)

    async def test_fifty_clicks_with_keys_of_their_own_make_one_order(self, client, shop):
        cart = await ready_cart(client, shop)

        answers = await asyncio.gather(*[place(client, cart) for _ in range(50)])

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
        assert shop.faults.calls["authorise"] == 1

    async def test_a_total_that_changed_is_refused_with_the_new_one(self, client, shop):
        cart = await ready_cart(client, shop, price=1_000)
        shop.stock.put("MUG", price=1_100)

        answer = await place(client, cart, expected_total=cart["total"])

        assert (answer.status_code, answer.json()["total"]["amount"]) == (409, 1_590)
        assert shop.faults.calls["reserve"] == 0

    async def test_what_left_the_catalogue_is_named(self, client, shop):
        cart = await ready_cart(client, shop)
        shop.stock.prices.clear()

        answer = await place(client, cart)

        assert (answer.status_code, answer.json()["skus"]) == (409, ["MUG"])

    async def test_an_empty_cart_and_one_without_an_email_are_refused(self, client, shop):
        empty = (await client.post("/v1/carts", json={})).json()
        assert (await place(client, empty)).json()["type"] == "/problems/cart-empty"
        sku = shop.stock.put("CUP")
        await client.post(f"/v1/carts/{empty['id']}/lines", json={"sku": sku, "quantity": 1})

        answer = await place(client, empty)

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/email-missing")

    async def test_the_accounts_own_address_and_name_are_used_when_the_cart_has_none(self, client, shop):
        shop.buyers[ADA["x-user-id"]] = {"id": ADA["x-user-id"], "email": "ada@home.example", "name": "Ada L"}
        cart = (await client.post("/v1/carts", json={}, headers=ADA)).json()
        body = {"sku": shop.stock.put("CUP"), "quantity": 1}
        await client.post(f"/v1/carts/{cart['id']}/lines", json=body, headers=ADA)

        order = (await place(client, cart, headers=ADA)).json()

        assert (order["email"], order["name"], order["shipping"]["code"]) == (
            "ada@home.example", "Ada L", "pickup",
        )  # fmt: skip


class TestRefused:
    async def test_a_declined_card_gives_the_stock_and_the_cart_back(self, client, shop):
        cart = await ready_cart(client, shop, free=3)

        answer = await place(client, cart, token="tok_declined")

        assert (answer.status_code, answer.json()["code"]) == (402, "card_declined")
        assert shop.stock.free["MUG"] == 3
        assert (await client.get(f"/v1/carts/{cart['id']}")).json()["status"] == "open"
        assert (await place(client, cart)).status_code == 201

    async def test_what_sold_out_meanwhile_is_refused_without_asking_for_money(self, client, shop):
        carts = [await ready_cart(client, shop, free=1) for _ in range(2)]

        answers = await asyncio.gather(*[place(client, cart) for cart in carts])

        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert (shop.stock.free["MUG"], shop.faults.calls["authorise"]) == (0, 1)


class TestFailures:
    @pytest.mark.parametrize("step", ["reserve", "authorise", "claim", "capture"])
    @pytest.mark.parametrize("fault", ["before", "after"])
    async def test_one_failure_of_any_step_changes_nothing_for_the_buyer(self, client, shop, step, fault):
        cart = await ready_cart(client, shop, free=3)
        shop.faults[step] = [fault]

        answer = await place(client, cart)
        order = await until(client, answer.json(), cart, "confirmed", "captured")

        assert answer.status_code in {201, 202}
        assert (shop.stock.free["MUG"], shop.till.payments[order["payment"]["id"]].captured) == (
            2, cart["total"]["amount"],
        )  # fmt: skip
        assert len(shop.till.payments) == 1

    @pytest.mark.parametrize("undo", ["void", "release"])
    async def test_an_undo_that_fails_is_done_in_the_end(self, client, shop, undo):
        cart = await ready_cart(client, shop, free=3)
        shop.faults[undo] = ["before", "after"]
        key = uuid4().hex

        async with asyncio.timeout(60):  # on a busy machine the undo may outlast a request's patience
            while (answer := await place(client, cart, "tok_declined", key)).status_code == 202:
                await asyncio.sleep(0.05)

        assert answer.status_code == 402
        assert shop.stock.free["MUG"] == 3

    async def test_a_catalogue_that_is_away_refuses_before_anything_happened(self, client, shop):
        cart = await ready_cart(client, shop)
        shop.stock.away = True

        answer = await place(client, cart)

        assert answer.status_code == 503
        assert (await client.get(f"/v1/carts/{cart['id']}")).json()["status"] == "open"


class TestBuyerActs:
    async def test_waits_at_the_providers_page_until_the_buyer_paid(self, client, shop):
        cart = await ready_cart(client, shop, free=3)
        answer = await place(client, cart, token="")
        order = answer.json()
        assert (answer.status_code, order["status"]) == (202, "awaiting_buyer")
        assert order["payment"]["action_url"] == "https://pay.example/page"
        assert shop.stock.free["MUG"] == 2

        shop.till.act(order["payment"]["id"], "authorised")
        await client.post(f"/internal/orders/{order['id']}/look-again", headers={"x-caller": "web"})

        seen = await until(client, order, cart, "confirmed", "captured")
        assert seen["payment"]["action_url"] is None

    async def test_a_buyer_who_gives_up_gets_everything_back(self, client, shop):
        cart = await ready_cart(client, shop, free=3)
        order = (await place(client, cart, token="")).json()

        answer = await client.post(f"/v1/orders/{order['id']}/cancel", headers={"x-cart-id": cart["id"]})

        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert shop.till.payments[order["payment"]["id"]].status == "voided"
        assert shop.stock.free["MUG"] == 3
        assert (await client.get(f"/v1/carts/{cart['id']}")).json()["status"] == "open"

    async def test_a_confirmed_order_is_not_cancelled_so(self, client, shop):
        cart = await ready_cart(client, shop)
        order = (await place(client, cart)).json()

        answer = await client.post(f"/v1/orders/{order['id']}/cancel", headers={"x-cart-id": cart["id"]})

        assert (answer.status_code, answer.json()["order_status"]) == (409, "confirmed")

    async def test_a_cancellation_that_came_too_late_is_refused(self, client, shop):
        cart = await ready_cart(client, shop)
        order = (await place(client, cart, token="")).json()
        shop.till.act(order["payment"]["id"], "authorised")
        shop.till.gate = asyncio.Event()
        back = asyncio.ensure_future(
            client.post(f"/internal/orders/{order['id']}/look-again", headers={"x-caller": "web"})
        )
        while not shop.till.waiting:
            await asyncio.sleep(0.01)

        cancelled = asyncio.ensure_future(
            client.post(f"/v1/orders/{order['id']}/cancel", headers={"x-cart-id": cart["id"]})
        )
        await asyncio.sleep(0.3)
        shop.till.gate.set()
        await back

        answer = await cancelled
        assert (answer.status_code, answer.json()["order_status"]) == (409, "confirmed")

    async def test_only_web_may_ask_to_look_again(self, client):
        answer = await client.post(f"/internal/orders/{uuid4()}/look-again", headers={"x-caller": "edge"})

        assert answer.status_code == 403


class TestReading:
    async def test_a_guest_needs_the_carts_id(self, client, shop):
        cart = await ready_cart(client, shop)
        order = (await place(client, cart)).json()

        assert (await client.get(f"/v1/orders/{order['id']}")).status_code == 401
        other = {"x-cart-id": str(uuid4())}
        assert (await client.get(f"/v1/orders/{order['id']}", headers=other)).status_code == 404
        assert (await look(client, order, cart))["id"] == order["id"]

    async def test_an_account_sees_its_own_only_and_staff_see_all(self, client, shop):
        mine = (await place(client, await ready_cart(client, shop, headers=ADA), headers=ADA)).json()
        other = (await place(client, await ready_cart(client, shop, headers=BOB), headers=BOB)).json()

        async def listed(headers, **query):
            answer = await client.get("/v1/orders", headers=headers, params=query)
            return [order["id"] for order in answer.json()["items"]]

        assert await listed(ADA) == [mine["id"]]
        assert (await client.get(f"/v1/orders/{other['id']}", headers=ADA)).status_code == 404
        assert await listed(STAFF) == [other["id"], mine["id"]]
        assert await listed(STAFF, q=mine["number"].lower()) == [mine["id"]]
        assert await listed(STAFF, q="ADA@example.com", status="confirmed") == [other["id"], mine["id"]]
        assert await listed(STAFF, status="refused") == []
        assert (await client.get("/v1/orders")).status_code == 401

    async def test_pages_are_stable(self, client, shop):
        placed = [(await place(client, await ready_cart(client, shop))).json()["id"] for _ in range(5)]

        first = (await client.get("/v1/orders?limit=2", headers=STAFF)).json()
        rest = (await client.get(f"/v1/orders?limit=3&cursor={first['next_cursor']}", headers=STAFF)).json()

        assert [order["id"] for order in first["items"] + rest["items"]] == placed[::-1]
        assert rest["next_cursor"] is None

    async def test_the_timeline_tells_staff_what_failed_and_the_buyer_what_happened(self, client, shop):
        cart = await ready_cart(client, shop)
        shop.faults["claim"] = ["before"]
        order = (await place(client, cart)).json()
        await until(client, order, cart, "confirmed", "captured")
        path = f"/v1/orders/{order['id']}/timeline"

        buyer = (await client.get(path, headers={"x-cart-id": cart["id"]})).json()["items"]
        staff = (await client.get(path, headers=STAFF)).json()["items"]

        assert [entry["step"] for entry in buyer] == ["reserve", "authorise", "confirm", "claim", "capture"]
        assert [entry["outcome"] for entry in staff if entry["step"] == "claim"] == ["failed", "done"]
        assert not any(entry["detail"] for entry in buyer)


class TestFacts:
    async def test_a_payment_that_changed_wakes_its_order(self, client, shop, valkey):
        cart = await ready_cart(client, shop)
        order = (await place(client, cart, token="")).json()
        shop.till.act(order["payment"]["id"], "authorised")

        await tell(valkey, "payments", PaymentChanged(
            payment_id=order["payment"]["id"], order_id=order["id"], status="authorised",
            amount=Money(cart["total"]["amount"], "EUR"),
        ))  # fmt: skip

        await until(client, order, cart, "confirmed", "captured")

    async def test_a_buyer_who_is_erased_leaves_the_orders_without_a_name(self, client, shop, valkey):
        cart = await ready_cart(client, shop, headers=ADA)
        order = (await place(client, cart, headers=ADA)).json()

        await tell(valkey, "users", UserErased(user_id=ADA["x-user-id"]))

        async with asyncio.timeout(60):
            while True:
                seen = (await client.get(f"/v1/orders/{order['id']}", headers=STAFF)).json()
                if seen["email"] == "erased":
                    break
                await asyncio.sleep(0.05)
        assert (seen["name"], seen["address"], seen["total"]) == ("erased", None, order["total"])
        assert (await client.get(f"/v1/carts/{cart['id']}", headers=ADA)).status_code == 404
