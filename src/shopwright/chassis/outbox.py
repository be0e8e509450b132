"""The relay: carries committed events from a service's outbox to its stream, in order, at least once.

One relay per database works at a time, by a lease in the table. It remembers which run of Valkey it
published to, and leaves its mark there: after a restart it sends the last `RESEND` again (an AOF may lose a
second), when the mark is gone everything it still has. Consumers know repeats by their inbox. What a group
has not read yet is never cut off its stream: the relay waits. Published rows are kept `KEEP`, and given to
consumers who miss them.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog

from shopwright.contracts.events import Envelope
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import Unavailable

from . import crashpoints, replay
from .db import Connection, Database, Row
from .streams import BUS_ERRORS, LENGTH_MAX, Valkey, stream_of
from .telemetry import OUTBOX_LAG

log = structlog.get_logger()

BATCH = 500
AT_ONCE = 10_000  # rows of one statement: far below its time limit
LEASE = timedelta(seconds=10)
GATHER_S = 0.05  # at most twenty rounds a second: under load one carries what many commits wrote
POLL_S = 0.5  # commits of this process wake the relay at once; the poll serves rows of other replicas
RESEND = timedelta(minutes=5)
KEEP = timedelta(days=7)
KEEP_DEAD = timedelta(days=90)  # for an operator to look at a dead letter
KEEP_ONCE = timedelta(days=9)  # longer than KEEP, so that every replay is recognised


class Relay:
    def __init__(self, db: Database, valkey: Valkey, source: str, *, length_max: int = LENGTH_MAX) -> None:
        self._db, self._valkey, self._source = db, valkey, source
        self._length_max, self._room = length_max, 0
        self._holder = str(new_id())
        self._wake = asyncio.Event()
        self._lease_until = datetime.min.replace(tzinfo=UTC)
        self._number, self._answer_at = 0, 0.0
        self._prune_at = datetime.now(UTC) + timedelta(minutes=1)
        db.on_published(self._wake.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop`; a database or bus that is away is tried again for ever."""
        pause = POLL_S
        while not stop.is_set():
            try:
                sent = await self.turn()
                pause = 0.0 if sent == BATCH else POLL_S
            except (*BUS_ERRORS, Unavailable) as error:
                log.warning("relay waits", error=str(error))
                self._lease_until = datetime.min.replace(tzinfo=UTC)
                pause = 1.0
            if pause:
                await self._sleep(pause)

    async def _sleep(self, seconds: float) -> None:
        """Until somebody commits events, but not sooner than `GATHER_S`; an idle relay is woken at once."""
        slept = time.monotonic()
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            pass
        if (left := GATHER_S - (time.monotonic() - slept)) > 0:
            await asyncio.sleep(left)
        self._wake.clear()

    async def turn(self) -> int:
        """Publish one batch if this relay holds the lease; returns how many events went out."""
        if not await self._hold():
            return 0
        await self._answer()
        if not await self._has_room():
            OUTBOX_LAG.set(BATCH)
            return 0
        async with self._db.read() as connection:
            rows = await connection.fetch(_UNPUBLISHED, BATCH)
        OUTBOX_LAG.set(len(rows))
        if rows:
            crashpoints.reach(f"relay.{self._source}.before-send")
            first = await self._send(rows)
            crashpoints.reach(f"relay.{self._source}.after-send")
            async with self._db.read() as connection:
                await connection.execute(_MARK, [row["position"] for row in rows], first)
            crashpoints.reach(f"relay.{self._source}.after-commit")
        if datetime.now(UTC) > self._prune_at:
            await self.prune()
        return len(rows)

    async def _hold(self) -> bool:
        now = datetime.now(UTC)
        if self._lease_until - now > LEASE / 2:
            return True
        async with self._db.read() as connection:
            row = await connection.fetchrow(_LEASE, self._holder, LEASE)
        if row is None:
            return False
        self._lease_until, self._room = now + LEASE, 0
        await self._mind_the_bus(row["bus_run"])
        self._number = int(await self._valkey.get(replay.count_of(self._source)) or 0)
        return True

    async def _answer(self) -> None:
        """Now and then look whether a consumer misses what was sent."""
        if time.monotonic() >= self._answer_at:
            self._answer_at = time.monotonic() + POLL_S
            await replay.answer_all(self._valkey, self._source, self._numbered)

    async def _numbered(self, after: int, until: int) -> list[replay.Numbered]:
        async with self._db.read() as connection:
            rows = await connection.fetch(_NUMBERED, after, until)
        return [replay.Numbered(row["number"], msgspec.Raw(encode(self._source, row))) for row in rows]

    async def _mind_the_bus(self, known_run: str) -> None:
        run = str((await self._valkey.info("server"))["run_id"])
        mark = f"relay:{self._source}"  # not the stream: consumers make that anew, sometimes before we look
        wiped = not await self._valkey.exists(mark)
        if run == known_run and not wiped:
            return
        async with self._db.read() as connection:
            again = await _in_batches(connection, _RESEND, KEEP if wiped else RESEND)
            await connection.execute("UPDATE relay SET bus_run = $1", run)
        await self._valkey.set(mark, run)
        if again:
            log.warning("bus was restarted; events are sent again", events=again, wiped=wiped)

    async def _has_room(self) -> bool:
        """Whether a batch fits into the stream with what its slowest group has not handled yet."""
        if self._room >= BATCH:
            return True
        try:
            groups = await self._valkey.xinfo_groups(stream_of(self._source))
        except BUS_ERRORS as error:
            if "no such key" not in str(error):
                raise
            groups = []
        behind = {group["name"].decode(): (group["lag"] or 0) + group["pending"] for group in groups}
        self._room = self._length_max - max(behind.values(), default=0)
        if self._room < BATCH:
            log.warning("relay waits for a group that does not read", behind=behind)
        return self._room >= BATCH

    async def _send(self, rows: list[Row]) -> int:
        """Returns the first entry's number; a number that a consumer misses was lost on the bus."""
        self._room -= len(rows)
        first = self._number + 1
        pipeline = self._valkey.pipeline(transaction=False)
        for number, row in enumerate(rows, first):
            fields: Any = {"e": encode(self._source, row), "n": number}
            pipeline.xadd(stream_of(self._source), fields, maxlen=self._length_max, approximate=True)
        pipeline.set(replay.count_of(self._source), first + len(rows) - 1)
        await pipeline.execute()
        self._number += len(rows)
        return first

    async def prune(self) -> None:
        """Forget what nobody may ask for any more."""
        self._number, self._answer_at = 0, 0.0
        self._prune_at = datetime.now(UTC) + timedelta(minutes=10)
        async with self._db.read() as connection:
            await _in_batches(connection, _PRUNE, KEEP)
            await _in_batches(connection, _PRUNE_ONCE, KEEP_ONCE)
            await _in_batches(connection, _PRUNE_DEAD, KEEP_DEAD)


async def _in_batches(connection: Connection, sql: str, *values: Any) -> int:
    """Run `sql` until it finds fewer rows than its limit: days of rows in one statement would time out."""
    total = count = await connection.execute(sql, *values, AT_ONCE)
    while count == AT_ONCE:
        count = await connection.execute(sql, *values, AT_ONCE)
        total += count
    return total


def encode(source: str, row: Row) -> bytes:
    """An outbox row as a CloudEvent."""
    envelope = Envelope(
        id=str(row["id"]),
        source=f"/{source}",
        type=row["topic"],
        subject=row["subject"],
        time=row["created_at"],
        sequence=row["sequence"],
        data=msgspec.Raw(row["data"]),
        traceparent=row["traceparent"],
    )
    return msgspec.json.encode(envelope)


_UNPUBLISHED = """
SELECT position, id, topic, subject, sequence, data, traceparent, created_at
FROM outbox WHERE published_at IS NULL ORDER BY position LIMIT $1
"""
#: No join, though it would read better: PostgreSQL would plan it anew for every batch.
_MARK = """
UPDATE outbox SET published_at = now(), number = $2::bigint + array_position($1::bigint[], position) - 1
WHERE position = ANY($1::bigint[])
"""
_NUMBERED = """
SELECT number, id, topic, subject, sequence, data, traceparent, created_at
FROM outbox WHERE number > $1 AND number <= $2 AND published_at IS NOT NULL ORDER BY number
"""
_LEASE = """
UPDATE relay SET holder = $1, held_until = now() + $2::interval
WHERE holder = $1 OR held_until < now() RETURNING bus_run
"""
_RESEND = """
UPDATE outbox SET published_at = NULL WHERE position IN (
    SELECT position FROM outbox WHERE published_at > now() - $1::interval LIMIT $2)
"""
_PRUNE = """
DELETE FROM outbox WHERE position IN (
    SELECT position FROM outbox WHERE published_at < now() - $1::interval LIMIT $2)
"""
_PRUNE_ONCE = """
DELETE FROM once WHERE key IN (SELECT key FROM once WHERE created_at < now() - $1::interval LIMIT $2)
"""
_PRUNE_DEAD = """
DELETE FROM dead_letters WHERE id IN (
    SELECT id FROM dead_letters WHERE state = 'dead' AND first_failed_at < now() - $1::interval LIMIT $2)
"""
