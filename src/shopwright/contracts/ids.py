"""Identifiers: UUIDv7 (RFC 9562 §5.7), so that rows sort by the time they were made.

The twelve bits below the millisecond hold its fraction (§6.2, method 3), and no id of a process is below the
one before it. Random bits are drawn from the system for many ids at a time: asked for each alone, they cost
ten times the rest, and a batch of products needs thousands.
"""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_AT_ONCE = 512
_RANDOM_BYTES = 8
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_MASK = (1 << 62) - 1


class _Source:
    """Random bits not yet used, and the time of the last id in 1/4096 ms since 1970."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bits, self._used, self._last = b"", 0, 0
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A child must not use the bits of its parent."""
        self._lock = threading.Lock()
        self._bits, self._used = b"", 0

    def next(self) -> int:
        with self._lock:
            now = (time.time_ns() << 12) // 1_000_000
            self._last = now = now if now > self._last else self._last + 1
            if self._used == len(self._bits):
                self._bits, self._used = os.urandom(_AT_ONCE * _RANDOM_BYTES), 0
            begin, self._used = self._used, self._used + _RANDOM_BYTES
            random = int.from_bytes(self._bits[begin : self._used]) & _RANDOM_MASK
        return now >> 12 << 80 | _VERSION_7 | (now & 0xFFF) << 64 | _VARIANT | random


_source = _Source()


def new_id() -> UUID:
    return UUID(int=_source.next())
