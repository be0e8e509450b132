"""The sessions table: all SQL of web. Rows in and out, ids only as hashes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from shopwright.chassis.db import Database, Row

TOUCH_EVERY = timedelta(minutes=5)  # reading a page costs a write this often at most
PRUNE_ROWS = 5_000  # per statement, so that pruning never holds a long lock


class SessionStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, id_hash: bytes, audience: str, idle: timedelta) -> Row | None:
        """A living session's row; reading it keeps it alive."""
        async with self._db.read() as connection:
            row = await connection.fetchrow(_FIND, id_hash, audience, idle - TOUCH_EVERY)
            if row is not None and row["stale"]:
                await connection.execute(_TOUCH, id_hash, idle)
        return row

    async def insert(self, id_hash: bytes, audience: str, idle: timedelta, longest: timedelta) -> None:
        async with self._db.read() as connection:
            await connection.execute(_INSERT, id_hash, audience, idle, longest)

    async def replace(
        self, old: bytes | None, new: bytes, audience: str, identity: bytes | None, *,
        idle: timedelta, longest: timedelta,
    ) -> None:  # fmt: skip
        """Move a session to a new id with another identity: its cart and purchases come along, the old id
        dies.
        """
        async with self._db.begin() as tx:
            await tx.execute(_INSERT, new, audience, idle, longest)
            await tx.execute("UPDATE sessions SET identity = $2 WHERE id_hash = $1", new, identity)
            if old is not None:
                await tx.execute(_INHERIT, new, old)
                await tx.execute("DELETE FROM sessions WHERE id_hash = $1", old)

    async def delete(self, id_hash: bytes) -> None:
        async with self._db.read() as connection:
            await connection.execute("DELETE FROM sessions WHERE id_hash = $1", id_hash)

    async def set_cart(self, id_hash: bytes, cart_id: UUID | None, count: int, currency: str) -> None:
        async with self._db.read() as connection:
            await connection.execute(_SET_CART, id_hash, cart_id, count, currency)

    async def set_purchases(self, id_hash: bytes, purchases: list[Any]) -> None:
        async with self._db.read() as connection:
            await connection.execute(
                "UPDATE sessions SET purchases = $2 WHERE id_hash = $1", id_hash, purchases
            )

    async def set_notice(self, id_hash: bytes, notice: str | None) -> None:
        async with self._db.read() as connection:
            await connection.execute("UPDATE sessions SET notice = $2 WHERE id_hash = $1", id_hash, notice)

    async def set_tender(self, id_hash: bytes, tender: bytes | None) -> None:
        async with self._db.read() as connection:
            await connection.execute("UPDATE sessions SET tender = $2 WHERE id_hash = $1", id_hash, tender)

    async def claim_refresh(self, id_hash: bytes, seen: bytes, lease: timedelta) -> bool:
        """Whether the caller is the one who may use the refresh token now (a second use would revoke it)."""
        async with self._db.read() as connection:
            return await connection.execute(_CLAIM_REFRESH, id_hash, seen, lease) == 1

    async def set_identity(self, id_hash: bytes, identity: bytes | None) -> None:
        async with self._db.read() as connection:
            await connection.execute(_SET_IDENTITY, id_hash, identity)

    async def swap_identity(self, id_hash: bytes, seen: bytes, identity: bytes) -> None:
        """Set the identity unless it has changed, or is being renewed, since it was `seen`."""
        async with self._db.read() as connection:
            await connection.execute(_SWAP_IDENTITY, id_hash, seen, identity)

    async def identity(self, id_hash: bytes) -> bytes | None:
        async with self._db.read() as connection:
            sealed: bytes | None = await connection.fetchval(
                "SELECT identity FROM sessions WHERE id_hash = $1", id_hash
            )
            return sealed

    async def prune(self) -> int:
        """Delete ended sessions; returns how many."""
        async with self._db.read() as connection:
            return await connection.execute(_PRUNE, PRUNE_ROWS)


_FIND = """
SELECT identity, cart_id, cart_count, cart_currency, purchases, notice, tender,
    idle_until < now() + $3::interval AS stale
FROM sessions WHERE id_hash = $1 AND audience = $2 AND idle_until > now() AND expires_at > now()
"""
_TOUCH = "UPDATE sessions SET idle_until = least(now() + $2::interval, expires_at) WHERE id_hash = $1"
_INSERT = """
INSERT INTO sessions (id_hash, audience, idle_until, expires_at)
VALUES ($1, $2, now() + least($3::interval, $4::interval), now() + $4::interval)
"""
_INHERIT = """
UPDATE sessions n SET cart_id = o.cart_id, cart_count = o.cart_count, cart_currency = o.cart_currency,
    purchases = o.purchases
FROM sessions o WHERE n.id_hash = $1 AND o.id_hash = $2
"""
_SET_CART = "UPDATE sessions SET cart_id = $2, cart_count = $3, cart_currency = $4 WHERE id_hash = $1"
_CLAIM_REFRESH = """
UPDATE sessions SET refreshing_until = now() + $3::interval
WHERE id_hash = $1 AND identity = $2 AND (refreshing_until IS NULL OR refreshing_until < now())
"""
_SET_IDENTITY = "UPDATE sessions SET identity = $2, refreshing_until = NULL WHERE id_hash = $1"
_SWAP_IDENTITY = """
UPDATE sessions SET identity = $3
WHERE id_hash = $1 AND identity = $2 AND (refreshing_until IS NULL OR refreshing_until < now())
"""
_PRUNE = """
DELETE FROM sessions WHERE id_hash IN (
    SELECT id_hash FROM sessions WHERE least(idle_until, expires_at) < now() LIMIT $1 FOR UPDATE SKIP LOCKED)
"""
