"""The live feed: streams of a person's new notifications that work whichever replica the person is on.

A replica that adds one says so on Valkey (pub/sub), and every replica wakes its streams of that person,
which read the database. A word that got lost costs `HEARTBEAT_S`, never a notification. Streams are
bounded in number and in life, hold nothing in memory for a slow reader, and end when the process drains.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from prometheus_client import Gauge

from shopwright.chassis.db import Database
from shopwright.chassis.streams import BUS_ERRORS, Valkey
from shopwright.contracts.problems import TooManyRequests, Unavailable

from . import store
from .domain import Notice

log = structlog.get_logger()

CHANNEL = "notifications:feed"
HEARTBEAT_S = 15.0  # below every proxy's patience with a silent connection
LIFE_S = 900.0  # an access token lives as long; who streams on comes back with a new one
PAGE = 50
STREAMS_PER_USER = 5  # a few tabs and a telephone
STREAMS_MAX = 2_000  # per process, about 10 KiB each
HEAR_S = 1.0

STREAMS = Gauge("shopwright_notification_streams", "People who follow their notifications live.")


class Feed:
    def __init__(self, db: Database, valkey: Valkey, draining: asyncio.Event) -> None:
        self._db, self._valkey, self._draining = db, valkey, draining
        self._listeners: dict[UUID, set[asyncio.Event]] = {}
        self._count = 0

    async def announce(self, user_id: UUID) -> None:
        """Tell every replica that something new stands in a person's feed."""
        self._wake(user_id)
        try:
            await self._valkey.publish(CHANNEL, user_id.bytes)
        except BUS_ERRORS as error:
            log.info("a notification is not announced; streams find it themselves", error=str(error))

    async def run(self, stop: asyncio.Event) -> None:
        """Hear what other replicas announce, until `stop`."""
        while not stop.is_set():
            try:
                async with self._valkey.pubsub(ignore_subscribe_messages=True) as heard:
                    await heard.subscribe(CHANNEL)
                    while not stop.is_set():
                        message = await heard.get_message(timeout=HEAR_S)
                        if message is not None and len(message["data"]) == 16:
                            self._wake(UUID(bytes=message["data"]))
            except BUS_ERRORS as error:
                log.warning("the live feed waits for the bus", error=str(error))
                await _first(HEAR_S, stop)

    def admit(self, user_id: UUID) -> None:
        """Raises TooManyRequests for one stream too many, Unavailable where the process is full or ends."""
        if len(self._listeners.get(user_id, ())) >= STREAMS_PER_USER:
            raise TooManyRequests(
                detail=f"an account has at most {STREAMS_PER_USER} streams; close one", retry_after_s=5
            )
        if self._draining.is_set() or self._count >= STREAMS_MAX:
            raise Unavailable(detail="no further stream can be served here now; try again", part="stream")

    async def follow(self, user_id: UUID, after: int) -> AsyncGenerator[list[Notice], None]:
        """What comes after a position, oldest first; an empty list is a heartbeat.

        Ends when the process drains, after `LIFE_S`, or when the database is away: follow again then.
        """
        until = time.monotonic() + LIFE_S
        with self._listening(user_id) as woken:
            while not self._draining.is_set() and time.monotonic() < until:
                woken.clear()
                try:
                    async with self._db.read() as connection:
                        found = await store.since(connection, user_id, after, PAGE)
                except Unavailable:
                    return
                if found:
                    after = found[-1].position
                    yield found
                elif not await _first(HEARTBEAT_S, woken, self._draining):
                    yield []

    @contextmanager
    def _listening(self, user_id: UUID) -> Iterator[asyncio.Event]:
        woken = asyncio.Event()
        self._listeners.setdefault(user_id, set()).add(woken)
        self._count += 1
        STREAMS.set(self._count)
        try:
            yield woken
        finally:
            mine = self._listeners[user_id]
            mine.discard(woken)
            if not mine:
                del self._listeners[user_id]
            self._count -= 1
            STREAMS.set(self._count)

    def _wake(self, user_id: UUID) -> None:
        for woken in self._listeners.get(user_id, ()):
            woken.set()


async def _first(seconds: float, *events: asyncio.Event) -> bool:
    """Wait for one of `events`; false if none came in time."""
    waiters = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()
    return bool(done)
