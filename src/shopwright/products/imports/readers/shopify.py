"""Shopify's product CSV, in both generations of its columns (`Handle … Variant Price`, and since 2024
`URL handle … Price`): a row per variant, further rows for further pictures, product data on the first.

Prices have no currency of their own. Tags and Type become attributes, Product Category a path; metafield
columns become attributes. Not taken over: costs, tax, SEO texts, prices of other markets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, Status, VariantDraft

from . import table, values
from .reading import Cells, Form, Note, Options, Read, Unit, read

NAME = "shopify"
TITLE = "Shopify product CSV"

_STATUS: dict[str, Status] = {
    "active": "active", "draft": "draft", "archived": "archived", "unlisted": "draft", "": "active",
}  # fmt: skip
_METAFIELD = re.compile(r"(.+) \(product\.metafields\.[^)]+\)")


def fits(_text: str, columns: frozenset[str]) -> bool:
    old = {"handle", "title"} <= columns and bool(columns & {"variant price", "variant sku", "body (html)"})
    new = {"title", "url handle"} <= columns
    return old or new


def units(path: Path, form: Form) -> Iterator[Unit]:
    yield from table.units_of(path, form, "Handle", "URL handle")


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    rows = [Cells(unit, notes) for unit in units]
    first = rows[0]
    handle = first.text("Handle", "URL handle")
    title = first.text("Title")
    if not handle:
        first.refuse("Handle", "is missing; every row names its product's handle")
    if not title:
        first.refuse("Title", "is missing; the first row of a product has its title")
    names = [first.text(f"Option{n} Name") for n in (1, 2, 3)]
    variants = [_variant(row, handle, names, options) for row in rows if row is first or _sells(row)]
    draft = ProductDraft(
        slug=values.slug(handle),
        name=title,
        description=first.text("Body (HTML)", "Description"),
        brand=first.text("Vendor"),
        status=_status(first),
        categories=values.paths([first.text("Product Category") or first.text("Type")]),
        attributes=_attributes(first),
        pictures=values.pictures(_pictures(rows)),
        variants=variants,
    )
    return read(units[0], handle or title, draft, notes)


def _sells(row: Cells) -> bool:
    """Rows without price, SKU and options only add a picture."""
    columns = ("Variant Price", "Price", "Variant SKU", "SKU", "Option1 Value")
    return bool(row.text(*columns))


def _variant(row: Cells, handle: str, names: Sequence[str], options: Options) -> VariantDraft:
    chosen = {
        name: value
        for n, name in enumerate(names, 1)
        if name and (value := row.text(f"Option{n} Value")) and (name, value) != ("Title", "Default Title")
    }
    stock = row.value("Variant Inventory Qty", values.count, "Inventory quantity")
    units_on_hand = options.stock if stock is None else stock
    return VariantDraft(
        sku=row.text("Variant SKU", "SKU").lstrip("'") or values.sku_of(handle, chosen.values()),
        options=chosen,
        prices=_prices(row, options),
        stock={} if units_on_hand is None else {options.warehouse: units_on_hand},
        barcode=row.text("Variant Barcode", "Barcode").lstrip("'") or None,
        weight_g=row.value(
            "Variant Grams", lambda text: values.grams(text, "g"), "Weight value (grams)"
        ) or None,
        picture=row.text("Variant Image", "Variant image URL") or None,
    )  # fmt: skip


def _prices(row: Cells, options: Options) -> list[PriceDraft]:
    def amount(text: str) -> Money:
        return values.money(text, options.currency)

    price = row.value("Variant Price", amount, "Price")
    before = row.value("Variant Compare At Price", amount, "Compare-at price")
    if price is None:
        if not row.text("Variant Price", "Price"):
            row.refuse("Variant Price", "is missing; every variant has a price such as 19.99")
        return []
    return [values.offer(price, before)]


def _status(first: Cells) -> Status:
    word = first.text("Status").casefold()
    if word not in _STATUS:
        first.refuse("Status", f"{word!r} is none of active, draft, archived, unlisted")
    published = first.value("Published", values.yes, "Published on online store")
    status = _STATUS.get(word, "draft")
    return "draft" if published is False and status == "active" else status


def _attributes(first: Cells) -> dict[str, list[str]]:
    fields = [
        (match[1].strip().capitalize(), values.listed(str(value), ";"))
        for column, value in first.names().items()
        if (match := _METAFIELD.fullmatch(column))
    ]
    type_ = first.text("Type") if first.text("Product Category") else ""
    return values.attributes([("Type", [type_]), ("Tags", values.listed(first.text("Tags"))), *fields])


def _pictures(rows: Sequence[Cells]) -> Iterator[tuple[str, str]]:
    placed = [
        (int(position) if (position := row.text("Image Position")).isdigit() else 9_999, row) for row in rows
    ]
    for _, row in sorted(placed, key=lambda pair: pair[0]):
        yield row.text("Image Src", "Product image URL"), row.text("Image Alt Text")
    for row in rows:
        yield row.text("Variant Image", "Variant image URL"), ""
