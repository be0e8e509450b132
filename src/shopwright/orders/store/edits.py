"""Changes of orders before shipment: noted, then paid if they cost more, then applied with all they change;
or refused or withdrawn.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Change as Written
from shopwright.chassis.db import Connection, Row, Transaction
from shopwright.contracts.money import Money

from ..domain import EditPayment, OrderLine, Tender
from ..domain.edits import Added, Change, Edit


async def insert(tx: Transaction, edit: Edit) -> None:
    await tx.execute(
        _INSERT, edit.id, edit.order_id, msgspec.to_builtins(edit.removed, str_keys=True),
        msgspec.to_builtins(edit.added), edit.reason, edit.by_user, edit.due.minor, edit.payment_id,
        _plain(edit.payment), edit.link, edit.until,
    )  # fmt: skip


async def find(connection: Connection, edit_id: UUID) -> Edit | None:
    row = await connection.fetchrow(f"{_SELECT} WHERE e.id = $1", edit_id)
    return _edit(row) if row else None


async def of_order(connection: Connection, order_id: UUID) -> list[Edit]:
    rows = await connection.fetch(f"{_SELECT} WHERE e.order_id = $1 ORDER BY e.id", order_id)
    return [_edit(row) for row in rows]


async def waiting(connection: Connection, order_id: UUID) -> UUID | None:
    """The change of an order that is not paid yet, if there is one."""
    found: UUID | None = await connection.fetchval(_WAITING, order_id)
    return found


async def of_payments(connection: Connection, payment_ids: list[UUID]) -> list[UUID]:
    """The changes that these payments are for."""
    rows = await connection.fetch("SELECT id FROM order_edits WHERE payment_id = ANY($1)", payment_ids)
    return [row["id"] for row in rows]


async def apply(tx: Transaction, edit: Edit, change: Change) -> None:
    """Write the new sum, its payment and lines; what goes back is noted by `after_sale.take_back` before."""
    await tx.execute(
        _SUM, edit.order_id, msgspec.to_builtins(change.totals), change.total.minor, change.taken_off,
        msgspec.to_builtins(change.taxes), change.due.minor,
    )  # fmt: skip
    if edit.payment is not None:
        await tx.execute(
            _PAYMENT, edit.payment_id, edit.order_id, edit.id, edit.payment.method, change.due.minor,
            msgspec.to_builtins(edit.payment.tender),
        )  # fmt: skip
    if edit.added.lines:
        await tx.execute(_LINES, edit.order_id, [_line_row(line) for line in edit.added.lines])
    await tx.execute("UPDATE order_edits SET status = 'applied' WHERE id = $1", edit.id)


async def refuse(tx: Transaction, edit_id: UUID, refusal: dict[str, Any]) -> None:
    await tx.execute(_END, edit_id, "refused", refusal)


async def withdraw(tx: Transaction, edit_id: UUID, refusal: dict[str, Any]) -> None:
    await tx.execute(_END, edit_id, "withdrawn", refusal)


def paying(edit: Edit, payment: EditPayment) -> Written:
    """What is known of its payment, or the next attempt at one, while it is not applied."""
    following = msgspec.structs.replace(edit, payment=payment)
    return Written(_PAYING, (edit.id, following.payment_id, _plain(payment)))


async def set_paying(tx: Transaction, edit: Edit, payment: EditPayment) -> None:
    written = paying(edit, payment)
    await tx.execute(written.sql, *written.values)


async def await_payment(tx: Transaction, edit_id: UUID) -> bool:
    """False when it waits already, or for nothing any more."""
    return bool(await tx.execute(_AWAIT, edit_id))


async def taken(tx: Transaction, payment_id: UUID, tender: Tender | None) -> None:
    """A further payment is captured; a repeat changes nothing."""
    await tx.execute(_TAKEN, payment_id, msgspec.to_builtins(tender))


def never_taken(payment_id: UUID, status: str) -> Written:
    """A further payment will never be captured."""
    return Written(
        "UPDATE order_payments SET status = $2 WHERE id = $1 AND status = 'authorised'", (payment_id, status)
    )


def _plain(payment: EditPayment | None) -> Any:
    return msgspec.to_builtins(payment) if payment is not None else None


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
        due=Money(row["due"], row["currency"]),
        payment=msgspec.convert(row["payment"], EditPayment) if row["payment"] else None,
        link=row["link"],
        until=row["until"],
        created_at=row["created_at"],
    )


_SELECT = "SELECT e.*, o.currency FROM order_edits e JOIN orders o ON o.id = e.order_id"
_INSERT = """
INSERT INTO order_edits (id, order_id, removed, added, reason, by_user, due, payment_id, payment, link, until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_WAITING = """
SELECT id FROM order_edits
WHERE order_id = $1 AND due > 0 AND status IN ('requested', 'awaiting_payment') LIMIT 1
"""
_AWAIT = "UPDATE order_edits SET status = 'awaiting_payment' WHERE id = $1 AND status = 'requested'"
_PAYING = """
UPDATE order_edits SET payment_id = $2, payment = $3
WHERE id = $1 AND status IN ('requested', 'awaiting_payment')
"""
_END = """
UPDATE order_edits SET status = $2, refusal = $3, payment = payment || '{"token": "", "tender": null}'
WHERE id = $1 AND status IN ('requested', 'awaiting_payment')
"""
_SUM = """
UPDATE orders SET totals = $2, total = $3, taken_off = $4, taxes = $5, updated_at = now(),
    more_paid = more_paid + $6, unpaid = unpaid + $6
WHERE id = $1
"""
_PAYMENT = """
INSERT INTO order_payments (id, order_id, edit_id, method, amount, status, tender)
VALUES ($1, $2, $3, $4, $5, 'authorised', $6)
"""
_TAKEN = """
WITH paid AS (
    UPDATE order_payments SET status = 'captured', tender = $2 WHERE id = $1 AND status = 'authorised'
    RETURNING order_id, amount
)
UPDATE orders o SET unpaid = o.unpaid - paid.amount, updated_at = now(),
    payment_status = CASE o.payment_status WHEN 'refunded' THEN 'partially_refunded' ELSE o.payment_status END
FROM paid WHERE o.id = paid.order_id
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
