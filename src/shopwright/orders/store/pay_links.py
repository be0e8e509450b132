"""Links by which buyers pay what staff ask for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shopwright.chassis.db import Connection, Transaction

from ..domain.pay_links import PayLink


async def insert(
    tx: Transaction, link_id: UUID, order_id: UUID, edit_id: UUID | None, until: datetime
) -> None:
    await tx.execute(_INSERT, link_id, order_id, edit_id, until)


async def find(connection: Connection, link_id: UUID) -> PayLink | None:
    row = await connection.fetchrow(_FIND, link_id)
    return PayLink(**row) if row else None


async def of_order(connection: Connection, order_id: UUID) -> PayLink | None:
    """The one that asks for an order itself, not for a change of it."""
    row = await connection.fetchrow(_OF_ORDER, order_id)
    return PayLink(**row) if row else None


_INSERT = "INSERT INTO payment_links (id, order_id, edit_id, until) VALUES ($1, $2, $3, $4)"
_FIND = "SELECT id, order_id, edit_id, until FROM payment_links WHERE id = $1"
_OF_ORDER = """
SELECT id, order_id, edit_id, until FROM payment_links
WHERE order_id = $1 AND edit_id IS NULL ORDER BY created_at DESC LIMIT 1
"""
