"""What a shop's staff decide about prices in a test: promotions with coupons, tax rates, shipping."""

from uuid import uuid4

STAFF = {
    "x-user-id": "018f0000-0000-7000-8000-00000000000d",
    "x-user-scope": "promotions:read promotions:write settings:read settings:write orders:read",
}
TEN_PERCENT = {"name": "Ten percent", "kind": "percentage", "percent": "10"}


async def made(answer):
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def promote(client, **terms):
    return await made(await client.post("/v1/promotions", json=TEN_PERCENT | terms, headers=STAFF))


async def coupon(client, code="SPRING", limits=None, **terms):
    """A promotion that needs a code, with one coupon."""
    promotion = await promote(client, needs_code=True, **terms)
    path = f"/v1/promotions/{promotion['id']}/coupons"
    await made(await client.post(path, json={"code": code} | (limits or {}), headers=STAFF))
    return promotion


async def change(client, promotion, **terms):
    return await client.patch(f"/v1/promotions/{promotion['id']}", json=terms, headers=STAFF)


async def tax(client, percent="19", country="DE", **more):
    body = {"name": "VAT", "country": country, "percent": percent} | more
    return await made(await client.post("/v1/taxes/rates", json=body, headers=STAFF))


async def tax_settings(client, **settings):
    body = {"prices_include_tax": True} | settings
    return await made(await client.put("/v1/taxes/settings", json=body, headers=STAFF))


async def enter(client, cart, *codes, headers=None):
    return await client.put(
        f"/v1/carts/{cart['id']}/coupons",
        json={"codes": list(codes)},
        headers={"idempotency-key": uuid4().hex, **(headers or {})},
    )


def rows(priced):
    return [(row["type"], row["amount"]["amount"]) for row in priced["totals"]]
