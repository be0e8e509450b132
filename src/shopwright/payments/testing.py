"""For tests: a wire to the provider that loses what a test says, and builders."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from shopwright.chassis.db import Database
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money

from .commands import Payments, Routing, Tenders
from .domain import Order, Payment, Report, Wanted
from .manual.books import Books as ManualBooks
from .manual.commands import ByHandPayments
from .manual.provider import ByHand
from .provider import Notice, Provider, ProviderUnreachable
from .sandbox.books import Books
from .store import payments as store
from .stored.books import Account
from .stored.books import Books as StoredBooks
from .stored.codes import Codes, new_code
from .stored.provider import StoredValue

Answer = TypeVar("Answer")

SECRET = "a webhook secret of the tests"
SITE = "http://shop.test"


class Wire:
    """A `Provider` in front of another that can lose requests and answers.

    `faults` are used up by the next calls, one each: "" (works), "lost" (the request never arrives), "silent"
    (done, but the answer is lost), "refused" (no connection: certainly not sent). `dead`: all are refused.
    `reached` counts what arrived, by method, and `tried` what did or not.
    """

    def __init__(self, provider: Provider, name: str = "") -> None:
        self._provider = provider
        self.name, self.methods = name or provider.name, provider.methods
        self.tried: Counter[str] = Counter()
        self.dead = False
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
        self.tried[method] += 1
        if fault == "refused" or self.dead:
            raise ProviderUnreachable
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
    tenders: Tenders
    routing: Routing
    stored: StoredBooks
    by_hand: ByHandPayments
    codes: Codes
    wires: tuple[Wire, ...]
    sent: list[bytes] = field(default_factory=list)

    async def events(self, payment: Payment) -> list[tuple[str, str]]:
        """The payment's timeline as (kind, outcome)."""
        timeline = (await store.timelines(self.db, [payment]))[payment.id]
        return [(event.kind, event.outcome) for event in timeline]

    async def gift_card(self, worth: int | Money, code: str = "", **changes: Any) -> str:
        """The code of a new gift card."""
        code = code or new_code()
        money = worth if isinstance(worth, Money) else Money(worth, "EUR")
        card = a_gift_card(money, code, **changes)
        assert await self.stored.issue(card, self.codes.hash(code), new_id()) is not None
        return code

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


def a_shop(db: Database, books: Books, *wires: Wire, provider_timeout_s: float = 5) -> Shop:
    """Payments as the app puts them together, with `wires` to the providers of cards in their order."""
    stored, manual = StoredBooks(db), ManualBooks(db)
    others: list[Provider] = [
        StoredValue(stored, "gift_card"), StoredValue(stored, "wallet"),
        ByHand(manual, "cash_on_delivery"), ByHand(manual, "bank_transfer"),
    ]  # fmt: skip
    providers: dict[str, Provider] = {provider.name: provider for provider in (*wires, *others)}
    payments = Payments(db, providers, provider_timeout_s=provider_timeout_s)
    routing, codes = Routing(db, providers), Codes(SECRET)
    tenders = Tenders(db, payments, routing, stored, codes)
    by_hand = ByHandPayments(tenders, payments, manual, "IBAN 1")
    return Shop(db, books, wires[0], payments, tenders, routing, stored, by_hand, codes, wires)


def a_gift_card(worth: Money, code: str, **changes: Any) -> Account:
    values: dict[str, Any] = {
        "id": new_id(), "kind": "gift_card", "user_id": None, "currency": worth.currency, "balance": 0,
        "held": 0, "last4": code[-4:], "issued": worth.minor, "note": "", "expires_at": None,
        "disabled_at": None, "created_at": datetime.now(UTC),
    }  # fmt: skip
    return Account(**values | changes)


def wanted(order: Order, **changes: Any) -> Wanted:
    return Wanted(order=order, **changes)


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
