"""Drafts: carts that staff made; what staff name a unit's price stands on the line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction

from ..domain import Seen
from ..domain.drafts import Draft, DraftLine


class Place(NamedTuple):
    """Where a page of drafts ended."""

    created_at: datetime
    id: UUID


async def mark(tx: Transaction, cart_id: UUID, staff_id: UUID) -> None:
    """Make a cart a draft of one of the staff."""
    await tx.execute("UPDATE carts SET staff_id = $2 WHERE id = $1", cart_id, staff_id)


async def set_note(tx: Transaction, cart_id: UUID, note: str) -> None:
    await tx.execute("UPDATE carts SET note = $2 WHERE id = $1", cart_id, note)


async def set_lines(tx: Transaction, cart_id: UUID, lines: Sequence[DraftLine], seen: Sequence[Seen]) -> None:
    """Replace the draft's lines."""
    await tx.execute("DELETE FROM cart_lines WHERE cart_id = $1", cart_id)
    await tx.execute(
        _LINES, cart_id, [line.sku for line in lines], [line.quantity for line in lines],
        [msgspec.to_builtins(row) for row in seen],
        [line.unit_price.minor if line.unit_price else None for line in lines],
    )  # fmt: skip


async def find(connection: Connection, cart_id: UUID) -> Draft | None:
    row = await connection.fetchrow(f"{_DRAFTS} WHERE c.id = $1 AND c.staff_id IS NOT NULL", cart_id)
    return _draft(row) if row else None


async def listing(connection: Connection, after: Place | None, limit: int) -> list[Draft]:
    """Open ones, newest first."""
    rows = await connection.fetch(_LIST, limit, *(after or (None, None)))
    return [_draft(row) for row in rows]


async def delete(tx: Transaction, cart_id: UUID) -> bool:
    """False when it is no open draft."""
    return bool(
        await tx.execute(
            "DELETE FROM carts WHERE id = $1 AND staff_id IS NOT NULL AND status = 'open'", cart_id
        )
    )


def _draft(row: Row) -> Draft:
    return Draft(
        **{
            name: row[name]
            for name in ("id", "user_id", "email", "currency", "staff_id", "note", "created_at")
        },
        units=row["units"],
    )


_LINES = """
INSERT INTO cart_lines (id, cart_id, sku, quantity, seen, staff_price)
SELECT gen_random_uuid(), $1, l.sku, l.quantity, l.seen, l.price
FROM unnest($2::text[], $3::integer[], $4::jsonb[], $5::bigint[]) AS l (sku, quantity, seen, price)
"""
_DRAFTS = """
SELECT c.id, c.user_id, c.email, c.currency, c.staff_id, c.note, c.created_at,
    (SELECT coalesce(sum(quantity), 0) FROM cart_lines l WHERE l.cart_id = c.id)::integer AS units
FROM carts c
"""
_LIST = f"""
{_DRAFTS} WHERE c.staff_id IS NOT NULL AND c.status = 'open'
    AND ($2::timestamptz IS NULL OR (c.created_at, c.id) < ($2, $3::uuid))
ORDER BY c.created_at DESC, c.id DESC LIMIT $1
"""
