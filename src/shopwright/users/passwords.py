"""bcrypt, off the event loop and a few at a time: each hash costs about a quarter of a second of a core.

bcrypt reads 72 bytes, so what it gets is the base64 of the password's SHA-256: long passphrases count in
full, and no two that differ late are the same. Cost 12, as OWASP's Password Storage Cheat Sheet asks (at
least 10).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib

import bcrypt

COST = 12
AT_ONCE = 2


class Passwords:
    def __init__(self, cost: int = COST) -> None:
        self._cost = cost
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._nobody = bcrypt.hashpw(b"nobody", bcrypt.gensalt(cost))

    async def hash(self, password: str) -> bytes:
        async with self._gate:
            return await asyncio.to_thread(bcrypt.hashpw, _digest(password), bcrypt.gensalt(self._cost))

    async def matches(self, password: str, stored: bytes | None) -> bool:
        """Whether `password` is the stored one; without one the same work is done and the answer is no."""
        async with self._gate:
            good = await asyncio.to_thread(bcrypt.checkpw, _digest(password), stored or self._nobody)
        return good and stored is not None


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())
