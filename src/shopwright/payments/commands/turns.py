"""One operation at a time per payment in this process, and each to its end, whoever still waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import structlog

from shopwright.contracts.problem import Problem

log = structlog.get_logger()

Value = TypeVar("Value")


class Turns:
    """Between processes the lease in the payment's row decides; here a lock per payment does."""

    def __init__(self) -> None:
        self._turns: dict[UUID, tuple[asyncio.Lock, int]] = {}
        self._running: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def turn(self, payment_id: UUID) -> AsyncIterator[None]:
        lock, users = self._turns.get(payment_id, (asyncio.Lock(), 0))
        self._turns[payment_id] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._turns[payment_id]
            if users == 1:
                del self._turns[payment_id]
            else:
                self._turns[payment_id] = (lock, users - 1)

    async def to_the_end(self, operation: Coroutine[Any, Any, Value]) -> Value:
        """Run `operation` even if its caller gives up: what the provider answers must be booked."""
        task = asyncio.create_task(operation)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def finish(self, within_s: float) -> None:
        """Let operations end whose callers have gone."""
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("operation ended", error=type(error).__name__, refused=isinstance(error, Problem))
