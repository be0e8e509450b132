"""What many ask at once, asked once: whoever comes while an answer is on its way goes into the next question.

The first runs at once and as if alone, so what few want costs what it always did. An answer is never older
than the question: who waits is asked for only after having come. What breaks a question of many is asked
again for each alone, so that no request fails for another's.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from . import deadline
from .db import in_transaction

TOGETHER_MAX = 256

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Waiting(NamedTuple, Generic[Asked, Answer]):
    asked: Asked
    answer: asyncio.Future[Answer]
    context: contextvars.Context


class Gathering(Generic[Asked, Answer]):
    """`run` answers many, in their order; one question of a Gathering is on its way at a time."""

    def __init__(self, run: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]]) -> None:
        self._run = run
        self._queue: deque[_Waiting[Asked, Answer]] = deque()
        self._busy = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Answer:
        if in_transaction():
            raise RuntimeError("others were waited for inside a database transaction")
        if not self._busy:
            self._busy = True
            try:
                return (await self._run([asked]))[0]
            finally:
                self._go_on()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(asked, answer, contextvars.copy_context()))
        return await answer

    def _go_on(self) -> None:
        going: list[_Waiting[Asked, Answer]] = []
        while self._queue and len(going) < TOGETHER_MAX:
            waiting = self._queue.popleft()
            if not waiting.answer.done():  # otherwise its caller went away
                going.append(waiting)
        self._busy = bool(going)
        if going:
            task = asyncio.get_running_loop().create_task(self._serve(going), context=going[0].context)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, going: Sequence[_Waiting[Asked, Answer]]) -> None:
        deadline.clear()  # the time that the first has left is not the others'
        try:
            await self._settle(going)
        finally:
            self._go_on()

    async def _settle(self, going: Sequence[_Waiting[Asked, Answer]]) -> None:
        (found,) = await asyncio.gather(
            self._run([waiting.asked for waiting in going]), return_exceptions=True
        )
        if isinstance(found, BaseException):
            if len(going) > 1:
                await asyncio.gather(*(self._settle([waiting]) for waiting in going))
            elif not going[0].answer.done():
                going[0].answer.set_exception(found)
            return
        for waiting, answer in zip(going, found, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)
