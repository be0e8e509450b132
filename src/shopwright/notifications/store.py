"""All SQL of notifications."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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


class NewNotification(NamedTuple):
    """A draft on its way in: its id, the event it comes from, and the token by which mails are stopped."""

    id: UUID
    source: str
    draft: Draft
    token: str | None


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


async def add(db: Database, wanted: Sequence[NewNotification]) -> list[Added | None]:
    """Write drafts down as their owners' preferences say and queue their mails, in one transaction.

    None: the event was here before, or its person was erased, and nothing happens.
    """
    drafts = [new.draft for new in wanted]
    facts = [NotificationQueued(notification_id=new.id, kind=new.draft.kind) for new in wanted]
    rows = await db.commit_rows(
        _ADD,
        [new.id for new in wanted], [new.source for new in wanted], [draft.kind for draft in drafts],
        [draft.user_id for draft in drafts], [draft.email for draft in drafts],
        [draft.name for draft in drafts], [draft.title for draft in drafts],
        [draft.link for draft in drafts], [msgspec.to_builtins(draft.content) for draft in drafts],
        [new.token for new in wanted], [encode_data(fact) for fact in facts],
        NotificationQueued.topic, telemetry.traceparent(),
    )  # fmt: skip
    return [None if row["queued"] is None else Added(row["queued"], row["in_feed"]) for row in rows]


async def claim(
    connection: Connection, wanted: Sequence[UUID], holder: str, lease: timedelta
) -> list[Letter]:
    """Take the lease of mails that wait; those that nobody has to send, or somebody else has, are absent."""
    rows = await connection.fetch(_CLAIM, wanted, holder, lease)
    return [
        Letter(
            **{name: row[name] for name in Letter.__struct_fields__ if name != "content"},
            content=msgspec.convert(row["content"], Content),
        )
        for row in rows
    ]


async def any_waits(connection: Connection, wanted: Collection[UUID]) -> bool:
    sql = "SELECT EXISTS (SELECT FROM notifications WHERE id = ANY($1) AND state IN ('queued', 'retrying'))"
    return bool(await connection.fetchval(sql, list(wanted)))


async def sent(connection: Connection, mails: Sequence[UUID]) -> set[UUID]:
    """Mark mails as sent and forget what they said; those that are not among them are gone."""
    return {row["id"] for row in await connection.fetch(_SENT, mails)}


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
SELECT a.queued, a.in_feed
FROM (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::jsonb[], $10::text[], $11::bytea[]) WITH ORDINALITY AS d
        (id, source, kind, person, email, name, title, link, said, token, fact, n)
    ORDER BY person, n  -- feeds and erasures are locked in key order
) d CROSS JOIN LATERAL add_notification(
    d.id, d.source, d.kind, d.person, d.email, d.name, d.title, d.link, d.said, d.token, $12, d.fact, $13) a
ORDER BY d.n
"""
_CLAIM = """
UPDATE notifications SET lease_holder = $2, lease_until = now() + $3::interval, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM notifications WHERE id = ANY($1) AND state IN ('queued', 'retrying')
        AND (lease_until < now() OR lease_holder = $2) ORDER BY id FOR UPDATE)
RETURNING id, user_id IS NULL AS guest, kind, email, name, title, link, content, created_at,
    unsubscribe_token
"""
_SENT = """
UPDATE notifications
SET state = 'sent', sent_at = now(), content = NULL, name = '', error = '', lease_until = '-infinity'
WHERE id = ANY($1) AND state IN ('queued', 'retrying') RETURNING id
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
