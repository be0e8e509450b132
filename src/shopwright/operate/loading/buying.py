"""A guest who buys one product by card, as a client of the gateway: cart, line, address, paid order."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import aiohttp

TIMEOUT_S = 30.0
ADDRESS = {
    "name": "Load Test",
    "line1": "1 Loop Road",
    "city": "Localhost",
    "postal_code": "12345",
    "country": "DE",
}


class Ready(NamedTuple):
    """A filled cart, and the total that it showed."""

    cart_id: str
    total: Any


class Answer(NamedTuple):
    """What the shop said to an order, and after how long; status 0 is none at all."""

    status: int
    body: Any
    ms: float

    @property
    def bought(self) -> bool:
        """Paid and confirmed, so durable: the answer comes after the commits."""
        return self.status == 201 and self.body["status"] == "confirmed" and self.paid

    @property
    def words(self) -> str:
        """What it is, in short: the order's status, or the slug of the problem."""
        if not isinstance(self.body, dict):
            return "no answer" if self.status == 0 else str(self.status)
        return str(self.body.get("type") or self.body.get("status")).rpartition("/")[2]

    @property
    def paid(self) -> bool:
        return bool(self.body["payment"]["status"] == "captured")


class Guests:
    def __init__(self, url: str, session: aiohttp.ClientSession, skus: Sequence[str]) -> None:
        self._url, self._session, self._skus = url, session, skus

    async def fill(self) -> Ready | None:
        """A cart with one unit and an address, ready to be ordered; None if the shop refused."""
        status, cart = await self._send("POST", "/v1/carts", {})
        if status != 201:
            return None
        sku = random.choice(self._skus)  # noqa: S311 - a load, not a secret
        path = f"/v1/carts/{cart['id']}"
        status, _ = await self._send("POST", f"{path}/lines", {"sku": sku, "quantity": 1})
        if status != 200:
            return None
        email = f"load-{uuid4().hex}@example.com"
        status, cart = await self._send("PUT", f"{path}/address", {"email": email, "address": ADDRESS})
        return Ready(cart["id"], cart["total"]) if status == 200 else None

    async def order(self, ready: Ready) -> Answer:
        began = time.perf_counter()
        try:
            status, body = await self._send(
                "POST",
                "/v1/orders",
                {
                    "cart_id": ready.cart_id,
                    "payment": {"method": "card", "token": "tok_ok"},
                    "expected_total": ready.total,
                },
                {"idempotency-key": uuid4().hex},
            )
        except (aiohttp.ClientError, TimeoutError):
            status, body = 0, None
        return Answer(status, body, (time.perf_counter() - began) * 1_000)

    async def _send(
        self, method: str, path: str, body: Any, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        async with self._session.request(method, self._url + path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)


def connected(connections: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    )
