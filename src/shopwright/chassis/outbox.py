"""The relay: carries committed events from a service's outbox to its stream, in order, at least once.

One relay per database works at a time, by a lease in the table. It remembers which run of Valkey it
published to: after a restart it sends the last `RESEND` again (an AOF may lose a second), after a wipe
everything it still has. Consumers know repeats by their inbox. Published rows are kept `KEEP`, so that
consumers can replay.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog

from shopwright.contracts.events import Envelope
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import Unavailable

from . import crashpoints
from .db import Database, Row
from .streams import BUS_ERRORS, LENGTH_MAX, Valkey, stream_of
from .telemetry import OUTBOX_LAG

log = structlog.get_logger()

BATCH = 500
LEASE = timedelta(seconds=10)
POLL_S = 0.5  # commits of this process wake the relay at once; the poll serves rows of other replicas
RESEND = timedelta(minutes=5)
KEEP = timedelta(days=7)
KEEP_ONCE = timedelta(days=9)  # longer than KEEP, so that every replay is recognised


class Relay:
    def __init__(self, db: Database, valkey: Valkey, source: str) -> None:
        self._db, self._valkey, self._source = db, valkey, source
        self._holder = str(new_id())
        self._wake = asyncio.Event()
        self._lease_until = datetime.min.replace(tzinfo=UTC)
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
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            pass
        self._wake.clear()

    async def turn(self) -> int:
        """Publish one batch if this relay holds the lease; returns how many events went out."""
        if not await self._hold():
            return 0
        async with self._db.read() as connection:
            rows = await connection.fetch(_UNPUBLISHED, BATCH)
        OUTBOX_LAG.set(len(rows))
        if rows:
            crashpoints.reach(f"relay.{self._source}.before-send")
            await self._send(rows)
            crashpoints.reach(f"relay.{self._source}.after-send")
            async with self._db.read() as connection:
                await connection.execute(_MARK, [row["position"] for row in rows])
        if datetime.now(UTC) > self._prune_at:
            await self._prune()
        return len(rows)

    async def _hold(self) -> bool:
        now = datetime.now(UTC)
        if self._lease_until - now > LEASE / 2:
            return True
        async with self._db.read() as connection:
            row = await connection.fetchrow(_LEASE, self._holder, LEASE)
        if row is None:
            return False
        self._lease_until = now + LEASE
        await self._mind_the_bus(row["bus_run"])
        return True

    async def _mind_the_bus(self, known_run: str) -> None:
        run = str((await self._valkey.info("server"))["run_id"])
        if run == known_run:
            return
        wiped = not await self._valkey.exists(stream_of(self._source))
        since = KEEP if wiped else RESEND
        async with self._db.read() as connection:
            again = await connection.execute(_RESEND, since)
            await connection.execute("UPDATE relay SET bus_run = $1", run)
        if again:
            log.warning("bus was restarted; events are sent again", events=again, wiped=wiped)

    async def _send(self, rows: list[Row]) -> None:
        pipeline = self._valkey.pipeline(transaction=False)
        for row in rows:
            fields: Any = {"e": encode(self._source, row)}
            pipeline.xadd(stream_of(self._source), fields, maxlen=LENGTH_MAX, approximate=True)
        await pipeline.execute()

    async def _prune(self) -> None:
        self._prune_at = datetime.now(UTC) + timedelta(minutes=10)
        async with self._db.read() as connection:
            await connection.execute("DELETE FROM outbox WHERE published_at < now() - $1::interval", KEEP)
            await connection.execute("DELETE FROM once WHERE created_at < now() - $1::interval", KEEP_ONCE)


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
_MARK = "UPDATE outbox SET published_at = now() WHERE position = ANY($1::bigint[])"
_LEASE = """
UPDATE relay SET holder = $1, held_until = now() + $2::interval
WHERE holder = $1 OR held_until < now() RETURNING bus_run
"""
_RESEND = "UPDATE outbox SET published_at = NULL WHERE published_at > now() - $1::interval"
