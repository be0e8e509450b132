"""The two loads of the budget in small: what they tell is true, and what they leave is what they say."""

import json

import pytest

pytestmark = pytest.mark.stack


@pytest.fixture
def shop(unlimited_platform):
    return unlimited_platform


def told(shop, *arguments):
    report = json.loads(shop.cli("load", *arguments, "--json").stdout)
    return report, {figure["name"]: figure for figure in report["figures"]}


async def stock(shop):
    products = await shop.database("products")
    try:
        return dict(await products.fetch("SELECT sku, sum(on_hand) FROM stock GROUP BY sku"))
    finally:
        await products.close()


class TestCheckout:
    async def test_counts_paid_orders_and_what_each_costs(self, shop):
        orders = await shop.database("orders")
        before = await stock(shop)

        _, figures = told(shop, "checkout", "--clients", "2", "--seconds", "2")

        confirmed = await orders.fetchval("SELECT count(*) FROM orders WHERE status = 'confirmed'")
        await orders.close()
        assert 0 < figures["orders"]["value"] <= confirmed
        assert figures["not bought"]["met"]
        assert {"postgres", "orders-0", "generator"} <= figures["CPU ms per order"]["parts"].keys()
        assert figures["statements per order"]["parts"]["orders"] > 5
        assert figures["transactions that wrote per order"]["value"] > 5
        assert figures["orders/s"]["budget"] == "500"
        assert await stock(shop) == before


class TestFlash:
    def test_sells_exactly_the_units_and_tells_everybody(self, shop):
        report, figures = told(shop, "flash", "--buyers", "60", "--units", "5")

        assert figures["sold"]["value"] == 5
        assert figures["told that it is sold out"]["value"] == 55
        assert figures["still to be bought"]["value"] == 0
        assert figures["answer p95 ms"]["budget"] == "< 200"
        assert "60 carts" in report["left"][0]
