"""What can change in the catalogue, and when it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import msgspec

from shopwright.chassis.db import Database, Transaction

from .domain import Count, Described, Put
from .drafts import ProductDraft

Intake = Callable[[Transaction, Sequence[Count], str], Awaitable[list[str]]]
Available = Callable[[Sequence[str]], Awaitable[dict[str, int]]]


class Catalog:
    """Products and categories. `intake` sets stock within a transaction and returns the SKUs that changed;
    `available` tells what can be bought of SKUs; both are inventory's.
    """

    def __init__(self, db: Database, *, currency: str, intake: Intake, available: Available) -> None:
        self._db, self._currency, self._intake, self._available = db, currency, intake, available

    async def put(self, drafts: Sequence[ProductDraft], *, keep_missing: bool = True) -> list[Put]:
        """Create or change up to `PUT_MAX` products in one transaction; the answers are in their order.

        A product is recognised by its slug, a variant by its SKU. One that is refused does not stop the rest.
        Unless `keep_missing` is false, what a draft leaves empty is kept: descriptions, categories, pictures,
        attributes, variants it does not name and prices in other currencies. Publishes ProductChanged for
        what really changed.
        """
        raise NotImplementedError

    async def cards(self, ids: Sequence[UUID], currency: str) -> list[msgspec.Raw]:
        """Encoded list items in the order of `ids`, prices in `currency` or else in one the product has;
        unknown and inactive products are left out.
        """
        raise NotImplementedError

    async def described(self, ids: Sequence[UUID]) -> list[Described]:
        """What projections need of products of any status; unknown ids are left out. Two statements."""
        raise NotImplementedError

    async def ids_after(self, after: UUID | None, limit: int) -> list[UUID]:
        """Ids of all products, oldest first: to build a projection page by page."""
        raise NotImplementedError
