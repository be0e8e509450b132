"""All SQL of inventory: one function call per command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction
from shopwright.contracts.problems import Shortage

from .domain import Level, Movement, StockOf

FORGET_BATCH = 1_000


class Answer(NamedTuple):
    """What a reservation function said: the status it found, shortages, SKUs whose availability crossed
    zero.
    """

    status: str
    shortages: list[Shortage]
    changed: list[str]


class Listing(NamedTuple):
    """Which stock to list. `after` is the last row seen: its SKU, or (available, SKU) if scarcest first."""

    q: str = ""
    low: int | None = None
    sort: Literal["sku", "available"] = "sku"
    after: str | tuple[int, str] | None = None


class LedgerRow(msgspec.Struct, frozen=True):
    id: int
    warehouse: str
    delta_on_hand: int
    delta_reserved: int
    reason: str
    reference: str
    at: datetime


async def reserve(
    tx: Transaction, reservation: UUID, skus: Sequence[str], quantities: Sequence[int], seconds: int
) -> Answer:
    rows = await tx.fetch(
        "SELECT * FROM inventory_reserve($1, $2, $3, $4)", reservation, list(skus), list(quantities), seconds
    )
    return _answer(rows, "held")


async def claim(tx: Transaction, reservation: UUID) -> Answer:
    return _answer(await tx.fetch("SELECT * FROM inventory_claim($1)", reservation), "claimed")


async def release(tx: Transaction, reservation: UUID, reason: str) -> Answer:
    return _answer(await tx.fetch("SELECT * FROM inventory_release($1, $2)", reservation, reason), "released")


async def restock(
    tx: Transaction, restock_id: UUID, skus: Sequence[str], quantities: Sequence[int], reason: str
) -> list[str]:
    """The SKUs that can be bought again; none when this restock was done before."""
    rows = await tx.fetch(
        "SELECT sku FROM inventory_restock($1, $2, $3, $4) AS sku",
        restock_id, list(skus), list(quantities), reason,
    )  # fmt: skip
    return [row["sku"] for row in rows]


async def expired(connection: Connection, limit: int) -> list[UUID]:
    rows = await connection.fetch(_EXPIRED, limit)
    return [row["id"] for row in rows]


async def adjust(tx: Transaction, sku: str, warehouse: str, delta: int, reason: str) -> bool:
    return bool(await tx.fetchval("SELECT inventory_adjust($1, $2, $3, $4)", sku, warehouse, delta, reason))


async def intake(tx: Transaction, counts: Sequence[Movement], reason: str) -> list[str]:
    rows = await tx.fetch(
        "SELECT sku FROM inventory_intake($1, $2, $3, $4) AS sku",
        [count.sku for count in counts], [count.warehouse for count in counts],
        [count.on_hand for count in counts], reason,
    )  # fmt: skip
    return [row["sku"] for row in rows]


async def ensure_warehouse(tx: Transaction, code: str) -> None:
    await tx.execute(_ENSURE_WAREHOUSE, code, code.replace("-", " ").capitalize())


async def warehouses(connection: Connection) -> list[str]:
    return [row["code"] for row in await connection.fetch("SELECT code FROM warehouses ORDER BY priority")]


async def available(connection: Connection, skus: Sequence[str]) -> dict[str, int]:
    rows = await connection.fetch("SELECT sku, available FROM available_of($1)", list(skus))
    return {row["sku"]: int(row["available"]) for row in rows}


async def on_hand(connection: Connection, skus: Sequence[str]) -> list[Movement]:
    rows = await connection.fetch(_ON_HAND, list(skus))
    return [Movement(row["sku"], row["warehouse"], row["on_hand"]) for row in rows]


async def levels(connection: Connection, sku: str) -> StockOf | None:
    rows = await connection.fetch(_LEVELS, sku)
    return _stock_of(rows[0]) if rows else None


async def listing(
    connection: Connection, wanted: Listing, limit: int, named: Sequence[str] = ()
) -> list[StockOf]:
    """SKUs with their warehouses, in order or the scarcest first; `named` are found whatever `q` is."""
    if wanted.sort == "available":
        available, sku = wanted.after if isinstance(wanted.after, tuple) else (None, None)
        rows = await connection.fetch(_SCARCEST, sku, wanted.low, limit, wanted.q, list(named), available)
    else:
        rows = await connection.fetch(_BY_SKU, wanted.after, wanted.low, limit, wanted.q, list(named))
    return [_stock_of(row) for row in rows]


def _stock_of(row: Row) -> StockOf:
    return StockOf(
        row["sku"],
        row["on_hand"],
        row["reserved"],
        row["on_hand"] - row["reserved"],
        msgspec.convert(row["warehouses"], list[Level]),
    )


async def ledger(connection: Connection, sku: str, before: int | None, limit: int) -> list[LedgerRow]:
    rows = await connection.fetch(_LEDGER, sku, before, limit)
    return [LedgerRow(**row) for row in rows]


async def forget_old(tx: Transaction, age: timedelta) -> int:
    """Forget a batch of reservations that ended and are older than `age`; returns how many."""
    ids = [row["id"] for row in await tx.fetch(_ENDED, age, FORGET_BATCH)]
    await tx.execute("DELETE FROM reservation_lines WHERE reservation_id = ANY($1)", ids)
    return await tx.execute("DELETE FROM reservations WHERE id = ANY($1)", ids)


def _answer(rows: Sequence[Row], otherwise: str) -> Answer:
    status = next((row["sku"] for row in rows if row["kind"] == "status"), otherwise)
    short = [
        Shortage(row["sku"], row["requested"], row["available"]) for row in rows if row["kind"] == "short"
    ]
    return Answer(status, short, [row["sku"] for row in rows if row["kind"] == "changed"])


_EXPIRED = """
SELECT id FROM reservations WHERE status = 'held' AND expires_at < now() ORDER BY expires_at LIMIT $1
"""
_ENDED = """
SELECT id FROM reservations WHERE status <> 'held' AND created_at < now() - $1::interval
ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_ON_HAND = """
SELECT s.sku, s.warehouse, s.on_hand FROM stock s JOIN warehouses w ON w.code = s.warehouse
WHERE s.sku = ANY($1) ORDER BY s.sku, w.priority
"""
_ENSURE_WAREHOUSE = """
INSERT INTO warehouses SELECT $1, $2, max(priority) + 1 FROM warehouses ON CONFLICT (code) DO NOTHING
"""
_WITH_WAREHOUSES = """
SELECT f.*, (
    SELECT jsonb_agg(jsonb_build_object(
        'code', w.code, 'name', w.name, 'on_hand', s.on_hand, 'reserved', s.reserved,
        'available', s.on_hand - s.reserved) ORDER BY w.priority)
    FROM stock s JOIN warehouses w ON w.code = s.warehouse WHERE s.sku = f.sku) AS warehouses
FROM found f
"""
_SUMS = """
SELECT sku, sum(on_hand)::bigint AS on_hand, sum(reserved)::bigint AS reserved,
    sum(on_hand - reserved)::bigint AS available
FROM stock
"""
_LEVELS = f"WITH found AS ({_SUMS} WHERE sku = $1 GROUP BY sku) {_WITH_WAREHOUSES}"
_BY_SKU = f"""
WITH found AS ({_SUMS}
    WHERE sku > coalesce($1::text, '')
        AND ($4 = '' OR position(lower($4) IN lower(sku)) > 0 OR sku = ANY($5::text[]))
    GROUP BY sku HAVING $2::integer IS NULL OR sum(on_hand - reserved) <= $2
    ORDER BY sku LIMIT $3)
{_WITH_WAREHOUSES} ORDER BY f.sku
"""
_SCARCEST = f"""
WITH found AS ({_SUMS}
    WHERE $4 = '' OR position(lower($4) IN lower(sku)) > 0 OR sku = ANY($5::text[])
    GROUP BY sku HAVING ($2::integer IS NULL OR sum(on_hand - reserved) <= $2)
        AND ($6::bigint IS NULL OR (sum(on_hand - reserved), sku) > ($6, $1::text))
    ORDER BY available, sku LIMIT $3)
{_WITH_WAREHOUSES} ORDER BY f.available, f.sku
"""
_LEDGER = """
SELECT id, warehouse, delta_on_hand, delta_reserved, reason, reference, at FROM movements
WHERE sku = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
