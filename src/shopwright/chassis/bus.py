"""The consumer: reads the streams a service listens to and calls one handler per event, once.

A handler is `async def on_<fact>(fact, once)`; it passes `once` to the transaction of the one command it
calls, so a repeat is a no-op. A message is acknowledged after the handler committed, or after it was parked
for a retry (`chassis.deadletters`). Topics without a handler are acknowledged unread. An aggregate's events
come in order and without a gap, whatever dies (`chassis.inbox`): one replica of a group reads a stream. An
unordered group shares a stream among all its replicas instead. Facts may be handed over together, all that
one read brought in one call; what fails so is handed over one by one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from shopwright.contracts.events import Envelope, Event
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import Unavailable

from . import crashpoints, telemetry
from .db import Database
from .deadletters import DeadLetters
from .inbox import BATCH, LEASE, Inbox, Message
from .streams import BUS_ERRORS, Valkey, stream_of

log = structlog.get_logger()

Handler = Callable[[Any, str], Awaitable[None]]
Together = Callable[[Sequence[tuple[Any, str]]], Awaitable[None]]
Entries = Sequence[tuple[bytes, dict[bytes, bytes]]]

BLOCK_MS = 500  # also how long a drain may wait for an idle consumer
CLAIM_IDLE_MS = 60_000  # a replica silent for a minute has died: its messages are taken over


class Consumer:
    """One consumer group (the service) on the streams of `sources`; `name` tells replicas apart.

    `together`: handlers that take many facts, each with its `once`, in one transaction.
    `lease`: how long a replica that died keeps the others from reading on.
    `ordered`: without it all replicas share the work, in no order, `batch` messages at a time; a small one
    shares slow work evenly.
    """

    def __init__(
        self,
        db: Database,
        valkey: Valkey,
        *,
        group: str,
        name: str,
        sources: Sequence[str],
        handlers: Mapping[type[Event], Handler],
        together: Mapping[type[Event], Together] | None = None,
        batch: int = BATCH,
        claim_idle_ms: int = CLAIM_IDLE_MS,
        ordered: bool = True,
        lease: timedelta = LEASE,
    ) -> None:
        self._claim_idle_ms = claim_idle_ms
        self._db, self._valkey, self._group, self._name = db, valkey, group, name
        self._batch, self._lease_s = batch, lease.total_seconds()
        self._streams = [stream_of(source) for source in sources]
        self._together = {fact.topic: handler for fact, handler in (together or {}).items()}
        alone = {topic: _alone(handler) for topic, handler in self._together.items()}
        self._handlers = alone | {fact.topic: handler for fact, handler in handlers.items()}
        self._letters = DeadLetters(db)
        self._inbox = (
            Inbox(db, valkey, group=group, name=name, sources=sources, lease=lease) if ordered else None
        )
        self._waiting: set[str] = set()
        self._parking = asyncio.Lock()  # what is parked and what `_waiting` says must not drift apart

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; a database or bus that is away is tried again for ever."""
        retries = asyncio.create_task(self._retry(stop))
        try:
            await self._consume(stop)
        except BaseException:
            retries.cancel()
            raise
        await retries

    async def _consume(self, stop: asyncio.Event) -> None:
        if self._inbox is None:
            await self._share(stop)
            return
        try:
            await self._in_order(self._inbox, stop)
        finally:
            with suppress(Unavailable):
                await self._inbox.let_go()

    async def _in_order(self, inbox: Inbox, stop: asyncio.Event) -> None:
        """Read the streams that this replica holds."""
        begun: set[str] = set()
        while not stop.is_set():
            try:
                held = await inbox.hold()
                for stream in held - begun:
                    await self._begin(inbox, stream, stop)
                begun = held
                if held:
                    await self._read_on(inbox, sorted(held), stop)
                else:
                    await _pause(stop, self._lease_s / 10)
                begun = {stream for stream in begun if inbox.holds(stream)}
            except (*BUS_ERRORS, Unavailable) as error:
                log.warning("consumer waits", error=str(error))
                begun = set()
                await _pause(stop, 1.0)

    async def _begin(self, inbox: Inbox, stream: str, stop: asyncio.Event) -> None:
        """Begin to read a stream with what its last reader had taken and not finished."""
        await self._join([stream])
        await self._look_who_waits()
        await inbox.begin(stream)
        cursor = "0-0"
        while not stop.is_set():
            cursor, entries = await self._left_by_others(stream, 0, cursor)
            await self._take(stream, await inbox.whole(stream, entries, stop), stop)
            if cursor == "0-0":
                return

    async def _read_on(self, inbox: Inbox, streams: Sequence[str], stop: asyncio.Event) -> None:
        found = await self._read(streams)
        for stream, entries in found:
            await self._take(stream, await inbox.whole(stream, entries, stop), stop)
        if not found:
            for stream, messages in await inbox.tails(streams, stop):
                await self._take(stream, messages, stop)

    async def _share(self, stop: asyncio.Event) -> None:
        """Take from streams that all replicas read at the same time."""
        own_first, claim_at = True, 0.0
        while not stop.is_set():
            try:
                if own_first:
                    await self._join(self._streams)
                    await self._look_who_waits()
                    for stream, entries in await self._own_pending():
                        await self._take(stream, _messages(entries), stop)
                    own_first = False
                if time.monotonic() >= claim_at:
                    for stream in self._streams:
                        _, entries = await self._left_by_others(stream, self._claim_idle_ms, "0-0")
                        await self._take(stream, _messages(entries), stop)
                    claim_at = time.monotonic() + self._claim_idle_ms / 4_000
                for stream, entries in await self._read(self._streams):
                    await self._take(stream, _messages(entries), stop)
            except (*BUS_ERRORS, Unavailable) as error:
                log.warning("consumer waits", error=str(error))
                own_first = True
                await _pause(stop, 1.0)

    async def _join(self, streams: Sequence[str]) -> None:
        for stream in streams:
            try:
                await self._valkey.xgroup_create(stream, self._group, id="0", mkstream=True)
            except BUS_ERRORS as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def _own_pending(self) -> list[tuple[str, Entries]]:
        """What this consumer was given before its process ended."""
        return await self._found(dict.fromkeys(self._streams, "0"), count=10_000, block=None)

    async def _left_by_others(self, stream: str, idle_ms: int, start: str) -> tuple[str, Entries]:
        """Messages that a replica took and has left alone for so long, and where the next look begins."""
        claimed: Any = await self._valkey.xautoclaim(
            stream, self._group, self._name, min_idle_time=idle_ms, start_id=start, count=BATCH
        )
        return claimed[0].decode(), claimed[1]

    async def _read(self, streams: Sequence[str]) -> list[tuple[str, Entries]]:
        return await self._found(dict.fromkeys(streams, ">"), count=self._batch, block=BLOCK_MS)

    async def _found(
        self, wanted: Mapping[str, str], *, count: int, block: int | None
    ) -> list[tuple[str, Entries]]:
        asked: Any = wanted
        found: Any = await self._valkey.xreadgroup(self._group, self._name, asked, count=count, block=block)
        return [(stream.decode(), entries) for stream, entries in found]

    async def _take(self, stream: str, messages: Sequence[Message], stop: asyncio.Event) -> None:
        handled: set[int] = set()
        if messages:
            crashpoints.reach(f"consumer.{self._group}.before-commit")
        try:
            await self._many(messages, handled)
            for place, message in enumerate(messages):
                if stop.is_set() or not await self._still_mine(stream):
                    return
                if place not in handled:
                    if message.body:
                        await self._one(message.body)
                        crashpoints.reach(f"consumer.{self._group}.after-commit")
                    handled.add(place)
        finally:
            if handled:
                crashpoints.reach(f"consumer.{self._group}.before-ack")
                await self._acknowledge(stream, messages, handled)
                crashpoints.reach(f"consumer.{self._group}.after-ack")

    async def _still_mine(self, stream: str) -> bool:
        return self._inbox is None or stream in await self._inbox.hold()

    async def _acknowledge(self, stream: str, messages: Sequence[Message], handled: set[int]) -> None:
        if self._inbox is not None:
            await self._inbox.acknowledge(stream, messages, handled)
        elif ids := [message.id for place, message in enumerate(messages) if place in handled and message.id]:
            await self._valkey.xack(stream, self._group, *ids)

    async def _many(self, messages: Sequence[Message], handled: set[int]) -> None:
        """Hand over what may be handled together, and add the places of what was to `handled`."""
        for handler, envelopes in self._grouped(messages).items():
            if len(envelopes) == 1:
                continue
            try:
                await handler([(envelope.event(), f"event:{envelope.id}") for envelope in envelopes.values()])
            except Unavailable:
                raise
            except Exception:
                log.exception("facts are handled one by one", count=len(envelopes))
                continue
            crashpoints.reach(f"consumer.{self._group}.after-commit")
            handled.update(envelopes)
            for envelope in envelopes.values():
                telemetry.EVENTS.labels(envelope.type, "handled").inc()

    def _grouped(self, messages: Sequence[Message]) -> dict[Together, dict[int, Envelope]]:
        """What each handler may take together, by place: nothing that must come behind another message."""
        found: dict[Together, dict[int, Envelope]] = {}
        if not self._together:
            return found
        taken_by: dict[str, Together | None] = dict.fromkeys(self._waiting)
        for place, message in enumerate(messages):
            envelope = _envelope_of(message.body) if message.body else None
            if envelope is None:
                continue
            handler = self._together.get(envelope.type)
            if handler is not None and taken_by.setdefault(envelope.subject, handler) == handler:
                found.setdefault(handler, {})[place] = envelope
            else:
                taken_by[envelope.subject] = None
        return found

    async def _one(self, raw: bytes) -> None:
        envelope = _envelope_of(raw)
        if envelope is None:
            log.error("a message cannot be read", group=self._group)
            await self._letters.keep_unreadable(raw)
            return
        if envelope.type not in self._handlers:
            return
        error = "waits behind an earlier message of the same aggregate"
        if envelope.subject not in self._waiting:
            error = await self.handle(envelope)
        if error:
            async with self._parking:
                await self._letters.park(envelope, error)
                self._waiting.add(envelope.subject)

    async def handle(self, envelope: Envelope) -> str:
        """Call the handler; returns the error to park it with, or an empty string."""
        handler = self._handlers[envelope.type]
        with telemetry.span(f"event {envelope.type}", remote=envelope.traceparent, subject=envelope.subject):
            try:
                await handler(envelope.event(), f"event:{envelope.id}")
            except Unavailable as problem:
                if problem.part == "database":
                    raise
                error = f"{problem.slug}: {problem}"
            except Problem as problem:
                error = f"{problem.slug}: {problem}"
            except Exception as bug:
                log.exception("event handler failed", topic=envelope.type, event_id=envelope.id)
                error = f"{type(bug).__name__}: {bug}"
            else:
                error = ""
        telemetry.EVENTS.labels(envelope.type, "failed" if error else "handled").inc()
        return error

    async def _retry(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await _pause(stop, 1.0)
            try:
                for envelope, attempts in await self._letters.due():
                    if envelope.type not in self._handlers:
                        error = "no handler for this topic in this release"
                    else:
                        error = await self.handle(envelope)
                    if error:
                        await self._letters.failed(envelope, error, attempts + 1)
                    else:
                        await self._letters.handled(envelope)
                await self._look_who_waits()
            except Unavailable:
                continue
            except Exception:
                log.exception("failed messages are looked at again later")

    async def _look_who_waits(self) -> None:
        async with self._parking:
            self._waiting = await self._letters.waiting_subjects()


def _messages(entries: Entries) -> list[Message]:
    return [Message(entry, None, fields.get(b"e") if fields else None) for entry, fields in entries]


def _envelope_of(body: bytes) -> Envelope | None:
    """None for what is no message of ours: it must not hold up those behind it."""
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
        UUID(envelope.id)
    except (msgspec.MsgspecError, ValueError):
        return None
    return envelope


def _alone(handler: Together) -> Handler:
    async def handle(fact: Any, once: str) -> None:
        await handler([(fact, once)])

    return handle


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        pass
