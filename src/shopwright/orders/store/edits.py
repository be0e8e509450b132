"""Changes of orders before shipment: noted, then applied with all they change, or refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction

from ..domain import OrderLine
from ..domain.edits import Added, Change, Edit


async def insert(tx: Transaction, edit: Edit) -> None:
    await tx.execute(
        _INSERT, edit.id, edit.order_id, msgspec.to_builtins(edit.removed, str_keys=True),
        msgspec.to_builtins(edit.added), edit.reason, edit.by_user,
    )  # fmt: skip


async def find(connection: Connection, edit_id: UUID) -> Edit | None:
    row = await connection.fetchrow("SELECT * FROM order_edits WHERE id = $1", edit_id)
    return _edit(row) if row else None


async def of_order(connection: Connection, order_id: UUID) -> list[Edit]:
    rows = await connection.fetch("SELECT * FROM order_edits WHERE order_id = $1 ORDER BY id", order_id)
    return [_edit(row) for row in rows]


async def apply(tx: Transaction, edit: Edit, change: Change) -> None:
    """Write the new sum and lines; what goes back is noted by `after_sale.take_back` before."""
    await tx.execute(
        _SUM, edit.order_id, msgspec.to_builtins(change.totals), change.total.minor, change.taken_off,
        msgspec.to_builtins(change.taxes),
    )  # fmt: skip
    if edit.added.lines:
        await tx.execute(_LINES, edit.order_id, [_line_row(line) for line in edit.added.lines])
    await tx.execute("UPDATE order_edits SET status = 'applied' WHERE id = $1", edit.id)


async def refuse(tx: Transaction, edit_id: UUID, refusal: dict[str, Any]) -> None:
    await tx.execute(
        "UPDATE order_edits SET status = 'refused', refusal = $2 WHERE id = $1 AND status = 'requested'",
        edit_id, refusal,
    )  # fmt: skip


def _line_row(line: OrderLine) -> dict[str, Any]:
    amounts = {name: getattr(line, name).minor for name in ("unit_price", "total", "discount", "tax")}
    row: dict[str, Any] = msgspec.to_builtins(line)
    return row | amounts


def _edit(row: Row) -> Edit:
    return Edit(
        id=row["id"],
        order_id=row["order_id"],
        removed=msgspec.convert(row["removed"], dict[UUID, int], strict=False),
        added=msgspec.convert(row["added"], Added),
        reason=row["reason"],
        by_user=row["by_user"],
        status=row["status"],
        refusal=row["refusal"],
        created_at=row["created_at"],
    )


_INSERT = """
INSERT INTO order_edits (id, order_id, removed, added, reason, by_user) VALUES ($1, $2, $3, $4, $5, $6)
"""
_SUM = """
UPDATE orders SET totals = $2, total = $3, taken_off = $4, taxes = $5, updated_at = now() WHERE id = $1
"""
_LINES = """
INSERT INTO order_lines (id, order_id, position, sku, name, slug, picture, options, quantity, unit_price,
                         total, discount, tax)
SELECT (line->>'id')::uuid, $1, last + place, line->>'sku', line->>'name', line->>'slug', line->>'picture',
       line->'options', (line->>'quantity')::integer, (line->>'unit_price')::bigint, (line->>'total')::bigint,
       (line->>'discount')::bigint, (line->>'tax')::bigint
FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS l (line, place),
     (SELECT max(position) AS last FROM order_lines WHERE order_id = $1) AS p
"""
