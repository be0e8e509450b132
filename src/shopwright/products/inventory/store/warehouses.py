"""Warehouses and how the shop chooses among them."""

from __future__ import annotations

from shopwright.chassis.db import Connection, Transaction

from ..domain import Strategy, Warehouse
from .telling import Said, said


async def codes(connection: Connection) -> list[str]:
    return [row["code"] for row in await connection.fetch(_CODES)]


async def ensure(tx: Transaction, code: str) -> None:
    await tx.execute(_ENSURE, code, code.replace("-", " ").capitalize())


async def every(connection: Connection) -> list[Warehouse]:
    return [Warehouse(**row) for row in await connection.fetch(_ALL)]


async def find(connection: Connection, code: str) -> Warehouse | None:
    row = await connection.fetchrow(f"SELECT * FROM ({_ALL}) w WHERE code = $1", code)
    return Warehouse(**row) if row else None


async def create(tx: Transaction, new: Warehouse) -> bool:
    """False when there is one of that code."""
    return bool(await tx.execute(_CREATE, new.code, new.name, new.priority, new.country, new.active))


async def change(tx: Transaction, new: Warehouse) -> None:
    """All but whether it is active."""
    await tx.execute(_CHANGE, new.code, new.name, new.priority, new.country)


async def open_or_close(tx: Transaction, code: str, active: bool, low: int | None) -> Said:
    return said(await tx.fetch("SELECT * FROM inventory_open($1, $2, $3)", code, active, low))


async def last_priority(connection: Connection) -> int:
    return int(await connection.fetchval("SELECT coalesce(max(priority), 0) FROM warehouses"))


async def strategy(connection: Connection) -> Strategy:
    found: Strategy = await connection.fetchval("SELECT strategy FROM allocation")
    return found


async def choose(tx: Transaction, strategy: Strategy) -> None:
    await tx.execute("UPDATE allocation SET strategy = $1", strategy)


_CODES = "SELECT code FROM warehouses WHERE code <> '~owed' ORDER BY priority, code"
_ALL = """
SELECT code, name, priority, country, active FROM warehouses WHERE code <> '~owed' ORDER BY priority, code
"""
_ENSURE = """
INSERT INTO warehouses (code, name, priority) SELECT $1, $2, max(priority) + 1 FROM warehouses
ON CONFLICT (code) DO NOTHING
"""
_CREATE = """
INSERT INTO warehouses (code, name, priority, country, active) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
_CHANGE = "UPDATE warehouses SET name = $2, priority = $3, country = $4 WHERE code = $1"
