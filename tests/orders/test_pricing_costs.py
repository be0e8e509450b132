"""What pricing costs the database: nothing for a plain cart, two statements for any number of coupons."""

from uuid import uuid4

import pytest

from counting import Counted
from shopwright.chassis.db import Database
from shopwright.contracts.money import Money
from shopwright.orders.commands.pricing import Pricing
from shopwright.orders.commands.promotions import Promotions
from shopwright.orders.domain import Cart, CartLine, RateTable, Seen


@pytest.fixture
async def counted(database):
    return Counted((await database("orders"))._pool)


@pytest.fixture
def pricing(counted):
    return Pricing(Database(counted), None, RateTable())


@pytest.fixture
def promotions(counted, pricing):
    return Promotions(Database(counted), pricing.forget)


async def promote(promotions, code=None, **terms):
    terms = {"name": "Ten", "kind": "percentage", "percent": 10, "needs_code": code is not None} | terms
    made = await promotions.create(terms, None)
    if code:
        await promotions.add_coupon(made.id, code, None, uses_max=None, uses_per_customer_max=1)


def cart_with(*coupons):
    seen = Seen(name="Mug", slug="mug", unit_price=Money(1_000, "EUR"))
    return Cart(
        id=uuid4(), user_id=None, currency="EUR", status="open", email=None, address=None,
        shipping_method=None, version=1, coupons=list(coupons),
        lines=[CartLine(id=uuid4(), sku="MUG", quantity=1, seen=seen)],
    )  # fmt: skip


async def cost(counted, pricing, cart):
    rules = await pricing.rules()
    before = counted.statements
    await pricing.price(cart, {}, "email:somebody", rules=await pricing.rules())
    assert rules.version >= 1
    return counted.statements - before


async def test_a_plain_cart_costs_nothing_whatever_the_shop_gives_away(counted, pricing, promotions):
    for _ in range(3):
        await promote(promotions, uses_max=5)

    assert await cost(counted, pricing, cart_with()) == 0


@pytest.mark.parametrize("count", [1, 10])
async def test_coupons_and_limits_per_customer_cost_two_statements(counted, pricing, promotions, count):
    codes = [f"CODE-{number}" for number in range(count)]
    for code in codes:
        await promote(promotions, code)
        await promote(promotions, uses_per_customer_max=1)

    assert await cost(counted, pricing, cart_with(*codes)) == 2


async def test_what_another_process_changed_is_read_within_two_seconds(counted, pricing, promotions):
    elsewhere = Promotions(Database(counted), lambda: None)
    before = await pricing.rules()

    await promote(elsewhere)
    kept, fresh = await pricing.rules(), await pricing.rules(fresh=True)

    assert (kept, len(before.promotions), len(fresh.promotions)) == (before, 0, 1)
    assert fresh.version > before.version
