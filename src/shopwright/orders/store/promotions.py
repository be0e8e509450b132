"""Promotions, their coupons, and who used them up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction

from ..domain import Candidate, Promotion

#: A promotion as one JSON object; percents as text, for a float is no number for money.
PROMOTION = """(to_jsonb(p) || jsonb_build_object(
    'percent', trim_scale(p.percent)::text, 'get_percent', trim_scale(p.get_percent)::text))"""
_LIMITS = 5_001  # the lock of place_order: uses are counted for a new limit when no claim is in flight


class Coupon(NamedTuple):
    """A code of a promotion; `uses` counts the orders that it was claimed for and not given back."""

    code: str
    promotion_id: UUID
    uses_max: int | None
    uses_per_customer_max: int | None
    uses: int
    created_at: datetime


async def candidates(connection: Connection, codes: Sequence[str], customer: str) -> list[Candidate]:
    """What each of `codes` stands for, and whether it is used up, by everybody or by this customer."""
    rows = await connection.fetch(_CANDIDATES, list(codes), customer)
    return [Candidate(_promotion(row), row["code"], row["barred"]) for row in rows]


async def used_by(connection: Connection, customer: str, promotion_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these promotions the customer has used as often as one may."""
    rows = await connection.fetch(_USED_BY, customer, list(promotion_ids))
    return frozenset(row["id"] for row in rows)


async def give_back(tx: Transaction, order_id: UUID) -> None:
    """An order ended unplaced: what it claimed can be used again. A repeat gives back nothing."""
    await tx.execute("SELECT give_back_uses($1)", order_id)


async def hold_claims(tx: Transaction) -> None:
    """Wait until no order is claiming uses, and let none begin before `tx` ends."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LIMITS)


async def insert(tx: Transaction, promotion: Promotion) -> None:
    await tx.execute(_INSERT, *_values(promotion))


async def update(tx: Transaction, promotion: Promotion) -> None:
    """Raises CheckViolation when it was used more often than its new limit allows."""
    await tx.execute(_UPDATE, *_values(promotion))


async def delete(tx: Transaction, promotion_id: UUID) -> bool:
    return bool(await tx.execute("DELETE FROM promotions WHERE id = $1", promotion_id))


async def find(connection: Connection, promotion_id: UUID) -> Promotion | None:
    row = await connection.fetchrow(
        f"SELECT {PROMOTION} AS promotion FROM promotions p WHERE p.id = $1", promotion_id
    )
    return _promotion(row) if row else None


async def listing(connection: Connection, before: UUID | None, limit: int) -> list[Promotion]:
    """Newest first."""
    rows = await connection.fetch(
        f"SELECT {PROMOTION} AS promotion FROM promotions p WHERE $1::uuid IS NULL OR p.id < $1"
        " ORDER BY p.id DESC LIMIT $2",
        before, limit,
    )  # fmt: skip
    return [_promotion(row) for row in rows]


async def uses(connection: Connection, promotion_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many orders that count have claimed each."""
    rows = await connection.fetch(
        "SELECT promotion_id, count(*) AS uses FROM promotion_uses WHERE promotion_id = ANY($1) GROUP BY 1",
        list(promotion_ids),
    )
    return {row["promotion_id"]: row["uses"] for row in rows}


async def applying_by_themselves(connection: Connection, other_than: UUID) -> int:
    count: int = await connection.fetchval(
        "SELECT count(*) FROM promotions WHERE active AND NOT needs_code AND id <> $1", other_than
    )
    return count


async def add_coupon(tx: Transaction, coupon: Coupon) -> bool:
    """False when the code exists."""
    return bool(
        await tx.execute(
            "INSERT INTO coupons (code, promotion_id, uses_max, uses_per_customer_max)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            *coupon[:4],
        )
    )


async def coupon(connection: Connection, code: str) -> Coupon | None:
    row = await connection.fetchrow(f"{_COUPONS} WHERE code = $1", code)
    return Coupon(**row) if row else None


async def delete_coupon(tx: Transaction, code: str) -> bool:
    return bool(await tx.execute("DELETE FROM coupons WHERE code = $1", code))


async def coupons(connection: Connection, promotion_id: UUID, after: str | None, limit: int) -> list[Coupon]:
    """By code."""
    rows = await connection.fetch(
        f"{_COUPONS} WHERE promotion_id = $1 AND code > $2 ORDER BY code LIMIT $3",
        promotion_id, after or "", limit,
    )  # fmt: skip
    return [Coupon(**row) for row in rows]


async def forget_user(tx: Transaction, customer: str) -> None:
    """How often it was used stays, by whom does not."""
    await tx.execute("DELETE FROM customer_uses WHERE customer = $1", customer)
    await tx.execute("UPDATE promotion_uses SET customer = 'erased' WHERE customer = $1", customer)


def _promotion(row: Row) -> Promotion:
    return msgspec.convert(row["promotion"], Promotion)


def _values(promotion: Promotion) -> list[Any]:
    return [getattr(promotion, name) for name in _COLUMNS]


_COLUMNS = (
    "id", "name", "kind", "percent", "amounts", "buy_quantity", "get_quantity", "get_percent", "products",
    "categories", "customer_groups", "minimum", "starts_at", "ends_at", "needs_code", "stacking", "priority",
    "uses_max", "uses_per_customer_max", "active",
)  # fmt: skip
_PLACES = ", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))
_INSERT = f"INSERT INTO promotions ({', '.join(_COLUMNS)}) VALUES ({_PLACES})"
_UPDATE = f"""
UPDATE promotions SET ({", ".join(_COLUMNS)}) = ROW({_PLACES}), updated_at = now(), uses = CASE
    WHEN $18::integer IS NULL THEN 0
    ELSE (SELECT count(*) FROM promotion_uses WHERE promotion_id = $1) END
WHERE id = $1
"""
_COUPONS = "SELECT code, promotion_id, uses_max, uses_per_customer_max, uses, created_at FROM coupons"
_CANDIDATES = f"""
SELECT c.code, {PROMOTION} AS promotion, CASE
    WHEN c.uses >= c.uses_max OR p.uses >= p.uses_max THEN 'used_up'
    WHEN mine.uses >= c.uses_per_customer_max OR every.uses >= p.uses_per_customer_max THEN 'used_by_you'
    END AS barred
FROM coupons c JOIN promotions p ON p.id = c.promotion_id
LEFT JOIN customer_uses mine ON (mine.promotion_id, mine.code, mine.customer) = (p.id, c.code, $2)
LEFT JOIN customer_uses every ON (every.promotion_id, every.code, every.customer) = (p.id, '', $2)
WHERE c.code = ANY($1)
"""
_USED_BY = """
SELECT p.id FROM promotions p
JOIN customer_uses u ON u.promotion_id = p.id AND u.code = '' AND u.customer = $1
WHERE p.id = ANY($2) AND u.uses >= p.uses_per_customer_max
"""
