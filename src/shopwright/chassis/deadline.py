"""Deadlines: how much time the caller still gives, carried by a task and over every internal call.

A request arrives with `x-timeout-ms`; a call made for it gets at most what is left. Times are monotonic
seconds.
"""

from __future__ import annotations

import time
from contextvars import ContextVar

HEADER = "x-timeout-ms"
DEFAULT_S = 15.0  # the gateway's longest route timeout

_until: ContextVar[float | None] = ContextVar("deadline", default=None)


def start(timeout_s: float) -> None:
    """Give the running task `timeout_s` from now."""
    _until.set(time.monotonic() + timeout_s)


def clear() -> None:
    """Background work has no caller to wait for it."""
    _until.set(None)


def remaining_s(at_most: float) -> float:
    """Seconds left for a call that may take `at_most`; never negative."""
    until = _until.get()
    return at_most if until is None else max(0.0, min(at_most, until - time.monotonic()))
