"""Buys what the file says through the gateway, as fast as it goes, undisturbed by anything that dies.

Every request that gets no answer is repeated under its key, and a journal says which cart was made for which
order: whatever is killed, this very process too, the next run goes on and no order is placed twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from .purchases import Purchase, sku_of

AGAIN = {502, 503, 504}
PAUSE_S = 0.2
PATIENCE_S = 120
TRIES = 20  # of an order whose payment was given up, or whose units another, given up too, still holds
CONFIRMED = "confirmed"
OVER = {"refused", "expired", "cancelled"}


class Journal:
    """Which cart stands for which order, and which orders are over: a line each, written at once."""

    def __init__(self, file: Path) -> None:
        self.carts: dict[int, str] = {}
        self.over: dict[int, str] = {}
        for line in file.read_text().splitlines() if file.exists() else []:
            number, what, value = line.split(" ", 2)
            if what == "cart":
                self.carts[int(number)] = value
            elif value == CONFIRMED:  # what was refused is tried again
                self.over[int(number)] = value
        self._file = file.open("a", buffering=1)

    def cart(self, number: int, cart: str) -> None:
        self.carts[number] = cart
        self._file.write(f"{number} cart {cart}\n")

    def end(self, number: int, outcome: str) -> None:
        self.over[number] = outcome
        self._file.write(f"{number} over {outcome}\n")

    def close(self) -> None:
        self._file.close()


class Buyer:
    def __init__(self, session: aiohttp.ClientSession, url: str, journal: Journal) -> None:
        self._session, self._url, self._journal = session, url, journal
        self.repeats: Counter[str] = Counter()

    async def buy(self, purchase: Purchase) -> None:
        """Until it is confirmed and paid, or refused for what it is; the journal tells."""
        for attempt in range(TRIES):
            outcome = await self._once(purchase, attempt)
            if outcome != "again":
                self._journal.end(purchase.number, outcome)
                return
            await asyncio.sleep(2.5)  # what a cart is told of stock may be two seconds old
        raise RuntimeError(f"order {purchase.number} was refused {TRIES} times")

    async def _once(self, purchase: Purchase, attempt: int) -> str:
        number = purchase.number
        cart = self._journal.carts.get(number)
        if cart is None:
            _, made = await self._ask("POST", "/v1/carts", {"currency": "USD"})
            cart = made["id"]
            self._journal.cart(number, cart)
        for price, quantity in purchase.lines:
            line = {"sku": sku_of(price), "quantity": quantity}
            key = f"cdnow-{number}-line-{price}"
            status, added = await self._ask("POST", f"/v1/carts/{cart}/lines", line, key)
            if status == 409 and added["type"] == "/problems/out-of-stock":
                return "again"
            if status not in {200, 409}:  # 409: the cart was ordered by the run before this
                return f"line refused: {added}"
        order = {
            "cart_id": cart,
            "email": purchase.email,
            "payment": {"method": "card", "token": "tok_ok"},
            "expected_total": {"amount": purchase.total, "currency": "USD"},
        }
        status, placed = await self._ask("POST", "/v1/orders", order, f"cdnow-{number}-order-{attempt}")
        if status in {201, 202}:
            return await self._outcome(placed, cart)
        if placed.get("order_id"):
            _, known = await self._ask("GET", f"/v1/orders/{placed['order_id']}", cart=cart)
            return await self._outcome(known, cart)
        return "again" if placed["type"] in {"/problems/payment-declined", "/problems/out-of-stock"} else (
            f"order refused: {placed}"
        )  # fmt: skip

    async def _outcome(self, order: dict[str, Any], cart: str) -> str:
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while (order["status"], order["payment"]["status"]) != (CONFIRMED, "captured"):
            if order["status"] in OVER:
                return "again"
            if asyncio.get_running_loop().time() > until:
                return f"is still {order['status']}, {order['payment']['status']}"
            await asyncio.sleep(PAUSE_S)
            _, order = await self._ask("GET", f"/v1/orders/{order['id']}", cart=cart)
        return CONFIRMED

    async def _ask(
        self, method: str, path: str, body: Any = None, key: str = "", cart: str = ""
    ) -> tuple[int, Any]:
        headers = {"idempotency-key": key} if key else {}
        if cart:
            headers["x-cart-id"] = cart
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                async with self._session.request(
                    method, self._url + path, json=body, headers=headers
                ) as answer:
                    if answer.status not in AGAIN:
                        return answer.status, await answer.json(content_type=None)
                    why = str(answer.status)
            except (aiohttp.ClientError, TimeoutError) as error:
                why = type(error).__name__
            if asyncio.get_running_loop().time() > until:
                raise TimeoutError(f"{method} {path}: {why}")
            self.repeats[why] += 1
            await asyncio.sleep(PAUSE_S)
