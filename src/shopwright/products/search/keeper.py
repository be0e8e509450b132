"""The keeper of the index: brings it up to date with what waits, and rebuilds it.

One keeper per database works at a time, by a lease in the table; the others are ready to take over. Rows that
wait are deleted after the commit of the index that has them, so a process that dies is at worst repeated. A
rebuild reads the whole catalogue into a new index while the old one answers; what changes meanwhile waits.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from shopwright.chassis.crashpoints import reach
from shopwright.chassis.db import Database
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import Unavailable

from . import store
from .domain import SOURCE_BATCH, Document, Index, IndexFailed, Source

log = structlog.get_logger()

LEASE: Final = timedelta(seconds=10)
POLL_S: Final = 0.2  # what is noted in this process wakes the keeper; the poll serves other replicas
BATCH: Final = 2_000  # rows between two commits of the index
NEVER: Final = datetime.min.replace(tzinfo=UTC)


class LeaseLost(Exception):
    """Another process has taken over."""


class Keeper:
    def __init__(self, db: Database, source: Source, index: Index, lease: timedelta = LEASE) -> None:
        self._db, self._source, self._index, self._lease = db, source, index, lease
        self._holder = str(new_id())
        self._held_until = NEVER
        self._asked, self._due = 0, False  # rebuilds, as the lease told when it was last prolonged
        self._sound = False  # whether the index was seen to be usable since the lease was taken
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something waits to be indexed."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the index until `stop`; what is away or fails is tried again for ever."""
        while not stop.is_set():
            pause = POLL_S
            try:
                if await self.turn() == BATCH:
                    continue
            except LeaseLost:
                log.warning("another process writes the search index")
            except (Unavailable, IndexFailed) as error:
                log.warning("the search index waits", error=str(error))
                await self._stand_down()
                pause = 1.0
            await self._sleep(pause)
        await self._hand_over()

    async def turn(self) -> int:
        """Do what is due, if this keeper holds the lease; returns how many waiting rows were worked on."""
        if not await self._hold():
            return 0
        if self._due or not self._sound:
            if self._due or not await self._index.usable():
                await self._rebuild()
            self._sound = True
        return await self._catch_up()

    async def _catch_up(self) -> int:
        async with self._db.read() as connection:
            rows = await store.waiting(connection, BATCH)
        if not rows:
            return 0
        ids = {UUID(row.key) for row in rows if row.kind == "product"}
        skus = sorted({row.key for row in rows if row.kind == "sku"})
        for start in range(0, len(skus), SOURCE_BATCH):
            ids.update(await self._source.owners(skus[start : start + SOURCE_BATCH]))
        documents: list[Document] = []
        wanted = sorted(ids)
        for start in range(0, len(wanted), SOURCE_BATCH):
            documents += await self._source.documents(wanted[start : start + SOURCE_BATCH])
        gone = ids - {document.id for document in documents}
        await self._still_held()
        await self._index.write(documents, sorted(gone))
        reach("search.written")
        async with self._db.read() as connection:
            await store.indexed(connection, [row.position for row in rows])
        return len(rows)

    async def _rebuild(self) -> None:
        began, asked = datetime.now(UTC), self._asked
        await self._index.rebuild()
        count, after = 0, None
        while ids := await self._source.ids(after, SOURCE_BATCH):
            documents = await self._source.documents(ids)
            await self._index.add(documents)
            count, after = count + len(documents), ids[-1]
            reach("search.rebuild.half-way")
            await self._still_held()
        await self._index.switch()
        async with self._db.read() as connection:
            await store.rebuilt(connection, asked)
        self._due = self._asked > asked
        seconds = (datetime.now(UTC) - began).total_seconds()
        log.info("search index rebuilt", products=count, seconds=round(seconds, 1))

    async def _hold(self) -> bool:
        now = datetime.now(UTC)
        if self._held_until - now > self._lease / 2:
            return True
        async with self._db.read() as connection:
            lease = await store.hold(connection, self._holder, self._lease)
        if lease is None:
            if self._held_until is not NEVER:
                await self._stand_down()
            return False
        self._held_until = now + self._lease
        self._asked, self._due = lease
        return True

    async def _still_held(self) -> None:
        """Raises LeaseLost. Asked before everything that others would see."""
        if not await self._hold():
            raise LeaseLost

    async def _stand_down(self) -> None:
        self._held_until, self._sound = NEVER, False
        await self._index.release()

    async def _hand_over(self) -> None:
        """Stop, and let the next one start at once."""
        await self._stand_down()
        try:
            async with self._db.read() as connection:
                await store.let_go(connection, self._holder)
        except Unavailable as error:
            log.warning("the lease of the search index runs out by itself", error=str(error))

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            pass
        self._wake.clear()
