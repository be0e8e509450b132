"""A buyer on the way through the checkout, and the one order that came of it."""

from __future__ import annotations

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
