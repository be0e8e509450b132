"""Stock: read, listed, moved; and its ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction
from shopwright.contracts.products import Offer

from ..domain import Level, Movement, StockOf, Transfer
from .telling import Said, said


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


async def adjust(tx: Transaction, sku: str, warehouse: str, delta: int, reason: str, low: int | None) -> Said:
    rows = await tx.fetch(
        "SELECT * FROM inventory_adjust($1, $2, $3, $4, $5)", sku, warehouse, delta, reason, low
    )
    return said(rows)


async def transfer(tx: Transaction, reference: UUID, move: Transfer, low: int | None) -> Said:
    rows = await tx.fetch(
        "SELECT * FROM inventory_transfer($1, $2, $3, $4, $5, $6, $7)",
        reference, move.sku, move.source, move.to, move.quantity, move.reason, low,
    )  # fmt: skip
    return said(rows)


async def intake(tx: Transaction, counts: Sequence[Movement], reason: str, low: int | None) -> Said:
    rows = await tx.fetch(
        "SELECT * FROM inventory_intake($1, $2, $3, $4, $5)",
        [count.sku for count in counts], [count.warehouse for count in counts],
        [count.on_hand for count in counts], reason, low,
    )  # fmt: skip
    return said(rows)


async def restock(
    tx: Transaction, restock_id: UUID, skus: Sequence[str], quantities: Sequence[int], reason: str
) -> Said:
    """Says nothing when this restock was done before."""
    rows = await tx.fetch(
        "SELECT * FROM inventory_restock($1, $2, $3, $4)", restock_id, list(skus), list(quantities), reason
    )
    return said(rows)


async def available(connection: Connection, skus: Sequence[str]) -> dict[str, int]:
    rows = await connection.fetch("SELECT sku, available FROM available_of($1)", list(skus))
    return {row["sku"]: int(row["available"]) for row in rows}


async def offers(connection: Connection, skus: Sequence[str]) -> dict[str, Offer]:
    rows = await connection.fetch("SELECT * FROM offers_of($1)", list(skus))
    return {row["sku"]: Offer(row["available"], row["in_stock"], row["ships_from"]) for row in rows}


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
        row["available"],
        msgspec.convert(row["warehouses"], list[Level]),
        in_stock=row["shelf"],
        promised=row["promised"],
        owed=row["owed"],
    )


async def ledger(connection: Connection, sku: str, before: int | None, limit: int) -> list[LedgerRow]:
    rows = await connection.fetch(_LEDGER, sku, before, limit)
    return [LedgerRow(**row) for row in rows]


_ON_HAND = """
SELECT s.sku, s.warehouse, s.on_hand FROM stock s JOIN warehouses w ON w.code = s.warehouse
WHERE s.sku = ANY($1) AND w.code <> '~owed' ORDER BY s.sku, w.priority
"""
_WITH_WAREHOUSES = """
SELECT f.*, coalesce((
    SELECT jsonb_agg(jsonb_build_object(
        'code', w.code, 'name', w.name, 'on_hand', s.on_hand, 'reserved', s.reserved,
        'available', s.on_hand - s.reserved, 'active', w.active) ORDER BY w.priority, w.code)
    FROM stock s JOIN warehouses w ON w.code = s.warehouse
    WHERE s.sku = f.sku AND w.code <> '~owed'), '[]') AS warehouses
FROM found f
"""
_LEVELS = f"WITH found AS (SELECT * FROM stock_levels WHERE sku = $1) {_WITH_WAREHOUSES}"
_BY_SKU = f"""
WITH found AS (
    SELECT * FROM stock_levels
    WHERE sku > coalesce($1::text, '') AND ($2::integer IS NULL OR shelf <= $2)
        AND ($4 = '' OR position(lower($4) IN lower(sku)) > 0 OR sku = ANY($5::text[]))
    ORDER BY sku LIMIT $3)
{_WITH_WAREHOUSES} ORDER BY f.sku
"""
_SCARCEST = f"""
WITH found AS (
    SELECT * FROM stock_levels
    WHERE ($4 = '' OR position(lower($4) IN lower(sku)) > 0 OR sku = ANY($5::text[]))
        AND ($2::integer IS NULL OR shelf <= $2)
        AND ($6::bigint IS NULL OR (available, sku) > ($6, $1::text))
    ORDER BY available, sku LIMIT $3)
{_WITH_WAREHOUSES} ORDER BY f.available, f.sku
"""
_LEDGER = """
SELECT id, warehouse, delta_on_hand, delta_reserved, reason, reference, at FROM movements
WHERE sku = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
