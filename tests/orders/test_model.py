"""A paid order against a simple model: staff ship, take back, pay back and cancel in any order and amount.

The model counts units and cents. What it allows must happen, what it does not must be refused and change
nothing; then order, till and stock say what it says. `SHOPWRIGHT_LONG_PROOFS=1` runs it a hundred times as
long.
"""

import asyncio
import importlib
import os
from collections import Counter

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from orders.purchasing import STAFF, look, place, ready_cart
from shopwright.orders.testing import FakeShop

LONG = 100 if os.environ.get("SHOPWRIGHT_LONG_PROOFS") else 1
PRICES = {"MUG": 1_000, "CUP": 800}
UNITS = 1_000_000
COUNTS = (
    st.fixed_dictionaries({"MUG": st.integers(0, 3), "CUP": st.integers(0, 2)}).map(Counter).map(lambda c: +c)
)


class Machine(RuleBasedStateMachine):
    def __init__(self, runner, shop, client):
        super().__init__()
        self.run, self.shop, self.client = runner.run, shop, client

    @initialize(mugs=st.integers(1, 3), cups=st.integers(1, 2))
    def buy(self, mugs, cups):
        for sku, price in PRICES.items():
            self.shop.stock.put(sku, price=price, free=UNITS)
        self.order, self.cart = self.run(self._bought(mugs, cups))
        self.ordered, self.paid = Counter(MUG=mugs, CUP=cups), self.order["total"]["amount"]
        self.shipped, self.returned, self.restocked = Counter(), Counter(), Counter()
        self.back, self.status = 0, "confirmed"

    async def _bought(self, mugs, cups):
        cart = await ready_cart(self.client, self.shop, quantity=mugs)
        path = f"/v1/carts/{cart['id']}/lines"
        cart = (await self.client.post(path, json={"sku": "CUP", "quantity": cups})).json()
        return (await place(self.client, cart)).json(), cart

    @rule(counts=COUNTS)
    def ship(self, counts):
        allowed = (
            self.status in {"confirmed", "partially_fulfilled"} and counts <= self.ordered - self.shipped
        )
        if self.asked("fulfilments", allowed and counts, lines=self.lines(counts)):
            self.shipped += counts
            self.status = "fulfilled" if self.shipped == self.ordered else "partially_fulfilled"

    @rule(amount=st.one_of(st.integers(1, 3_000), st.none()))
    def refund(self, amount):
        left = self.paid - self.back
        wanted = left if amount is None else amount
        body = {} if amount is None else {"amount": {"amount": amount, "currency": "EUR"}}
        if self.asked("refunds", 0 < wanted <= left, reason="asked", **body):
            self.back += wanted

    @rule(counts=COUNTS, restock=st.booleans())
    def take_back(self, counts, restock):
        allowed = (
            self.status in {"partially_fulfilled", "fulfilled"} and counts <= self.shipped - self.returned
        )
        lines = self.lines(counts)
        if self.asked("returns", allowed and counts, reason="broken", lines=lines, restock=restock):
            self.returned += counts
            self.restocked += counts if restock else Counter()
            value = sum(PRICES[sku] * count for sku, count in counts.items())
            self.back += min(value, self.paid - self.back)
            self.status = "returned" if self.returned == self.ordered else self.status

    @rule()
    def cancel(self):
        if self.status == "partially_fulfilled":
            return  # what of it is not shipped is cancelled: test_after_sale has that
        if self.asked("cancel", self.status == "confirmed"):
            self.restocked, self.back, self.status = self.ordered, self.paid, "cancelled"

    def asked(self, what, allowed, **body):
        """Whether it happened, which must be so exactly when the model allows it."""
        path = f"/v1/orders/{self.order['id']}/{what}"
        answer = self.run(self.client.post(path, json=body, headers=STAFF))
        assert answer.status_code in ({200, 201} if allowed else {409, 422}), answer.text
        return answer.is_success

    def lines(self, counts):
        ids = {line["sku"]: line["id"] for line in self.order["lines"]}
        return [{"id": ids[sku], "quantity": count} for sku, count in counts.items()]

    @invariant()
    def all_say_the_same(self):
        seen = self.run(look(self.client, self.order, self.cart))
        state = self.shop.till.payments[self.order["payment"]["id"]]
        assert (seen["status"], seen["refunded"]["amount"]) == (self.status, self.back)
        assert (state.captured, state.refunded) == (self.paid, self.back)
        for line in seen["lines"]:
            sku = line["sku"]
            assert (line["fulfilled"], line["returned"]) == (self.shipped[sku], self.returned[sku])
            assert self.shop.stock.free[sku] == UNITS - self.ordered[sku] + self.restocked[sku]


@pytest.mark.timeout(120 * LONG)
def test_an_order_goes_only_where_its_model_goes(databases, valkey_server, tmp_path):
    with asyncio.Runner() as runner:
        shop, service, client = runner.run(_open(databases, valkey_server, tmp_path))
        run_state_machine_as_test(
            lambda: Machine(runner, shop, client),
            settings=settings(
                max_examples=40 * LONG,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            ),
        )
        runner.run(client.aclose())
        runner.run(service.close())
        runner.run(shop.stop())


async def _open(databases, valkey_server, folder):
    shop = FakeShop()
    await shop.start(folder / "mesh.sock")
    environ = {
        "SHOPWRIGHT_SERVICE": "orders",
        "SHOPWRIGHT_SOCKET": str(folder / "orders.sock"),
        "SHOPWRIGHT_DATABASE_URL": await databases.fresh("orders"),
        "SHOPWRIGHT_VALKEY_URL": valkey_server,
        "SHOPWRIGHT_MESH_SOCKET": str(folder / "mesh.sock"),
        "SHOPWRIGHT_PUBLIC_URL": "http://127.0.0.1:8080",
        "SHOPWRIGHT_HOME": str(folder),
    }
    service = await importlib.import_module("shopwright.orders.app").build(environ)
    transport = httpx.ASGITransport(app=service.asgi)
    return shop, service, httpx.AsyncClient(transport=transport, base_url="http://service")
