"""The courier: carries the sandbox' webhooks to the merchant's public address, at least once, from a durable
queue.

A delivery that is not answered 2xx is tried again with growing pauses for about three days, then given up:
as real providers do, so a merchant must also ask. Deliveries may overtake each other and the buyer's return.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import aiohttp
import structlog

from shopwright.chassis import deadline, telemetry
from shopwright.contracts.problems import Unavailable

from . import signature
from .books import Books, Queued

log = structlog.get_logger()

BATCH = 20
POLL_S = 1.0
TIMEOUT_S = 10.0
PAUSE_FIRST = timedelta(seconds=1)
PAUSE_MAX = timedelta(hours=1)
ATTEMPTS_MAX = 84  # 12 of them in the first hour and a bit, then one an hour: three days
TIDY_S = 600


class Courier:
    def __init__(self, books: Books, url: str, secret: str) -> None:
        self._books, self._url, self._secret = books, url, secret
        self._wake = asyncio.Event()
        self._tidy_at = 0.0
        books.on_queued = self._wake.set

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`."""
        deadline.clear()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while not stop.is_set():
                try:
                    found = await self._round(session)
                except Unavailable as problem:
                    log.warning("the courier waits", error=str(problem))
                    found = 0
                if found < BATCH:
                    await self._sleep(stop)

    async def _round(self, session: aiohttp.ClientSession) -> int:
        queued = await self._books.to_send(BATCH)
        await asyncio.gather(*(self._deliver(session, item) for item in queued))
        if time.monotonic() > self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_S
            await self._books.forget_old(ATTEMPTS_MAX)
        return len(queued)

    async def _deliver(self, session: aiohttp.ClientSession, queued: Queued) -> None:
        headers = {
            "content-type": "application/json",
            signature.HEADER: signature.sign(self._secret, queued.body, int(time.time())),
        }
        with telemetry.span("webhook", event=queued.event_id):
            try:
                async with session.post(
                    self._url, data=queued.body, headers=headers, allow_redirects=False
                ) as answer:
                    status = str(answer.status)
                    done = 200 <= answer.status < 300
            except (aiohttp.ClientError, TimeoutError) as error:
                status, done = type(error).__name__, False
        if done:
            await self._books.sent(queued)
        else:
            log.info("webhook not delivered", event_id=queued.event_id, answer=status)
            await self._books.not_sent(
                queued, min(PAUSE_MAX, PAUSE_FIRST * int(2 ** min(queued.attempts, 12)))
            )

    async def _sleep(self, stop: asyncio.Event) -> None:
        stopped = asyncio.ensure_future(stop.wait())
        woken = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait({stopped, woken}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        for waiter in (stopped, woken):
            waiter.cancel()
        self._wake.clear()
