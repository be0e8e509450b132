"""For tests: drafts of products, and a catalogue with its stock on a database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from shopwright.chassis.db import Database, Transaction
from shopwright.contracts.money import Money

from .catalog.commands import Catalog, Categories
from .catalog.domain import Count, Product
from .catalog.drafts import PriceDraft, ProductDraft, VariantDraft
from .catalog.store import products as store
from .inventory.commands import Inventory
from .inventory.domain import Movement


def price(amount: int, currency: str = "EUR", compare_at: int | None = None) -> PriceDraft:
    before = None if compare_at is None else Money(compare_at, currency)
    return PriceDraft(Money(amount, currency), before)


def a_variant(sku: str, amount: int | None = 1_999, **changes: Any) -> VariantDraft:
    """A variant that costs `amount` euro cents; `stock` may be a number of units in the main warehouse."""
    stock = changes.pop("stock", {})
    values: dict[str, Any] = {
        "sku": sku,
        "prices": [] if amount is None else [price(amount)],
        "stock": {"main": stock} if isinstance(stock, int) else stock,
    }
    return VariantDraft(**values | changes)


def a_product(slug: str = "oak-lamp", **changes: Any) -> ProductDraft:
    """A lamp of one variant, whose SKU is the slug in capitals."""
    values: dict[str, Any] = {
        "slug": slug,
        "name": slug.replace("-", " ").capitalize(),
        "variants": [a_variant(slug.upper())],
        "description": "<p>Made of oak.</p>",
        "summary": "A lamp",
        "brand": "Nordlund",
        "categories": [["Home", "Lighting"]],
        "attributes": {"material": ["Oak", "Brass"], "colour": ["Natural"]},
    }
    return ProductDraft(**values | changes)


@dataclass
class Store:
    """A catalogue and its stock, with what a test looks at."""

    db: Database
    currency: str = "EUR"
    inventory: Inventory = field(init=False)
    catalog: Catalog = field(init=False)
    categories: Categories = field(init=False)

    def __post_init__(self) -> None:
        self.inventory = Inventory(self.db)
        self.catalog = Catalog(
            self.db,
            currency=self.currency,
            intake=self._intake,
            available=self.inventory.offers,
        )
        self.inventory.labels = self.catalog
        self.categories = Categories(self.db, self.catalog.shelf, self.currency)

    async def _intake(
        self, tx: Transaction, counts: Sequence[Count], reason: str, told: Collection[str]
    ) -> list[str]:
        return await self.inventory.intake(tx, [Movement(*count) for count in counts], reason, told=told)

    async def product(self, slug: str) -> Product:
        """What is stored, past the shelf."""
        async with self.db.read() as connection:
            found = await store.by_slugs(connection, [slug])
        return found[0]

    async def facts(self) -> list[tuple[str, str]]:
        """Events as (topic, subject), oldest first."""
        async with self.db.read() as connection:
            rows = await connection.fetch("SELECT topic, subject FROM outbox ORDER BY position")
        return [(row["topic"], row["subject"]) for row in rows]
