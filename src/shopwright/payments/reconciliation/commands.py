"""What can be done about reconciliations: ask for one, and the worker that does them and asks for
yesterday's by itself.

A report is written down as it comes, a thousand rows in memory at a time, and compared in the database. A
run whose process dies is taken over when its lease is over, and begins anew: comparing twice is harmless.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog

from shopwright.chassis import deadline
from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid
from shopwright.contracts.problems import RequestInFlight, Unavailable

from ..provider import ProviderUnreachable, Reporting, ReportRow
from . import store
from .domain import Run

log = structlog.get_logger()

MARGIN: Final = timedelta(minutes=15)  # around midnight: our clock and theirs differ, and answers take time
AFTER_MIDNIGHT: Final = timedelta(hours=1)  # then yesterday's report is complete
KEEP_ROWS: Final = timedelta(days=7)
LEASE: Final = timedelta(minutes=2)  # renewed with every batch
BATCH: Final = 1_000
PAUSE: Final = timedelta(minutes=10)
ATTEMPTS_MAX: Final = 6
POLL_S: Final = 1.0
DAILY_S: Final = 60.0


class Reconciliations:
    def __init__(self, db: Database, reporting: Mapping[str, Reporting]) -> None:
        self._db, self._reporting = db, reporting
        self._wake = asyncio.Event()
        self._daily_at = 0.0

    async def ask(self, day: date, provider: str = "") -> list[Run]:
        """Have `day` reconciled, again if it was; with all that report, without a provider.

        Raises:
            InvalidInput: the day has not begun, or the provider makes no reports.
        """
        if day > datetime.now(UTC).date():
            raise invalid("/day", "must not be in the future")
        if provider and provider not in self._reporting:
            raise invalid("/provider", f"must be one of {sorted(self._reporting)}")
        names = [provider] if provider else sorted(self._reporting)
        runs = [await store.queue(self._db, name, day) for name in names]
        self._wake.set()
        return runs

    async def run(self, stop: asyncio.Event) -> None:
        """Worker: do what was asked for, and yesterday once it is over, until `stop`."""
        deadline.clear()
        while not stop.is_set():
            self._wake.clear()
            try:
                await self._daily()
                while not stop.is_set() and await self.next():
                    pass
            except (Unavailable, RequestInFlight) as problem:
                log.warning("reconciling waits", error=str(problem))
            await self._sleep(stop)

    async def next(self) -> bool:
        """Do one run that is due; false if none is."""
        run = await store.take(self._db, LEASE)
        if run is None:
            return False
        try:
            differences = await self._reconcile(run)
        except (ProviderUnreachable, TimeoutError) as error:
            log.warning("no report", provider=run.provider, day=str(run.day), error=str(error))
            words = str(error) or "the provider gave no answer"
            await store.put_off(self._db, run, words, PAUSE, ATTEMPTS_MAX)
        else:
            tell = log.warning if differences else log.info
            tell("reconciled", provider=run.provider, day=str(run.day), differences=differences)
        return True

    async def _reconcile(self, run: Run) -> int:
        if run.provider not in self._reporting:
            raise ProviderUnreachable(detail=f"{run.provider} is not configured")
        await store.begin(self._db, run)
        batch: list[ReportRow] = []
        async for row in self._reporting[run.provider].report(run.day, MARGIN):
            batch.append(row)
            if len(batch) == BATCH:
                await store.stage(self._db, run, batch, LEASE)
                batch = []
        await store.stage(self._db, run, batch, LEASE)
        return await store.compare(self._db, run)

    async def _daily(self) -> None:
        if time.monotonic() < self._daily_at:
            return
        self._daily_at = time.monotonic() + DAILY_S
        now = datetime.now(UTC)
        over_at = datetime.combine(now.date(), datetime.min.time(), UTC) + AFTER_MIDNIGHT
        if now < over_at:
            return
        yesterday = now.date() - timedelta(days=1)
        for provider in self._reporting:
            await store.queue_daily(self._db, provider, yesterday, over_at)
        await store.forget_rows(self._db, yesterday - KEEP_ROWS)

    async def _sleep(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._wake.wait())]
        await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
