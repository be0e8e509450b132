"""WooCommerce's product CSV: a row per product and per variation, variations anywhere after or before their
parent, which they name by SKU or `id:44`.

Attributes that variations choose become options, the others attributes. A sale counts on the days it is on.
Grouped and external products sell nothing themselves and are skipped. Slugs come from names, for the file
has none; a variation for "any" value of an attribute keeps that word. Columns must be in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, Status, VariantDraft

from . import table, values
from .reading import Cells, Form, Note, Options, Read, Unit, lonely, read

NAME = "woocommerce"
TITLE = "WooCommerce product CSV"
DERIVES_SLUGS = True

_STATUS: dict[str, Status] = {"1": "active", "": "active", "0": "draft", "-1": "draft", "2": "draft"}
_ATTRIBUTES_MAX = 100
_SELLS_NOTHING = {"grouped": "a group of other products", "external": "sold on another site"}


def fits(_text: str, columns: frozenset[str]) -> bool:
    return {"type", "sku", "name"} <= columns and bool(columns & {"regular price", "parent", "published"})


def units(path: Path, form: Form) -> Iterator[Unit]:
    for line, cells in table.rows(path, form):
        number, sku = cells.get("id", ""), cells.get("sku", "").casefold()
        if "variation" in _types(cells.get("type", "")):
            yield Unit(line, cells.get("parent", "").casefold() or lonely(line), cells)
        else:
            key = f"id:{number}" if number else sku or lonely(line)
            yield Unit(line, key, cells, also=(sku,) if sku and sku != key else ())


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    rows = [Cells(unit, notes) for unit in units]
    parents = [row for row in rows if "variation" not in _types(row.text("Type"))]
    first = parents[0] if parents else rows[0]
    identifier = first.text("SKU") or first.text("Name")
    if not parents:
        first.refuse("Parent", f"{first.text('Parent')!r} is no SKU or id of a product in this file")
        return read(units[0], identifier, None, notes)
    if kind := next((kind for kind in _types(first.text("Type")) if kind in _SELLS_NOTHING), ""):
        first.skip("Type", f"{kind}: {_SELLS_NOTHING[kind]}, with nothing to sell here")
        return read(units[0], identifier, None, notes)
    if not first.text("Name"):
        first.refuse("Name", "is missing; every product has a name")
    for other in parents[1:]:
        other.refuse("SKU", f"is the SKU or ID of the product on line {first.line} too")
    variations = sorted((row for row in rows if row not in parents), key=_position)
    chosen = _chosen(variations)
    sold = variations or [first]
    if "variable" in _types(first.text("Type")) and not variations:
        first.refuse("Type", "is variable, and the file has no variation of it")
    draft = ProductDraft(
        slug=values.slug(first.text("Name")),
        name=_plain(first.text("Name")),
        summary=values.plain(_lines(first.text("Short description"))),
        description=values.as_html(_lines(first.text("Description"))),
        brand=first.text("Brands"),
        status=_status(first),
        categories=values.paths(values.listed(first.text("Categories"))),
        attributes=_attributes(first, chosen),
        pictures=values.pictures((source, "") for row in rows for source in _images(row)),
        variants=[_variant(row, first, chosen, options) for row in sold],
    )
    return read(units[0], identifier, draft, notes)


def _types(text: str) -> list[str]:
    return [kind.casefold() for kind in values.listed(text)]


def _plain(text: str) -> str:
    return re.sub(r"^'(?=[=+\-@])", "", text)


def _lines(text: str) -> str:
    r"""The export writes a line break as `\n`."""
    return re.sub(r"(?<!\\)\\n", "\n", _plain(text)).replace("\\\\n", "\\n")


def _position(row: Cells) -> int:
    text = row.text("Position")
    return int(text) if text.isdigit() else 0


def _numbered(row: Cells) -> Iterator[tuple[str, list[str]]]:
    for number in range(1, _ATTRIBUTES_MAX + 1):
        if f"attribute {number} name" not in row.names():
            if number > 20:
                return
            continue
        yield row.text(f"Attribute {number} name"), values.listed(row.text(f"Attribute {number} value(s)"))


def _chosen(variations: Sequence[Cells]) -> list[str]:
    """Names of attributes that at least one variation gives a value of."""
    return list(dict.fromkeys(name for row in variations for name, given in _numbered(row) if given))


def _attributes(first: Cells, chosen: Sequence[str]) -> dict[str, list[str]]:
    own = [(name, given) for name, given in _numbered(first) if name not in chosen]
    return values.attributes([("Tags", values.listed(first.text("Tags"))), *own])


def _variant(row: Cells, first: Cells, chosen: Sequence[str], options: Options) -> VariantDraft:
    given = {name: found[0] for name, found in _numbered(row) if found and name in chosen}
    picked = {name: given.get(name, "Any") for name in chosen} if row is not first else {}
    return VariantDraft(
        sku=_plain(row.text("SKU")) or values.sku_of(values.slug(first.text("Name")), picked.values()),
        options=picked,
        prices=_prices(row, options),
        stock=_stock(row, options),
        barcode=row.text("GTIN, UPC, EAN, or ISBN") or None,
        weight_g=_weight(row) or (_weight(first) if row is not first else None),
        picture=next(iter(_images(row)), None) if row is not first else None,
    )


def _prices(row: Cells, options: Options) -> list[PriceDraft]:
    def amount(text: str) -> Money:
        return values.money(_plain(text), options.currency)

    regular, sale = row.value("Regular price", amount), row.value("Sale price", amount)
    if regular is None:
        if not row.text("Regular price"):
            row.refuse("Regular price", "is missing; everything that is sold has a price such as 19.99")
        return []
    return [
        values.offer(sale, regular) if sale is not None and _on(row, options.today) else PriceDraft(regular)
    ]


def _on(row: Cells, today: date) -> bool:
    def day(text: str) -> date:
        return date.fromisoformat(text[:10])

    begins, ends = row.value("Date sale price starts", day), row.value("Date sale price ends", day)
    return (begins is None or begins <= today) and (ends is None or today <= ends)


def _stock(row: Cells, options: Options) -> dict[str, int]:
    told = row.text("Stock")
    if told and told.casefold() != "parent":
        units_on_hand = row.value("Stock", lambda text: values.count(_plain(text)))
    elif row.text("In stock?") == "0":
        units_on_hand = 0
    else:
        units_on_hand = options.stock
    return {} if units_on_hand is None else {options.warehouse: units_on_hand}


def _weight(row: Cells) -> int | None:
    column = next((name for name in row.names() if name.startswith("weight (")), "")
    unit = column.removeprefix("weight (").removesuffix(")")
    return row.value(column, lambda text: values.grams(_plain(text), unit)) if column else None


def _status(first: Cells) -> Status:
    word = first.text("Published").removeprefix("'")
    if word not in _STATUS:
        first.refuse("Published", f"{word!r} is none of 1, 0, -1, 2")
    hidden = first.text("Visibility in catalog").casefold() == "hidden"
    return "draft" if hidden else _STATUS.get(word, "draft")


def _images(row: Cells) -> list[str]:
    return values.listed(row.text("Images"))
