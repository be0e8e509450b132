"""Rules that another process changed: what this one still has in memory is never charged."""

from datetime import timedelta

import pytest

from orders.purchasing import ADDRESS
from shopwright.chassis.http import Client
from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address
from shopwright.contracts.problems import TotalChanged
from shopwright.orders.clients import Payments, Products, Users
from shopwright.orders.commands.carts import Carts
from shopwright.orders.commands.orders import Orders, Payment
from shopwright.orders.commands.pricing import Pricing
from shopwright.orders.commands.promotions import Promotions
from shopwright.orders.domain import RateTable

CARD = Payment(token="tok_ok")


class Process:
    """One process of orders: its memory and its connections."""

    def __init__(self, db, mesh):
        self.client, self.payments = Client(mesh), Payments(mesh)
        products, users = Products(self.client), Users(self.client)
        pricing = Pricing(db, users, RateTable())
        self.carts = Carts(db, products, pricing, "EUR")
        self.promotions = Promotions(db, pricing.forget)
        self.orders = Orders(
            db, products, self.payments, users, pricing, buyer_time=timedelta(minutes=1)
        )  # fmt: skip

    async def close(self):
        await self.client.close()
        await self.payments.close()


@pytest.fixture
async def processes(database, shop, tmp_path):
    db = await database("orders")
    two = [Process(db, tmp_path / "mesh.sock") for _ in range(2)]
    yield two
    for process in two:
        await process.close()


@pytest.fixture
async def cart(processes, shop):
    carts, sku = processes[0].carts, shop.stock.put("MUG", price=10_000)
    cart = await carts.create(None, "EUR", None)
    await carts.add(cart.id, None, sku, 1, None)
    return await carts.set_address(cart.id, None, "ada@example.com", Address(**ADDRESS), None)


async def begin(process, **terms):
    terms = {"name": "Ten", "kind": "percentage", "percent": 10} | terms
    return await process.promotions.create(terms, None)


async def buy(process, cart, expected=None):
    return await process.orders.place(cart.id, None, CARD, email=None, expected_total=expected, once=None)


async def test_a_total_by_old_rules_is_refused_with_the_new_one(processes, cart):
    here, elsewhere = processes
    shown = await here.carts.show(cart.id, None)
    await begin(elsewhere)

    with pytest.raises(TotalChanged) as refused:
        await buy(here, cart, shown.total)

    assert (shown.total, refused.value.total) == (Money(10_000, "EUR"), Money(9_000, "EUR"))


async def test_an_order_is_priced_anew_by_the_rules_that_stand(processes, cart):
    here, elsewhere = processes
    promotion = await begin(elsewhere)
    await elsewhere.promotions.change(promotion.id, {"percent": 25}, None)

    order = await buy(here, cart)

    assert (order.status, order.total) == ("confirmed", Money(7_500, "EUR"))


async def test_a_promotion_that_was_ended_elsewhere_is_given_no_more(processes, cart):
    here, elsewhere = processes
    promotion = await begin(here)
    reduced = await here.carts.show(cart.id, None)
    await elsewhere.promotions.change(promotion.id, {"active": False}, None)

    with pytest.raises(TotalChanged) as refused:
        await buy(here, cart, reduced.total)

    assert (reduced.total.minor, refused.value.total.minor) == (9_000, 10_000)
