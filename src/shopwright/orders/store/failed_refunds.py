"""Refunds that a provider refused for good and whose money has not gone back since.

What went back later of the same order, or is on its way, settles them; which refund it was meant for nobody
says, so it counts for all of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection
from shopwright.contracts.money import Money


class FailedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """`ways`: where the money can be asked to go instead, the same place again included."""

    id: UUID
    order_id: UUID
    number: str
    kind: str
    amount: Money
    failure: str
    ways: list[Literal["source", "wallet"]]
    created_at: datetime


async def read(connection: Connection, limit: int) -> list[FailedRefund]:
    """The oldest first."""
    return [
        FailedRefund(
            id=row["id"],
            order_id=row["order_id"],
            number=row["number"],
            kind=row["kind"],
            amount=Money(row["amount"], row["currency"]),
            failure=row["failure"],
            ways=["source", "wallet"] if row["user_id"] else ["source"],
            created_at=row["created_at"],
        )
        for row in await connection.fetch(_FAILED, limit)
    ]


_FAILED = """
SELECT r.*, o.number, o.currency, o.user_id FROM reversals r JOIN orders o ON o.id = r.order_id
WHERE r.status = 'failed' AND r.amount > (
    SELECT coalesce(sum(l.amount), 0) FROM reversals l
    WHERE l.order_id = r.order_id AND l.id > r.id AND l.status <> 'failed')
ORDER BY r.id LIMIT $1
"""
