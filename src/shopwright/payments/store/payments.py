"""Payments: the functions that write (`append_events` and its kin), and what is read.

A write is one function call that is a whole transaction: events, the payment's row, ledger and outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis import telemetry
from shopwright.chassis.db import Database, Row

from ..domain import Operation, Order, Payment, PaymentEvent, Report


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a payment's timeline."""

    kind: str
    outcome: str
    amount: int
    fee: int
    code: str
    at: datetime


async def open_payment(db: Database, order: Order, provider: str, lease: timedelta) -> Payment | None:
    """A new payment with its request to authorise; None if the id is known."""
    row = await db.commit(
        "SELECT * FROM open_payment($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        order.id, order.order_id, order.amount.minor, order.amount.currency, order.method, provider,
        order.description, order.return_url, lease, order.user_id, order.purpose, order.part_of,
        publishes=False,
    )  # fmt: skip
    return payment_of(row)


async def void_unseen(db: Database, payment_id: UUID) -> Payment | None:
    """A voided payment that nobody has asked for yet; None if the id is known."""
    return payment_of(await db.commit("SELECT * FROM void_unseen($1)", payment_id))


async def append(
    db: Database,
    payment: Payment,
    events: Sequence[PaymentEvent],
    *,
    look: timedelta | None,
    report: Report | None = None,
    once: str | None = None,
) -> Payment | None:
    """The payment with `events`; None if it is no longer at the version we saw.

    Raises:
        CheckViolation: the events contradict what a payment may be.
    """
    tells = any(event.outcome != "requested" for event in events)
    row = await db.commit(_APPEND, *_appended(payment, events, look, report, once), publishes=tells)
    return payment_of(row)


async def credit(db: Database, payment: Payment, event: PaymentEvent, user_id: UUID) -> Payment | None:
    """The payment with a refund that went to `user_id`'s wallet; None if it has moved on."""
    async with db.begin() as tx:
        await tx.execute(
            "UPDATE payments SET user_id = coalesce(user_id, $2) WHERE id = $1", payment.id, user_id
        )  # fmt: skip
        return payment_of(await tx.fetchrow(_APPEND, *_appended(payment, [event], None, None, None)))


def _appended(
    payment: Payment,
    events: Sequence[PaymentEvent],
    look: timedelta | None,
    report: Report | None,
    once: str | None,
) -> tuple[Any, ...]:
    return (
        payment.id, payment.version,
        [event.kind for event in events],
        [event.outcome for event in events],
        [event.key for event in events],
        [event.amount for event in events],
        [event.fee for event in events],
        [event.code for event in events],
        report.ref if report else None,
        (report.action_url or None) if report else None,
        look, once, telemetry.traceparent(),
    )  # fmt: skip


async def find(db: Database, payment_id: UUID) -> Payment | None:
    async with db.read() as connection:
        return payment_of(await connection.fetchrow("SELECT * FROM payments WHERE id = $1", payment_id))


async def of_ref(db: Database, provider: str, ref: str) -> Payment | None:
    """The payment that `provider` knows as `ref`."""
    async with db.read() as connection:
        return payment_of(await connection.fetchrow(_OF_REF, provider, ref))


async def due(db: Database, limit: int) -> list[Payment]:
    """Payments to ask the provider about, each put off with growing pauses for the next look."""
    async with db.read() as connection:
        rows = await connection.fetch(_DUE, limit)
    return [payment for row in rows if (payment := payment_of(row)) is not None]


async def no_more_looks(db: Database, payment: Payment) -> None:
    async with db.read() as connection:
        await connection.execute(
            "UPDATE payments SET look_at = NULL WHERE id = $1 AND version = $2 AND open_key IS NULL",
            payment.id, payment.version,
        )  # fmt: skip


async def ended(db: Database, key: str) -> PaymentEvent | None:
    """How the operation under `key` ended, or was asked for if it has not; None if it never was."""
    async with db.read() as connection:
        row = await connection.fetchrow(_ENDED, key)
    if row is None:
        return None
    return PaymentEvent(
        kind=row["kind"], outcome=row["outcome"], key=key, amount=row["amount"], code=row["code"]
    )


async def of_order(db: Database, order_id: UUID, after: UUID | None, limit: int) -> list[Payment]:
    async with db.read() as connection:
        rows = await connection.fetch(_OF_ORDER, order_id, after, limit)
    return [payment for row in rows if (payment := payment_of(row)) is not None]


async def top_ups(db: Database, buyer_time: timedelta, limit: int) -> list[Payment]:
    """Top-ups that are to be taken, or given up because their buyer never finished."""
    async with db.read() as connection:
        rows = await connection.fetch(_TOP_UPS, buyer_time, limit)
    return [payment for row in rows if (payment := payment_of(row)) is not None]


async def timelines(db: Database, payments: Sequence[Payment]) -> dict[UUID, list[LoggedEvent]]:
    async with db.read() as connection:
        rows = await connection.fetch(_TIMELINES, [payment.id for payment in payments])
    result: dict[UUID, list[LoggedEvent]] = {payment.id: [] for payment in payments}
    for row in rows:
        names = LoggedEvent.__struct_fields__
        result[row["payment_id"]].append(LoggedEvent(**{name: row[name] for name in names}))
    return result


async def balances(db: Database) -> dict[tuple[str, str], int]:
    """What each ledger account holds, by account and currency; debits are positive."""
    async with db.read() as connection:
        rows = await connection.fetch(
            "SELECT account, currency, sum(amount)::bigint AS amount FROM ledger_entries GROUP BY 1, 2"
        )
    return {(row["account"], row["currency"]): row["amount"] for row in rows}


_APPEND = "SELECT * FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_FIELDS = [name for name in Payment.__struct_fields__ if name != "open"]


def payment_of(row: Row | None) -> Payment | None:
    if row is None:
        return None
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    if row["open_key"] is not None:
        values["open"] = Operation(
            row["open_kind"], row["open_key"], row["open_amount"], row["open_phase"], row["open_since"]
        )
    return Payment(**values)


_DUE = """
UPDATE payments SET look_at = now() + least(interval '1 second' * 2 ^ least(looks, 12), interval '5 minutes'),
    looks = looks + 1
WHERE id IN (SELECT id FROM payments WHERE look_at <= now() ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING *
"""
_ENDED = """
SELECT kind, outcome, amount, code FROM payment_events WHERE key = $1
ORDER BY outcome IN ('succeeded', 'failed') DESC, number DESC LIMIT 1
"""
_OF_REF = "SELECT * FROM payments WHERE provider = $1 AND provider_ref = $2"
_OF_ORDER = """
SELECT * FROM payments WHERE order_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""
_TOP_UPS = """
SELECT * FROM payments
WHERE purpose = 'top_up' AND status IN ('authorised', 'requires_action') AND (status = 'authorised'
    OR created_at < now() - $1::interval)
ORDER BY created_at LIMIT $2
"""
_TIMELINES = """
SELECT payment_id, kind, outcome, amount, fee, code, at FROM payment_events
WHERE payment_id = ANY($1) ORDER BY payment_id, number
"""
