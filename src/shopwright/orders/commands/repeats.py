"""Requests that were sent before: what the first made, without a transaction for every first one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shopwright.chassis.db import Database, Once, Row
from shopwright.chassis.gathering import Gathering
from shopwright.contracts.problems import IdempotencyKeyReused


async def made_before(db: Database, once: Once | None) -> UUID | None:
    """What an earlier request with this key made; raises IdempotencyKeyReused for another request."""
    if once is None:
        return None
    async with db.read() as connection:
        first = await connection.fetchrow("SELECT fingerprint, outcome FROM once WHERE key = $1", once.key)
    return _made(first, once)


class Repeats:
    """The same for the crowd that comes too late for the last unit: those at once are looked up together."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lookups: Gathering[str, Row | None] = Gathering(self._look_up)

    async def made(self, once: Once | None) -> UUID | None:
        return None if once is None else _made(await self._lookups.ask(once.key), once)

    async def _look_up(self, keys: Sequence[str]) -> list[Row | None]:
        async with self._db.read() as connection:
            rows = await connection.fetch(
                "SELECT key, fingerprint, outcome FROM once WHERE key = ANY($1)", keys
            )
        found = {row["key"]: row for row in rows}
        return [found.get(key) for key in keys]


def _made(first: Row | None, once: Once) -> UUID | None:
    if first is not None and first["fingerprint"] != once.fingerprint:
        raise IdempotencyKeyReused
    return UUID(bytes=first["outcome"]) if first and first["outcome"] else None
