"""Carts and their lines. Every change bumps the cart's version, so an order is placed on what was seen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction
from shopwright.contracts.orders import Address

from ..domain import Cart, CartLine, Seen


async def insert(tx: Transaction, cart_id: UUID, user_id: UUID | None, currency: str) -> None:
    await tx.execute(
        "INSERT INTO carts (id, user_id, currency) VALUES ($1, $2, $3)", cart_id, user_id, currency
    )


async def find(connection: Connection, cart_id: UUID) -> Cart | None:
    row = await connection.fetchrow(_FIND, cart_id)
    return _cart(row) if row else None


async def newest_of(connection: Connection, user_id: UUID) -> UUID | None:
    newest: UUID | None = await connection.fetchval(
        "SELECT id FROM carts WHERE user_id = $1 AND status = 'open' ORDER BY updated_at DESC LIMIT 1",
        user_id,
    )
    return newest


async def add_line(
    tx: Transaction, cart_id: UUID, line_id: UUID, sku: str, quantity: int, *, seen: Seen, quantity_max: int
) -> bool:
    """Add to the line of `sku` or begin one; false when that exceeds `quantity_max`."""
    return bool(
        await tx.fetchval(_ADD, line_id, cart_id, sku, quantity, msgspec.to_builtins(seen), quantity_max)
    )


async def set_quantity(tx: Transaction, cart_id: UUID, line_id: UUID, quantity: int) -> bool:
    return bool(
        await tx.execute(
            "UPDATE cart_lines SET quantity = $3 WHERE cart_id = $1 AND id = $2", cart_id, line_id, quantity
        )
    )


async def remove_line(tx: Transaction, cart_id: UUID, line_id: UUID) -> bool:
    return bool(await tx.execute("DELETE FROM cart_lines WHERE cart_id = $1 AND id = $2", cart_id, line_id))


async def touch(tx: Transaction, cart_id: UUID, **fields: Any) -> Cart | None:
    """Lock an open cart, set `fields`, bump its version; the cart as it is then, or None if it is not open.

    Field names come from our own calls only: email, address, shipping_method, coupons, user_id.
    """
    assignments = "".join(f", {name} = ${place}" for place, name in enumerate(fields, start=2))
    values = [
        msgspec.to_builtins(value) if isinstance(value, Address) else value for value in fields.values()
    ]
    sql = f"UPDATE carts SET version = version + 1, updated_at = now(){assignments} {_WHILE_OPEN}"
    if not await tx.execute(sql, cart_id, *values):
        return None
    return await find(tx, cart_id)


async def reopen(tx: Transaction, cart_id: UUID) -> None:
    """After a refusal the buyer gets the cart back as it was."""
    await tx.execute(
        "UPDATE carts SET status = 'open', version = version + 1, updated_at = now() WHERE id = $1", cart_id
    )


async def forget_old(connection: Connection, days: int) -> int:
    """Open or ordered: what was bought stands in the order."""
    return await connection.execute(_FORGET_OLD, days)


async def forget_user(tx: Transaction, user_id: UUID) -> None:
    await tx.execute("DELETE FROM carts WHERE user_id = $1", user_id)


def _cart(row: Row) -> Cart:
    return Cart(
        id=row["id"],
        user_id=row["user_id"],
        currency=row["currency"],
        status=row["status"],
        email=row["email"],
        address=msgspec.convert(row["address"], Address) if row["address"] else None,
        shipping_method=row["shipping_method"],
        version=row["version"],
        lines=msgspec.convert(row["lines"], list[CartLine]),
        coupons=row["coupons"],
    )


_WHILE_OPEN = "WHERE id = $1 AND status = 'open'"
_FIND = """
SELECT c.id, c.user_id, c.currency, c.status, c.email, c.address, c.shipping_method, c.version, c.coupons,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', l.id, 'sku', l.sku, 'quantity', l.quantity, 'seen', l.seen)
                         ORDER BY l.position)
        FROM cart_lines l WHERE l.cart_id = c.id), '[]') AS lines
FROM carts c WHERE c.id = $1
"""
_ADD = """
INSERT INTO cart_lines AS l (id, cart_id, sku, quantity, seen)
SELECT $1::uuid, $2::uuid, $3::text, $4::integer, $5::jsonb WHERE $4::integer <= $6::integer
ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = l.quantity + excluded.quantity, seen = excluded.seen
    WHERE l.quantity + excluded.quantity <= $6::integer
RETURNING true
"""
_FORGET_OLD = """
DELETE FROM carts WHERE id IN (
    SELECT id FROM carts WHERE updated_at < now() - make_interval(days => $1) LIMIT 1000)
"""
