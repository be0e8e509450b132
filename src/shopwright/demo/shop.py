"""Turns the tables of `data/*.toml` into drafts of products: SKUs, barcodes, prices, stock, texts, pictures.

Pure but for reading those files. A draft is a plain `dict` in the shape of the JSON Lines import format,
which is the catalogue's `ProductDraft`. Everything derives from the data, so it never differs between runs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from itertools import product as combinations
from typing import Any
from zlib import crc32

import msgspec

from shopwright.contracts.money import Money, parse_decimal

from .colours import COLOURED, COLOURS
from .drawing import Picture

#: Price lists: currency → (numerator, denominator, step, ending) of `converted`. A shop prices by hand and
#: rounds to what looks right on a label; the rates are only near the market's.
PRICE_LISTS = {
    "EUR": (1, 1, 1, 0),
    "USD": (112, 100, 100, 0),
    "GBP": (87, 100, 100, 0),
    "JPY": (170, 100, 100, -20),
    "KWD": (345, 100, 500, -50),
}

#: What a table may say of the whole product, and the name it has as an attribute.
ATTRIBUTES = {
    "material": "Material",
    "colour": "Colour",
    "room": "Room",
    "care": "Care",
    "from": "Made in",
    "size": "Dimensions",
}


class Range(msgspec.Struct, frozen=True):
    """What the products of one file share: their top category and the first parts of SKU and barcode."""

    category: str
    prefix: str
    number: int


class Item(msgspec.Struct, frozen=True):
    """A product as its table tells it."""

    range: Range
    table: dict[str, Any]
    slug: str
    pictures: list[Picture]


def items() -> list[Item]:
    """Every product, in the order of tables within a file; the files take turns, so that what is newest in
    the shop is a bit of everything.
    """
    found: list[tuple[float, Item]] = []
    for file in sorted(files(__package__).joinpath("data").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            content = tomllib.loads(file.read_text(encoding="utf-8"))
            shared = Range(content["category"], content["prefix"], content["number"])
            tables = content["product"]
            found += [((place + 1) / len(tables), _item(shared, table)) for place, table in enumerate(tables)]
    return [item for _, item in sorted(found, key=lambda each: each[0])]


def draft(item: Item) -> dict[str, Any]:
    """One line of `products.jsonl`."""
    table = item.table
    return {
        "slug": item.slug,
        "name": table["name"],
        "summary": table["summary"],
        "description": description(table["text"]),
        "brand": table["brand"],
        "status": table.get("status", "active"),
        "categories": [[item.range.category, table["in"]], *([table["also"]] if "also" in table else [])],
        "attributes": {
            name: value if isinstance(value := table[key], list) else [value]
            for key, name in ATTRIBUTES.items()
            if key in table
        },
        "pictures": [
            {"source": picture.file, "alt": picture.alt, "width": 800, "height": 800}
            for picture in item.pictures
        ],
        "variants": list(_variants(item)),
    }


def description(text: str) -> str:
    """Paragraphs, parted by an empty line, as HTML."""
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "".join(f"<p>{escape(paragraph, quote=False)}</p>" for paragraph in paragraphs)


def slug(name: str) -> str:
    """`Potter's terracotta pot` → `potters-terracotta-pot`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("'", "")).strip("-")


def check_digit(digits: str) -> int:
    """The last digit of an EAN-13 after its first twelve (GS1 General Specifications, 7.9)."""
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return -weighted % 10


def converted(euros: Money, currency: str) -> Money:
    """What costs `euros` in another currency: times its rate, up to the next step, and a little off that.

    19.00 EUR is 22.00 USD, 17.00 GBP, 3,280 JPY (steps of 100 yen, less 20) and 6.950 KWD.
    """
    numerator, denominator, step, ending = PRICE_LISTS[currency]
    steps = -(-euros.minor * numerator // (denominator * step))
    return Money(steps * step + ending, currency)


def _item(shared: Range, table: dict[str, Any]) -> Item:
    name = slug(table["name"])
    look = {key: value for key, value in table["look"].items() if key != "draw"}
    values = _coloured(table)
    pictures = [
        Picture(
            file=f"{name}-{slug(value)}.svg" if value else f"{name}.svg",
            alt=f"{table['name']}, {value.lower()}" if value else table["name"],
            category=shared.category,
            draw=table["look"]["draw"],
            colour=value or look["tint"],
            traits=look,
            seed=crc32(name.encode()),
        )
        for value in values or [""]
    ]
    return Item(shared, table, name, pictures)


def _coloured(table: dict[str, Any]) -> list[str]:
    """The values of the option that changes the picture."""
    options: dict[str, list[str]] = table.get("options", {})
    return next((values for name, values in options.items() if name in COLOURED), [])


def _variants(item: Item) -> Iterator[dict[str, Any]]:
    table, shared = item.table, item.range
    options: dict[str, list[str]] = table.get("options", {})
    coloured = _coloured(table)
    for index, values in enumerate(combinations(*options.values())):
        sku = "-".join([shared.prefix, str(table["sku"]), *(_letters(value) for value in values)])
        digits = f"2000{shared.number:02}{table['sku']:04}{index:02}"
        added = [table["more"][value] for value in values if value in table.get("more", {})]
        picture = item.pictures[coloured.index(values[0]) if coloured else 0]
        yield {
            "sku": sku,
            "options": dict(zip(options, values, strict=True)),
            "prices": _prices(table, [extra for extra, _ in added]),
            "stock": _stock(table, values, sku),
            "barcode": f"{digits}{check_digit(digits)}",
            "weight_g": table["weight"] + sum(grams for _, grams in added),
            "picture": picture.file,
        }


def _letters(value: str) -> str:
    """An option's value in a SKU: `Moss` → MOS, `Ø 30 cm` → 30CM, `170 × 240 cm` → 170X240."""
    if value in COLOURS:
        return COLOURS[value][0]
    plain = value.upper().replace("×", "X").replace(" LITRES", "L").replace(" LITRE", "L").replace(".", "")
    letters = re.sub(r"[^A-Z0-9]", "", plain)
    return letters.removesuffix("CM") if "X" in letters and letters[0].isdigit() else letters[:5]


def _prices(table: dict[str, Any], extras: list[str]) -> list[dict[str, Any]]:
    price, before = (
        Money(sum(parse_decimal(part, "EUR").minor for part in [base, *extras]), "EUR") if base else None
        for base in (table["price"], table.get("was"))
    )
    if price is None:
        raise ValueError(f"{table['name']} has no price")
    return [
        {
            "price": msgspec.to_builtins(converted(price, currency)),
            "compare_at": msgspec.to_builtins(converted(before, currency)) if before else None,
        }
        for currency in PRICE_LISTS
    ]


def _stock(table: dict[str, Any], values: tuple[str, ...], sku: str) -> dict[str, int]:
    """Units per warehouse, by chance that never changes; `gone` and `low` name a value or a whole variant."""
    spread = crc32(sku.encode())
    names = {*values, " / ".join(values), "*"}
    if names & set(table.get("gone", [])):
        return {"main": 0, "north": 0}
    if names & set(table.get("low", [])):
        return {"main": 1 + spread % 3, "north": 0}
    return {"main": 12 + spread % 70, "north": spread // 70 % 40}
