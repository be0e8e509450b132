"""The order of a group's inbox: which streams this replica reads, and what a stream lacks.

A stream is read by one replica of a group at a time, by a lease in the group's own database; what the last
reader left unfinished comes first. The relay numbers the entries of a stream: a number that is missing was
lost by the bus, and the reader gets it from the relay before it goes on. So an aggregate's events come in
their order and without a gap whatever dies; the same event may come twice, which `once` makes harmless.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import structlog

from . import replay
from .db import Database
from .streams import Valkey, stream_of
from .telemetry import EVENTS_LOST

log = structlog.get_logger()

LEASE = timedelta(seconds=10)  # also how long a reader that died is waited for
BATCH = 100


class Message(NamedTuple):
    """An entry of a stream; without an id it is not in the stream any more, without a body it never was."""

    id: bytes | None
    number: int | None
    body: bytes | None


class Inbox:
    def __init__(
        self, db: Database, valkey: Valkey, *, group: str, name: str, sources: Sequence[str], lease: timedelta
    ) -> None:
        self._db, self._valkey, self._group, self._name, self._lease = db, valkey, group, name, lease
        self._source_of = {stream_of(source): source for source in sources}
        self._held_until = dict.fromkeys(self._source_of, 0.0)
        self._renew_at = 0.0
        self._last: dict[str, int] = {}
        self._ahead: dict[str, int] = {}

    async def hold(self) -> set[str]:
        """The streams that this replica reads now; takes free ones, and its own again in good time."""
        now = time.monotonic()
        if now >= self._renew_at:
            self._renew_at = now + self._lease.total_seconds() / 3
            async with self._db.read() as connection:
                rows = await connection.fetch(
                    _HOLD, self._group, sorted(self._source_of.values()), self._name, self._lease
                )
            for row in rows:
                self._held_until[stream_of(row["source"])] = now + self._lease.total_seconds()
        return {stream for stream in self._held_until if self.holds(stream)}

    def holds(self, stream: str) -> bool:
        """Whether nobody else can be reading; a reader who is late stops before the next message."""
        return time.monotonic() < self._held_until[stream] - self._lease.total_seconds() / 10

    async def let_go(self) -> None:
        async with self._db.read() as connection:
            await connection.execute(_LET_GO, self._group, self._name)

    async def begin(self, stream: str) -> None:
        """Remember up to where the group has handled the stream, before its entries are looked at."""
        client: Any = self._valkey
        seen = await client.hget(self._seen, stream)
        self._last[stream] = int(seen or 0)
        self._ahead.pop(stream, None)

    async def whole(
        self, stream: str, entries: Iterable[tuple[bytes, dict[bytes, bytes]]], stop: asyncio.Event
    ) -> list[Message]:
        """The entries as messages, and between them what is missing; up to a gap if `stop` comes first."""
        messages: list[Message] = []
        for entry, fields in entries:
            number = _number_of(fields)
            if number is not None:
                if number > self._last[stream] + 1:
                    lost = await self._lost(stream, number - 1, stop)
                    if lost is None:
                        break
                    messages += lost
                self._last[stream] = number  # a smaller one, too: a bus that was wiped counts anew
            messages.append(Message(entry, number, fields.get(b"e") if fields else None))
        return messages

    async def tails(self, streams: Sequence[str], stop: asyncio.Event) -> list[tuple[str, list[Message]]]:
        """What was sent last and is not there; two looks must agree, for it may be on its way."""
        counts = await self._valkey.mget([replay.count_of(self._source_of[stream]) for stream in streams])
        found = []
        for stream, count in zip(streams, counts, strict=True):
            sent = int(count or 0)
            if sent > self._last[stream] and self._ahead.get(stream) == sent:
                found.append((stream, await self._lost(stream, sent, stop) or []))
            self._ahead[stream] = sent
        return found

    async def _lost(self, stream: str, until: int, stop: asyncio.Event) -> list[Message] | None:
        source, first = self._source_of[stream], self._last[stream] + 1
        log.warning("the bus lost events; they are asked for again", stream=stream, first=first, last=until)
        messages: list[Message] = []
        while self._last[stream] < until:
            after, end = self._last[stream], min(until, self._last[stream] + replay.AT_ONCE)
            found = await replay.ask(
                self._valkey, source, self._group, after=after, until=end, stop=stop
            )  # fmt: skip
            if found is None:
                return None
            messages += [Message(None, item.number, bytes(item.event)) for item in found]
            self._last[stream] = end
        EVENTS_LOST.labels(stream, "replayed").inc(len(messages))
        if (unknown := until - first + 1 - len(messages)) > 0:  # sent again under another number, or too old
            EVENTS_LOST.labels(stream, "unknown").inc(unknown)
        return messages

    async def acknowledge(self, stream: str, messages: Sequence[Message], handled: set[int]) -> None:
        """Acknowledge the messages at the places `handled`, and note up to where all are."""
        pipeline = self._valkey.pipeline(transaction=False)
        ids: list[Any] = [messages[place].id for place in sorted(handled) if messages[place].id]
        if ids:
            pipeline.xack(stream, self._group, *ids)
        if (number := _last_number(messages, handled)) is not None:
            fields: Any = {stream: number}
            pipeline.hset(self._seen, mapping=fields)
        await pipeline.execute()

    @property
    def _seen(self) -> str:
        return f"seen:{self._group}"


def _number_of(fields: dict[bytes, bytes]) -> int | None:
    number = fields.get(b"n", b"") if fields else b""
    return int(number) if number.isdigit() else None


def _last_number(messages: Sequence[Message], handled: set[int]) -> int | None:
    """The last number before the first message that is not handled."""
    number = None
    for place, message in enumerate(messages):
        if place not in handled:
            break
        number = message.number or number
    return number


_HOLD = """
INSERT INTO inbox AS i (consumers, source, holder, held_until)
SELECT $1::text, source, $3::text, now() + $4::interval FROM unnest($2::text[]) AS s (source)
ON CONFLICT (consumers, source) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
    WHERE i.holder = excluded.holder OR i.held_until < now()
RETURNING source
"""
_LET_GO = "UPDATE inbox SET held_until = '-infinity' WHERE consumers = $1 AND holder = $2"
