"""Payments of several parts, and the shares of their refunds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Database, Row

from ..domain import Part, Share, Tender
from .payments import payment_of


async def find(db: Database, tender_id: UUID) -> Tender | None:
    async with db.read() as connection:
        return await _tender(connection, tender_id)


async def open_group(db: Database, tender: Tender) -> bool:
    """Commit to the parts of `tender`; false when its id is known, or was voided before it came."""
    return bool(
        await db.commit(
            "SELECT 1 WHERE open_group($1, $2, $3, $4, $5)",
            tender.id, tender.order_id, tender.amount, tender.currency,
            [_row(part) for part in tender.parts],
        )
    )  # fmt: skip


async def close(db: Database, tender_id: UUID) -> None:
    """No part is begun any more."""
    async with db.begin() as tx:
        await tx.execute("UPDATE payment_groups SET voided = true WHERE id = $1", tender_id)


async def add(db: Database, tender: Tender, part: Part) -> bool:
    """Commit to `part` in the place of the one it replaces; false when the tender is closed or has it."""
    async with db.begin() as tx:
        values = _row(part)
        return bool(
            await tx.execute(
                _ADD, tender.id, part.number, part.payment_id, part.method, part.provider,
                part.account_id, part.amount, values["replaces"],
            )
        )  # fmt: skip


async def shares(db: Database, refund_id: UUID) -> list[Share]:
    """How a refund is shared out among the parts, in the order in which they give."""
    async with db.read() as connection:
        rows = await connection.fetch(_SHARES, refund_id)
    return [Share(row["payment_id"], row["amount"]) for row in rows]


async def promised(db: Database, tender: Tender) -> dict[UUID, int]:
    """What each part has promised to give back or given, by the part's id."""
    async with db.read() as connection:
        rows = await connection.fetch(_PROMISED, tender.id)
    return {row["payment_id"]: row["amount"] for row in rows}


async def promise(db: Database, tender: Tender, refund_id: UUID, wanted: Sequence[Share]) -> bool:
    """Commit to the shares of a refund; false when other shares were promised meanwhile."""
    async with db.begin() as tx:
        if not await tx.execute(_NEXT_VERSION, tender.id, tender.version):
            return False
        for share in wanted:
            await tx.execute(_PROMISE, refund_id, share.payment_id, tender.id, share.amount)
        return True


async def forget_promise(db: Database, refund_id: UUID) -> None:
    """The refund was refused before any part gave something."""
    async with db.begin() as tx:
        await tx.execute("DELETE FROM payment_refunds WHERE refund_id = $1", refund_id)


async def _tender(connection: Connection, tender_id: UUID) -> Tender | None:
    group = await connection.fetchrow("SELECT * FROM payment_groups WHERE id = $1", tender_id)
    if group is None:
        return None
    rows = await connection.fetch(_PARTS, tender_id)
    return Tender(
        id=group["id"], order_id=group["order_id"], amount=group["amount"], currency=group["currency"],
        parts=tuple(_part(row) for row in rows), voided=group["voided"], version=group["version"],
    )  # fmt: skip


def _part(row: Row) -> Part:
    return Part(
        number=row["part_number"], payment_id=row["part_id"], method=row["part_method"],
        provider=row["part_provider"], amount=row["part_amount"], account_id=row["account_id"],
        replaces=row["replaces"], payment=payment_of(row) if row["id"] is not None else None,
    )  # fmt: skip


def _row(part: Part) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(part, payment=None))
    return row


_PARTS = """
SELECT q.number AS part_number, q.payment_id AS part_id, q.method AS part_method, q.provider AS part_provider,
    q.amount AS part_amount, q.account_id, q.replaces, p.*
FROM payment_parts q LEFT JOIN payments p ON p.id = q.payment_id
WHERE q.group_id = $1 ORDER BY q.number
"""
_ADD = """
INSERT INTO payment_parts (group_id, number, payment_id, method, provider, account_id, amount, replaces)
SELECT id, $2, $3, $4, $5, $6, $7, $8
FROM (SELECT id FROM payment_groups WHERE id = $1 AND NOT voided FOR UPDATE) AS open
ON CONFLICT DO NOTHING
"""
_SHARES = """
SELECT r.payment_id, r.amount FROM payment_refunds r JOIN payment_parts q USING (payment_id)
WHERE r.refund_id = $1 ORDER BY q.number DESC
"""
_PROMISED = """
SELECT payment_id, sum(amount)::bigint AS amount FROM payment_refunds WHERE group_id = $1 GROUP BY payment_id
"""
_NEXT_VERSION = "UPDATE payment_groups SET version = version + 1 WHERE id = $1 AND version = $2"
_PROMISE = "INSERT INTO payment_refunds (refund_id, payment_id, group_id, amount) VALUES ($1, $2, $3, $4)"
