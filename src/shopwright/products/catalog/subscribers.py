"""What the catalogue reacts to."""

from __future__ import annotations

from collections import Counter

from shopwright.contracts.orders import OrderConfirmed

from .commands import Catalog


class Subscribers:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def on_order_confirmed(self, fact: OrderConfirmed, once: str) -> None:
        """What sells is popular."""
        units: Counter[str] = Counter()
        for line in fact.lines:
            units[line.sku] += line.quantity
        await self._catalog.sold(dict(units), once)
