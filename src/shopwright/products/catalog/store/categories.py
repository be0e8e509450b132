"""The category tree."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Transaction

from ..domain import Category


async def every(connection: Connection) -> list[Category]:
    """All categories, each after its parent, siblings in their order."""
    rows = await connection.fetch(_EVERY)
    return [Category(**row) for row in rows]


async def counts(connection: Connection) -> dict[UUID, int]:
    """Active products in each category and below it."""
    rows = await connection.fetch("SELECT category_id, count(*) AS n FROM listings GROUP BY category_id")
    return {row["category_id"]: row["n"] for row in rows}


async def put(tx: Transaction, categories: Sequence[Category]) -> None:
    await tx.execute(_PUT, msgspec.json.encode(categories).decode())


async def replant(tx: Transaction, before: Sequence[UUID], after: Sequence[UUID]) -> None:
    """Give all that lies below `before` its new way from the top; both are paths of the moved category."""
    await tx.execute(_REPLANT, list(after), len(before), before[-1])


async def members(connection: Connection, category_id: UUID) -> list[UUID]:
    """Products in a category or below it, whatever their status."""
    rows = await connection.fetch(_MEMBERS, category_id)
    return [row["product_id"] for row in rows]


async def holds(connection: Connection, category_id: UUID) -> tuple[int, int]:
    """How many products and categories lie right in it."""
    row = await connection.fetchrow(_HOLDS, category_id)
    return (row["products"], row["categories"]) if row else (0, 0)


async def delete(tx: Transaction, category_id: UUID) -> None:
    await tx.execute("DELETE FROM categories WHERE id = $1", category_id)


_EVERY = """
SELECT id, slug, key, name, path, parent_id, description, picture, position FROM categories
ORDER BY cardinality(path), position, key
"""
_PUT = """
INSERT INTO categories (id, slug, key, name, path, parent_id, description, picture, position)
SELECT id, slug, key, name, path, parent_id, description, picture, position
FROM json_to_recordset($1::json) AS x (
    id uuid, slug text, key text, name text, path uuid[], parent_id uuid, description text, picture text,
    position integer)
ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, key = excluded.key, name = excluded.name,
    path = excluded.path, parent_id = excluded.parent_id, description = excluded.description,
    picture = excluded.picture, position = excluded.position
"""
_REPLANT = """
UPDATE categories SET path = $1::uuid[] || path[$2 + 1:] WHERE $3 = ANY(path) AND id <> $3
"""
_MEMBERS = """
SELECT DISTINCT pc.product_id FROM product_categories pc JOIN categories c ON c.id = pc.category_id
WHERE $1 = ANY(c.path)
"""
_HOLDS = """
SELECT (SELECT count(*) FROM product_categories WHERE category_id = $1) AS products,
    (SELECT count(*) FROM categories WHERE parent_id = $1) AS categories
"""
