"""Cash on delivery and bank transfer as `Provider`s: what is known of them is what staff have said.

A refund counts as given once it is asked for: staff hand the money out or transfer it, and the books say so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from shopwright.chassis.db import in_transaction
from shopwright.contracts.problems import NotFound

from ..domain import Order, Payment, Report
from ..provider import Notice
from .books import Books, Charge, new_ref


class ByHand:
    def __init__(self, books: Books, method: Literal["cash_on_delivery", "bank_transfer"]) -> None:
        self._books = books
        self.name: str = method
        self.methods: Collection[str] = frozenset({method})
        self._begins = "authorised" if method == "cash_on_delivery" else "requires_action"

    def check(self, order: Order) -> None:
        """Nothing can be wrong: nobody is asked."""

    async def authorise(self, order: Order, *, key: str) -> Report:
        _outside_transactions()
        charge = Charge(
            ref=new_ref(), payment_id=order.id, method=self.name, state=self._begins,
            amount=order.amount.minor, captured=0, refunds={}, received_ref="",
        )  # fmt: skip
        return report(await self._books.open(charge, key, order.amount.currency))

    async def capture(self, payment: Payment, amount: int, *, key: str) -> Report:
        """Says how it stands: nobody but staff can say that the money is in."""
        del amount, key
        return report(await self._known(payment))

    async def void(self, payment: Payment, *, key: str) -> Report:
        del key
        _outside_transactions()
        await self._books.void(payment.id)
        known = await self._known(payment)
        return report(known, refused="already_captured" if known.captured else "")

    async def refund(self, payment: Payment, amount: int, *, key: str) -> Report:
        _outside_transactions()
        await self._books.refund(payment.id, amount, key)
        known = await self._known(payment)
        return report(known, refused="" if key in known.refunds else "more_than_captured")

    async def find(self, key: str) -> Report | None:
        _outside_transactions()
        charge = await self._books.by_key(key)
        return None if charge is None else report(charge)

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        del headers, body, now
        raise NotFound(detail=f"{self.name} sends no webhooks")

    async def _known(self, payment: Payment) -> Charge:
        charge = await self._books.by_payment(payment.id)
        assert charge is not None, "our side asks about charges that were made here"
        return charge


def report(charge: Charge, *, refused: str = "") -> Report:
    return msgspec.convert(
        {
            "ref": charge.ref,
            "state": charge.state,
            "amount": charge.amount,
            "captured": charge.captured,
            "refunds": charge.refunds,
            "refused": refused,
        },
        Report,
    )


def _outside_transactions() -> None:
    if in_transaction():
        raise RuntimeError("a payment by hand was booked inside a database transaction")
