"""For tests: a wire to the provider that loses what a test says, and builders."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from shopwright.chassis.db import Database
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money

from .commands import Payments
from .domain import Order, Payment, Report
from .provider import Notice, Provider
from .sandbox.books import Books
from .store import payments as store

Answer = TypeVar("Answer")

SECRET = "a webhook secret of the tests"
SITE = "http://shop.test"


class Wire:
    """A `Provider` in front of another that can lose requests and answers.

    `faults` are used up by the next calls, one each: "" (works), "lost" (the request never arrives), "silent"
    (done, but the answer is lost). `reached` counts what arrived, by method.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.name, self.methods = provider.name, provider.methods
        self.faults: list[str] = []
        self.reached: Counter[str] = Counter()
        self.gate: asyncio.Event | None = None

    def check(self, order: Order) -> None:
        self._provider.check(order)

    async def authorise(self, order: Order, *, key: str) -> Report:
        return await self._carry("authorise", lambda: self._provider.authorise(order, key=key))

    async def capture(self, payment: Payment, amount: int, *, key: str) -> Report:
        return await self._carry("capture", lambda: self._provider.capture(payment, amount, key=key))

    async def void(self, payment: Payment, *, key: str) -> Report:
        return await self._carry("void", lambda: self._provider.void(payment, key=key))

    async def refund(self, payment: Payment, amount: int, *, key: str) -> Report:
        return await self._carry("refund", lambda: self._provider.refund(payment, amount, key=key))

    async def find(self, key: str) -> Report | None:
        return await self._carry("find", lambda: self._provider.find(key))

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        return self._provider.notice(headers, body, now)

    async def _carry(self, method: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        fault = self.faults.pop(0) if self.faults else ""
        if self.gate is not None:
            await self.gate.wait()
        if fault == "lost":
            raise TimeoutError
        self.reached[method] += 1
        answer = await call()
        if fault == "silent":
            raise TimeoutError
        return answer


@dataclass
class Shop:
    """Payments with everything around it that a test looks at."""

    db: Database
    books: Books
    wire: Wire
    payments: Payments
    sent: list[bytes] = field(default_factory=list)

    async def events(self, payment: Payment) -> list[tuple[str, str]]:
        """The payment's timeline as (kind, outcome)."""
        timeline = (await store.timelines(self.db, [payment]))[payment.id]
        return [(event.kind, event.outcome) for event in timeline]

    async def authorised(self, amount: int = 1_999) -> Payment:
        return await self.payments.authorise(an_order(amount))

    async def captured(self, amount: int = 1_999) -> Payment:
        return await self.payments.capture((await self.authorised(amount)).id)

    async def facts(self) -> list[str]:
        """Statuses told by PaymentChanged, oldest first."""
        async with self.db.read() as connection:
            rows = await connection.fetch(
                "SELECT convert_from(data, 'UTF8')::jsonb->>'status' AS status FROM outbox ORDER BY position"
            )
        return [row["status"] for row in rows]


def an_order(amount: int | Money = 1_999, token: str = "tok_ok", **changes: Any) -> Order:  # noqa: S107 - a test card
    values: dict[str, Any] = {
        "id": new_id(),
        "order_id": new_id(),
        "amount": amount if isinstance(amount, Money) else Money(amount, "EUR"),
        "method": "card",
        "token": token,
        "return_url": f"{SITE}/orders/1",
        "description": "Order 1",
    }
    return Order(**values | changes)
