"""A payment that the provider refuses for good once the order is confirmed: it ends, and staff may cancel."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from orders.purchasing import STAFF, look, place, ready_cart, until
from shopwright.chassis.streams import stream_of
from shopwright.contracts.events import Envelope


@pytest.fixture
async def unpaid(client, shop):
    """An order of four mugs whose authorisation had ended when it was to be captured; its cart."""
    shop.till.captures = ["voided"]
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    return (await place(client, cart)).json(), cart


async def post(client, order, what, headers=STAFF, **body):
    return await client.post(f"/v1/orders/{order['id']}/{what}", json=body, headers=headers)


async def timeline(client, order, headers):
    answer = await client.get(f"/v1/orders/{order['id']}/timeline", headers=headers)
    return answer.json()["items"]


async def attention(client):
    since = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    found = (await client.get("/v1/orders/summary", params=since, headers=STAFF)).json()
    return [order["id"] for order in found["attention"]]


class TestRefusedCapture:
    async def test_leaves_the_order_confirmed_and_tells_how_the_payment_stands(self, client, shop, unpaid):
        order, cart = unpaid

        seen = await look(client, order, cart)

        assert (seen["status"], seen["payment"]["status"]) == ("confirmed", "voided")
        assert seen["refusal"]["type"] == "payment-refused"
        assert "expired" in seen["refusal"]["detail"]
        await asyncio.sleep(0.5)
        assert shop.faults.calls["capture"] == 1

    async def test_is_told_to_staff_and_never_to_the_buyer_as_taken(self, client, unpaid):
        order, cart = unpaid

        staff = await timeline(client, order, STAFF)
        buyer = await timeline(client, order, {"x-cart-id": cart["id"]})

        assert (staff[-1]["step"], staff[-1]["outcome"]) == ("capture", "refused")
        assert "the provider refused the capture: expired" in staff[-1]["detail"]
        assert [entry["step"] for entry in buyer] == ["reserve", "authorise", "confirm", "claim"]

    async def test_gives_back_what_the_provider_still_holds(self, client, shop):
        shop.till.captures = ["authorised"]
        cart = await ready_cart(client, shop)

        order = (await place(client, cart)).json()

        assert order["payment"]["status"] == "voided"
        assert shop.till.payments[order["payment"]["id"]].status == "voided"

    @pytest.mark.parametrize("step", ["capture", "void"])
    @pytest.mark.parametrize("fault", ["before", "after"])
    async def test_ends_though_an_answer_is_lost(self, client, shop, step, fault):
        shop.till.captures = ["authorised", "authorised"]
        shop.faults[step] = [fault]
        cart = await ready_cart(client, shop)

        order = (await place(client, cart)).json()

        await until(client, order, cart, "confirmed", "voided")

    async def test_of_unknown_outcome_is_asked_for_again(self, client, shop):
        shop.till.captures = ["unknown", "unknown"]
        cart = await ready_cart(client, shop)

        order = (await place(client, cart)).json()

        seen = await until(client, order, cart, "confirmed", "captured")
        assert (seen["refusal"], shop.faults.calls["void"]) == (None, 0)

    async def test_that_was_taken_after_all_is_paid(self, client, shop):
        shop.till.captures = ["captured"]
        cart = await ready_cart(client, shop)

        order = (await place(client, cart)).json()

        assert (await until(client, order, cart, "confirmed", "captured"))["refusal"] is None

    async def test_a_repeat_of_the_purchase_gets_the_order(self, client, shop):
        shop.till.captures = ["voided"]
        cart = await ready_cart(client, shop)

        first, again = [await place(client, cart, key="the same purchase") for _ in range(2)]
        cancelled = await post(client, first.json(), "cancel")
        late = await place(client, cart, key="the same purchase")

        assert [answer.status_code for answer in (first, again, cancelled, late)] == [201, 201, 200, 201]
        assert (again.json()["id"], late.json()["status"]) == (first.json()["id"], "cancelled")


class TestStaff:
    async def test_see_it_among_the_orders_that_need_attention_until_it_is_cancelled(self, client, unpaid):
        order, _ = unpaid

        before = await attention(client)
        await post(client, order, "cancel")

        assert (before, await attention(client)) == ([order["id"]], [])

    @pytest.mark.parametrize("what", ["fulfilments", "refunds"])
    async def test_neither_ship_nor_pay_back_and_read_why(self, client, unpaid, what):
        order, _ = unpaid

        answer = await post(client, order, what, **({"reason": "kindness"} if what == "refunds" else {}))

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/payment-refused")
        assert "payment" in answer.json()["title"]
        assert "refused" in answer.json()["title"]
        assert answer.json()["payment_status"] == "voided"

    async def test_cancel_it_and_only_goods_go_back(self, client, shop, valkey, unpaid):
        order, cart = unpaid

        answer = await post(client, order, "cancel")

        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        seen = await look(client, order, cart)
        assert (seen["payment"]["status"], seen["refunded"]["amount"]) == ("voided", 0)
        assert (shop.stock.free["MUG"], shop.faults.calls["refund"]) == (4, 0)
        refunds = (await client.get(f"/v1/orders/{order['id']}/refunds", headers=STAFF)).json()["items"]
        assert [(item["kind"], item["amount"]["amount"]) for item in refunds] == [("cancellation", 0)]
        assert [entry["step"] for entry in await timeline(client, order, STAFF)][-2:] == ["cancel", "restock"]
        assert await told(valkey, order) == ["orders.order_confirmed.v1", "orders.order_cancelled.v1"]

    async def test_cancel_it_once_however_many_try(self, client, shop, unpaid):
        order, _ = unpaid

        answers = await asyncio.gather(*[post(client, order, "cancel") for _ in range(5)])

        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
        assert shop.stock.free["MUG"] == 4


class TestBuyer:
    async def test_does_not_cancel_it(self, client, unpaid):
        order, cart = unpaid

        answer = await post(client, order, "cancel", {"x-cart-id": cart["id"]})

        assert (answer.status_code, answer.json()["order_status"]) == (409, "confirmed")


async def told(valkey, order):
    """The topics of what was told of an order, once its cancellation was."""
    async with asyncio.timeout(60):
        while True:
            entries = await valkey.xrange(stream_of("orders"))
            facts = [msgspec.json.decode(fields[b"e"], type=Envelope) for _, fields in entries]
            topics = [fact.type for fact in facts if fact.subject == order["id"]]
            if "orders.order_cancelled.v1" in topics:
                return topics
            await asyncio.sleep(0.05)
