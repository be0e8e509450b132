"""Races for one order, on two replicas of orders: clicks, the two ways back from the provider, cancel."""

from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from orders.purchasing import STAFF, look, place, ready_cart, until
from races.rounds import ROUNDS, rounds, together
from shopwright.chassis.outbox import encode
from shopwright.chassis.streams import stream_of
from shopwright.contracts.events import encode_data
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentChanged

CONFIRMED = "SELECT subject, count(*) FROM outbox WHERE topic = 'orders.order_confirmed.v1' GROUP BY subject"
ENDED = """SELECT o.status, o.payment_status, s.status AS saga, count(*) FROM orders o JOIN sagas s USING (id)
    GROUP BY 1, 2, 3"""


@pytest.fixture(autouse=True)
def mugs(shop):
    shop.stock.put("MUG", price=1_000, free=10_000)


def payment_of(shop, order):
    return shop.till.payments[order["payment"]["id"]]


def assert_each_is_told_once(confirmed, count):
    assert Counter(row["count"] for row in confirmed) == ({1: count} if count else {})


class TestDoubleClick:
    async def test_with_one_key_makes_one_order_and_both_are_told_of_it(self, replicas, shop, rows):
        async def click_twice(_number):
            cart, key = await ready_cart(replicas[0], shop), uuid4().hex
            answers = await together(*(place(client, cart, key=key) for client in replicas))
            assert len({answer.json()["id"] for answer in answers}) == 1, [a.text for a in answers]
            return tuple(answer.status_code for answer in answers)

        assert await rounds(click_twice) == {(201, 201): ROUNDS}
        assert len(shop.till.payments) == ROUNDS
        assert_each_is_told_once(await rows(CONFIRMED), ROUNDS)

    async def test_with_a_key_for_each_click_makes_one_order(self, replicas, shop, rows):
        async def click_thrice(_number):
            cart = await ready_cart(replicas[0], shop)
            answers = await together(*(place(client, cart) for client in (*replicas, replicas[0])))
            return tuple(sorted(answer.status_code for answer in answers))

        assert await rounds(click_thrice) == {(201, 409, 409): ROUNDS}
        assert len(shop.till.payments) == ROUNDS
        assert shop.stock.free["MUG"] == 10_000 - ROUNDS
        assert_each_is_told_once(await rows(CONFIRMED), ROUNDS)


class TestWebhookAgainstRedirect:
    async def test_completes_the_order_once(self, replicas, shop, rows, valkey):
        async def come_back(_number):
            cart = await ready_cart(replicas[0], shop)
            order = (await place(replicas[0], cart, token="")).json()
            shop.till.act(order["payment"]["id"], "authorised")
            await together(webhook(valkey, order), redirect(replicas[0], order), redirect(replicas[1], order))
            return (await until(replicas[0], order, cart, "confirmed", "captured"))["status"]

        assert await rounds(come_back) == {"confirmed": ROUNDS}
        assert_each_is_told_once(await rows(CONFIRMED), ROUNDS)
        assert [tuple(row) for row in await rows(ENDED)] == [("confirmed", "captured", "completed", ROUNDS)]


class TestCancelAgainstConfirm:
    async def test_ends_paid_and_kept_or_cancelled_and_unpaid(self, replicas, shop, rows, valkey):
        async def both(number):
            cart = await ready_cart(replicas[0], shop)
            order = (await place(replicas[0], cart, token="")).json()
            shop.till.act(order["payment"]["id"], "authorised")
            await together(
                cancel(replicas[1], order, {"x-cart-id": cart["id"]}),
                redirect(replicas[0], order),
                number=number,
            )
            seen = await look(replicas[0], order, cart)
            wanted = "captured" if seen["status"] == "confirmed" else "voided"
            await until(replicas[0], order, cart, seen["status"], wanted)
            return seen["status"], payment_of(shop, order).status

        ends = await rounds(both)

        assert set(ends) == {("confirmed", "captured"), ("cancelled", "voided")}, ends
        assert shop.stock.free["MUG"] == 10_000 - ends["confirmed", "captured"]
        assert_each_is_told_once(await rows(CONFIRMED), ends["confirmed", "captured"])


async def webhook(valkey, order):
    """The provider's word, as payments tells of it."""
    fact = PaymentChanged(
        payment_id=order["payment"]["id"], order_id=order["id"], status="authorised", amount=Money(1, "EUR")
    )
    row = {
        "id": new_id(), "topic": fact.topic, "subject": fact.subject, "sequence": 1,
        "data": encode_data(fact), "traceparent": "", "created_at": datetime.now(UTC),
    }  # fmt: skip
    await valkey.xadd(stream_of("payments"), {"e": encode("payments", row)})


async def redirect(client, order):
    """The buyer is back from the provider's page."""
    answer = await client.post(f"/internal/orders/{order['id']}/look-again", headers={"x-caller": "web"})
    assert answer.status_code == 204, answer.text


async def cancel(client, order, headers=STAFF):
    return await client.post(f"/v1/orders/{order['id']}/cancel", headers=headers)
