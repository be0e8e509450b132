"""Exchanges whose return is not booked yet, for what is sent must be paid first."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Transaction

from ..domain.exchanges import Noted


async def insert(tx: Transaction, sent_id: UUID, noted: Noted) -> None:
    back = msgspec.to_builtins(noted.back, str_keys=True)
    await tx.execute(
        _INSERT, sent_id, noted.order_id, back, noted.amount, noted.restock, noted.reason, noted.by_user
    )


async def find(connection: Connection, sent_id: UUID) -> Noted | None:
    row = await connection.fetchrow(_FIND, sent_id)
    if row is None:
        return None
    back = msgspec.convert(row["back"], dict[UUID, int], strict=False)
    return Noted(**{**row, "back": back})


async def decided(connection: Connection, limit: int) -> list[UUID]:
    """Those whose new order is decided, oldest first."""
    rows = await connection.fetch(_DECIDED, limit)
    return [row["sent_id"] for row in rows]


async def end(tx: Transaction, sent_id: UUID, status: Literal["done", "refused"]) -> None:
    await tx.execute(
        "UPDATE order_exchanges SET status = $2 WHERE sent_id = $1 AND status = 'requested'", sent_id, status
    )


_INSERT = """
INSERT INTO order_exchanges (sent_id, order_id, back, amount, restock, reason, by_user)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_FIND = """
SELECT order_id, back, amount, restock, reason, by_user FROM order_exchanges WHERE sent_id = $1
"""
_DECIDED = """
SELECT x.sent_id FROM order_exchanges x JOIN orders o ON o.id = x.sent_id
WHERE x.status = 'requested' AND o.status NOT IN ('in_progress', 'awaiting_buyer')
ORDER BY x.created_at LIMIT $1
"""
