"""The catalogue as our own file, CSV or JSON Lines, that an import takes back without a change.

Streamed: a page of products is in memory at a time. A CSV's columns depend on all products, so it is gathered
as JSON Lines in a file first, from which its rows are written; the file is gone when the stream ends.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Literal
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money, exponent
from shopwright.products.catalog.drafts import ProductDraft, VariantDraft

Drafts = Callable[[UUID | None, int], Awaitable[tuple[list[ProductDraft], UUID | None]]]
"""A page of drafts after an id, oldest first, and the id to go on after (None: these were the last)."""

PAGE = 250
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
_FIXED = (
    "slug", "name", "status", "brand", "summary", "description", "categories", "pictures", "picture_alts",
)  # fmt: skip
_VARIANT = ("sku", "barcode", "weight_g", "variant_picture")
_RISKY = re.compile(r"'*[=+\-@\t\r]")


class Columns(msgspec.Struct):
    """The columns that depend on what the catalogue holds, in the order in which they were met."""

    attributes: dict[str, None] = {}
    options: dict[str, None] = {}
    currencies: dict[str, None] = {}
    warehouses: dict[str, None] = {}

    def meet(self, draft: ProductDraft) -> None:
        self.attributes |= dict.fromkeys(draft.attributes)
        for variant in draft.variants:
            self.options |= dict.fromkeys(variant.options)
            self.currencies |= {offer.price.currency: None for offer in variant.prices}
            self.warehouses |= dict.fromkeys(variant.stock)

    def header(self) -> list[str]:
        return [
            *_FIXED,
            *(f"attribute:{name}" for name in self.attributes),
            *_VARIANT,
            *(f"option:{name}" for name in self.options),
            *(
                f"{kind}:{currency}"
                for currency in sorted(self.currencies)
                for kind in ("price", "compare_at")
            ),
            *(f"stock:{warehouse}" for warehouse in self.warehouses),
        ]


class Exports:
    """Writes what `drafts` gives; `folder` holds what a CSV is gathered in."""

    def __init__(self, drafts: Drafts, folder: Path) -> None:
        self._drafts, self._folder = drafts, folder

    def products(self, format: Literal["csv", "jsonl"]) -> AsyncIterator[bytes]:  # noqa: A002
        return self._csv() if format == "csv" else self._jsonl()

    async def _pages(self) -> AsyncIterator[list[ProductDraft]]:
        after: UUID | None = None
        while True:
            drafts, after = await self._drafts(after, PAGE)
            if drafts:
                yield drafts
            if after is None:
                return

    async def _jsonl(self) -> AsyncIterator[bytes]:
        async for drafts in self._pages():
            yield lines(drafts)

    async def _csv(self) -> AsyncIterator[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        columns = Columns()
        with tempfile.TemporaryFile(dir=self._folder) as gathered:
            async for drafts in self._pages():
                for draft in drafts:
                    columns.meet(draft)
                await asyncio.to_thread(gathered.write, lines(drafts))
            gathered.seek(0)
            yield encoded([columns.header()])
            while chunk := await asyncio.to_thread(_read, gathered):
                yield encoded([row for draft in chunk for row in rows(draft, columns)])


def lines(drafts: Sequence[ProductDraft]) -> bytes:
    return msgspec.json.Encoder().encode_lines(drafts)


def rows(draft: ProductDraft, columns: Columns) -> Iterator[list[str]]:
    """A row per variant; what is the product's stands on the first."""
    own = [
        draft.slug,
        draft.name,
        draft.status,
        draft.brand,
        draft.summary,
        draft.description,
        " | ".join(" > ".join(_kept(name) for name in path) for path in draft.categories),
        " | ".join(_kept(picture.source) for picture in draft.pictures),
        " | ".join(alts) if any(alts := [_kept(picture.alt) for picture in draft.pictures]) else "",
        *(" | ".join(map(_kept, draft.attributes.get(name, []))) for name in columns.attributes),
    ]
    below = [draft.slug, *[""] * (len(own) - 1)]
    for number, variant in enumerate(draft.variants):
        yield [_shielded(cell) for cell in [*(below if number else own), *_cells(variant, columns)]]


def _cells(variant: VariantDraft, columns: Columns) -> Iterator[str]:
    offers = {offer.price.currency: offer for offer in variant.prices}
    yield variant.sku
    yield variant.barcode or ""
    yield "" if variant.weight_g is None else str(variant.weight_g)
    yield variant.picture or ""
    for name in columns.options:
        yield variant.options.get(name, "")
    for currency in sorted(columns.currencies):
        offer = offers.get(currency)
        yield _decimal(offer.price) if offer else ""
        yield _decimal(offer.compare_at) if offer and offer.compare_at else ""
    for warehouse in columns.warehouses:
        yield str(variant.stock[warehouse]) if warehouse in variant.stock else ""


def _decimal(money: Money) -> str:
    digits = exponent(money.currency)
    return f"{Decimal(money.minor).scaleb(-digits):.{digits}f}"


def _kept(text: str) -> str:
    return re.sub(r"([\\|>])", r"\\\1", text)


def _shielded(cell: str) -> str:
    """Spreadsheets run what begins like a formula; an apostrophe before it is text, and taken off again."""
    return f"'{cell}" if _RISKY.match(cell) else cell


def _read(gathered: IO[bytes]) -> list[ProductDraft]:
    decoder = msgspec.json.Decoder(ProductDraft)
    return [decoder.decode(line) for _ in range(PAGE) if (line := gathered.readline())]


def encoded(table: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table)
    return text.getvalue().encode()
