"""What staff see first of orders: today's sales, and orders that somebody must look at."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shopwright.contracts.ids import new_id
from shopwright.orders.store.summary import read

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "shop orders:read"}


def since(**ago):
    return {"since": (datetime.now(UTC) - timedelta(**ago)).isoformat()}


async def order(client, shop, token="tok_ok", price=1_000):
    cart = (await client.post("/v1/carts", json={})).json()
    line = {"sku": shop.stock.put(uuid4().hex, price=price)}
    await client.post(f"/v1/carts/{cart['id']}/lines", json=line)
    await client.put(f"/v1/carts/{cart['id']}/address", json={"email": "ada@example.com"})
    placed = {"cart_id": cart["id"], "payment": {"token": token}}
    return (await client.post("/v1/orders", json=placed)).json()


async def summary(client, query):
    answer = await client.get("/v1/orders/summary", params=query, headers=STAFF)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestSummary:
    async def test_adds_up_what_was_bought_and_not_what_was_refused(self, client, shop):
        for token in ("tok_ok", "tok_ok", "tok_declined"):
            await order(client, shop, token)

        found = await summary(client, since(hours=1))

        assert (found["orders"], found["revenue"]) == (2, [{"amount": 2_000, "currency": "EUR"}])

    async def test_counts_from_the_first_order_on_when_asked_from_before_time_began(self, client, shop):
        await order(client, shop)

        found = await summary(client, {"since": "0001-01-01T00:00:00Z"})

        assert found["orders"] == 1

    async def test_leaves_out_what_came_before(self, client, shop):
        await order(client, shop)

        found = await summary(client, {"since": datetime.now(UTC).isoformat()})

        assert (found["orders"], found["revenue"]) == (0, [])

    async def test_counts_buyers_who_still_have_to_pay_without_calling_them_stuck(self, client, shop):
        await order(client, shop, "tok_page")

        found = await summary(client, since(hours=1))

        assert (found["awaiting_buyer"], found["attention"]) == (1, [])

    async def test_is_for_staff(self, client):
        shopper = {**STAFF, "x-user-scope": "shop"}

        answer = await client.get("/v1/orders/summary", params=since(hours=1), headers=shopper)

        assert answer.status_code == 403

    async def test_asks_for_a_time_zone(self, client):
        answer = await client.get("/v1/orders/summary?since=2026-01-01T00:00:00", headers=STAFF)

        assert answer.json()["errors"][0]["pointer"] == "/query/since"


class TestAttention:
    """On orders that were placed for real, their sagas then made to look old."""

    @pytest.fixture
    async def db(self, database):
        return await database("orders")

    async def attention(self, db, change):
        saga_id = new_id()
        async with db.begin() as tx:
            await tx.execute(SAGA, saga_id)
            await tx.execute(f"UPDATE sagas SET {change} WHERE id = $1", saga_id)
            await tx.execute(ORDER, saga_id)
            found = await read(tx, datetime.now(UTC), timedelta(minutes=2), 8)
        return [item.id for item in found.attention] == [saga_id]

    @pytest.mark.parametrize(
        "change",
        [
            "attempts = 8",
            "deadline = now() - interval '1 hour', status = 'waiting'",
            "created_at = now() - interval '3 minutes'",
        ],
    )
    async def test_is_asked_for_an_order_that_does_not_move(self, db, change):
        assert await self.attention(db, change)

    async def test_is_asked_for_an_order_whose_money_does_not_go_back(self, db):
        order_id, reversals = new_id(), [new_id() for _ in range(12)]
        async with db.begin() as tx:
            await tx.execute(ORDER, order_id)
            for reversal in reversals:
                await tx.execute(REVERSAL, reversal, order_id)
                await tx.execute(SAGA, reversal)
            await tx.execute("UPDATE sagas SET kind = 'take_back', attempts = 8")
            found = await read(tx, datetime.now(UTC), timedelta(minutes=2), 8)

        assert [item.id for item in found.attention] == [order_id]

    @pytest.mark.parametrize(
        "change",
        [
            "attempts = 1",
            "status = 'waiting', created_at = now() - interval '3 minutes'",
            "status = 'completed', attempts = 8",
        ],
    )
    async def test_is_not_asked_for_one_that_does_or_waits_for_its_buyer(self, db, change):
        assert not await self.attention(db, change)


SAGA = """
INSERT INTO sagas (id, kind, step, direction, status, traceparent, deadline, lease_until)
VALUES ($1, 'place_order', 'capture', 'forward', 'running', '', now() + interval '1 hour', now())
"""
ORDER = """
WITH o AS (
    INSERT INTO orders (id, number, cart_id, email, name, currency, status, payment_id, payment_method,
                        payment_token, return_url, totals, total, shipping_method, shipping_name)
    VALUES ($1, 'SW-1', $1, 'a@example.com', 'A', 'EUR', 'confirmed', $1, 'card', '', '', '[]', 100, '', ''))
INSERT INTO order_lines (id, order_id, position, sku, name, slug, options, quantity, unit_price, total)
VALUES ($1, $1, 1, 'MUG', 'Mug', 'mug', '{}', 1, 100, 100)
"""
REVERSAL = """
INSERT INTO reversals (id, order_id, kind, amount, restock, reason) VALUES ($1, $2, 'refund', 1, '[]', 'x')
"""
