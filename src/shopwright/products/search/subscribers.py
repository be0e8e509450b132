"""What search reacts to: events of its own service are noted, many in one statement, for the keeper."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shopwright.chassis.db import Database
from shopwright.contracts.products import ProductChanged, ProductDeleted, StockChanged

from . import store


class Subscribers:
    """Batch handlers: each gets facts with their inbox keys."""

    def __init__(self, db: Database, wake: Callable[[], None]) -> None:
        self._db, self._wake = db, wake

    async def on_products(self, facts: Sequence[tuple[ProductChanged | ProductDeleted, str]]) -> None:
        await self._note("product", [(once, str(fact.product_id)) for fact, once in facts])

    async def on_stock(self, facts: Sequence[tuple[StockChanged, str]]) -> None:
        await self._note("sku", [(once, fact.sku) for fact, once in facts])

    async def on_product_changed(self, fact: ProductChanged, once: str) -> None:
        await self.on_products([(fact, once)])

    async def on_product_deleted(self, fact: ProductDeleted, once: str) -> None:
        await self.on_products([(fact, once)])

    async def on_stock_changed(self, fact: StockChanged, once: str) -> None:
        await self.on_stock([(fact, once)])

    async def _note(self, kind: store.Kind, noted: Sequence[tuple[str, str]]) -> None:
        async with self._db.read() as connection:
            await store.note(connection, [once for once, _ in noted], kind, [key for _, key in noted])
        self._wake()
