"""The pool of delivery workers: as many as the queue is long, within bounds.

A worker is a consumer of the service's own stream, the queue of mails. The pool starts whole, so that what
an earlier life left in a worker's hand is taken up at once, grows as soon as the queue does and shrinks
after it was empty for a while. A worker that was stopped with something in hand starts again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Gauge

from shopwright.contracts.problems import Unavailable

log = structlog.get_logger()

PER_WORKER = 10  # waiting mails that justify one more
LOOK_S = 1.0
IDLE_LOOKS = 30

WORKERS = Gauge("shopwright_delivery_workers", "Workers that deliver mails in this process.")

Work = Callable[[asyncio.Event], Awaitable[None]]


def wanted(depth: int, running: int, idle_looks: int, workers_max: int) -> int:
    """How many workers there should be: one for each `PER_WORKER` mails, fewer only after calm."""
    needed = min(workers_max, 1 + depth // PER_WORKER)
    if needed >= running:
        return needed
    return needed if idle_looks >= IDLE_LOOKS else running


@dataclass
class _Worker:
    task: asyncio.Future[None]
    stop: asyncio.Event


class Pool:
    """Args:
    work: makes the n-th worker; its name must not depend on anything else.
    depth: how many mails wait.
    in_hand: whether the n-th worker left a message unfinished.
    """

    def __init__(
        self,
        work: Callable[[int], Work],
        depth: Callable[[], Awaitable[int]],
        in_hand: Callable[[int], Awaitable[bool]],
        *,
        workers_max: int,
        look_s: float = LOOK_S,
    ) -> None:
        self._work, self._depth, self._in_hand, self._max = work, depth, in_hand, workers_max
        self._look_s = look_s
        self._workers: dict[int, _Worker] = {}
        self._idle_looks = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the pool as large as it should be, until `stop`; then let each worker finish its mail."""
        self._grow(self._max)
        try:
            while not stop.is_set():
                await _pause(stop, self._look_s)
                try:
                    await self._look()
                except Unavailable as problem:
                    log.warning("the delivery pool waits", error=str(problem))
        finally:
            for worker in self._workers.values():
                worker.stop.set()
            await asyncio.gather(*(worker.task for worker in self._workers.values()), return_exceptions=True)
            WORKERS.set(0)

    async def _look(self) -> None:
        await self._bury()
        depth = await self._depth()
        self._idle_looks = 0 if depth else self._idle_looks + 1
        running = [worker for worker in self._workers.values() if not worker.stop.is_set()]
        target = wanted(depth, len(running), self._idle_looks, self._max)
        if target < len(running):
            for number in sorted(self._workers)[target:]:
                self._workers[number].stop.set()
        self._grow(target)

    async def _bury(self) -> None:
        """Take note of workers that ended: stopped ones may have to finish, others died of a bug."""
        for number, worker in list(self._workers.items()):
            if not worker.task.done():
                continue
            del self._workers[number]
            if (bug := worker.task.exception()) is not None:
                log.error("a delivery worker died; another takes its place", exc_info=bug)
            if bug is not None or await self._in_hand(number):
                self._start(number)
        WORKERS.set(len(self._workers))

    def _grow(self, target: int) -> None:
        for number in range(target):
            if number not in self._workers:
                self._start(number)
        WORKERS.set(len(self._workers))

    def _start(self, number: int) -> None:
        stop = asyncio.Event()
        self._workers[number] = _Worker(asyncio.ensure_future(self._work(number)(stop)), stop)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        pass
