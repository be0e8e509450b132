"""Requests that were sent before: what the first made, without a transaction for every first one."""

from __future__ import annotations

from uuid import UUID

from shopwright.chassis.db import Database, Once
from shopwright.contracts.problems import IdempotencyKeyReused


async def made_before(db: Database, once: Once | None) -> UUID | None:
    """What an earlier request with this key made; raises IdempotencyKeyReused for another request."""
    if once is None:
        return None
    async with db.read() as connection:
        first = await connection.fetchrow("SELECT fingerprint, outcome FROM once WHERE key = $1", once.key)
    if first is not None and first["fingerprint"] != once.fingerprint:
        raise IdempotencyKeyReused
    return UUID(bytes=first["outcome"]) if first and first["outcome"] else None
