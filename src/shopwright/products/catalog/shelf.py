"""The shelf: encoded documents of products in this process, so that a hot read costs no query and no JSON.

Bounded; the product read longest ago goes first. What is on it is dropped when the product changed, as
events of any replica tell (`tail`), and its availability is asked again after `AVAILABLE_S`. A document that
was read while its product changed is answered but not kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from shopwright.contracts.products import Offer

from .documents import NO_OFFER, Document, card, detail, shown_currency
from .domain import Product

PAGES_MAX = 2_000
PRODUCTS_MAX = 5_000  # about 10 KB each with its documents
KEPT_S = 300.0  # nothing is believed for longer, whatever events tell
UNWATCHED_S = 1.0  # how long documents are kept while nobody tells of changes
AVAILABLE_S = 1.0  # with as long in the gateway's cache, availability is at most two seconds old

Page = TypeVar("Page")
Load = Callable[[Sequence[UUID]], Awaitable[list[Product]]]
Find = Callable[[str], Awaitable[Product | None]]
Available = Callable[[Sequence[str]], Awaitable[dict[str, Offer]]]


class Shelved:
    """One product; `stock` is replaced, never changed, so that documents know when to be filled again."""

    __slots__ = ("cards", "checked", "details", "kept_at", "product", "stock")

    def __init__(self, product: Product, now: float) -> None:
        self.product = product
        self.kept_at = now
        self.cards: dict[str, Document] = {}
        self.details: dict[str, Document] = {}
        self.stock: dict[str, Offer] = {}
        self.checked = float("-inf")

    @property
    def active(self) -> bool:
        return self.product.status == "active"

    def card(self, currency: str) -> Document:
        shown = shown_currency(self.product, currency)
        if shown not in self.cards:
            self.cards[shown] = card(self.product, shown)
        return self.cards[shown]

    def detail(self, currency: str, *, strict: bool) -> Document:
        """`strict`: prices in no other currency."""
        shown = shown_currency(self.product, currency)
        if strict and shown != currency:
            shown = ""  # in which nothing is sold: one document for all of them
        if shown not in self.details:
            self.details[shown] = detail(self.product, shown)
        return self.details[shown]


class Shelf:
    def __init__(self, load: Load, available: Available, clock: Callable[[], float] = time.monotonic) -> None:
        self._load, self._available, self._clock = load, available, clock
        self._kept: OrderedDict[UUID, Shelved] = OrderedDict()
        self._by_slug: dict[str, UUID] = {}
        self._by_sku: dict[str, UUID] = {}
        self._dropped: OrderedDict[UUID, float] = OrderedDict()
        self._pages: OrderedDict[Hashable, tuple[float, int, Any]] = OrderedDict()
        self._changes = 0
        self._cleared = float("-inf")
        self.watched = False  # whether changes are told

    async def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Shelved]:
        """The products of `ids` that exist, with current stock: at most two statements."""
        now = self._clock()
        found = {id_: kept for id_ in ids if (kept := self._seen(id_, now)) is not None}
        if missing := [id_ for id_ in dict.fromkeys(ids) if id_ not in found]:
            found |= self._keep(await self._load(missing), now)
        await self._restock(found.values())
        return found

    async def fresh(self, products: Sequence[Product]) -> dict[UUID, Shelved]:
        """Documents of products that were just read, past the shelf."""
        found = {product.id: Shelved(product, self._clock()) for product in products}
        await self._restock(found.values())
        return found

    async def find(self, slug: str, find: Find) -> Shelved | None:
        """The product of a slug; `find` reads one that is not on the shelf."""
        now = self._clock()
        id_ = self._by_slug.get(slug)
        kept = self._seen(id_, now) if id_ else None
        if kept is None:
            product = await find(slug)
            if product is None:
                return None
            kept = self._keep([product], now)[product.id]
        await self._restock([kept])
        return kept

    async def page(self, key: Hashable, read: Callable[[], Awaitable[Page]]) -> Page:
        """What `read` gave for `key` a moment ago, if nothing has changed since."""
        now, changes = self._clock(), self._changes
        at, seen, found = self._pages.get(key, (float("-inf"), 0, None))
        if found is not None and seen == changes and now - at < AVAILABLE_S:
            return cast("Page", found)
        fresh = await read()
        self._pages[key] = (now, changes, fresh)
        self._pages.move_to_end(key)
        if len(self._pages) > PAGES_MAX:
            self._pages.popitem(last=False)
        return fresh

    def drop(self, ids: Iterable[UUID]) -> None:
        """These products changed."""
        now = self._clock()
        self._changes += 1
        for id_ in ids:
            self._remove(id_)
            self._dropped[id_] = now
            self._dropped.move_to_end(id_)
        while len(self._dropped) > PRODUCTS_MAX:
            self._dropped.popitem(last=False)

    def recount(self, sku: str) -> None:
        """What is available of a SKU changed."""
        id_ = self._by_sku.get(sku)
        if id_ is not None and (kept := self._kept.get(id_)) is not None:
            kept.checked = float("-inf")

    def clear(self) -> None:
        """Anything may have changed."""
        self._kept.clear()
        self._by_slug.clear()
        self._by_sku.clear()
        self._pages.clear()
        self._changes += 1
        self._cleared = self._clock()

    def _seen(self, id_: UUID, now: float) -> Shelved | None:
        kept = self._kept.get(id_)
        if kept is None:
            return None
        if now - kept.kept_at > (KEPT_S if self.watched else UNWATCHED_S):
            self._remove(id_)
            return None
        self._kept.move_to_end(id_)
        return kept

    def _keep(self, products: Sequence[Product], since: float) -> dict[UUID, Shelved]:
        found = {product.id: Shelved(product, since) for product in products}
        for id_, shelved in found.items():
            if self._cleared >= since or self._dropped.get(id_, float("-inf")) >= since:
                continue
            self._remove(id_)
            self._kept[id_] = shelved
            self._by_slug[shelved.product.slug] = id_
            self._by_sku.update(dict.fromkeys(shelved.product.skus, id_))
        while len(self._kept) > PRODUCTS_MAX:
            self._remove(next(iter(self._kept)))
        return found

    def _remove(self, id_: UUID) -> None:
        kept = self._kept.pop(id_, None)
        if kept is None:
            return
        if self._by_slug.get(kept.product.slug) == id_:
            del self._by_slug[kept.product.slug]
        for sku in kept.product.skus:
            if self._by_sku.get(sku) == id_:
                del self._by_sku[sku]

    async def _restock(self, products: Iterable[Shelved]) -> None:
        now = self._clock()
        stale = [shelved for shelved in products if now - shelved.checked >= AVAILABLE_S]
        if not stale:
            return
        stock = await self._available([sku for shelved in stale for sku in shelved.product.skus])
        for shelved in stale:
            fresh = {sku: stock.get(sku, NO_OFFER) for sku in shelved.product.skus}
            if fresh != shelved.stock:
                shelved.stock = fresh
            shelved.checked = now
