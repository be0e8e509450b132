"""Lists of products, each one scan of one index; quotes; and what is sold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from shopwright.chassis.db import Connection, Database, Row, Transaction
from shopwright.contracts.money import Money
from shopwright.contracts.products import Quote

from ..domain import Sort
from .products import like

FOLD_BATCH = 5_000
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_BIGINT_MAX = 2**63 - 1


class Position(NamedTuple):
    """Where a page ended: the sort key of its last row and that product's id."""

    key: int | str | None
    id: UUID


_FLOOR, _CEILING = Position(-(2**63), _FIRST), Position(_BIGINT_MAX, _LAST)


class Wanted(NamedTuple):
    """Which active products to list; `currency`: only those sold in it, priced lists are in `own` else."""

    category_id: UUID
    sort: Sort
    own: str
    currency: str | None = None
    after: Position | None = None


class StaffWanted(NamedTuple):
    """Which products of any status to list, the newest first; `q`: part of the name, the slug or a SKU."""

    status: str | None = None
    q: str = ""
    category_id: UUID | None = None
    after: UUID | None = None


class Sale(NamedTuple):
    """Units of a SKU in one order; `once` is the event that told of it."""

    once: str
    sku: str
    units: int


async def listed(connection: Connection, wanted: Wanted, limit: int) -> list[Position]:
    after = wanted.after
    if wanted.sort in {"price_asc", "price_desc"}:
        rows = await _by_price(connection, wanted, limit)
    elif wanted.sort == "newest":
        start = after or Position(None, _LAST)
        rows = await connection.fetch(_NEWEST, wanted.category_id, wanted.currency, start.id, limit)
    else:
        start = after or (Position("", _FIRST) if wanted.sort == "name" else Position(_BIGINT_MAX, _LAST))
        sql = _BY_NAME if wanted.sort == "name" else _POPULAR
        rows = await connection.fetch(sql, wanted.category_id, wanted.currency, start.key, start.id, limit)
    return [Position(row["key"], row["product_id"]) for row in rows]


async def _by_price(connection: Connection, wanted: Wanted, limit: int) -> list[Row]:
    """What is sold in the currency; then, unless it was asked for, what is sold in others only."""
    up = wanted.sort == "price_asc"
    here, abroad = (_CHEAPEST, _CHEAPEST_ABROAD) if up else (_DEAREST, _DEAREST_ABROAD)
    first, second = (_FLOOR, _CEILING) if up else (_CEILING, _FLOOR)
    place = (wanted.category_id, wanted.currency or wanted.own)
    rows: list[Row] = []
    if wanted.after is not None and _is_abroad(wanted.after):
        second = wanted.after
    else:
        rows = list(await connection.fetch(here, *place, *(wanted.after or first), limit))
    if len(rows) < limit and wanted.currency is None:
        rows += await connection.fetch(abroad, *place, *second, limit - len(rows))
    return rows


def _is_abroad(position: Position) -> bool:
    return isinstance(position.key, int) and position.key < 0


async def listed_for_staff(connection: Connection, wanted: StaffWanted, limit: int) -> list[UUID]:
    q = like(wanted.q)
    values: list[Any] = [wanted.after or _LAST, wanted.category_id, limit]
    sql = _STAFF_SEARCH if q else _STAFF
    values += [q] if q else []
    if wanted.status is not None:
        sql = sql.replace("-- status", f"AND p.status = ${len(values) + 1}")
        values.append(wanted.status)
    rows = await connection.fetch(sql, *values)
    return [row["id"] for row in rows]


async def quotes(connection: Connection, skus: Sequence[str], currency: str) -> list[Quote]:
    """What is for sale in `currency`, with what is left of it: one round trip."""
    return [
        Quote(
            sku=row["sku"],
            product_id=row["product_id"],
            variant_id=row["variant_id"],
            slug=row["slug"],
            name=row["name"],
            options={name: row["options"][name] for name in row["names"] if name in row["options"]},
            unit_price=Money(row["amount"], currency),
            picture=row["picture"],
            weight_g=row["weight_g"],
            available=row["available"],
            category_slugs=row["category_slugs"],
            tax_class=row["tax_class"],
            preorder_from=row["preorder_from"],
        )
        for row in await connection.fetch(_QUOTES, list(skus), currency)
    ]


async def sold(db: Database, sales: Sequence[Sale]) -> None:
    await db.commit(
        _SOLD, [sale.once for sale in sales], [sale.sku for sale in sales], [sale.units for sale in sales],
        publishes=False,
    )  # fmt: skip


async def has_sales(connection: Connection) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM sales)"))


async def fold_sales(tx: Transaction) -> int:
    """Add what was sold to popularity; returns how many sales were counted."""
    return int(await tx.fetchval(_FOLD, FOLD_BATCH))


async def not_listed_in(connection: Connection, own: str, limit: int) -> list[UUID]:
    """Active products with a price that have no place in the priced lists of the shop's own currency."""
    return [row["product_id"] for row in await connection.fetch(_NOT_LISTED, own, limit)]


async def relist(tx: Transaction, ids: Sequence[UUID], currency: str) -> None:
    await tx.execute("SELECT catalog_list($1, $2)", list(ids), currency)


_IN_CURRENCY = "($2::text IS NULL OR $2 = ANY(l.currencies))"
_NEWEST = f"""
SELECT l.product_id, NULL AS key FROM listings l
WHERE l.category_id = $1 AND l.product_id < $3 AND {_IN_CURRENCY}
ORDER BY l.product_id DESC LIMIT $4
"""
_BY_NAME = f"""
SELECT l.product_id, l.name_key AS key FROM listings l
WHERE l.category_id = $1 AND (l.name_key, l.product_id) > ($3, $4) AND {_IN_CURRENCY}
ORDER BY l.name_key, l.product_id LIMIT $5
"""
_POPULAR = f"""
SELECT l.product_id, l.popularity AS key FROM listings l
WHERE l.category_id = $1 AND (l.popularity, l.product_id) < ($3, $4) AND {_IN_CURRENCY}
ORDER BY l.popularity DESC, l.product_id DESC LIMIT $5
"""
_PRICED = (
    "SELECT l.product_id, l.price AS key FROM listing_prices l WHERE l.category_id = $1 AND l.currency = $2"
)
_UP = "(l.price, l.product_id) > ($3, $4) ORDER BY l.price, l.product_id LIMIT $5"
_DOWN = "(l.price, l.product_id) < ($3, $4) ORDER BY l.price DESC, l.product_id DESC LIMIT $5"
_CHEAPEST = f"{_PRICED} AND l.price >= 0 AND {_UP}"
_DEAREST = f"{_PRICED} AND l.price >= 0 AND {_DOWN}"
_CHEAPEST_ABROAD = f"{_PRICED} AND l.price < 0 AND {_DOWN}"
_DEAREST_ABROAD = f"{_PRICED} AND l.price < 0 AND {_UP}"
_STAFF_WHERE = """
p.id < $1 AND ($2::uuid IS NULL OR EXISTS (
    SELECT FROM product_categories pc JOIN categories c ON c.id = pc.category_id
    WHERE pc.product_id = p.id AND $2 = ANY(c.path)))
-- status
"""
_STAFF = f"SELECT p.id FROM products p WHERE {_STAFF_WHERE} ORDER BY p.id DESC LIMIT $3"
_STAFF_SEARCH = f"""
WITH found AS MATERIALIZED (
    SELECT id FROM products WHERE name ILIKE '%' || $4 || '%'
    UNION SELECT id FROM products WHERE slug = lower($4)
    UNION SELECT product_id FROM variants WHERE sku LIKE $4 || '%'
    UNION SELECT product_id FROM variants WHERE sku LIKE upper($4) || '%'
)
SELECT p.id FROM found f JOIN products p ON p.id = f.id WHERE {_STAFF_WHERE} ORDER BY p.id DESC LIMIT $3
"""
_QUOTES = "SELECT * FROM catalog_quotes($1, $2)"
_NOT_LISTED = """
SELECT l.product_id FROM listings l
WHERE l.category_id = '00000000-0000-0000-0000-000000000000' AND l.currencies <> '{}' AND NOT EXISTS (
    SELECT FROM listing_prices p WHERE p.product_id = l.product_id AND p.currency = $1)
LIMIT $2
"""
_SOLD = """
WITH told AS (SELECT * FROM unnest($1::text[], $2::text[], $3::integer[]) AS t (once, sku, units)),
fresh AS (
    INSERT INTO once (key, fingerprint) SELECT DISTINCT once, ''::bytea FROM told
    ON CONFLICT DO NOTHING RETURNING key
)
INSERT INTO sales (sku, units)
SELECT told.sku, sum(told.units) FROM told JOIN fresh ON fresh.key = told.once GROUP BY told.sku
"""
_FOLD = """
WITH taken AS (
    DELETE FROM sales WHERE id IN (SELECT id FROM sales ORDER BY id LIMIT $1) RETURNING sku, units
), sums AS (
    SELECT v.product_id, sum(t.units)::bigint AS units FROM taken t JOIN variants v ON v.sku = t.sku
    GROUP BY v.product_id
), counted AS (
    UPDATE products p SET popularity = p.popularity + s.units FROM sums s WHERE p.id = s.product_id
), listed AS (
    UPDATE listings l SET popularity = l.popularity + s.units FROM sums s WHERE l.product_id = s.product_id
)
SELECT count(*) FROM taken
"""
