"""All SQL of search: what waits to be indexed, and the lease of the writer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from shopwright.chassis.db import Connection

Kind = Literal["product", "sku"]


class Waiting(NamedTuple):
    position: int
    kind: Kind
    key: str


class Lease(NamedTuple):
    """`asked`: how many rebuilds were ever asked for; `due`: whether the last of them was not done."""

    asked: int
    due: bool


async def note(connection: Connection, once: Sequence[str], kind: Kind, keys: Sequence[str]) -> None:
    """Note each key whose event (`once`, in the same order) was not seen before; one statement."""
    await connection.execute(_NOTE, list(once), kind, list(keys))


async def note_all(connection: Connection, ids: Sequence[UUID]) -> None:
    await connection.execute(_NOTE_ALL, list(ids))


async def waiting(connection: Connection, limit: int) -> list[Waiting]:
    rows = await connection.fetch(_WAITING, limit)
    return [Waiting(row["position"], row["kind"], row["key"]) for row in rows]


async def indexed(connection: Connection, positions: Sequence[int]) -> None:
    await connection.execute("DELETE FROM search_pending WHERE position = ANY($1::bigint[])", list(positions))


async def hold(connection: Connection, holder: str, length: timedelta) -> Lease | None:
    """Take or prolong the lease; None while another process has it."""
    row = await connection.fetchrow(_HOLD, holder, length)
    return Lease(row["asked"], row["due"]) if row else None


async def let_go(connection: Connection, holder: str) -> None:
    await connection.execute("UPDATE search_writer SET held_until = '-infinity' WHERE holder = $1", holder)


async def ask_rebuild(connection: Connection) -> None:
    await connection.execute("UPDATE search_writer SET rebuilds_asked = rebuilds_asked + 1")


async def rebuilt(connection: Connection, asked: int) -> None:
    """All rebuilds up to number `asked` are done."""
    await connection.execute("UPDATE search_writer SET rebuilds_done = greatest(rebuilds_done, $1)", asked)


_NOTE = """
WITH events AS (SELECT * FROM unnest($1::text[], $3::text[]) AS e (once, key)),
seen AS (
    INSERT INTO once (key, fingerprint) SELECT DISTINCT once, ''::bytea FROM events
    ON CONFLICT DO NOTHING RETURNING key
)
INSERT INTO search_pending (kind, key)
SELECT DISTINCT $2, events.key FROM events JOIN seen ON seen.key = events.once
"""
_NOTE_ALL = "INSERT INTO search_pending (kind, key) SELECT 'product', unnest($1::uuid[])::text"
_WAITING = "SELECT position, kind, key FROM search_pending ORDER BY position LIMIT $1"
_HOLD = """
UPDATE search_writer SET holder = $1, held_until = now() + $2::interval
WHERE holder = $1 OR held_until < now()
RETURNING rebuilds_asked AS asked, rebuilds_asked > rebuilds_done AS due
"""
