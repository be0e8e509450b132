"""Rules of SKUs: what is kept back, what may be sold beyond stock; and bundles."""

from __future__ import annotations

from collections.abc import Sequence

from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid
from shopwright.contracts.problems import NotFound

from ..domain import Bundle, BundleHasNoStock, BundleRefused, Component, Policy
from ..store import rules, stock
from .stock import Labels
from .telling import tell

ENDING_BATCH = 200
WHY = {
    "stocked": "it has stock, or units were sold beyond it; a bundle has none of its own",
    "nested": "a bundle holds no bundles",
}


class Rules:
    """`labels` know which SKUs there are; without them every SKU is believed."""

    def __init__(self, db: Database, *, low_stock_at: int | None = None) -> None:
        self._db, self._low = db, low_stock_at
        self.labels: Labels | None = None

    async def policy(self, sku: str) -> Policy:
        """The rules of a SKU; of one without any, those that change nothing."""
        async with self._db.read() as connection:
            return await rules.policy(connection, sku)

    async def set_policy(self, sku: str, new: Policy) -> Policy:
        """Sell a SKU by `new` rules from now on. What was sold beyond stock before stays sold. Publishes
        StockChanged, and StockLow when by these rules it is.

        Raises:
            BundleHasNoStock: the rules are those of its components.
            NotFound: there is no such SKU.
        """
        if new.preorder_max and new.preorder_from is None:
            raise invalid("/preorder_from", "is needed with preorder_max: the day from which it ships")
        await self._known([sku])
        async with self._db.begin() as tx:
            answer = await rules.set_policy(tx, sku, new, self._low)
            if answer.refused:
                raise BundleHasNoStock(sku=sku)
            await tell(tx, answer, [sku])
        return new

    async def end_preorders(self) -> int:
        """End pre-orders whose day has come; returns how many SKUs sold out by that."""
        async with self._db.begin() as tx:
            answer = await rules.end_preorders(tx, ENDING_BATCH)
            await tell(tx, answer)
        return len(answer.changed)

    async def bundle(self, sku: str) -> Bundle:
        async with self._db.read() as connection:
            components = await rules.bundle(connection, sku)
        if not components:
            raise NotFound(detail=f"{sku} is no bundle")
        return Bundle(sku, components, min(part.available // part.quantity for part in components))

    async def bundles_with(self, sku: str) -> list[str]:
        """The bundles that a SKU is a part of."""
        async with self._db.read() as connection:
            return await rules.bundles_with(connection, sku)

    async def set_bundle(self, sku: str, components: Sequence[Component]) -> Bundle:
        """Sell a SKU as its components from now on. Publishes StockChanged.

        Raises:
            BundleRefused: it has stock of its own, or it would lie in a bundle or hold one.
            NotFound: there is no such SKU.
        """
        skus = [part.sku for part in components]
        if twice := next((n for n, one in enumerate(skus) if one in skus[:n]), None):
            raise invalid(f"/components/{twice}/sku", "stands there twice: tell its quantity once")
        if sku in skus:
            raise invalid(f"/components/{skus.index(sku)}/sku", "is the bundle itself")
        await self._known([sku])
        for number, one in enumerate(skus):
            await self._known([one], f"/components/{number}/sku")
        await self._put_bundle(sku, components)
        return await self.bundle(sku)

    async def unbundle(self, sku: str) -> None:
        """Sell a SKU as itself again, from its own stock. Raises NotFound when it is no bundle."""
        await self.bundle(sku)
        await self._put_bundle(sku, [])

    async def _put_bundle(self, sku: str, components: Sequence[Component]) -> None:
        async with self._db.begin() as tx:
            answer = await rules.set_bundle(tx, sku, components)
            match answer.refused:
                case "stocked" | "nested" as reason:
                    raise BundleRefused(sku=sku, reason=reason, detail=WHY[reason])
            await tell(tx, answer)

    async def _known(self, skus: Sequence[str], pointer: str = "") -> None:
        """Refuse SKUs that neither the catalogue nor the stock knows."""
        if self.labels is None:
            return
        named = await self.labels.names(skus)
        async with self._db.read() as connection:
            stocked = await stock.available(connection, skus)
        for sku in skus:
            if sku not in named and sku not in stocked:
                if pointer:
                    raise invalid(pointer, f"{sku!r} is no SKU of this shop")
                raise NotFound(detail=f"no SKU {sku}")
