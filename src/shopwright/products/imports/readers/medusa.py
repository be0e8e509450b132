"""Medusa's product CSV: exports of version 2 (`Variant Price EUR`, `Product Image 1`) and the template of
version 1 (`Price USD`, `Image 1 Url`, `Product Tags`); a row per variant, product data on each.

Prices of a region (`Variant Price Europe [EUR]`) have no counterpart here: they are told and left out. Ids of
types, collections and categories without their names say nothing to another shop and are passed over. Weights
are grams, as Medusa's admin shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, Status, VariantDraft

from . import table, values
from .reading import Cells, Form, Note, Options, Read, Unit, read

NAME = "medusa"
TITLE = "Medusa product CSV"

_STATUS: dict[str, Status] = {
    "published": "active", "": "active", "draft": "draft", "proposed": "draft", "rejected": "archived",
}  # fmt: skip
_PRICE = re.compile(r"(?:variant )?price ([a-z]{3})")
_REGION = re.compile(r"(?:variant )?price (.+) \[([a-z]{3})\]")
_NUMBERED = re.compile(
    r"product (?:image|tag|category|sales channel) \d+.*|variant (?:option \d+ (?:name|value)|image \d+.*)"
)
_PRODUCT = frozenset(
    {
        "id", "handle", "title", "subtitle", "status", "description", "external id", "thumbnail", "weight",
        "collection id", "collection title", "collection handle", "type id", "type", "tags", "discountable",
        "created at", "updated at", "deleted at", "length", "width", "height", "hs code", "origin country",
        "mid code", "material", "is giftcard", "metadata", "profile name", "profile type", "sales channels",
        "shipping profile id",
    }
)  # fmt: skip
_VARIANT = frozenset(
    {
        "id", "title", "sku", "barcode", "ean", "upc", "hs code", "mid code", "manage inventory",
        "allow backorder", "created at", "updated at", "deleted at", "height", "length", "width", "weight",
        "material", "metadata", "origin country", "product id", "variant rank", "rank", "thumbnail",
        "inventory quantity",
    }
)  # fmt: skip


def fits(_text: str, columns: frozenset[str]) -> bool:
    return {"product handle", "product title"} <= columns


def units(path: Path, form: Form) -> Iterator[Unit]:
    yield from table.units_of(path, form, "Product Handle", "Product Id", "Product Title")


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    rows = [Cells(unit, notes) for unit in units]
    first = rows[0]
    title = first.text("Product Title")
    handle = first.text("Product Handle") or values.slug(title)
    if not title:
        first.refuse("Product Title", "is missing; every row has its product's title")
    for column in _unknown(first.names()):
        first.refuse(column, "is no column of a Medusa product file; leave it out, or rename it")
    variants = [_variant(row, handle, options) for row in rows]
    draft = ProductDraft(
        slug=values.slug(handle),
        name=title,
        summary=first.text("Product Subtitle"),
        description=values.as_html(first.text("Product Description")),
        status=_status(first),
        categories=values.paths(
            name for name in _series(first, "product category") if not name.startswith("pcat_")
        ),
        attributes=_attributes(first),
        pictures=values.pictures((source, "") for row in rows for source in _images(row)),
        variants=[variant for variant in variants if variant is not None],
    )
    if not draft.variants and not any(note.outcome == "refused" for note in notes):
        first.refuse("Variant Price EUR", "is missing; a product has at least one variant with a price")
    return read(units[0], handle or title, draft, notes)


def _unknown(names: Mapping[str, object]) -> list[str]:
    """Columns that claim to be of a product or variant and are not; others, as a shop adds them, are fine."""
    return [
        _headline(name)
        for name in names
        if ((name.startswith("product ") and name.removeprefix("product ") not in _PRODUCT)
            or (name.startswith("variant ") and name.removeprefix("variant ") not in _VARIANT))
        and not (_NUMBERED.fullmatch(name) or _PRICE.fullmatch(name) or _REGION.fullmatch(name))
    ]  # fmt: skip


def _headline(name: str) -> str:
    return name[:1].upper() + name[1:]


def _variant(row: Cells, handle: str, options: Options) -> VariantDraft | None:
    prices = _prices(row)
    if not prices and not any(note.outcome == "refused" for note in row.notes):
        row.warn("Variant Price EUR", "is missing; this variant was left out, for it cannot be sold")
        return None
    chosen = _chosen(row)
    stock = row.value("Variant Inventory Quantity", values.count)
    units_on_hand = options.stock if stock is None else stock
    return VariantDraft(
        sku=row.text("Variant Sku") or values.sku_of(handle, chosen.values()),
        options=chosen,
        prices=prices,
        stock={} if units_on_hand is None else {options.warehouse: units_on_hand},
        barcode=row.text("Variant Barcode", "Variant Ean", "Variant Upc") or None,
        weight_g=row.value("Variant Weight", lambda text: values.grams(text, "g"), "Product Weight") or None,
        picture=row.text("Variant Thumbnail") or None,
    )


def _chosen(row: Cells) -> dict[str, str]:
    found = {}
    for n in range(1, 11):
        name = row.text(f"Variant Option {n} Name", f"Option {n} Name")
        value = row.text(f"Variant Option {n} Value", f"Option {n} Value")
        if name and value and (name, value) != ("Default option", "Default option value"):
            found[name] = value
    return found


def _prices(row: Cells) -> list[PriceDraft]:
    found: list[PriceDraft] = []
    for column in row.names():
        if match := _PRICE.fullmatch(column):
            currency = match[1].upper()
            price = row.value(column, lambda text, currency=currency: values.money(text, currency))  # type: ignore[misc]
            if price is not None:
                found.append(PriceDraft(price))
        elif match := _REGION.fullmatch(column):
            row.warn(
                f"{column[: match.start(1)].title()}{match[1]} [{match[2].upper()}]",
                f"{row.text(column)}: a price of the region {match[1]!r} was left out; this shop has one "
                f"price for each currency, in a column such as “Variant Price {match[2].upper()}”",
            )
    return found


def _status(first: Cells) -> Status:
    word = first.text("Product Status").casefold()
    if word not in _STATUS:
        first.refuse("Product Status", f"{word!r} is none of published, draft, proposed, rejected")
    return _STATUS.get(word, "draft")


def _series(row: Cells, prefix: str) -> list[str]:
    return [text for n in range(1, 51) if (text := row.text(f"{prefix} {n}"))]


def _attributes(first: Cells) -> dict[str, list[str]]:
    tags = [*values.listed(first.text("Product Tags")), *_series(first, "product tag")]
    return values.attributes(
        [
            ("Type", [first.text("Product Type")]),
            ("Collection", [first.text("Product Collection Title")]),
            ("Material", [first.text("Product Material")]),
            ("Tags", tags),
        ]
    )


def _images(row: Cells) -> list[str]:
    listed = [row.text("Product Thumbnail"), *_series(row, "product image")]
    return [source for source in [*listed, *(row.text(f"Image {n} Url") for n in range(1, 21))] if source]
