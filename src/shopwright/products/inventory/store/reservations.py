"""Reservations: held for many at once, claimed and released by id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from shopwright.chassis import telemetry
from shopwright.chassis.db import Connection, Database, Transaction
from shopwright.contracts.problems import Shortage
from shopwright.contracts.products import Reserve

from .telling import Said, said

FORGET_BATCH = 1_000


class Asked(NamedTuple):
    """One reservation that is wanted."""

    id: UUID
    wanted: Reserve


async def reserve(db: Database, many: Sequence[Asked], low: int | None) -> list[Said]:
    """Hold each or refuse it, in the order given and in one round trip that is the whole transaction."""
    lines = [(n, line) for n, asked in enumerate(many, 1) for line in asked.wanted.lines]
    row = await db.commit(
        "SELECT inventory_reserve($1, $2, $3, $4, $5, $6, $7, $8) AS answers",
        [asked.id for asked in many],
        [asked.wanted.expires_in_s for asked in many],
        [asked.wanted.country for asked in many],
        [n for n, _ in lines],
        [line.sku for _, line in lines],
        [line.quantity for _, line in lines],
        low,
        telemetry.traceparent(),
        publishes=False,  # rarely: the relay finds it within half a second
    )
    assert row is not None, "a function that always answers gave no row"
    found: list[tuple[str, list[Shortage]]] = [("", []) for _ in many]
    for number, kind, sku, requested, available in row["answers"]:
        status, shortages = found[number - 1]
        if kind == "short":
            shortages.append(Shortage(sku, requested, available))
        else:
            status = sku
        found[number - 1] = status, shortages
    return [Said(status or "held", shortages=shortages) for status, shortages in found]


async def claim_held(db: Database, many: Sequence[UUID]) -> Collection[UUID]:
    """Take each that is held, in one round trip that is the whole transaction; which of them are taken."""
    row = await db.commit("SELECT inventory_claim_held($1) AS claimed", many, publishes=False)
    assert row is not None, "a function that always answers gave no row"
    return frozenset(row["claimed"])


async def claim(tx: Transaction, reservation: UUID) -> Said:
    return said(await tx.fetch("SELECT * FROM inventory_claim($1)", reservation))


async def release(tx: Transaction, reservation: UUID, reason: str) -> Said:
    return said(await tx.fetch("SELECT * FROM inventory_release($1, $2)", reservation, reason))


async def expired(connection: Connection, limit: int) -> list[UUID]:
    rows = await connection.fetch(_EXPIRED, limit)
    return [row["id"] for row in rows]


async def forget_old(tx: Transaction, age: timedelta) -> int:
    """Forget a batch of reservations that ended and are older than `age`; returns how many."""
    ids = [row["id"] for row in await tx.fetch(_ENDED, age, FORGET_BATCH)]
    await tx.execute("DELETE FROM reservation_lines WHERE reservation_id = ANY($1)", ids)
    return await tx.execute("DELETE FROM reservations WHERE id = ANY($1)", ids)


_EXPIRED = """
SELECT id FROM reservations WHERE status = 'held' AND expires_at < now() ORDER BY expires_at LIMIT $1
"""
_ENDED = """
SELECT id FROM reservations WHERE status <> 'held' AND created_at < now() - $1::interval
ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
