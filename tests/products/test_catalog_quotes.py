"""What orders is told of SKUs: prices, names, categories, tax class and when a pre-order ships."""

import pytest

from cataloguing import STAFF, euros, made

ORDERS = {"x-caller": "spiffe://shopwright.local/ns/default/sa/orders"}


@pytest.fixture
async def client(run_service):
    return await run_service("products")


class TestQuotes:
    async def quoted(self, client, *skus, currency="EUR"):
        answer = await client.post(
            "/internal/quotes", json={"skus": skus, "currency": currency}, headers=ORDERS
        )
        assert answer.status_code == 200, answer.text
        return {quote["sku"]: quote for quote in answer.json()["items"]}

    async def test_tell_what_is_for_sale_and_what_is_left_of_it(self, client):
        options, picture = {"Size": "S", "Colour": "Red"}, "https://pictures.example/1.jpg"
        variant = {"sku": "A", "price": euros(2_000), "options": options, "weight_g": 5, "picture": picture}
        variant["stock"] = {"main": 2, "north": 3}
        product = await made(client, variants=[variant, {"sku": "B", "price": euros(1)}])

        found = await self.quoted(client, "A", "B", "unknown", "\0")

        assert set(found) == {"A", "B"}
        assert found["A"] == {
            "sku": "A", "product_id": product["id"], "variant_id": product["variants"][0]["id"],
            "slug": "oak-lamp", "name": "Oak lamp", "options": options,
            "unit_price": euros(2_000), "picture": picture, "weight_g": 5, "available": 5,
            "category_slugs": ["home", "lighting"], "tax_class": "standard", "preorder_from": None,
        }  # fmt: skip
        assert found["B"]["available"] == 0

    async def test_tell_the_categories_with_those_above_and_the_tax_class(self, client):
        attributes = {"Tax class": ["Reduced"], "material": ["Oak"]}
        places = [["Home", "Lighting"], ["Gifts"]]
        await made(client, "A", categories=places, attributes=attributes)

        found = (await self.quoted(client, "A"))["A"]

        assert found["category_slugs"] == ["gifts", "home", "lighting"]
        assert found["tax_class"] == "reduced"

    async def test_count_what_may_be_sold_beyond_stock_and_tell_from_when_it_ships(self, client):
        await made(client, "A")
        staff = STAFF | {"x-user-scope": "inventory:write"}
        rules = {"preorder_from": "2999-01-01", "preorder_max": 5, "backorder_max": 1}
        answer = await client.put("/v1/inventory/A/policy", json=rules, headers=staff)
        assert answer.status_code == 200, answer.text

        found = (await self.quoted(client, "A"))["A"]

        assert (found["available"], found["preorder_from"]) == (9, "2999-01-01")
        shown = (await client.get("/v1/products/a?fresh=1")).json()
        variant = shown["variants"][0]
        assert [variant[name] for name in ("available", "in_stock", "preorder_from")] == [9, 3, "2999-01-01"]
        assert shown["available"] == 9

    async def test_leave_out_what_is_not_for_sale(self, client):
        await made(client, variants=[{"sku": "A", "price": euros(1)}])
        await made(client, "Draft", status="draft")

        assert await self.quoted(client, "DRAFT") == {}
        assert await self.quoted(client, "A", currency="USD") == {}

    async def test_are_for_orders_only(self, client):
        for headers in ({}, STAFF, {"x-caller": "spiffe://shopwright.local/ns/default/sa/web"}):
            answer = await client.post(
                "/internal/quotes", json={"skus": ["A"], "currency": "EUR"}, headers=headers
            )
            assert answer.status_code == 403
