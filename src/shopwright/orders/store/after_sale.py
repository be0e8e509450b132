"""Shipments, returns and refunds of confirmed orders: conditional updates, so that no count can be passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction
from shopwright.contracts.money import Money
from shopwright.contracts.orders import OrderStatus
from shopwright.contracts.products import ReserveLine

from ..domain import Fulfilment, Reversal, Share, Tracking


async def lock(tx: Transaction, order_id: UUID) -> OrderStatus | None:
    """The order's status, held until the transaction ends; None if there is no such order."""
    status: OrderStatus | None = await tx.fetchval(
        "SELECT status FROM orders WHERE id = $1 FOR UPDATE", order_id
    )
    return status


async def move(tx: Transaction, order_id: UUID, status: OrderStatus) -> None:
    await tx.execute("UPDATE orders SET status = $2, updated_at = now() WHERE id = $1", order_id, status)


async def fulfil(
    tx: Transaction, fulfilment_id: UUID, order_id: UUID, lines: Mapping[UUID, int], tracking: Tracking
) -> None:
    """Raises CheckViolation when more would be shipped than was ordered."""
    await tx.execute(
        _FULFIL, fulfilment_id, order_id, tracking.carrier, tracking.number, tracking.url, *_columns(lines)
    )


async def take_back(tx: Transaction, reversal: Reversal, lines: Mapping[UUID, int]) -> bool:
    """Note that money and goods go back; false when that is more money than is left.

    Raises CheckViolation when more would come back than was shipped, or be cancelled than is left.
    """
    restock = msgspec.to_builtins(reversal.restock)
    noted = await tx.fetchval(
        _TAKE_BACK, reversal.id, reversal.order_id, reversal.kind, reversal.amount.minor, restock,
        reversal.reason, *_columns(lines), reversal.destination, *_of_shares(reversal.shares),
    )  # fmt: skip
    if noted and reversal.shares:
        await tx.execute(_SHARES, reversal.id, reversal.order_id, *_of_shares(reversal.shares))
    return bool(noted)


async def reversal(connection: Connection, reversal_id: UUID) -> Reversal | None:
    row = await connection.fetchrow(f"{_REVERSALS} WHERE r.id = $1", reversal_id)
    return _reversal(row) if row else None


async def of_order(connection: Connection, order_id: UUID) -> tuple[list[Fulfilment], list[Reversal]]:
    """What was shipped of an order and what went back, oldest first."""
    shipped = await connection.fetch(_FULFILMENTS, order_id)
    went_back = await connection.fetch(f"{_REVERSALS} WHERE r.order_id = $1 ORDER BY r.id", order_id)
    return [_fulfilment(row) for row in shipped], [_reversal(row) for row in went_back]


async def ids_of(connection: Connection, order_id: UUID) -> list[UUID]:
    """Of the sagas that followed an order's purchase: what went back of it, and its changes."""
    rows = await connection.fetch(_IDS, order_id)
    return [row["id"] for row in rows]


async def paid_back(tx: Transaction, reversal_id: UUID) -> int:
    """Book a refund that succeeded; returns the sum of all, in minor units."""
    refunded: int = await tx.fetchval(_PAID_BACK, reversal_id)
    return refunded


async def failed(tx: Transaction, reversal_id: UUID, failure: str) -> None:
    """Book a refund that the provider refused: its amount can be asked for again."""
    await tx.execute(_FAILED, reversal_id, failure)


async def lose(tx: Transaction, reversal_id: UUID, lost: Sequence[UUID], failure: str) -> None:
    """Book that some of its payments did not give their share: what is left of it is all that goes back."""
    await tx.execute(_LOSE, reversal_id, list(lost), failure)


def _of_shares(shares: Sequence[Share]) -> tuple[list[UUID], list[int]]:
    return [share.payment_id for share in shares], [share.amount.minor for share in shares]


def _columns(lines: Mapping[UUID, int]) -> tuple[list[UUID], list[int]]:
    return list(lines), list(lines.values())


def _fulfilment(row: Row) -> Fulfilment:
    return Fulfilment(
        id=row["id"],
        tracking=Tracking(row["carrier"], row["tracking_number"], row["tracking_url"]),
        lines=_quantities(row["lines"]),
        created_at=row["created_at"],
    )


def _reversal(row: Row) -> Reversal:
    return Reversal(
        id=row["id"],
        order_id=row["order_id"],
        kind=row["kind"],
        amount=Money(row["amount"], row["currency"]),
        restock=msgspec.convert(row["restock"], list[ReserveLine]),
        reason=row["reason"],
        status=row["status"],
        failure=row["failure"],
        destination=row["destination"],
        shares=[
            Share(UUID(share["payment_id"]), Money(share["amount"], row["currency"]))
            for share in row["shares"] or []
        ],
        lines=_quantities(row["lines"]),
        created_at=row["created_at"],
    )


def _quantities(rows: Any) -> dict[str, int]:
    return {row["line_id"]: row["quantity"] for row in rows or []}


_IDS = """
SELECT id FROM reversals WHERE order_id = $1 UNION SELECT id FROM order_edits WHERE order_id = $1
"""
_FULFIL = """
WITH shipped AS (
    INSERT INTO fulfilments (id, order_id, carrier, tracking_number, tracking_url) VALUES ($1, $2, $3, $4, $5)
    RETURNING id
), wanted AS (
    SELECT * FROM unnest($6::uuid[], $7::integer[]) AS w (line_id, quantity)
), counted AS (
    UPDATE order_lines l SET fulfilled = l.fulfilled + w.quantity FROM wanted w
    WHERE l.id = w.line_id AND l.order_id = $2 RETURNING l.id, w.quantity
)
INSERT INTO fulfilment_lines SELECT shipped.id, counted.id, counted.quantity FROM shipped, counted
"""
_TAKE_BACK = """
WITH allowed AS (
    UPDATE orders SET refunding = refunding + $4, updated_at = now(),
        more_refunding = more_refunding + coalesce((
            SELECT sum(s.amount) FROM unnest($10::uuid[], $11::bigint[]) AS s (payment_id, amount)
            WHERE s.payment_id <> orders.payment_id), 0)
    WHERE id = $2 AND refunding + $4 <= total + taken_off - unpaid RETURNING id
), noted AS (
    INSERT INTO reversals (id, order_id, kind, amount, restock, reason, destination)
    SELECT $1, allowed.id, $3, $4, $5, $6, $9 FROM allowed RETURNING id
), wanted AS (
    SELECT * FROM unnest($7::uuid[], $8::integer[]) AS w (line_id, quantity)
), counted AS (
    UPDATE order_lines l SET
        returned = l.returned + CASE WHEN $3 = 'return' THEN w.quantity ELSE 0 END,
        cancelled = l.cancelled + CASE WHEN $3 = 'return' THEN 0 ELSE w.quantity END
    FROM wanted w, noted
    WHERE l.id = w.line_id AND l.order_id = $2 RETURNING l.id, w.quantity
), kept AS (
    INSERT INTO reversal_lines SELECT noted.id, counted.id, counted.quantity FROM noted, counted
)
SELECT true FROM noted
"""
_FULFILMENTS = """
SELECT f.*, (SELECT jsonb_agg(to_jsonb(l)) FROM fulfilment_lines l WHERE l.fulfilment_id = f.id) AS lines
FROM fulfilments f WHERE f.order_id = $1 ORDER BY f.id
"""
_REVERSALS = """
SELECT r.*, o.currency,
    (SELECT jsonb_agg(to_jsonb(l)) FROM reversal_lines l WHERE l.reversal_id = r.id) AS lines,
    CASE WHEN o.more_paid > 0 THEN
        (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.payment_id = o.payment_id, s.payment_id DESC)
         FROM reversal_shares s WHERE s.reversal_id = r.id) END AS shares
FROM reversals r JOIN orders o ON o.id = r.order_id
"""
_PAID_BACK = """
WITH paid AS (
    UPDATE reversals SET status = 'succeeded' WHERE id = $1 AND status = 'requested'
    RETURNING order_id, amount
)
UPDATE orders o SET refunded = o.refunded + paid.amount, updated_at = now(),
    payment_status = CASE WHEN paid.amount = 0 THEN o.payment_status
                          WHEN o.refunded + paid.amount = o.total + o.taken_off - o.unpaid THEN 'refunded'
                          ELSE 'partially_refunded' END
FROM paid WHERE o.id = paid.order_id RETURNING o.refunded
"""
_SHARES = """
WITH noted AS (
    INSERT INTO reversal_shares (reversal_id, payment_id, amount)
    SELECT $1, payment_id, amount FROM unnest($3::uuid[], $4::bigint[]) AS s (payment_id, amount)
    RETURNING payment_id, amount
)
UPDATE order_payments p SET refunding = p.refunding + noted.amount FROM noted
WHERE p.id = noted.payment_id AND p.order_id = $2
"""
_FAILED = """
WITH lost AS (
    UPDATE reversals SET status = 'failed', failure = $2 WHERE id = $1 AND status = 'requested'
    RETURNING order_id, amount
), shares AS (
    SELECT s.payment_id, s.amount FROM reversal_shares s, lost WHERE s.reversal_id = $1
), further AS (
    UPDATE order_payments p SET refunding = p.refunding - shares.amount FROM shares
    WHERE p.id = shares.payment_id RETURNING shares.amount
)
UPDATE orders o SET refunding = o.refunding - lost.amount, updated_at = now(),
    more_refunding = o.more_refunding - coalesce((SELECT sum(amount) FROM further), 0)
FROM lost WHERE o.id = lost.order_id
"""
_LOSE = """
WITH cut AS (
    SELECT s.payment_id, s.amount, r.order_id FROM reversal_shares s JOIN reversals r ON r.id = s.reversal_id
    WHERE r.id = $1 AND r.status = 'requested' AND s.payment_id = ANY($2)
), gone AS (
    DELETE FROM reversal_shares s USING cut WHERE s.reversal_id = $1 AND s.payment_id = cut.payment_id
), less AS (
    UPDATE reversals SET amount = amount - (SELECT sum(amount) FROM cut), failure = $3
    WHERE id = $1 AND EXISTS (SELECT FROM cut)
), further AS (
    UPDATE order_payments p SET refunding = p.refunding - cut.amount FROM cut
    WHERE p.id = cut.payment_id RETURNING cut.amount
)
UPDATE orders o SET refunding = o.refunding - (SELECT sum(amount) FROM cut), updated_at = now(),
    more_refunding = o.more_refunding - coalesce((SELECT sum(amount) FROM further), 0)
WHERE o.id = (SELECT order_id FROM cut LIMIT 1)
"""
