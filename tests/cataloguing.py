"""A lamp for the catalogue, and staff who may put it there over HTTP."""

from uuid import uuid4

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "catalog:read catalog:write"}


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


def lamp(name="Oak lamp", **changes):
    sku = name.upper().replace(" ", "-")
    variant = {"sku": sku, "price": euros(1_999), "stock": {"main": 3}}
    return {
        "name": name,
        "status": "active",
        "categories": [["Home", "Lighting"]],
        "variants": [variant],
    } | changes


async def made(client, name="Oak lamp", **changes):
    answer = await client.post("/v1/products", json=lamp(name, **changes), headers=STAFF)
    assert answer.status_code == 201, answer.text
    return answer.json()
