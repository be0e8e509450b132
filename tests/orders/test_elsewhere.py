"""Money that was given back at the provider's desk reaches the order, and is not given back once more."""

import asyncio
from datetime import UTC, datetime
from itertools import count

import pytest

from orders.purchasing import STAFF, look, place, ready_cart
from shopwright.chassis.outbox import encode
from shopwright.chassis.streams import stream_of
from shopwright.contracts.events import encode_data
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentChanged


@pytest.fixture
async def sold(client, shop):
    """An order of four mugs, paid; the cart that opens it."""
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    return (await place(client, cart)).json(), cart


@pytest.fixture
def at_the_desk(shop, valkey):
    """Somebody gives an amount back at the provider, and payments tells that the payment has changed."""
    turns = count(1)

    async def give_back(order, amount):
        state = shop.till.payments[order["payment"]["id"]]
        state.refunded += amount
        state.status = "refunded" if state.refunded == state.amount else "partially_refunded"
        fact = PaymentChanged(
            payment_id=order["payment"]["id"],
            order_id=order["id"],
            status=state.status,
            amount=Money(state.amount, "EUR"),
        )
        row = {
            "id": new_id(), "topic": fact.topic, "subject": fact.subject, "sequence": next(turns),
            "data": encode_data(fact), "traceparent": "", "created_at": datetime.now(UTC),
        }  # fmt: skip
        await valkey.xadd(stream_of("payments"), {"e": encode("payments", row)})

    return give_back


async def refunded(client, order, cart, amount):
    async with asyncio.timeout(60):
        while (seen := await look(client, order, cart))["refunded"]["amount"] != amount:
            await asyncio.sleep(0.02)
    return seen


async def refund(client, order, amount):
    body = {"amount": {"amount": amount, "currency": "EUR"}, "reason": "late"}
    return await client.post(f"/v1/orders/{order['id']}/refunds", json=body, headers=STAFF)


class TestGivenBackElsewhere:
    async def test_counts_as_given_back(self, client, at_the_desk, sold):
        order, cart = sold
        total = order["total"]["amount"]

        await at_the_desk(order, 250)
        assert (await refunded(client, order, cart, 250))["payment"]["status"] == "partially_refunded"
        await at_the_desk(order, 50)
        await refunded(client, order, cart, 300)

        assert (await refund(client, order, total - 299)).status_code == 409
        assert (await refund(client, order, total - 300)).status_code == 201
        assert (await look(client, order, cart))["payment"]["status"] == "refunded"

    async def test_a_refund_of_ours_is_not_counted_as_somebody_elses(self, client, at_the_desk, sold):
        order, cart = sold
        assert (await refund(client, order, 400)).status_code == 201

        for _ in range(3):
            await at_the_desk(order, 0)
        await at_the_desk(order, 100)

        assert (await refunded(client, order, cart, 500))["refunded"]["amount"] == 500
        await asyncio.sleep(0.2)
        assert (await look(client, order, cart))["refunded"]["amount"] == 500
