"""Races through the whole platform: two want what one can have."""

import asyncio
from collections import Counter

import httpx
import pytest

from shopping import Buyer, log_in, set_stock

pytestmark = pytest.mark.stack

ROUNDS = 200


async def purchase(client, cart):
    answer = await client.post(
        "/v1/orders",
        json={"cart_id": cart["id"], "payment": {"method": "card", "token": "tok_ok"}},
        headers={"idempotency-key": cart["id"]},
    )
    return answer.status_code


async def test_two_buyers_and_one_unit_two_hundred_times(unlimited_platform):
    """200 rounds: each sells its one unit once, to one of the two."""
    platform = unlimited_platform
    limits = httpx.Limits(max_connections=40)
    async with platform.client(limits=limits) as client:
        staff = await log_in(client, platform.demo["admin"])
        skus = await many_skus(client, 50)
        outcomes = Counter()
        for number in range(0, ROUNDS, len(skus)):
            await asyncio.gather(*(set_stock(client, staff, sku, 1) for sku in skus))
            await asyncio.sleep(2.1)  # quotes of a cart may be two seconds old
            results = await asyncio.gather(*(one_round(client, sku, number) for sku in skus))
            outcomes.update(results)

    assert outcomes == {(201, 409): ROUNDS}


async def one_round(client, sku, number):
    buyer = Buyer(client)
    carts = []
    for who in ("a", "b"):
        cart = await buyer.cart_with(sku)
        carts.append(await buyer.address(cart, f"{who}-{sku}-{number}@example.com".lower()))
    statuses = await asyncio.gather(*(purchase(client, cart) for cart in carts))
    return tuple(sorted(statuses))


async def many_skus(client, count):
    items = (await client.get("/v1/products?limit=100")).json()["items"]
    products = await asyncio.gather(*(client.get(f"/v1/products/{item['slug']}") for item in items))
    variants = [product.json()["variants"][0] for product in products]
    found = [variant["sku"] for variant in variants if variant["available"] > 0]
    assert len(found) >= count, f"only {len(found)} SKUs are in stock"
    return found[:count]


async def test_a_double_click_makes_one_order(unlimited_platform):
    """Fifty clicks at once on the same cart, each with a key of its own: one order, one payment."""
    platform = unlimited_platform
    async with platform.client(limits=httpx.Limits(max_connections=60)) as client:
        buyer = Buyer(client)
        sku = (await many_skus(client, 1))[0]
        staff = await log_in(client, platform.demo["admin"])
        await set_stock(client, staff, sku, 100)
        await asyncio.sleep(2.1)
        cart = await buyer.address(await buyer.cart_with(sku), "clicks@example.com")

        answers = await asyncio.gather(*(buyer.order(cart) for _ in range(50)))

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
        listed = (await client.get("/v1/orders", params={"q": "clicks@example.com"}, headers=staff)).json()
        assert len(listed["items"]) == 1
