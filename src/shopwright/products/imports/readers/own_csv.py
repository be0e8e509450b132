"""Our own CSV, for spreadsheets: a row per variant, product data on the first (repeated or empty below).

Columns: slug, name, sku, price (or price:EUR …), and as wanted status, brand, summary, description,
categories, pictures, picture_alts, attribute:<name>, option:<name>, compare_at[:EUR], stock[:<warehouse>],
barcode, weight_g, variant_picture. Lists are divided by `|`, paths of categories by ` > `; a backslash keeps
a `|`, `>` or backslash. An apostrophe before = + - @ is Excel's shield against formulas and is taken off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, Status, VariantDraft

from . import table, values
from .reading import Cells, Form, Note, Options, Read, Unit, lonely, read

NAME = "csv"
TITLE = "Shopwright CSV"

PREFIXES = ("attribute", "option", "price", "compare_at", "stock")
PLAIN = (
    "slug", "name", "status", "brand", "summary", "description", "categories", "pictures", "picture_alts",
    "sku", "barcode", "weight_g", "variant_picture", "price", "compare_at", "stock", "currency",
)  # fmt: skip
_FAMILIES = tuple(f"{prefix}:" for prefix in PREFIXES)
_CURRENCY = re.compile("[A-Z]{3}")
_STATUS: dict[str, Status] = {"active": "active", "": "active", "draft": "draft", "archived": "archived"}
Families = dict[str, list[tuple[str, str]]]
_SHIELDED = re.compile(r"'+[=+\-@\t\r]")


def fits(_text: str, columns: frozenset[str]) -> bool:
    priced = any(column == "price" or column.startswith("price:") for column in columns)
    return {"slug", "name", "sku"} <= columns and priced


def units(path: Path, form: Form) -> Iterator[Unit]:
    for line, cells in table.rows(path, form, _column):
        shown = {name: text if text[0] != "'" else _unshielded(text) for name, text in cells.items()}
        yield Unit(line, shown.get("slug", "").casefold() or lonely(line), shown)


def _column(name: str) -> str:
    """Names of attributes and options keep their case."""
    prefix, colon, rest = name.partition(":")
    return f"{prefix.casefold()}:{rest.strip()}" if colon else name.casefold()


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    rows = [Cells(unit, notes) for unit in units]
    first = rows[0]
    slug, name = first.text("slug"), first.text("name")
    if not slug:
        first.refuse("slug", "is missing; every row names its product's slug, such as oak-table")
    if not name:
        first.refuse("name", "is missing; the first row of a product has its name")
    for column in first.names():
        if column not in PLAIN and not column.startswith(_FAMILIES):
            first.refuse(column, "is no column of this format; leave it out, or correct its name")
    draft = ProductDraft(
        slug=slug,
        name=name,
        summary=first.text("summary"),
        description=first.text("description"),
        brand=first.text("brand"),
        status=_status(first),
        categories=[split(path, ">") for path in split(first.text("categories"), "|", keep=True)],
        attributes={key: split(value, "|") for key, value in _families(first)["attribute"]},
        pictures=values.pictures(_pictures(first)),
        variants=[_variant(row, options) for row in rows],
    )
    return read(units[0], slug or name, draft, notes)


def _unshielded(text: str) -> str:
    return text[1:] if _SHIELDED.match(text) else text


def split(text: str, separator: str, *, keep: bool = False) -> list[str]:
    """The parts of a list; `keep` leaves backslashes for a second split."""
    found = (part.strip() for part in _parts(text, separator))
    return [part if keep else _plain(part) for part in found if part]


def _parts(text: str, separator: str) -> list[str]:
    """What stands between separators that no backslash keeps."""
    if "\\" not in text:
        return text.split(separator)
    parts = [""]
    for token in re.findall(r"\\.|.", text, re.DOTALL):
        if token == separator:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _plain(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part) if "\\" in part else part


def _families(row: Cells) -> Families:
    """The cells of `attribute:…`, `option:…`, `price:…` and so on, by that prefix."""
    found: Families = {prefix: [] for prefix in PREFIXES}
    for column, value in row.names().items():
        prefix, colon, rest = column.partition(":")
        if colon and prefix in found:
            found[prefix].append((rest, value))
    return found


def _variant(row: Cells, options: Options) -> VariantDraft:
    sku = row.text("sku")
    if not sku:
        row.refuse("sku", "is missing; every row is a variant with a SKU of its own")
    families = _families(row)
    return VariantDraft(
        sku=sku,
        options=dict(families["option"]),
        prices=_prices(row, families, options),
        stock=_stock(row, families, options),
        barcode=row.text("barcode") or None,
        weight_g=row.value("weight_g", lambda text: values.grams(text, "g")),
        picture=row.text("variant_picture") or None,
    )


def _prices(row: Cells, families: Families, options: Options) -> list[PriceDraft]:
    default = row.text("currency").upper() or options.currency
    before = dict(_amounts(row, families, "compare_at", default))
    found = []
    for currency, price in _amounts(row, families, "price", default):
        compared = before.get(currency)
        if compared is not None and not price < compared:
            row.refuse(f"compare_at:{currency}", "must be more than the price; leave it empty otherwise")
        found.append(PriceDraft(price, compared))
    if not families["price"] and not row.text("price"):
        row.refuse(f"price:{default}", "is missing; every variant has a price such as 19.99")
    return found


def _amounts(row: Cells, families: Families, name: str, default: str) -> Iterator[tuple[str, Money]]:
    if text := row.text(name):
        families = families | {name: [(default, text), *families[name]]}
    for currency, amount in families[name]:
        if not _CURRENCY.fullmatch(currency):
            row.refuse(f"{name}:{currency}", f"{currency!r} is no ISO 4217 code of a currency such as EUR")
            continue
        try:
            yield currency, values.money(amount, currency)
        except ValueError as error:
            row.refuse(name if amount is text else f"{name}:{currency}", str(error))


def _stock(row: Cells, families: Families, options: Options) -> dict[str, int]:
    found: dict[str, int] = {}
    if (units_on_hand := row.value("stock", values.count)) is not None:
        found[options.warehouse] = units_on_hand
    for warehouse, text in families["stock"]:
        try:
            found[warehouse] = values.count(text)
        except ValueError as error:
            row.refuse(f"stock:{warehouse}", str(error))
    return found if found or options.stock is None else {options.warehouse: options.stock}


def _pictures(first: Cells) -> list[tuple[str, str]]:
    sources = split(first.text("pictures"), "|")
    alts = [_plain(part.strip()) for part in _parts(first.text("picture_alts"), "|")]
    return list(zip(sources, [*alts, *[""] * len(sources)], strict=False))


def _status(first: Cells) -> Status:
    word = first.text("status").casefold()
    if word not in _STATUS:
        first.refuse("status", f"{word!r} is none of active, draft, archived")
    return _STATUS.get(word, "draft")
