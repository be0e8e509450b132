"""Stored value as a `Provider`: a wallet or a gift card pays like a card does, through the same machinery.

The account to spend from is the order's token; it is chosen here and never by a caller. There are no
webhooks: nothing happens to a hold that was not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from shopwright.chassis.db import in_transaction
from shopwright.contracts.problems import NotFound

from ..domain import Order, Payment, Report
from ..provider import Notice
from .books import Books, Charge


class StoredValue:
    def __init__(self, books: Books, kind: Literal["wallet", "gift_card"]) -> None:
        self._books = books
        self.name: str = kind
        self.methods: Collection[str] = frozenset({kind})

    def check(self, order: Order) -> None:
        """Nothing can be wrong: the account was looked up here."""

    async def authorise(self, order: Order, *, key: str) -> Report:
        _outside_transactions()
        return report(await self._books.authorise(key, UUID(order.token), order.id, order.amount))

    async def capture(self, payment: Payment, amount: int, *, key: str) -> Report:
        del key  # a hold is taken once, whoever asks
        _outside_transactions()
        charge = await self._books.capture(_ref(payment), amount)
        return report(charge, refused="" if charge and charge.captured else "not_held")

    async def void(self, payment: Payment, *, key: str) -> Report:
        del key
        _outside_transactions()
        charge = await self._books.void(_ref(payment))
        return report(charge, refused="already_captured" if charge and charge.captured else "")

    async def refund(self, payment: Payment, amount: int, *, key: str) -> Report:
        _outside_transactions()
        charge = await self._books.refund(_ref(payment), amount, key)
        return report(charge, refused="" if charge and key in charge.refunds else "more_than_captured")

    async def find(self, key: str) -> Report | None:
        _outside_transactions()
        charge = await self._books.by_key(key)
        return None if charge is None else report(charge)

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        del headers, body, now
        raise NotFound(detail=f"{self.name} sends no webhooks")


def report(charge: Charge | None, *, refused: str = "") -> Report:
    assert charge is not None, "our side asks about holds that were made here"
    return msgspec.convert(
        {
            "ref": str(charge.id),
            "state": charge.state,
            "amount": charge.amount,
            "captured": charge.captured,
            "refunds": charge.refunds,
            "decline_code": charge.decline_code,
            "refused": refused,
        },
        Report,
    )


def _ref(payment: Payment) -> UUID:
    assert payment.provider_ref is not None, "it was authorised"
    return UUID(payment.provider_ref)


def _outside_transactions() -> None:
    if in_transaction():
        raise RuntimeError("stored value was spent inside a database transaction")
