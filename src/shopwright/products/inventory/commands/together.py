"""Reservations of one SKU, together: those that would wait for each other's lock share a transaction.

A reservation starts at once unless another of this process is at work on one of its SKUs, or waits for one.
Then it would wait for that row's lock anyway: it waits here instead, and all that wait go in one transaction,
in the order in which they came. So a SKU that everybody wants costs one commit for many buyers, and one
that few want costs what it always did. Each is still held whole or refused by itself. What breaks a
transaction of many is tried again one by one, so that no request fails for another's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..store.reservations import Asked
from ..store.telling import Said

TOGETHER_MAX = 64  # of one SKU they take a few milliseconds: nobody waits long for them

Run = Callable[[Sequence[Asked]], Awaitable[list[Said]]]


class _Waiting:
    __slots__ = ("answer", "asked", "skus")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.skus = {line.sku for line in asked.wanted.lines}
        self.answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()


class Together:
    """`run` answers many in one transaction."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._queue: list[_Waiting] = []
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Said:
        waiting = _Waiting(asked)
        if not self._queue and self._busy.isdisjoint(waiting.skus):
            self._busy |= waiting.skus
            try:
                return (await self._run([asked]))[0]
            finally:
                self._left(waiting.skus)
        self._queue.append(waiting)
        self._start()
        return await waiting.answer

    def _start(self) -> None:
        """Start what can start; who must wait keeps its place before those who came later."""
        blocked = set(self._busy)
        going: list[_Waiting] = []
        left: list[_Waiting] = []
        for waiting in self._queue:
            if waiting.answer.done():  # its caller went away
                continue
            if len(going) == TOGETHER_MAX or not blocked.isdisjoint(waiting.skus):
                blocked |= waiting.skus
                left.append(waiting)
            else:
                going.append(waiting)
        self._queue = left
        if going:
            self._busy |= set().union(*(waiting.skus for waiting in going))
            task = asyncio.create_task(self._serve(going))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, going: Sequence[_Waiting]) -> None:
        try:
            for waiting, said in zip(going, await self._answers(going), strict=True):
                _settle(waiting, said)
        finally:
            self._left(set().union(*(waiting.skus for waiting in going)))

    async def _answers(self, going: Sequence[_Waiting]) -> list[Said | BaseException]:
        run = self._run([waiting.asked for waiting in going])
        (found,) = await asyncio.gather(run, return_exceptions=True)
        if not isinstance(found, BaseException):
            return list(found)
        if len(going) == 1:
            return [found]
        return [(await self._answers([waiting]))[0] for waiting in going]

    def _left(self, skus: set[str]) -> None:
        self._busy -= skus
        if self._queue:
            self._start()


def _settle(waiting: _Waiting, said: Said | BaseException) -> None:
    if waiting.answer.done():
        return
    if isinstance(said, BaseException):
        waiting.answer.set_exception(said)
    else:
        waiting.answer.set_result(said)
