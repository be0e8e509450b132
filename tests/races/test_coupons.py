"""Races for the last use of a coupon: two orders at once, exactly one gets it, on a real database.

Orders run in process against a shop that is faked at the wire; what is raced is the claim that commits with
the order.
"""

import asyncio
from collections import Counter

import pytest

from orders.merchandising import STAFF, enter, promote
from orders.purchasing import ADA, place, ready_cart
from races.rounds import AT_ONCE, ROUNDS, rounds
from shopwright.orders.testing import FakeShop


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
    return (body["type"].rpartition("/")[2], body.get("reason") or str(body["total"]["amount"]))


async def raced(client, shop, limits, headers=None):
    """How all rounds ended, and how often each coupon counts as used."""
    promotion = await promote(client, needs_code=True)
    outcomes = await rounds(lambda number: race(client, shop, promotion, number, limits, headers))
    path, cursor, uses = f"/v1/promotions/{promotion['id']}/coupons?limit=100&cursor=", "", Counter()
    while cursor is not None:
        page = (await client.get(path + cursor, headers=STAFF)).json()
        uses.update(item["uses"] for item in page["items"])
        cursor = page["next_cursor"]
    return outcomes, uses


async def test_the_last_use_of_a_coupon_goes_to_one_of_two_orders(client, shop):
    outcomes, uses = await raced(client, shop, {"uses_max": 1})

    assert outcomes == {(("coupon-not-valid", "used_up"), ("placed", "9000")): ROUNDS}
    assert uses == {1: ROUNDS}


async def test_a_customers_only_use_goes_to_one_of_two_orders(client, shop):
    outcomes, uses = await raced(client, shop, {"uses_per_customer_max": 1}, headers=ADA)

    assert outcomes == {(("coupon-not-valid", "used_by_you"), ("placed", "9000")): ROUNDS}
    assert uses == {1: ROUNDS}


async def test_the_last_use_of_a_promotion_without_a_code_goes_to_one_of_two_orders(client, shop):
    outcomes = Counter()
    for start in range(0, ROUNDS, AT_ONCE):
        skus = [shop.stock.put(f"SKU-{number}", price=10_000) for number in range(start, start + AT_ONCE)]
        promotions = [await promote(client, products=[sku], uses_max=1) for sku in skus]
        outcomes.update(await asyncio.gather(*(automatic(client, shop, sku) for sku in skus)))
        for promotion in promotions:
            await client.delete(f"/v1/promotions/{promotion['id']}", headers=STAFF)

    assert outcomes == {(("placed", "9000"), ("total-changed", "10000")): ROUNDS}


async def automatic(client, shop, sku):
    """Two orders want the same promotion's only use; the second is told what it costs without."""
    carts = [await ready_cart(client, shop, sku=sku) for _ in range(2)]
    answers = await asyncio.gather(*(place(client, cart, expected_total=cart["total"]) for cart in carts))
    return tuple(sorted(_outcome(answer) for answer in answers))
