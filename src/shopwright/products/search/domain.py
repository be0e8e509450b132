"""What search knows of a product, what can be asked, and what is answered; and the two seams.

`Source` is the catalogue as search sees it. `Index` is the engine: tantivy in a folder (`index.py`), or a
server such as OpenSearch behind the same methods. Amounts are minor units of the currency named beside them.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

import msgspec

from shopwright.contracts.problem import Problem

Sort = Literal["relevance", "newest", "price_asc", "price_desc", "name"]
SuggestionKind = Literal["product", "category", "brand"]

#: Results a search can be paged through. A page costs more the deeper it lies (figures: run
#: `tests/bench/bench_search.py`), no buyer reads that far, and `/v1/products` lists everything without end.
DEPTH_MAX: Final = 2_000


class PageTooDeep(Problem):
    """Search results do not go that deep; narrow them with words or filters"""

    kind = "invalid"
    depth_max: int = DEPTH_MAX


class Category(msgspec.Struct, frozen=True):
    slug: str
    name: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A product on sale, as it is searched.

    `categories` are its own and all their ancestors. `codes` are SKUs and barcodes. `prices` are those of its
    variants by currency (the lowest and the highest are enough).
    """

    id: UUID
    slug: str
    name: str
    created_at: datetime
    summary: str = ""
    description: str = ""  # plain text
    brand: str = ""
    categories: list[Category] = []
    attributes: dict[str, list[str]] = {}
    options: dict[str, list[str]] = {}
    codes: list[str] = []
    prices: dict[str, list[int]] = {}
    in_stock: bool = False


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: `value` and `tie` of its last product under `sort`, `passed` products before it.

    `level` is how strictly words were matched and `query` a checksum of what was asked, so that all pages are
    pages of the same list.
    """

    sort: Sort
    value: float | int | str
    tie: int
    passed: int
    level: int
    query: int


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One search. `choices`: facet name → values, any of which will do; all names must hold. With `currency`
    only what is sold in it; prices are in the shop's own without.
    """

    text: str = ""
    choices: dict[str, tuple[str, ...]] = {}
    price_min: int | None = None
    price_max: int | None = None
    currency: str | None = None
    sort: Sort = "relevance"
    limit: int = 24
    after: Position | None = None


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    count: int
    label: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`ids` in order; `suggestion` is a better spelling when little was found."""

    ids: list[UUID]
    total: int
    facets: dict[str, list[FacetValue]]
    next: Position | None = None
    suggestion: str | None = None


class Suggestion(msgspec.Struct, frozen=True):
    """What the buyer may be typing; `slug` leads to a product or a category."""

    text: str
    slug: str | None
    kind: SuggestionKind


class IndexFailed(Exception):
    """The engine could not read or write; the message is its own."""


class Source(Protocol):
    """The catalogue, read in batches of up to `SOURCE_BATCH`."""

    async def documents(self, ids: Sequence[UUID]) -> Sequence[Document]:
        """The products of `ids` that are on sale; the others are absent."""
        ...

    async def ids(self, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Ids of all products in ascending order."""
        ...

    async def owners(self, skus: Sequence[str]) -> Sequence[UUID]:
        """The products that have variants with these SKUs."""
        ...

    async def below(self, category_id: UUID) -> Sequence[UUID]:
        """All products in a category or below it."""
        ...


SOURCE_BATCH: Final = 100  # 5 ms of Python for the catalogue: longer, and requests of this process wait


class Index(Protocol):
    """A search engine. Reading is for every replica, writing for the holder of the lease (`keeper`)."""

    async def search(self, ask: Ask) -> Found:
        """Raises PageTooDeep, InvalidInput for a cursor of another list, Unavailable without an index."""
        ...

    async def suggest(self, text: str, currency: str | None, limit: int) -> list[Suggestion]: ...

    async def usable(self) -> bool:
        """Whether there is an index of this release's schema that opens and answers."""
        ...

    async def write(self, documents: Sequence[Document], gone: Sequence[UUID]) -> None:
        """Replace `documents`, remove `gone`; visible, and durable, when it returns.

        Raises:
            IndexFailed: nothing is lost; the same may be written again.
        """
        ...

    async def rebuild(self) -> None:
        """Start a new, empty index beside the one that answers."""
        ...

    async def add(self, documents: Sequence[Document]) -> None:
        """Add to the new index."""
        ...

    async def switch(self) -> None:
        """Let the new index answer from now on."""
        ...

    async def release(self) -> None:
        """Give the right to write back, and drop a new index that was not finished."""
        ...

    def close(self) -> None: ...
