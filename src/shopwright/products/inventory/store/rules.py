"""Rules of SKUs and what bundles are made of."""

from __future__ import annotations

from collections.abc import Sequence

from shopwright.chassis.db import Connection, Transaction

from ..domain import Component, Policy
from .telling import Said, said


async def policy(connection: Connection, sku: str) -> Policy:
    row = await connection.fetchrow(_POLICY, sku)
    return Policy(**row) if row else Policy()


async def set_policy(tx: Transaction, sku: str, new: Policy, low: int | None) -> Said:
    rows = await tx.fetch(
        "SELECT * FROM inventory_rule($1, $2, $3, $4, $5, $6, $7)",
        sku, new.safety_stock, new.backorder_max, new.preorder_from, new.preorder_max, new.low_stock_at, low,
    )  # fmt: skip
    return said(rows)


async def end_preorders(tx: Transaction, limit: int) -> Said:
    return said(await tx.fetch("SELECT * FROM inventory_end_preorders($1)", limit))


async def bundle(connection: Connection, sku: str) -> list[Component]:
    return [Component(**row) for row in await connection.fetch(_BUNDLE, sku)]


async def bundles_with(connection: Connection, sku: str) -> list[str]:
    """The bundles that a SKU is a part of."""
    rows = await connection.fetch(_BUNDLES_WITH, sku)
    return [row["bundle"] for row in rows]


async def set_bundle(tx: Transaction, sku: str, components: Sequence[Component]) -> Said:
    rows = await tx.fetch(
        "SELECT * FROM inventory_bundle($1, $2, $3)",
        sku, [part.sku for part in components], [part.quantity for part in components],
    )  # fmt: skip
    return said(rows)


_POLICY = """
SELECT safety_stock, backorder_max, preorder_from, preorder_max, low_stock_at FROM stock_rules WHERE sku = $1
"""
_BUNDLE = """
SELECT b.component AS sku, b.quantity,
    coalesce((SELECT l.available FROM stock_levels l WHERE l.sku = b.component), 0) AS available
FROM bundle_components b
WHERE b.bundle = $1 ORDER BY b.component
"""
_BUNDLES_WITH = "SELECT bundle FROM bundle_components WHERE component = $1 ORDER BY bundle"
