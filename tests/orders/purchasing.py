"""A buyer and the staff of a shop in a test: carts, orders, and what is done with them over HTTP."""

import asyncio
from uuid import uuid4

ADDRESS = {
    "name": "Ada Buyer",
    "line1": "1 Long Lane",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}
ADA = {"x-user-id": "018f0000-0000-7000-8000-00000000000a", "x-user-scope": "shop"}
BOB = {"x-user-id": "018f0000-0000-7000-8000-00000000000b", "x-user-scope": "shop"}
STAFF = {
    "x-user-id": "018f0000-0000-7000-8000-00000000000c",
    "x-user-scope": "orders:read orders:write orders:refund",
}


async def ready_cart(client, shop, sku="MUG", quantity=1, headers=None, **stock):
    if sku not in shop.stock.prices:
        shop.stock.put(sku, **stock)
    cart = (await client.post("/v1/carts", json={}, headers=headers)).json()
    lines = f"/v1/carts/{cart['id']}/lines"
    added = await client.post(lines, json={"sku": sku, "quantity": quantity}, headers=headers)
    assert added.status_code == 200, added.text
    answer = await client.put(
        f"/v1/carts/{cart['id']}/address",
        json={"email": "ada@example.com", "address": ADDRESS}, headers=headers,
    )  # fmt: skip
    return answer.json()


async def place(client, cart, token="tok_ok", key=None, headers=None, **more):
    body = {"cart_id": cart["id"], "payment": {"method": "card", "token": token}, **more}
    key = {"idempotency-key": key or uuid4().hex}
    return await client.post("/v1/orders", json=body, headers={**(headers or {}), **key})


async def look(client, order, cart):
    return (await client.get(f"/v1/orders/{order['id']}", headers={"x-cart-id": cart["id"]})).json()


async def until(client, order, cart, status, payment=None, seconds=60):
    async with asyncio.timeout(seconds):
        while True:
            seen = await look(client, order, cart)
            if seen["status"] == status and payment in {None, seen["payment"]["status"]}:
                return seen
            await asyncio.sleep(0.05)
