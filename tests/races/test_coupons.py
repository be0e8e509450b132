"""Races for the last use of a coupon: two orders at once, exactly one gets it, on a real database.

Orders run in process against a shop that is faked at the wire; what is raced is the claim that commits with
the order.
"""

import asyncio
from collections import Counter

import pytest

from orders.merchandising import STAFF, enter, promote
from orders.purchasing import ADA, place, ready_cart
from shopwright.orders.testing import FakeShop

ROUNDS = 200
AT_ONCE = 10


@pytest.fixture
async def shop(tmp_path):
    running = FakeShop()
    await running.start(tmp_path / "mesh.sock")
    running.stock.put("MUG", price=10_000, free=10_000)
    yield running
    await running.stop()


@pytest.fixture
async def client(shop, run_service):
    return await run_service("orders")


async def race(client, shop, promotion, number, limits, headers=None):
    """Two carts with the same code are ordered at once; how each ended, and what the coupon counts."""
    code, path = f"CODE-{number}", f"/v1/promotions/{promotion['id']}/coupons"
    await client.post(path, json={"code": code} | limits, headers=STAFF)
    carts = [await ready_cart(client, shop, headers=headers) for _ in range(2)]
    for cart in carts:
        assert (await enter(client, cart, code, headers=headers)).status_code == 200
    answers = await asyncio.gather(*(place(client, cart, headers=headers) for cart in carts))
    return tuple(sorted(_outcome(answer) for answer in answers))


def _outcome(answer):
    body = answer.json()
    if answer.status_code == 201:
        return ("placed", str(body["total"]["amount"]))
    return (body["type"].rpartition("/")[2], body["reason"])


async def rounds(client, shop, limits, headers=None):
    promotion = await promote(client, needs_code=True)
    outcomes = Counter()
    for start in range(0, ROUNDS, AT_ONCE):
        batch = range(start, start + AT_ONCE)
        outcomes.update(
            await asyncio.gather(*(race(client, shop, promotion, n, limits, headers) for n in batch))
        )
    listed = []
    cursor = ""
    while cursor is not None:
        query = f"?limit=100&cursor={cursor}"
        page = (await client.get(f"/v1/promotions/{promotion['id']}/coupons{query}", headers=STAFF)).json()
        listed += [item["uses"] for item in page["items"]]
        cursor = page["next_cursor"]
    return outcomes, Counter(listed)


async def test_the_last_use_of_a_coupon_goes_to_one_of_two_orders(client, shop):
    outcomes, uses = await rounds(client, shop, {"uses_max": 1})

    assert outcomes == {(("coupon-not-valid", "used_up"), ("placed", "9000")): ROUNDS}
    assert uses == {1: ROUNDS}


async def test_a_customers_only_use_goes_to_one_of_two_orders(client, shop):
    outcomes, uses = await rounds(client, shop, {"uses_per_customer_max": 1}, headers=ADA)

    assert outcomes == {(("coupon-not-valid", "used_by_you"), ("placed", "9000")): ROUNDS}
    assert uses == {1: ROUNDS}
