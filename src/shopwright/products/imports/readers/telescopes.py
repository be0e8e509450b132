"""The product rows inside the OpenTelemetry demo's `init.sql`: `INSERT INTO … products (…) VALUES (…), …;`.

Only such statements are looked at, and nothing is run. Slugs and SKUs come from names, for the ids are Online
Boutique's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, VariantDraft

from . import documents, values
from .reading import PROBLEM, BadFile, Cells, Form, Note, Options, Read, Unit, lonely, read

NAME = "telescopes"
TITLE = "OpenTelemetry demo init.sql"
DERIVES_SLUGS = True

_INSERT = re.compile(
    r"INSERT\s+INTO\s+(?:\w+\.)?products\s*\(([^)]*)\)\s*VALUES", re.IGNORECASE
)  # fmt: skip
_TOKEN = re.compile(r"\s+|--[^\n]*|'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)|(NULL\b)|([(),;])", re.IGNORECASE)


def fits(text: str, _columns: frozenset[str]) -> bool:
    return bool(re.search(r"\b(CREATE|INSERT)\b", text)) and "price_units" in text


def units(path: Path, form: Form) -> Iterator[Unit]:
    text = documents.text_of(path, form)
    found = False
    for statement in _INSERT.finditer(text):
        columns = [name.strip().strip('"').casefold() for name in statement[1].split(",")]
        if "price_units" not in columns:
            continue
        found = True
        for position, row in _rows(text, statement.end()):
            line = text.count("\n", 0, position) + 1
            if len(row) != len(columns):
                yield Unit(
                    line, lonely(line), {PROBLEM: f"the row has {len(row)} values, not {len(columns)}"}
                )
            else:
                yield Unit(line, lonely(line), dict(zip(columns, row, strict=True)))
    if not found:
        raise BadFile("no INSERT INTO products (…, price_units, …) stands in this SQL")


def _rows(text: str, position: int) -> Iterator[tuple[int, list[str]]]:
    """The tuples of VALUES from `position` to the semicolon; raises BadFile for other SQL in between."""
    row: list[str] | None = None
    began = position
    while match := _TOKEN.match(text, position):
        position = match.end()
        string, number, null, sign = match.groups()
        if sign == ";":
            return
        if sign == "(":
            row, began = [], match.start()
        elif sign == ")" and row is not None:
            yield began, row
            row = None
        elif row is not None and (string is not None or number or null):
            row.append(string.replace("''", "'") if string is not None else number or "")
    if position < len(text):
        line = text.count("\n", 0, position) + 1
        raise BadFile(f"line {line}: only strings, numbers and NULL are read as values", line)


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    cells = Cells(units[0], notes)
    name = cells.text("name")
    if not name:
        cells.refuse("name", "is missing; every product has a name")
    price = _price(cells)
    draft = ProductDraft(
        slug=values.slug(name),
        name=name,
        description=values.as_html(cells.text("description")),
        categories=[[word.capitalize()] for word in values.listed(cells.text("categories"))],
        pictures=values.pictures([(cells.text("picture"), name)]),
        variants=[
            VariantDraft(
                sku=values.slug(name),
                prices=[PriceDraft(price)] if price else [],
                stock={} if options.stock is None else {options.warehouse: options.stock},
            )
        ],
    )
    return read(units[0], cells.text("id") or name, draft, notes)


def _price(cells: Cells) -> Money | None:
    currency = cells.text("price_currency_code").upper() or "USD"
    whole, part = cells.text("price_units") or "0", cells.text("price_nanos") or "0"
    try:
        return documents.google_money(int(whole), int(part), currency)
    except ValueError as error:
        cells.refuse("price_units", str(error))
        return None
