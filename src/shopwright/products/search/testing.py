"""Products to search in tests: a builder, and a catalogue in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from .domain import Category, Document

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def product(name: str, number: int = 1, **changes: Any) -> Document:
    """A product on sale for 10 euros; `number` gives its id, SKU (`SKU-1`) and age (the highest is newest).
    Categories are written as names.
    """
    slug = re.sub(r"\W+", "-", name.lower())
    given: dict[str, Any] = {
        "codes": [f"SKU-{number}"],
        "prices": {"EUR": [1_000]},
        "in_stock": True,
    } | changes
    named = [Category(re.sub(r"\W+", "-", one.lower()), one) for one in given.pop("categories", [])]
    return Document(
        id=UUID(int=number),
        slug=f"{slug}-{number}",
        name=name,
        created_at=BEGAN + timedelta(minutes=number),
        categories=named,
        **given,
    )


def products(*names: str, **changes: Any) -> list[Document]:
    """Products numbered from 1, the first one first."""
    return [product(name, number, **changes) for number, name in enumerate(names, 1)]


class Shelf:
    """`domain.Source` in memory."""

    def __init__(self, products: Iterable[Document] = ()) -> None:
        self.products = {one.id: one for one in products}

    def put(self, *products: Document) -> None:
        self.products |= {one.id: one for one in products}

    async def documents(self, ids: Sequence[UUID]) -> list[Document]:
        return [self.products[one] for one in ids if one in self.products]

    async def ids(self, after: UUID | None, limit: int) -> list[UUID]:
        return [one for one in sorted(self.products) if after is None or one > after][:limit]

    async def below(self, category_id: UUID) -> list[UUID]:
        """Every product is below any category, but for the null one."""
        return sorted(self.products) if category_id.int else []

    async def owners(self, skus: Sequence[str]) -> list[UUID]:
        wanted = set(skus)
        return [one.id for one in self.products.values() if wanted & set(one.codes)]
