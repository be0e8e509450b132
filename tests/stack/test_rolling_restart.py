"""Every service is replaced under a steady load, and nobody who shops meanwhile notices."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from platforms import Platform
from shopping import ADDRESS
from shopwright.gateway.table import SERVICES

pytestmark = pytest.mark.stack

KINDS = {
    "GET /", "GET products?limit=5", "GET search", "GET /mailbox.json",
    "POST carts", "PUT carts", "POST orders", "POST users", "POST sessions",
}  # fmt: skip


class Shopper:
    """Asks once and never again: what is lost is counted."""

    def __init__(self, client: httpx.AsyncClient, skus: list[str], done: asyncio.Event) -> None:
        self.client, self.skus, self.done = client, skus, done
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.orders: list[tuple[str, str]] = []

    async def ask(self, method: str, path: str, **options) -> dict:
        try:
            answer = await self.client.request(method, path, **options)
        except httpx.TransportError as error:
            self.failures.append(f"{method} {path}: {error!r}")
            return {}
        self.answers[f"{method} {path.split('/')[2] if path.count('/') > 1 else path}"] += 1
        if answer.status_code >= 400:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            return {}
        return answer.json() if "json" in answer.headers.get("content-type", "") else {}

    async def asked_all_again(self) -> None:
        """Returns when each kind of request was answered a few times more, or one failed."""
        before, until = Counter(self.answers), time.monotonic() + 120
        while any(self.answers[kind] < before[kind] + 3 for kind in KINDS) and not self.failures:
            assert time.monotonic() < until, self.answers
            await asyncio.sleep(0.05)

    async def look_around(self) -> None:
        while not self.done.is_set():
            await self.ask("GET", "/")
            await self.ask("GET", "/v1/products?limit=5", headers={"cache-control": "no-cache"})
            await self.ask("GET", "/v1/search", params={"q": uuid4().hex[:3]})
            await self.ask("GET", "/mailbox.json", params={"to": "nobody@example.com"})

    async def buy(self) -> None:
        while not self.done.is_set():
            email = f"roll-{uuid4().hex[:8]}@example.com"
            cart = await self.ask("POST", "/v1/carts", json={})
            path = f"/v1/carts/{cart.get('id')}"
            line = {"sku": self.skus[len(self.orders) % len(self.skus)], "quantity": 1}
            await self.ask("POST", f"{path}/lines", json=line)
            cart = await self.ask("PUT", f"{path}/address", json={"email": email, "address": ADDRESS})
            wanted = {"cart_id": cart.get("id"), "payment": {"method": "card", "token": "tok_ok"}}
            key = {"idempotency-key": uuid4().hex}
            order = await self.ask("POST", "/v1/orders", json=wanted, headers=key)
            if order:
                self.orders.append((order["id"], cart["id"]))

    async def register(self) -> None:
        while not self.done.is_set():
            account = {"email": f"{uuid4().hex}@example.com", "password": uuid4().hex}
            await self.ask("POST", "/v1/users", json=account | {"name": "Ada"})
            await self.ask("POST", "/v1/sessions", json=account)


async def test_no_request_is_lost_while_all_services_are_replaced(unlimited_platform: Platform):
    platform = unlimited_platform
    skus = platform.sells("roll", count=3, units=10_000)
    before = {row["name"] for row in platform.status()}
    async with platform.client() as client:
        shopper = Shopper(client, skus, asyncio.Event())
        load = [
            asyncio.create_task(work())
            for work in (shopper.look_around, shopper.look_around, shopper.buy, shopper.buy, shopper.register)
        ]
        await shopper.asked_all_again()
        restarted = await asyncio.to_thread(platform.cli, "restart", check=False)
        await shopper.asked_all_again()
        shopper.done.set()
        await asyncio.gather(*load)
        unpaid = [order for order, cart in shopper.orders if not await paid(client, order, cart)]

    assert restarted.returncode == 0, restarted.stderr
    assert shopper.failures == []
    assert unpaid == []
    replaced = {row["name"] for row in platform.status()} - before
    assert {name.rpartition("-")[0] for name in replaced} == set(SERVICES)


async def paid(client: httpx.AsyncClient, order: str, cart: str) -> bool:
    for _ in range(300):
        seen = (await client.get(f"/v1/orders/{order}", headers={"x-cart-id": cart})).json()
        if (seen["status"], seen["payment"]["status"]) == ("confirmed", "captured"):
            return True
        await asyncio.sleep(0.2)
    return False
