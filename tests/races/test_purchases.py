"""Races through the whole platform: two want what one can have."""

import asyncio
from collections import Counter

import pytest

from races.rounds import ROUNDS, rounds
from shopping import Buyer, log_in

pytestmark = pytest.mark.stack


async def purchase(client, cart):
    answer = await client.post(
        "/v1/orders",
        json={"cart_id": cart["id"], "payment": {"method": "card", "token": "tok_ok"}},
        headers={"idempotency-key": cart["id"]},
    )
    return answer.status_code


async def test_two_buyers_and_one_unit_two_hundred_times(unlimited_platform):
    """200 rounds: each sells its one unit once, to one of the two."""
    skus = unlimited_platform.sells("last", count=ROUNDS, units=1)
    async with unlimited_platform.client() as client:
        outcomes = await rounds(lambda number: one_round(client, skus[number]), at_once=20)

    assert outcomes == {(201, 409): ROUNDS}


async def one_round(client, sku):
    buyer = Buyer(client)
    carts = []
    for who in ("a", "b"):
        cart = await buyer.cart_with(sku)
        carts.append(await buyer.address(cart, f"{who}-{sku}@example.com".lower()))
    statuses = await asyncio.gather(*(purchase(client, cart) for cart in carts))
    return tuple(sorted(statuses))


async def test_a_double_click_makes_one_order(unlimited_platform):
    """Fifty clicks at once on the same cart, each with a key of its own: one order, one payment."""
    platform = unlimited_platform
    (sku,) = platform.sells("clicked", count=1, units=100)
    async with platform.client() as client:
        buyer = Buyer(client)
        staff = await log_in(client, platform.demo["admin"])
        cart = await buyer.address(await buyer.cart_with(sku), "clicks@example.com")

        answers = await asyncio.gather(*(buyer.order(cart) for _ in range(50)))

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
        listed = (await client.get("/v1/orders", params={"q": "clicks@example.com"}, headers=staff)).json()
        assert len(listed["items"]) == 1
