"""What a purchase costs the orders database: counts, so that nobody makes it slower unnoticed."""

from datetime import timedelta
from uuid import uuid4

import pytest

from counting import Counted
from shopwright.chassis.db import Database, Once
from shopwright.chassis.http import Client
from shopwright.contracts.orders import Address
from shopwright.orders.clients import Payments, Products, Users
from shopwright.orders.commands.carts import Carts
from shopwright.orders.commands.orders import Orders, Payment
from shopwright.orders.commands.pricing import Pricing
from shopwright.orders.domain import RateTable

ADDRESS = Address(name="Ada", line1="1 Lane", city="Berlin", postal_code="10115", country="DE")


class Buyer:
    """A guest of a shop whose database counts the statements."""

    def __init__(self, counted, client, payments):
        db, products, users = Database(counted), Products(client), Users(client)
        pricing = Pricing(db, users, RateTable())
        self.counted = counted
        self.carts = Carts(db, products, pricing, "EUR")
        self.orders = Orders(db, products, payments, users, pricing, buyer_time=timedelta(minutes=30))

    async def fill(self):
        cart = await self.carts.create(None, None, None)
        await self.carts.add(cart.id, None, "MUG", 1, None)
        return await self.carts.set_address(cart.id, None, "ada@example.com", ADDRESS, None)

    async def order(self, cart, once):
        return await self.orders.place(
            cart.id, None, Payment(token="tok_ok"), email=None, expected_total=cart.total, once=once
        )


@pytest.fixture
async def buyer(shop, database, tmp_path):
    shop.stock.put("MUG")
    client, payments = Client(tmp_path / "mesh.sock"), Payments(tmp_path / "mesh.sock")
    yield Buyer(Counted((await database("orders"))._pool), client, payments)
    await client.close()
    await payments.close()


async def test_filling_a_cart_costs_one_statement_for_each_change(buyer):
    await buyer.fill()  # the rules are read once
    before = buyer.counted.statements

    await buyer.fill()

    assert buyer.counted.statements - before == 3


async def test_a_paid_order_costs_four_statements_each_its_own_transaction(buyer):
    await buyer.order(await buyer.fill(), Once(uuid4().hex, b"first"))
    cart = await buyer.fill()
    before, transactions = buyer.counted.statements, buyer.counted.transactions

    order = await buyer.order(cart, Once(uuid4().hex, b"second"))

    assert (order.status, order.payment_status) == ("confirmed", "captured")
    assert buyer.counted.statements - before == 4  # the cart; the order with its saga; the pivot; the end
    assert buyer.counted.transactions == transactions


async def test_the_answer_is_the_order_as_it_was_committed(buyer):
    order = await buyer.order(await buyer.fill(), Once(uuid4().hex, b"body"))

    assert order == await buyer.orders.find(order.id)


async def test_a_repeat_gets_the_order_that_the_first_made(buyer):
    cart, once = await buyer.fill(), Once(uuid4().hex, b"body")
    first = await buyer.order(cart, once)

    assert await buyer.order(cart, once) == first
