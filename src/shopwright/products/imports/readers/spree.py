"""Spree's product CSV: product data on its first row, a row per variant, and once more per further currency,
wherever that stands in the file.

The first row is the master: with variants it sells nothing itself. `custom_field.<group>.<key>` columns and
tags become attributes; `Kitchen -> Kettles` is a path of categories.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, Status, VariantDraft

from . import table, values
from .reading import Cells, Form, Note, Options, Read, Unit, read

NAME = "spree"
TITLE = "Spree product CSV"

_STATUS: dict[str, Status] = {"active": "active", "": "active", "draft": "draft", "archived": "archived"}
_MARKS = frozenset({"option1_name", "category1", "inventory_count", "tax_category", "image1_src"})


def fits(_text: str, columns: frozenset[str]) -> bool:
    return {"slug", "sku", "name", "price"} <= columns and bool(columns & _MARKS)


def units(path: Path, form: Form) -> Iterator[Unit]:
    yield from table.units_of(path, form, "slug")


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    rows = [Cells(unit, notes) for unit in units]
    first = next((row for row in rows if row.text("name")), rows[0])
    slug = first.text("slug")
    if not slug:
        first.refuse("slug", "is missing; every row names its product's slug")
    if not first.text("name"):
        first.refuse("name", "is missing; one row of a product has its name")
    by_sku: dict[str, list[Cells]] = {}
    for row in rows:
        by_sku.setdefault(row.text("sku") or values.sku_of(slug, _chosen(row).values()), []).append(row)
    if any(_chosen(row) for same in by_sku.values() for row in same):
        by_sku = {sku: same for sku, same in by_sku.items() if any(_chosen(row) for row in same)}
    draft = ProductDraft(
        slug=values.slug(slug),
        name=first.text("name"),
        description=values.as_html(first.text("description")),
        status=_status(first),
        categories=values.paths((first.text(f"category{n}") for n in range(1, 6)), "->"),
        attributes=_attributes(first),
        pictures=values.pictures((source, "") for row in rows for source in _images(row)),
        variants=[_variant(sku, same, options) for sku, same in by_sku.items()],
    )
    return read(units[0], slug or first.text("name"), draft, notes)


def _chosen(row: Cells) -> dict[str, str]:
    return {
        name: value
        for n in (1, 2, 3)
        if (name := row.text(f"option{n}_name")) and (value := row.text(f"option{n}_value"))
    }


def _variant(sku: str, rows: Sequence[Cells], options: Options) -> VariantDraft:
    stock = next((n for row in rows if (n := row.value("inventory_count", values.count)) is not None), None)
    units_on_hand = options.stock if stock is None else stock
    weights = (row.value("weight", lambda text, row=row: _grams(text, row)) for row in rows)  # type: ignore[misc]
    return VariantDraft(
        sku=sku,
        options=next((chosen for row in rows if (chosen := _chosen(row))), {}),
        prices=_prices(rows, options),
        stock={} if units_on_hand is None else {options.warehouse: units_on_hand},
        barcode=next((code for row in rows if (code := row.text("barcode"))), None),
        weight_g=next(filter(None, weights), None),
        picture=next((source for row in rows for source in _images(row)), None),
    )


def _grams(text: str, row: Cells) -> int:
    return values.grams(text, row.text("weight_unit") or "lb")


def _prices(rows: Sequence[Cells], options: Options) -> list[PriceDraft]:
    found: dict[str, PriceDraft] = {}
    for row in rows:
        currency = row.text("currency").upper() or options.currency

        def amount(text: str, currency: str = currency) -> Money:
            return values.money(text, currency)

        price = row.value("price", amount)
        if price is not None:
            found.setdefault(currency, values.offer(price, row.value("compare_at_price", amount)))
    if not found and not rows[0].text("price"):
        rows[0].refuse("price", "is missing; every variant has a price such as 19.99")
    return list(found.values())


def _status(first: Cells) -> Status:
    word = first.text("status").casefold()
    if word not in _STATUS:
        first.refuse("status", f"{word!r} is none of active, draft, archived")
    return _STATUS.get(word, "draft")


def _attributes(first: Cells) -> dict[str, list[str]]:
    fields = [
        (column.rpartition(".")[2].replace("_", " ").capitalize(), [str(value)])
        for column, value in first.names().items()
        if column.startswith("custom_field.")
    ]
    tags = values.listed(first.text("tags"))
    return values.attributes([("Type", [first.text("product_type")]), *fields, ("Tags", tags)])


def _images(row: Cells) -> list[str]:
    return [source for n in range(1, 11) if (source := row.text(f"image{n}_src"))]
