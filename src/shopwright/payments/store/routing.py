"""The rules that route payments: one row, read whole and replaced whole."""

from __future__ import annotations

import msgspec

from shopwright.chassis.db import Database

from ..domain import Rule


async def read(db: Database) -> list[Rule]:
    async with db.read() as connection:
        rules = await connection.fetchval("SELECT rules FROM payment_routing")
    return msgspec.convert(rules or [], list[Rule])


async def write(db: Database, rules: list[Rule]) -> None:
    async with db.begin() as tx:
        await tx.execute(
            "UPDATE payment_routing SET rules = $1, changed_at = now()", msgspec.to_builtins(rules)
        )
