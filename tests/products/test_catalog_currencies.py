"""Lists and prices of products that are not sold in the shop's own currency."""

from uuid import uuid4

import pytest

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "catalog:read catalog:write"}


@pytest.fixture
async def client(run_service):
    return await run_service("products")


async def made(client, name, **amounts):
    prices = [{"price": {"amount": amount, "currency": code}} for code, amount in amounts.items()]
    variant = {"sku": name, "prices": prices}
    product = {"name": name, "status": "active", "variants": [variant]}
    answer = await client.post("/v1/products", json=product, headers=STAFF)
    assert answer.status_code == 201, answer.text


async def pages(client, query, limit):
    found, cursor = [], ""
    while cursor is not None:
        page = (await client.get(f"/v1/products?{query}&limit={limit}&cursor={cursor}")).json()
        found += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    return found


class TestShownPrice:
    async def test_is_in_dollars_before_other_currencies(self, client):
        await made(client, "Mug", PLN=900, USD=300, ZAR=4_000)

        assert (await client.get("/v1/products/mug")).json()["price"] == {"amount": 300, "currency": "USD"}


class TestSortedByPrice:
    @pytest.fixture
    async def shop(self, client):
        await made(client, "Dear", EUR=900)
        await made(client, "Yen", JPY=90_000)
        await made(client, "Free", JPY=0)
        await made(client, "Cheap", EUR=800, USD=1)
        await made(client, "Dollars", PLN=1, USD=95_000)
        await made(client, "Gift", EUR=0)
        return client

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("price_asc", ["Gift", "Cheap", "Dear", "Free", "Yen", "Dollars"]),
            ("price_desc", ["Dear", "Cheap", "Gift", "Dollars", "Yen", "Free"]),
        ],
    )
    async def test_those_of_other_currencies_come_last_whichever_way(self, shop, sort, expected):
        found = [await pages(shop, f"sort={sort}", limit) for limit in (1, 2, 4, 10)]

        assert found == [expected] * 4

    async def test_only_those_of_the_currency_that_was_asked_for(self, shop):
        assert await pages(shop, "sort=price_asc&currency=USD", 1) == ["Cheap", "Dollars"]
        assert await pages(shop, "sort=price_desc&currency=EUR", 2) == ["Dear", "Cheap", "Gift"]
