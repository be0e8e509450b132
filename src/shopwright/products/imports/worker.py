"""Works through import jobs, one at a time in the installation, by a lease in the job's row.

A batch and what the report counts of it commit in one transaction, at a place of the file that only one
worker can step on from. So a process that is killed anywhere leaves a job that goes on from its last batch,
and the report is the one of an undisturbed run. A job that brings its process down five times in a row fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog

from shopwright.chassis import crashpoints, deadline
from shopwright.chassis.db import Database, Transaction, UniqueViolation
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import FieldError, RequestInFlight, Unavailable
from shopwright.products.catalog.drafts import ProductDraft

from . import bundle, formats, spool, store
from .commands import Imports
from .domain import ATTEMPTS_MAX, Job, Lacks, RowError, Status, Step
from .illustrating import Illustrator, StorePicture
from .readers.reading import BadFile, Read, shortened

log = structlog.get_logger()

LEASE = timedelta(seconds=15)
BEAT_S = 5.0
POLL_S = 1.0  # an upload to this process wakes the worker at once; the poll serves those to other replicas
BATCH = 250  # products; a put of 500 takes no less time for each and holds its locks for twice as long
BATCH_BYTES = 8_388_608
RETRY_S = 2.0


class Result(Protocol):
    """What became of one draft (the catalogue's `Put`)."""

    @property
    def outcome(self) -> str: ...

    @property
    def problems(self) -> list[FieldError]: ...


Within = Callable[[Transaction, Sequence[Any]], Awaitable[None]]
Put = Callable[[Sequence[ProductDraft], Within], Awaitable[None]]
"""Puts drafts and awaits `Within` with their results, in their order, before it commits."""


class Lost(Exception):
    """Another worker has taken the job over."""


class _Held:
    """What the heartbeat has learnt of the job at hand."""

    def __init__(self) -> None:
        self.cancelled = self.lost = False


class Importer:
    """Runs the jobs of `imports`: `put` changes the catalogue, `store_picture` keeps a picture."""

    def __init__(
        self,
        db: Database,
        imports: Imports,
        put: Put,
        store_picture: StorePicture,
        *,
        batch: int = BATCH,
    ) -> None:
        self._db, self._imports, self._put = db, imports, put
        self._store_picture, self._batch = store_picture, batch
        self._holder = str(new_id())

    async def run(self, stop: asyncio.Event) -> None:
        """Worker: jobs in the order they came."""
        deadline.clear()
        while not stop.is_set():
            try:
                worked = await self.turn(stop)
            except Unavailable as problem:
                log.warning("imports wait", error=str(problem))
                worked = False
            if not worked:
                await self._pause(stop)

    async def _pause(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        queued = asyncio.create_task(self._imports.queued.wait())
        _, late = await asyncio.wait({stopping, queued}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        self._imports.queued.clear()

    async def turn(self, stop: asyncio.Event) -> bool:
        """Work on the next job, if there is one; false if there is none."""
        try:
            async with self._db.read() as connection:
                job = await store.claim(connection, self._holder, LEASE)
        except UniqueViolation:
            return False
        if job is None:
            return False
        log.info("import runs", job=str(job.id), file=job.file, format=job.form.format, position=job.position)
        async with self._holding(job) as held:
            try:
                status, detail = await self._work(job, held, stop)
            except BadFile as error:
                status, detail = "failed", error.detail
            except Lost:
                log.warning("import was taken over", job=str(job.id))
                return True
            except spool.Stopped:
                async with self._db.read() as connection:
                    await store.release(connection, job.id, self._holder)
                return True
        async with self._db.read() as connection:
            await store.finish(connection, job.id, self._holder, status, shortened(detail, 1_000))
        await self._imports.forget(job.id)
        log.info("import ended", job=str(job.id), status=status, detail=detail)
        return True

    @asynccontextmanager
    async def _holding(self, job: Job) -> AsyncIterator[_Held]:
        held = _Held()
        beating = asyncio.create_task(self._beat(job, held))
        try:
            yield held
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self, job: Job, held: _Held) -> None:
        while not held.lost:
            await asyncio.sleep(BEAT_S if not held.cancelled else LEASE.total_seconds() / 3)
            try:
                async with self._db.read() as connection:
                    cancelled = await store.hold(connection, job.id, self._holder, LEASE)
            except Unavailable:
                continue
            held.lost, held.cancelled = cancelled is None, bool(cancelled)

    async def _work(self, job: Job, held: _Held, stop: asyncio.Event) -> tuple[Status, str]:
        if job.attempts > ATTEMPTS_MAX:
            words = (
                f"it stopped {ATTEMPTS_MAX} times in a row after product {job.position}; the log tells why"
            )
            return "failed", words
        folder = self._imports.folder_of(job.id)
        if not (folder / "data").exists():
            return "failed", "its file is gone; give it again"
        await asyncio.to_thread(
            spool.build,
            folder / "data",
            job.form,
            folder / "spool",
            lambda: stop.is_set() or held.lost or held.cancelled,
        )
        return await self._batches(job, folder, held, stop)

    async def _batches(self, job: Job, folder: Path, held: _Held, stop: asyncio.Event) -> tuple[Status, str]:
        reader = formats.named(job.form.format)
        opened = await asyncio.to_thread(spool.Spool, folder / "spool", reader, job.options)
        pictures = await asyncio.to_thread(bundle.Pictures, folder / "upload")
        illustrator = Illustrator(pictures, self._store_picture)
        async with self._db.read() as connection:
            await store.measured(connection, job.id, self._holder, opened.rows, opened.products)
        position, number = job.position, 0
        reading = asyncio.create_task(asyncio.to_thread(opened.batch, position, self._batch, BATCH_BYTES))
        try:
            while items := await reading:
                if held.lost:
                    raise Lost
                if held.cancelled:
                    return "cancelled", ""
                if stop.is_set():
                    raise spool.Stopped
                after = items[-1].position
                reading = asyncio.create_task(
                    asyncio.to_thread(opened.batch, after, self._batch, BATCH_BYTES)
                )
                reads = await illustrator.all([item.read for item in items])
                rows = sum(item.rows for item in items)
                number += 1
                await self._apply(job, position, rows, reads, number)
                position = after
            return "done", ""
        finally:
            await asyncio.gather(reading, return_exceptions=True)
            opened.close()
            pictures.close()

    async def _apply(self, job: Job, before: int, rows: int, reads: Sequence[Read], number: int) -> None:
        """Put one batch and count it; again for as long as the database is away or a row is locked."""
        wanted = [read for read in reads if read.draft is not None]

        async def within(tx: Transaction, results: Sequence[Result]) -> None:
            found = dict(zip(map(id, wanted), results, strict=True))
            done = _counted(before, rows, reads, found, job.options.shop_currency)
            if not await store.step(tx, job.id, self._holder, done):
                raise Lost
            crashpoints.reach(f"imports.{number}.before-commit")

        while True:
            try:
                if wanted:
                    await self._put([read.draft for read in wanted if read.draft is not None], within)
                else:
                    async with self._db.begin() as tx:
                        await within(tx, [])
                break
            except (Unavailable, RequestInFlight) as problem:
                log.warning("import waits", job=str(job.id), error=str(problem))
                await asyncio.sleep(RETRY_S)
        crashpoints.reach(f"imports.{number}.after-commit")


def _counted(
    before: int, rows: int, reads: Sequence[Read], results: dict[int, Result], currency: str
) -> Step:
    counts = dict.fromkeys(("created", "changed", "unchanged", "skipped", "refused"), 0)
    errors: list[RowError] = []
    for read in reads:
        errors += [RowError(n.line, read.identifier, n.outcome, n.pointer, n.detail) for n in read.notes]
        if (result := results.get(id(read))) is not None:
            counts[result.outcome] += 1
            errors += [
                RowError(read.line, read.identifier, "refused", problem.pointer, shortened(problem.detail))
                for problem in result.problems
                if result.outcome == "refused"
            ]
        else:
            refused = any(note.outcome == "refused" for note in read.notes)
            counts["refused" if refused else "skipped"] += 1
    accepted = [read for read in reads if id(read) in results and results[id(read)].outcome != "refused"]
    lacks = _lacking(accepted, currency)
    return Step(before=before, products=len(reads), rows=rows, errors=errors, lacks=lacks, **counts)


def _lacking(reads: Sequence[Read], currency: str) -> Lacks:
    drafts = [read.draft for read in reads if read.draft is not None]
    unpriced = [
        codes for draft in drafts if currency and (codes := _currencies(draft)) and currency not in codes
    ]
    return Lacks(
        unstocked=sum(not variant.stock for draft in drafts for variant in draft.variants),
        untracked=sum(read.untracked for read in reads),
        unpriced=len(unpriced),
        currencies=sorted(set[str]().union(*unpriced)),
    )


def _currencies(draft: ProductDraft) -> set[str]:
    return {offer.price.currency for variant in draft.variants for offer in variant.prices}
