"""A shop from before promotions, taxes and shipping rules keeps its prices, carts and orders."""

import shutil
from pathlib import Path
from uuid import UUID

import pytest

import shopwright.orders
from shopwright.chassis.db import open_database
from shopwright.chassis.migrate import migrate
from shopwright.contracts.money import Money
from shopwright.orders import domain
from shopwright.orders.store import carts, orders, rules

MIGRATIONS = Path(shopwright.orders.__file__).parent / "migrations"
ONE = UUID(int=1)
OLD = """
UPDATE shipping_prices SET amount = 555, free_from = 10000 WHERE code = 'standard' AND currency = 'EUR';
INSERT INTO carts (id, currency) VALUES ('{id}', 'EUR');
INSERT INTO orders (id, number, cart_id, email, name, currency, status, payment_id,
    payment_method, payment_token, return_url, totals, total, shipping_method, shipping_name)
VALUES ('{id}', 'SW-1', '{id}', 'a@example.com', 'A', 'EUR', 'fulfilled', '{id}',
    'card', '', '', '[]', 2000, '', '');
INSERT INTO order_lines (id, order_id, position, sku, name, slug, options, quantity, unit_price, total,
    fulfilled)
VALUES ('{id}', '{id}', 1, 'MUG', 'Mug', 'mug', '{{}}', 2, 1000, 2000, 2);
"""


@pytest.fixture
async def upgraded(database_url, tmp_path):
    url, before = await database_url("chassis"), tmp_path / "migrations"
    before.mkdir()
    for path in MIGRATIONS.glob("000[1-4]_*.sql"):
        shutil.copy(path, before)
    await migrate(url, [("orders", before)])
    db = await open_database(url, application="test", size=2)
    async with db.read() as connection:
        for statement in OLD.format(id=ONE).split(";\n"):
            if statement.strip():
                await connection.execute(statement)
    await migrate(url, [("orders", MIGRATIONS)])
    yield db
    await db.close()


async def test_the_merchants_shipping_prices_are_rules_now(upgraded):
    async with upgraded.read() as connection:
        decided = await rules.read(connection)

    standard, express, pickup = decided.methods
    prices = [standard.price(None, Money(worth, currency), 0).minor for worth, currency in [
        (9_999, "EUR"), (10_000, "EUR"), (100, "GBP"),
    ]]  # fmt: skip
    assert prices == [555, 0, 450]
    assert (express.price(None, Money(1, "CHF"), 0), pickup.price(None, Money(1, "CHF"), 0).minor) == (
        None,
        0,
    )
    assert (decided.prices_include_tax, decided.rates, decided.promotions) == (True, [], [])


async def test_old_carts_and_orders_are_as_they_were(upgraded):
    async with upgraded.read() as connection:
        cart, order = await carts.find(connection, ONE), await orders.find(connection, ONE)

    assert (cart.coupons, cart.merged_into) == ([], None)
    assert (order.discounts, order.taxes, order.lines[0].discount.minor) == ([], [], 0)
    assert domain.value_of(order, {ONE: 1}) == Money(1_000, "EUR")
