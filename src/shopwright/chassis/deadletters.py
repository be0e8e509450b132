"""Messages that failed: retried with growing pauses, then kept for an operator who reads and replays them.

A message is parked in the consumer's own database, so nothing is lost with the bus. While one of an
aggregate is being retried, later ones of the same aggregate wait behind it: order per aggregate holds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from shopwright.contracts.events import Envelope
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound

from .db import Database
from .telemetry import DEAD_LETTERS

ATTEMPTS = 6
FIRST_PAUSE = timedelta(
    seconds=1
)  # then 4 s, 16 s, 64 s, 256 s: a blip heals unseen, a bug shows in six minutes
RETRY_LEASE = timedelta(seconds=60)

_MASKED = frozenset(
    {"email", "name", "phone", "line1", "line2", "city", "region", "postal_code", "address", "reason", "note",
     "code", "link", "cart_id", "draft_id"}  # the last four open something to whoever knows them
)  # fmt: skip
_SECRET = re.compile(r"(^|_)(token|secret|password|name|email|url)$")
_UNREADABLE = "it is not an event: nobody can handle it"
_EMAIL = re.compile(r"[^\s@<>\"',;:]+@[^\s@<>\"',;:]+\.[^\s@<>\"',;:]+")


class DeadLetter(msgspec.Struct, frozen=True):
    id: UUID
    topic: str
    subject: str
    state: str
    attempts: int
    error: str
    first_failed_at: datetime
    next_attempt_at: datetime
    payload: Any


class DeadLetters:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def park(self, envelope: Envelope, error: str, *, attempts: int = 1) -> None:
        """Take over a message that failed; the caller may acknowledge it afterwards."""
        async with self._db.begin() as tx:
            await tx.execute(
                _PARK, UUID(envelope.id), envelope.type, envelope.subject, msgspec.json.encode(envelope),
                attempts, error[:2_000], _pause(attempts),
            )  # fmt: skip

    async def keep_unreadable(self, body: bytes) -> None:
        """Show an operator at once what is no message; trying it again would change nothing."""
        try:
            data = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(body)))
        except (msgspec.MsgspecError, ValueError):
            data = msgspec.Raw(msgspec.json.encode({"base64": body}))
        letter = new_id()
        envelope = Envelope(
            id=str(letter), source="", type="unreadable", subject=str(letter), time=datetime.now(UTC),
            sequence=0, data=data,
        )  # fmt: skip
        await self.park(envelope, _UNREADABLE, attempts=ATTEMPTS)
        await self.failed(envelope, _UNREADABLE, ATTEMPTS)

    async def waiting_subjects(self) -> set[str]:
        """Aggregates whose later messages must queue behind one that is being retried."""
        async with self._db.read() as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT subject FROM dead_letters WHERE state = 'retrying'"
            )
        return {row["subject"] for row in rows}

    async def due(self) -> list[tuple[Envelope, int]]:
        """Lease messages whose pause is over, oldest first, with the attempts made so far."""
        async with self._db.read() as connection:
            rows = await connection.fetch(_DUE, RETRY_LEASE)
            DEAD_LETTERS.set(
                await connection.fetchval("SELECT count(*) FROM dead_letters WHERE state = 'dead'")
            )
        ordered = sorted(rows, key=lambda row: row["id"])
        return [(msgspec.json.decode(row["envelope"], type=Envelope), row["attempts"]) for row in ordered]

    async def failed(self, envelope: Envelope, error: str, attempts: int) -> None:
        state = "dead" if attempts >= ATTEMPTS else "retrying"
        async with self._db.read() as connection:
            await connection.execute(
                _FAILED, UUID(envelope.id), state, attempts, error[:2_000], _pause(attempts)
            )

    async def handled(self, envelope: Envelope) -> None:
        async with self._db.read() as connection:
            await connection.execute("DELETE FROM dead_letters WHERE id = $1", UUID(envelope.id))

    async def page(self, *, after: UUID | None = None, limit: int = 50) -> list[DeadLetter]:
        """Newest first; personal data in payloads is masked."""
        async with self._db.read() as connection:
            rows = await connection.fetch(_PAGE, after, limit)
        return [
            DeadLetter(
                **{name: row[name] for name in _SHOWN},
                error=masked(row["error"]),
                payload=masked(msgspec.json.decode(row["envelope"])),
            )
            for row in rows
        ]

    async def replay(self, letter: UUID) -> None:
        """Try a message again now, with all its attempts; raises NotFound."""
        async with self._db.read() as connection:
            if not await connection.execute(_REPLAY, letter):
                raise NotFound(detail=f"no dead letter {letter}")

    async def replay_all(self, topic: str | None = None) -> int:
        """Every message that was given up, or those of one topic; tells how many."""
        async with self._db.read() as connection:
            return await connection.execute(_REPLAY_ALL, topic)


def masked(value: Any) -> Any:
    """`value` with asterisks for personal data and what opens something: by a field's name, and e-mail
    addresses anywhere.
    """
    if isinstance(value, dict):
        return {
            name: "***" if isinstance(item, str) and _hidden(name) else masked(item)
            for name, item in value.items()
        }
    if isinstance(value, str):
        return _EMAIL.sub("***", value)
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def _hidden(field: str) -> bool:
    return field in _MASKED or _SECRET.search(field) is not None


def _pause(attempts: int) -> timedelta:
    return FIRST_PAUSE * int(4 ** (min(attempts, ATTEMPTS) - 1))


_PARK = """
INSERT INTO dead_letters (id, topic, subject, envelope, state, attempts, error, next_attempt_at)
VALUES ($1, $2, $3, $4, 'retrying', $5, $6, now() + $7::interval) ON CONFLICT (id) DO NOTHING
"""
_DUE = """
UPDATE dead_letters SET next_attempt_at = now() + $1::interval
WHERE id IN (
    SELECT id FROM dead_letters d
    WHERE state = 'retrying' AND next_attempt_at <= now()
      AND NOT EXISTS (SELECT FROM dead_letters e
                      WHERE e.subject = d.subject AND e.state = 'retrying' AND e.id < d.id)
    ORDER BY id LIMIT 50 FOR UPDATE SKIP LOCKED)
RETURNING id, envelope, attempts
"""
_FAILED = """
UPDATE dead_letters SET state = $2, attempts = $3, error = $4, next_attempt_at = now() + $5::interval
WHERE id = $1
"""
_PAGE = """
SELECT id, topic, subject, envelope, state, attempts, error, first_failed_at, next_attempt_at
FROM dead_letters WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
"""
_REPLAY = "UPDATE dead_letters SET state = 'retrying', attempts = 1, next_attempt_at = now() WHERE id = $1"
_SHOWN = [name for name in DeadLetter.__struct_fields__ if name not in {"payload", "error"}]
_REPLAY_ALL = """
UPDATE dead_letters SET state = 'retrying', attempts = 1, next_attempt_at = now()
WHERE state = 'dead' AND ($1::text IS NULL OR topic = $1)
"""
