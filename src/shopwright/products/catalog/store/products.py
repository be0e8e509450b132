"""Products with all that belongs to them: read in one statement, written in as many for one as for 500."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction

from ..cleaning import sort_key
from ..domain import CategoryRef, Picture, Product, Variant

_LOCK = 7_305_281_002  # any constant but the migrator's: one writer of the catalogue at a time
_PICTURES = msgspec.json.Decoder(list[Picture])
_VARIANTS = msgspec.json.Decoder(list[Variant])
_CATEGORIES = msgspec.json.Decoder(list[CategoryRef])
_ENCODER = msgspec.json.Encoder()


async def lock(tx: Transaction) -> None:
    """Wait for other writers of the catalogue. One batch at a time keeps slugs, SKUs and categories from
    racing and costs nothing: a batch keeps both cores busy.
    """
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def by_ids(connection: Connection, ids: Sequence[UUID]) -> list[Product]:
    """In no order; unknown ids are left out."""
    return [_product(row) for row in await connection.fetch(_BY_IDS, list(ids))]


async def by_slugs(connection: Connection, slugs: Sequence[str]) -> list[Product]:
    return [_product(row) for row in await connection.fetch(_BY_SLUGS, list(slugs))]


async def popularity_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = await connection.fetch("SELECT id, popularity FROM products WHERE id = ANY($1)", list(ids))
    return {row["id"]: row["popularity"] for row in rows}


async def ids_after(connection: Connection, after: UUID | None, limit: int) -> list[UUID]:
    rows = await connection.fetch(
        "SELECT id FROM products WHERE id > $1 ORDER BY id LIMIT $2", after or UUID(int=0), limit
    )
    return [row["id"] for row in rows]


async def owners(connection: Connection, skus: Sequence[str]) -> dict[str, UUID]:
    """The product of each SKU that exists."""
    rows = await connection.fetch("SELECT sku, product_id FROM variants WHERE sku = ANY($1)", list(skus))
    return {row["sku"]: row["product_id"] for row in rows}


async def names(connection: Connection, skus: Sequence[str]) -> dict[str, str]:
    """What the product of each SKU is called."""
    rows = await connection.fetch(_NAMES, list(skus))
    return {row["sku"]: row["name"] for row in rows}


async def skus_called(connection: Connection, words: str, limit: int) -> list[str]:
    rows = await connection.fetch(_CALLED, like(words), limit)
    return [row["sku"] for row in rows]


def like(words: str) -> str:
    """`words` for a pattern of LIKE, in which they stand for themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def slugs_like(connection: Connection, slug: str) -> set[str]:
    """The slugs that are `slug` or begin with it and a hyphen."""
    rows = await connection.fetch(
        "SELECT slug FROM products WHERE slug = $1 OR slug >= $1 || '-' AND slug < $1 || '.'", slug
    )
    return {row["slug"] for row in rows}


async def write(
    tx: Transaction, created: Sequence[Product], changed: Sequence[Product], currency: str
) -> None:
    """Store products as they shall be; `currency` is the shop's own, for the listings."""
    products = [*created, *changed]
    ids = [product.id for product in changed]
    await tx.execute(_PRODUCTS, _json([_product_row(product) for product in products]))
    pictures = [
        {"product_id": product.id, "position": position, **msgspec.structs.asdict(picture)}
        for product in products
        for position, picture in enumerate(product.pictures)
    ]
    variants = [
        {"product_id": product.id, "position": position, **msgspec.structs.asdict(variant)}
        for product in products
        for position, variant in enumerate(product.variants)
    ]
    prices = [
        (variant.id, price.currency, price.amount, price.compare_at)
        for product in products
        for variant in product.variants
        for price in variant.prices
    ]
    places = [
        (product.id, category.id, position)
        for product in products
        for position, category in enumerate(product.categories)
    ]
    if ids:
        await tx.execute(_FORGET_VARIANTS, ids, [row["id"] for row in variants])
        await tx.execute(_FORGET_PICTURES, ids, [row["id"] for row in pictures])
        await tx.execute(_FORGET_PRICES, ids)
        await tx.execute("DELETE FROM product_categories WHERE product_id = ANY($1)", ids)
    await tx.execute(_PUT_PICTURES, _json(pictures))
    await tx.execute(_PUT_VARIANTS, _json(variants))
    await tx.execute(_PUT_PRICES, *_columns(prices, 4))
    await tx.execute(_PUT_PLACES, *_columns(places, 3))
    await tx.execute("SELECT catalog_list($1, $2)", [product.id for product in products], currency)


async def delete(tx: Transaction, product_id: UUID) -> None:
    await tx.execute("DELETE FROM products WHERE id = $1", product_id)


def _product(row: Row) -> Product:
    order = row["options"]
    variants = [
        _in_order(variant, order) if len(variant.options) > 1 else variant
        for variant in _VARIANTS.decode(row["variants"])
    ]
    return Product(
        id=row["id"],
        slug=row["slug"],
        status=row["status"],
        name=row["name"],
        summary=row["summary"],
        description=row["description"],
        brand=row["brand"],
        attributes=dict(row["attributes"]),
        options=order,
        categories=_CATEGORIES.decode(row["categories"]),
        pictures=_PICTURES.decode(row["pictures"]),
        variants=variants,
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _in_order(variant: Variant, names: Sequence[str]) -> Variant:
    """Options in the order of the product's: jsonb forgets it."""
    options = {name: variant.options[name] for name in names if name in variant.options}
    return msgspec.structs.replace(variant, options=options)


def _product_row(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "slug": product.slug,
        "status": product.status,
        "name": product.name,
        "name_key": sort_key(product.name),
        "summary": product.summary,
        "description": product.description,
        "brand": product.brand,
        "attributes": list(product.attributes.items()),
        "options": product.options,
    }


def _json(rows: Sequence[Any]) -> str:
    return _ENCODER.encode(rows).decode()


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    """Rows as the arrays that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]


_SELECT = """
SELECT p.id, p.slug, p.status, p.name, p.summary, p.description, p.brand, p.attributes, p.options,
    p.version, p.created_at, p.updated_at,
    coalesce((
        SELECT json_agg(json_build_object(
            'id', v.id, 'sku', v.sku, 'options', v.options, 'barcode', v.barcode, 'weight_g', v.weight_g,
            'picture', v.picture, 'prices', coalesce((
                SELECT json_agg(json_build_object('currency', r.currency, 'amount', r.amount,
                                                  'compare_at', r.compare_at) ORDER BY r.currency)
                FROM prices r WHERE r.variant_id = v.id), '[]')) ORDER BY v.position, v.id)
        FROM variants v WHERE v.product_id = p.id), '[]')::text AS variants,
    coalesce((
        SELECT json_agg(json_build_object(
            'id', i.id, 'url', i.url, 'alt', i.alt, 'width', i.width, 'height', i.height) ORDER BY i.position)
        FROM pictures i WHERE i.product_id = p.id), '[]')::text AS pictures,
    coalesce((
        SELECT json_agg(json_build_object('id', c.id, 'slug', c.slug, 'name', c.name) ORDER BY pc.position)
        FROM product_categories pc JOIN categories c ON c.id = pc.category_id
        WHERE pc.product_id = p.id), '[]')::text AS categories
FROM products p
"""
_BY_IDS = f"{_SELECT} WHERE p.id = ANY($1)"
_BY_SLUGS = f"{_SELECT} WHERE p.slug = ANY($1)"
_NAMES = "SELECT v.sku, p.name FROM variants v JOIN products p ON p.id = v.product_id WHERE v.sku = ANY($1)"
_CALLED = """
SELECT v.sku FROM products p JOIN variants v ON v.product_id = p.id WHERE p.name ILIKE '%' || $1 || '%'
ORDER BY v.sku LIMIT $2
"""
_PRODUCTS = """
INSERT INTO products AS p
    (id, slug, status, name, name_key, summary, description, brand, attributes, options)
SELECT id, slug, status, name, name_key, summary, description, brand, attributes, options
FROM json_to_recordset($1::json) AS x (
    id uuid, slug text, status text, name text, name_key text, summary text, description text, brand text,
    attributes jsonb, options text[])
ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, status = excluded.status, name = excluded.name,
    name_key = excluded.name_key, summary = excluded.summary, description = excluded.description,
    brand = excluded.brand, attributes = excluded.attributes, options = excluded.options,
    version = p.version + 1, updated_at = now()
"""
_FORGET_VARIANTS = "DELETE FROM variants WHERE product_id = ANY($1) AND id <> ALL($2::uuid[])"
_FORGET_PICTURES = "DELETE FROM pictures WHERE product_id = ANY($1) AND id <> ALL($2::uuid[])"
_FORGET_PRICES = "DELETE FROM prices WHERE variant_id IN (SELECT id FROM variants WHERE product_id = ANY($1))"
_PUT_PICTURES = """
INSERT INTO pictures (id, product_id, url, alt, width, height, position)
SELECT id, product_id, url, alt, width, height, position FROM json_to_recordset($1::json) AS x (
    id uuid, product_id uuid, url text, alt text, width integer, height integer, position integer)
ON CONFLICT (id) DO UPDATE SET alt = excluded.alt, width = excluded.width, height = excluded.height,
    position = excluded.position
"""
_PUT_VARIANTS = """
INSERT INTO variants (id, product_id, sku, position, options, barcode, weight_g, picture)
SELECT id, product_id, sku, position, options, barcode, weight_g, picture
FROM json_to_recordset($1::json) AS x (
    id uuid, product_id uuid, sku text, position integer, options jsonb, barcode text, weight_g integer,
    picture text)
ON CONFLICT (id) DO UPDATE SET sku = excluded.sku, position = excluded.position, options = excluded.options,
    barcode = excluded.barcode, weight_g = excluded.weight_g, picture = excluded.picture
"""
_PUT_PRICES = """
INSERT INTO prices (variant_id, currency, amount, compare_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
"""
_PUT_PLACES = """
INSERT INTO product_categories (product_id, category_id, position)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[])
"""
