"""The consumer: reads the streams a service listens to and calls one handler per event, once.

A handler is `async def on_<fact>(fact, once)`; it passes `once` to the transaction of the one command it
calls, so a repeat is a no-op. A message is acknowledged after the handler committed, or after it was parked
for a retry (`chassis.deadletters`). Topics without a handler are acknowledged unread. Order per aggregate
holds within a process, not between replicas that share a stream: handlers ask for the state of things or
keep facts that stand alone. Facts whose order does not matter may be handed over together, all that one
read brought in one call; what fails so is handed over one by one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from shopwright.contracts.events import Envelope, Event
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import Unavailable

from . import crashpoints, telemetry
from .db import Database
from .deadletters import DeadLetters
from .streams import BUS_ERRORS, Valkey, stream_of

log = structlog.get_logger()

Handler = Callable[[Any, str], Awaitable[None]]
Together = Callable[[Sequence[tuple[Any, str]]], Awaitable[None]]

BLOCK_MS = 500  # also how long a drain may wait for an idle consumer
BATCH = 100
CLAIM_IDLE_MS = 60_000  # a replica silent for a minute has died: its messages are taken over


class Consumer:
    """One consumer group (the service) on the streams of `sources`; `name` tells replicas apart.

    `batch`: messages taken at a time; a small one shares slow work evenly among consumers of a group.
    `together`: handlers that take many facts, each with its `once`, in one transaction.
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
    ) -> None:
        self._claim_idle_ms = claim_idle_ms
        self._db, self._valkey, self._group, self._name = db, valkey, group, name
        self._batch = batch
        self._streams = [stream_of(source) for source in sources]
        self._together = {fact.topic: handler for fact, handler in (together or {}).items()}
        alone = {topic: _alone(handler) for topic, handler in self._together.items()}
        self._handlers = alone | {fact.topic: handler for fact, handler in handlers.items()}
        self._letters = DeadLetters(db)
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
        own_first, claim_at = True, 0.0
        while not stop.is_set():
            try:
                if own_first:
                    await self._join()
                    await self._look_who_waits()
                    await self._take(await self._own_pending(), stop)
                    own_first = False
                if time.monotonic() >= claim_at:
                    await self._take(await self._left_behind(), stop)
                    claim_at = time.monotonic() + self._claim_idle_ms / 4_000
                await self._take(await self._read(), stop)
            except (*BUS_ERRORS, Unavailable) as error:
                log.warning("consumer waits", error=str(error))
                own_first = True
                await _pause(stop, 1.0)

    async def _join(self) -> None:
        for stream in self._streams:
            try:
                await self._valkey.xgroup_create(stream, self._group, id="0", mkstream=True)
            except BUS_ERRORS as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def _own_pending(self) -> list[Any]:
        """What this consumer was given before its process ended."""
        mine: list[Any] = await self._valkey.xreadgroup(
            self._group, self._name, dict.fromkeys(self._streams, "0"), count=10_000
        )
        return mine

    async def _left_behind(self) -> list[Any]:
        """Messages of a replica that ended and has not come back; the next look takes what is over BATCH."""
        taken: list[Any] = []
        for stream in self._streams:
            claimed = await self._valkey.xautoclaim(
                stream,
                self._group,
                self._name,
                min_idle_time=self._claim_idle_ms,
                start_id="0-0",
                count=BATCH,
            )
            taken.append((stream.encode(), claimed[1]))
        return taken

    async def _read(self) -> list[Any]:
        wanted: Any = dict.fromkeys(self._streams, ">")
        found: list[Any] = await self._valkey.xreadgroup(
            self._group, self._name, wanted, count=self._batch, block=BLOCK_MS
        )
        return found

    async def _take(self, found: list[Any], stop: asyncio.Event) -> None:
        for stream, messages in found:
            done: list[bytes] = []
            if messages:
                crashpoints.reach(f"consumer.{self._group}.before-commit")
            try:
                done += await self._many(messages)
                handled = set(done)
                for number, fields in messages:
                    if stop.is_set():
                        return
                    if number in handled:
                        continue
                    if fields:
                        await self._one(fields[b"e"])
                        crashpoints.reach(f"consumer.{self._group}.after-commit")
                    done.append(number)
            finally:
                if done:
                    crashpoints.reach(f"consumer.{self._group}.before-ack")
                    await self._valkey.xack(stream, self._group, *done)
                    crashpoints.reach(f"consumer.{self._group}.after-ack")

    async def _many(self, messages: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[bytes]:
        """Hand over what may be handled together; returns the messages that were."""
        if not self._together:
            return []
        found: dict[Together, dict[bytes, Envelope]] = {}
        for number, fields in messages:
            envelope = msgspec.json.decode(fields[b"e"], type=Envelope) if fields else None
            if envelope and envelope.type in self._together and envelope.subject not in self._waiting:
                found.setdefault(self._together[envelope.type], {})[number] = envelope
        done: list[bytes] = []
        for handler, envelopes in found.items():
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
            done += envelopes
            for envelope in envelopes.values():
                telemetry.EVENTS.labels(envelope.type, "handled").inc()
        return done

    async def _one(self, raw: bytes) -> None:
        envelope = msgspec.json.decode(raw, type=Envelope)
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


def _alone(handler: Together) -> Handler:
    async def handle(fact: Any, once: str) -> None:
        await handler([(fact, once)])

    return handle


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        pass
