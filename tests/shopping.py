"""A buyer who uses the public API only: what an integrator's client would do, retries included."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx

ADDRESS = {
    "name": "Ada Buyer",
    "line1": "1 Long Lane",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}
AGAIN = {502, 503, 504}
PATIENCE_S = 120  # a machine may be slow
FIRST_PAUSE_S, PAUSE_S_MAX = 0.05, 0.5


class Buyer:
    """Repeats what got no answer, with the same Idempotency-Key, as any careful client does."""

    def __init__(self, client: httpx.AsyncClient, patience_s: float = PATIENCE_S) -> None:
        self.client, self.patience_s = client, patience_s

    async def send(self, method: str, path: str, **options) -> httpx.Response:
        options.setdefault("headers", {})
        options["headers"] = {"idempotency-key": uuid4().hex, **options["headers"]}
        until = asyncio.get_running_loop().time() + self.patience_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                answer = await self.client.request(method, path, **options)
                if answer.status_code not in AGAIN:
                    return answer
            except httpx.TransportError:
                answer = None
            if asyncio.get_running_loop().time() > until:
                raise TimeoutError(f"{method} {path}: {answer.text if answer is not None else 'no answer'}")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)

    async def cart_with(self, sku: str, quantity: int = 1) -> dict:
        cart = (await self.send("POST", "/v1/carts", json={})).json()
        added = await self.send(
            "POST", f"/v1/carts/{cart['id']}/lines", json={"sku": sku, "quantity": quantity}
        )
        assert added.status_code == 200, added.text
        return added.json()

    async def address(self, cart: dict, email: str) -> dict:
        answer = await self.send(
            "PUT", f"/v1/carts/{cart['id']}/address", json={"email": email, "address": ADDRESS}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def order(
        self, cart: dict, token: str | None = "tok_ok", key: str | None = None, **more
    ) -> httpx.Response:
        payment = {"method": "card"} | ({"token": token} if token else {})
        return await self.send(
            "POST",
            "/v1/orders",
            json={"cart_id": cart["id"], "payment": payment, "expected_total": cart["total"], **more},
            headers={"idempotency-key": key or uuid4().hex},
        )

    async def outcome(self, order: dict, cart: dict, seconds: float = PATIENCE_S) -> dict:
        """The order once it is confirmed and paid, or refused."""
        until, pause_s = asyncio.get_running_loop().time() + seconds, FIRST_PAUSE_S
        while True:
            answer = await self.send("GET", f"/v1/orders/{order['id']}", headers={"x-cart-id": cart["id"]})
            seen = answer.json()
            if (
                seen["status"] in {"refused", "expired", "cancelled"}
                or seen["payment"]["status"] == "captured"
            ):
                return seen
            if asyncio.get_running_loop().time() > until:
                raise TimeoutError(
                    f"order {order['id']} is still {seen['status']}/{seen['payment']['status']}"
                )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)


async def log_in(client: httpx.AsyncClient, account: dict) -> dict[str, str]:
    answer = await client.post(
        "/v1/sessions", json={"email": account["email"], "password": account["password"]}
    )
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def set_stock(client: httpx.AsyncClient, staff: dict[str, str], sku: str, units: int) -> None:
    """Make exactly `units` of `sku` available, all of them in the main warehouse."""
    now = (await client.get(f"/v1/inventory/{sku}", headers=staff)).json()
    for place in now["warehouses"]:
        wanted = units if place["code"] == "main" else 0
        if delta := wanted - place["available"]:
            answer = await client.post(
                "/v1/inventory/adjustments",
                headers=staff,
                json={"sku": sku, "delta": delta, "reason": "test", "warehouse": place["code"]},
            )
            assert answer.status_code < 300, answer.text
