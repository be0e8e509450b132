"""Warehouses: opened, changed and closed; and which of them an order is taken from."""

from __future__ import annotations

from msgspec.structs import replace

from shopwright.chassis.db import Database, Once
from shopwright.contracts.problems import NotFound

from ..domain import Strategy, Warehouse, WarehouseExists
from ..store import warehouses
from .telling import tell


class Warehouses:
    """The places where stock lies. None is ever deleted: its ledger stays. One that is closed sells nothing;
    what is reserved there for orders stays reserved.
    """

    def __init__(self, db: Database, *, low_stock_at: int | None = None) -> None:
        self._db, self._low = db, low_stock_at

    async def every(self) -> list[Warehouse]:
        """All, the first to be taken from first."""
        async with self._db.read() as connection:
            return await warehouses.every(connection)

    async def find(self, code: str) -> Warehouse:
        async with self._db.read() as connection:
            found = await warehouses.find(connection, code)
        if found is None:
            raise NotFound(detail=f"no warehouse {code}")
        return found

    async def create(self, new: Warehouse, once: Once | None) -> Warehouse:
        """Make a warehouse; its priority 0 stands for behind all others. Raises WarehouseExists."""
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                priority = new.priority or await warehouses.last_priority(tx) + 1
                if not await warehouses.create(tx, replace(new, priority=priority)):
                    raise WarehouseExists(code=new.code)
        return await self.find(new.code)

    async def change(self, new: Warehouse) -> Warehouse:
        """Change what is told of a warehouse, and open or close it. Publishes StockChanged of what sold out
        or came back by that.
        """
        before = await self.find(new.code)
        async with self._db.begin() as tx:
            await warehouses.change(tx, new)
            if new.active != before.active:
                await tell(tx, await warehouses.open_or_close(tx, new.code, new.active, self._low))
        return await self.find(new.code)

    async def strategy(self) -> Strategy:
        async with self._db.read() as connection:
            return await warehouses.strategy(connection)

    async def choose(self, strategy: Strategy) -> Strategy:
        """Choose how warehouses are taken from: see `stock_order` in the migrations."""
        async with self._db.begin() as tx:
            await warehouses.choose(tx, strategy)
        return strategy
