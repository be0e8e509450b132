"""What search reacts to: events of its own service are noted, many in one statement, for the keeper.

The order of facts does not matter, since the keeper reads what is true when it gets there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shopwright.chassis.db import Database
from shopwright.contracts.products import CategoryChanged, ProductChanged, ProductDeleted, StockChanged

from . import store
from .domain import Source


class Subscribers:
    """`on_products` and `on_stock` get many facts at once, each with its `once`."""

    def __init__(self, db: Database, source: Source, wake: Callable[[], None]) -> None:
        self._db, self._source, self._wake = db, source, wake

    async def on_products(self, facts: Sequence[tuple[ProductChanged | ProductDeleted, str]]) -> None:
        await self._note("product", [(once, str(fact.product_id)) for fact, once in facts])

    async def on_stock(self, facts: Sequence[tuple[StockChanged, str]]) -> None:
        await self._note("sku", [(once, fact.sku) for fact, once in facts])

    async def on_category_changed(self, fact: CategoryChanged, once: str) -> None:
        """Every product in it or below it is shown and filtered by its name and its place."""
        ids = await self._source.below(fact.category_id)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await store.note_all(tx, ids)
        self._wake()

    async def _note(self, kind: store.Kind, noted: Sequence[tuple[str, str]]) -> None:
        async with self._db.read() as connection:
            await store.note(connection, [once for once, _ in noted], kind, [key for _, key in noted])
        self._wake()
