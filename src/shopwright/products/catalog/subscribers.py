"""What the catalogue reacts to."""

from __future__ import annotations

from collections.abc import Sequence

from shopwright.contracts.orders import OrderConfirmed

from .commands import Catalog
from .store.listings import Sale


class Subscribers:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def on_orders_confirmed(self, facts: Sequence[tuple[OrderConfirmed, str]]) -> None:
        """What sells is popular. Together, for their order does not matter."""
        sales = [Sale(once, line.sku, line.quantity) for fact, once in facts for line in fact.lines]
        await self._catalog.sold(sales)
