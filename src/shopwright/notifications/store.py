"""All SQL of notifications."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis import telemetry
from shopwright.chassis.db import Connection, Database, Row, Transaction
from shopwright.contracts.events import encode_data

from .domain import Channel, Content, Draft, Kind, Letter, Notice, NotificationQueued, Preference, State

DEPTH_MAX = 10_000  # deeper is deep enough to know
PRUNE_BATCH = 5_000


class Added(NamedTuple):
    """What became of a draft: whether its mail is wanted, and whether it stands in somebody's feed."""

    queued: bool
    in_feed: bool


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as operators see it; `dead`: it waits for them among the dead letters."""

    id: UUID
    kind: Kind
    email: str
    user_id: UUID | None
    state: State
    dead: bool
    attempts: int
    error: str
    created_at: datetime
    sent_at: datetime | None


async def add(
    db: Database, notification_id: UUID, source: str, draft: Draft, token: str | None
) -> Added | None:
    """Write a draft down as its owner's preferences say and queue its mail, in one transaction of its own.

    None: the event was here before, or its person was erased, and nothing happens.
    """
    fact = NotificationQueued(notification_id=notification_id, kind=draft.kind)
    row = await db.commit(
        _ADD,
        notification_id, source, draft.kind, draft.user_id, draft.email, draft.name, draft.title, draft.link,
        msgspec.to_builtins(draft.content), token, fact.topic, encode_data(fact), telemetry.traceparent(),
    )  # fmt: skip
    assert row is not None, "a function returns its row"
    return None if row["queued"] is None else Added(row["queued"], row["in_feed"])


async def claim(
    connection: Connection, notification_id: UUID, holder: str, lease: timedelta
) -> Letter | None:
    """Take the lease of a mail that waits; None if there is nothing to send or somebody else holds it."""
    row = await connection.fetchrow(_CLAIM, notification_id, holder, lease)
    if row is None:
        return None
    values = {name: row[name] for name in Letter.__struct_fields__ if name != "content"}
    return Letter(**values, content=msgspec.convert(row["content"], Content))


async def waits(connection: Connection, notification_id: UUID) -> bool:
    sql = "SELECT state IN ('queued', 'retrying') FROM notifications WHERE id = $1"
    return bool(await connection.fetchval(sql, notification_id))


async def sent(connection: Connection, notification_id: UUID) -> bool:
    """Mark a mail as sent and forget what it said; false if the notification is gone."""
    return bool(await connection.execute(_SENT, notification_id))


async def not_sent(connection: Connection, notification_id: UUID, error: str) -> None:
    await connection.execute(_NOT_SENT, notification_id, error[:500])


async def requeue(tx: Transaction, older_than: timedelta, limit: int) -> list[tuple[UUID, Kind]]:
    """Mails that wait while no message and no dead letter knows of them any more."""
    rows = await tx.fetch(_REQUEUE, older_than, limit)
    return [(row["id"], row["kind"]) for row in rows]


async def depth(connection: Connection) -> int:
    """How many mails wait for their first try."""
    return int(await connection.fetchval(_DEPTH, DEPTH_MAX))


async def feed(
    connection: Connection, user_id: UUID, *, before: int | None, unread: bool, limit: int
) -> list[Notice]:
    """Newest first."""
    return [_notice(row) for row in await connection.fetch(_FEED, user_id, before, unread, limit)]


async def since(connection: Connection, user_id: UUID, after: int, limit: int) -> list[Notice]:
    """Oldest first, those after a position."""
    return [_notice(row) for row in await connection.fetch(_SINCE, user_id, after, limit)]


async def standing(connection: Connection, user_id: UUID) -> tuple[int, int]:
    """The last position in a person's feed, and how many of it are unread."""
    row = await connection.fetchrow(_STANDING, user_id)
    assert row is not None, "a select without a table has one row"
    return row["last"], row["unread"]


async def mark_read(tx: Transaction, notification_id: UUID, user_id: UUID) -> bool:
    return bool(await tx.execute(_MARK_READ, notification_id, user_id))


async def choices(connection: Connection, user_id: UUID) -> dict[tuple[Kind, Channel], bool]:
    rows = await connection.fetch(
        "SELECT kind, channel, enabled FROM preferences WHERE user_id = $1", user_id
    )
    return {(row["kind"], row["channel"]): row["enabled"] for row in rows}


async def choose(tx: Transaction, user_id: UUID, wanted: list[Preference]) -> None:
    await tx.execute(
        _CHOOSE,
        user_id,
        [item.kind for item in wanted],
        [item.channel for item in wanted],
        [item.enabled for item in wanted],
    )


async def of_token(connection: Connection, token: str) -> tuple[UUID, Kind] | None:
    """Whose mail of which kind carries this unsubscribe token."""
    sql = "SELECT user_id, kind FROM notifications WHERE unsubscribe_token = $1 AND user_id IS NOT NULL"
    row = await connection.fetchrow(sql, token)
    return (row["user_id"], row["kind"]) if row else None


async def deliveries(
    connection: Connection, *, to: str | None, before: UUID | None, limit: int
) -> list[Delivery]:
    """Newest first, of everybody or of one address."""
    rows = await connection.fetch(_DELIVERIES, to, before, limit)
    return [Delivery(**row) for row in rows]


async def erase(tx: Transaction, user_id: UUID) -> list[UUID]:
    """Forget a person: everything of the account, what was sent to a guest with the account's own address,
    and what failed on the way. A guest's mail that still waits goes out first: an account proves no address.

    The id stays, so that a fact that arrives later makes nothing; one being written down is waited for.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))", str(user_id))
    await tx.execute("INSERT INTO erased (user_id) VALUES ($1) ON CONFLICT DO NOTHING", user_id)
    gone = await tx.fetch(_ERASE, user_id)
    await tx.execute("DELETE FROM feeds WHERE user_id = $1", user_id)
    await tx.execute("DELETE FROM preferences WHERE user_id = $1", user_id)
    await tx.execute(
        "DELETE FROM event_sequences WHERE subject = ANY($1::text[])", [str(row["id"]) for row in gone]
    )
    await tx.execute(_ERASE_LETTERS, str(user_id), [str(row["id"]) for row in gone])
    return [row["id"] for row in gone]


async def prune(connection: Connection, older_than: timedelta) -> int:
    """Delete a batch of old notifications; how many went."""
    return int(await connection.fetchval(_PRUNE, older_than, PRUNE_BATCH))


async def prune_erased(connection: Connection, older_than: timedelta) -> None:
    """Forget that old erasures were; facts about those people are long over."""
    await connection.execute("DELETE FROM erased WHERE erased_at < now() - $1::interval", older_than)


def _notice(row: Row) -> Notice:
    return Notice(**row)


_NOTICE = "id, kind, title, link, position, created_at, read_at"

_ADD = """
SELECT queued, in_feed FROM add_notification($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
_CLAIM = """
UPDATE notifications SET lease_holder = $2, lease_until = now() + $3::interval, attempts = attempts + 1
WHERE id = $1 AND state IN ('queued', 'retrying') AND (lease_until < now() OR lease_holder = $2)
RETURNING id, user_id IS NULL AS guest, kind, email, name, title, link, content, created_at,
    unsubscribe_token
"""
_SENT = """
UPDATE notifications
SET state = 'sent', sent_at = now(), content = NULL, name = '', error = '', lease_until = '-infinity'
WHERE id = $1 AND state IN ('queued', 'retrying')
"""
_NOT_SENT = """
UPDATE notifications SET state = 'retrying', error = $2, lease_until = '-infinity'
WHERE id = $1 AND state IN ('queued', 'retrying')
"""
_REQUEUE = """
UPDATE notifications SET queued_at = now() WHERE id IN (
    SELECT id FROM notifications n
    WHERE state IN ('queued', 'retrying') AND queued_at < now() - $1::interval AND lease_until < now()
      AND NOT EXISTS (SELECT FROM dead_letters WHERE subject = n.id::text)
    ORDER BY queued_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id, kind
"""
_DEPTH = """
SELECT count(*) FROM (SELECT FROM notifications WHERE state = 'queued' LIMIT $1) waiting
"""
_FEED = f"""
SELECT {_NOTICE} FROM notifications
WHERE user_id = $1 AND position IS NOT NULL AND position < coalesce($2::bigint, {2**63 - 1})
  AND (NOT $3 OR read_at IS NULL)
ORDER BY position DESC LIMIT $4
"""
_SINCE = f"""
SELECT {_NOTICE} FROM notifications WHERE user_id = $1 AND position > $2 ORDER BY position LIMIT $3
"""
_STANDING = """
SELECT coalesce((SELECT last FROM feeds WHERE user_id = $1), 0) AS last,
    (SELECT count(*) FROM notifications
     WHERE user_id = $1 AND position IS NOT NULL AND read_at IS NULL) AS unread
"""
_MARK_READ = """
UPDATE notifications SET read_at = coalesce(read_at, now())
WHERE id = $1 AND user_id = $2 AND position IS NOT NULL
"""
_CHOOSE = """
INSERT INTO preferences (user_id, kind, channel, enabled)
SELECT $1, kind, channel, enabled
FROM unnest($2::text[], $3::text[], $4::boolean[]) AS wanted (kind, channel, enabled)
ON CONFLICT (user_id, kind, channel) DO UPDATE SET enabled = excluded.enabled
"""
_DELIVERIES = """
SELECT n.id, n.kind, n.email, n.user_id, n.state, n.attempts, n.error, n.created_at, n.sent_at,
    n.state = 'retrying'
    AND EXISTS (SELECT FROM dead_letters d WHERE d.subject = n.id::text AND d.state = 'dead') AS dead
FROM notifications n
WHERE ($1::text IS NULL OR lower(n.email) = lower($1)) AND ($2::uuid IS NULL OR n.id < $2)
ORDER BY n.id DESC LIMIT $3
"""
_ERASE = """
DELETE FROM notifications
WHERE user_id = $1
   OR (user_id IS NULL AND state = 'sent' AND lower(email) IN (
           SELECT lower(email) FROM notifications
           WHERE user_id = $1 AND kind IN ('welcome', 'password_changed')))
RETURNING id
"""
_ERASE_LETTERS = """
DELETE FROM dead_letters
WHERE subject = $1 OR subject = ANY($2::text[])
   OR convert_from(envelope, 'UTF8')::jsonb #>> '{data,user_id}' = $1
"""
_PRUNE = """
WITH gone AS (
    DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications WHERE created_at < now() - $1::interval ORDER BY created_at LIMIT $2)
    RETURNING id
), counters AS (DELETE FROM event_sequences s USING gone WHERE s.subject = gone.id::text)
SELECT count(*) FROM gone
"""
