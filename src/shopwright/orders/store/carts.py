"""Carts and their lines. Every change bumps the cart's version, so an order is placed on what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Change, Connection, Database, Overtaken, Row, Transaction
from shopwright.contracts.orders import Address

from ..domain import Cart, CartLine, Seen


def inserted(cart: Cart) -> Change:
    """An empty cart, as a change that is a whole transaction or commits with one."""
    return Change(_INSERT, (cart.id, cart.user_id, cart.currency))


async def insert(tx: Transaction, cart_id: UUID, user_id: UUID | None, currency: str) -> None:
    await tx.execute(_INSERT, cart_id, user_id, currency)


async def add(
    db: Database,
    cart_id: UUID,
    user_id: UUID | None,
    line: CartLine,
    *,
    quantity_max: int,
    lines_max: int,
) -> Cart | None:
    """Add to the line of the SKU or begin `line`, as a whole transaction in one round trip.

    None: nothing was changed, for a reason that is found step by step.
    """
    try:
        row = await db.commit(
            "SELECT * FROM add_to_cart($1, $2, $3, $4, $5, $6, $7, $8)",
            cart_id, user_id, line.id, line.sku, line.quantity, msgspec.to_builtins(line.seen), quantity_max,
            lines_max, publishes=False,
        )  # fmt: skip
    except Overtaken:
        return None
    return _cart(row) if row else None


async def change(
    db: Database,
    cart_id: UUID,
    user_id: UUID | None,
    *,
    email: str | None = None,
    address: Address | None = None,
    shipping_method: str | None = None,
    coupons: Sequence[str] | None = None,
) -> Cart | None:
    """Set what is given, as a whole transaction in one round trip; None if the cart is not open to them."""
    row = await db.commit(
        "SELECT * FROM change_cart($1, $2, $3, $4, $5, $6)",
        cart_id, user_id, email, msgspec.to_builtins(address), shipping_method, coupons, publishes=False,
    )  # fmt: skip
    return _cart(row) if row else None


async def find(connection: Connection, cart_id: UUID) -> Cart | None:
    row = await connection.fetchrow(_FIND, cart_id)
    return _cart(row) if row else None


async def newest_of(connection: Connection, user_id: UUID) -> UUID | None:
    newest: UUID | None = await connection.fetchval(
        "SELECT id FROM carts WHERE user_id = $1 AND status = 'open' AND staff_id IS NULL"
        " ORDER BY updated_at DESC LIMIT 1",
        user_id,
    )
    return newest


async def add_line(
    tx: Transaction, cart_id: UUID, line_id: UUID, sku: str, quantity: int, *, seen: Seen, quantity_max: int
) -> CartLine | None:
    """Add to the line of `sku` or begin one; the line as it is then, None if that exceeds `quantity_max`."""
    row = await tx.fetchrow(_ADD, line_id, cart_id, sku, quantity, msgspec.to_builtins(seen), quantity_max)
    if row is None:
        return None
    return CartLine(
        id=row["id"], sku=row["sku"], quantity=row["quantity"], seen=msgspec.convert(row["seen"], Seen)
    )


async def set_quantity(tx: Transaction, cart_id: UUID, line_id: UUID, quantity: int) -> bool:
    return bool(await tx.execute(_SET_QUANTITY, cart_id, line_id, quantity))


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


async def lock_open(tx: Transaction, *cart_ids: UUID) -> set[UUID]:
    """Hold the carts until `tx` ends, in the order of their ids; which of them are open."""
    rows = await tx.fetch(
        "SELECT id, status FROM carts WHERE id = ANY($1) ORDER BY id FOR UPDATE", list(cart_ids)
    )
    return {row["id"] for row in rows if row["status"] == "open"}


async def merge(tx: Transaction, source: UUID, target: UUID, available: Mapping[str, int], codes: int) -> int:
    """Put the lines of `source` into `target` and close it; both are held. Returns how many lines that makes.

    A quantity is the sum as far as `available` goes, and never less than either cart had. What `target` does
    not say (who, where, how) it takes over, and up to `codes` coupons.
    """
    await tx.execute(_MERGE, source, target, list(available), list(available.values()))
    await tx.execute(_TAKE_OVER, source, target, codes)
    await tx.execute(
        "UPDATE carts SET status = 'merged', merged_into = $2, version = version + 1, updated_at = now()"
        " WHERE id = $1",
        source, target,
    )  # fmt: skip
    lines: int = await tx.fetchval("SELECT count(*) FROM cart_lines WHERE cart_id = $1", target)
    return lines


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
        merged_into=row["merged_into"],
    )


_INSERT = "INSERT INTO carts (id, user_id, currency) VALUES ($1, $2, $3)"
_WHILE_OPEN = "WHERE id = $1 AND status = 'open'"
_FIND = "SELECT * FROM whole_carts WHERE id = $1"
_SET_QUANTITY = """
UPDATE cart_lines SET quantity = $3, staff_price = CASE WHEN $3 <= quantity THEN staff_price END
WHERE cart_id = $1 AND id = $2
"""
_ADD = """
INSERT INTO cart_lines AS l (id, cart_id, sku, quantity, seen)
SELECT $1::uuid, $2::uuid, $3::text, $4::integer, $5::jsonb WHERE $4::integer <= $6::integer
ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = l.quantity + excluded.quantity, seen = excluded.seen,
        staff_price = NULL  -- it was named for as many as there were
    WHERE l.quantity + excluded.quantity <= $6::integer
RETURNING id, sku, quantity, seen
"""
_MERGE = """
INSERT INTO cart_lines (id, cart_id, sku, quantity, seen)
SELECT gen_random_uuid(), $2::uuid, s.sku, greatest(s.quantity, t.quantity,
    least(s.quantity + coalesce(t.quantity, 0), coalesce(a.most, s.quantity))), s.seen
FROM cart_lines s
LEFT JOIN cart_lines t ON t.cart_id = $2 AND t.sku = s.sku
LEFT JOIN unnest($3::text[], $4::integer[]) AS a (sku, most) ON a.sku = s.sku
WHERE s.cart_id = $1 ORDER BY s.position
ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = excluded.quantity, seen = excluded.seen
"""
_TAKE_OVER = """
UPDATE carts t SET version = t.version + 1, updated_at = now(), email = coalesce(t.email, s.email),
    address = coalesce(t.address, s.address),
    shipping_method = coalesce(t.shipping_method, s.shipping_method),
    coupons = (array(SELECT code FROM unnest(t.coupons || s.coupons) WITH ORDINALITY AS c (code, place)
                     GROUP BY code ORDER BY min(place)))[:$3]
FROM carts s WHERE s.id = $1 AND t.id = $2
"""
_FORGET_OLD = """
DELETE FROM carts WHERE id IN (
    SELECT id FROM carts WHERE updated_at < now() - make_interval(days => $1) LIMIT 1000)
"""
