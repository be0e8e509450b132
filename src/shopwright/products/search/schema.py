"""The index's fields, and a product as a document of them.

Four text fields in the order of their worth (`name`, `keywords`: brand, categories, attributes and options,
`summary`, `description`); raw fields for codes, filters and facets; fast fields to sort by. A currency has a
slot among the price fields, given when it is first seen. Any change here needs another `VERSION`: an index of
another version is rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import tantivy

from shopwright.contracts.money import fallback

from .domain import Document
from .words import clean, code, compounds, fold, pairs, tokens

VERSION: Final = 3
OWN: Final = "own"
DEAREST: Final = "dear_own"  # as `cost_own` from the other end: what is not sold in the own is last in both
SLOTS: Final = 16  # currencies a shop may sell in
SEPARATOR: Final = "\x1f"  # between the parts of a facet's term; `fold` leaves none inside
TEXT_MAX = 20_000  # characters of a description that are indexed
NAME_MAX = 500  # of a name or a code: they are also kept whole, where an index takes no long ones
VALUE_MAX = 100  # characters; a longer attribute is prose and no facet
VALUES_MAX = 50  # facet values of one product under one name

#: Names that mean something else in a query, so an attribute of that name is no facet.
RESERVED: Final = frozenset([
    "q", "category", "brand", "in_stock", "price_min", "price_max", "price", "currency", "sort", "limit",
    "cursor",
])  # fmt: skip
#: The letters of `by_name` as numbers, for pages beyond a name: tantivy has no ranges of text.
NAME_KEYS: Final = ("name_1", "name_2", "name_3")
_KEY_LETTERS: Final = 11  # 39 kinds of letters to the power of 11 fit 63 bits
_RANKS: Final = {
    letter: rank for rank, letter in enumerate(f"{SEPARATOR} 0123456789abcdefghijklmnopqrstuvwxyz")
}
_OTHER: Final = len(_RANKS)  # a letter of another script: what follows it does not count
_INT_MAX = 2**42  # of a number in a sort key, which also holds 20 bits to tell products apart
_COST_MAX = 2**41  # of a price among them
_NAME_LONG = 60  # letters; a longer name ranks no lower


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What the index gives back of a product: enough for suggestions."""

    id: UUID
    slug: str
    name: str
    brand: str
    categories: list[str]


def build() -> Any:
    schema = tantivy.SchemaBuilder()
    schema.add_bytes_field("kept", stored=True, indexed=False)
    schema.add_text_field("name", tokenizer_name="words", index_option="position")
    for field in ("keywords", "summary", "description"):
        schema.add_text_field(field, tokenizer_name="words", index_option="basic")
    for field in ("id", "title", "code", "filter", "attribute", "currency"):
        schema.add_text_field(field, tokenizer_name="raw", index_option="basic")
    for field in ("facet", "by_name"):
        schema.add_text_field(field, tokenizer_name="raw", index_option="basic", fast=True)
    schema.add_float_field("weight", fast=True)
    for field in ("tie", "newest", *NAME_KEYS):
        schema.add_integer_field(field, fast=True)
    for slot in (OWN, *range(SLOTS)):
        schema.add_integer_field(f"price_{slot}", fast=True)
        schema.add_integer_field(f"cost_{slot}", fast=True)
    schema.add_integer_field(DEAREST, fast=True)
    return schema.build()


def prices_in(currency: str | None, slots: Mapping[str, int]) -> str:
    """Which `price_` and `cost_` field holds a currency; without one, the shop's own."""
    return str(slots[currency]) if currency is not None and currency in slots else OWN


def document(product: Document, own: str, slots: Mapping[str, int]) -> Any:
    """`product` for the writer of a shop whose currency is `own`; `slots` holds all that are indexed."""
    name = clean(product.name)[:NAME_MAX]
    title = " ".join(tokens(name))
    found = tantivy.Document()
    kept = Kept(
        product.id, product.slug, product.name, product.brand, [one.name for one in product.categories]
    )
    found.add_bytes("kept", msgspec.json.encode(kept))
    found.add_text("id", product.id.hex)
    found.add_text("name", name)
    found.add_text("title", title)
    found.add_text("keywords", clean(" \n".join(_keywords(product, title)))[:TEXT_MAX])
    found.add_text("summary", clean(product.summary)[:TEXT_MAX])
    found.add_text("description", clean(product.description)[:TEXT_MAX])
    for term in {form for text in product.codes for form in (fold(text), code(text)) if form}:
        found.add_text("code", term[:NAME_MAX])
    _add_facets(found, product)
    tie = product.id.int & (2**62 - 1)
    found.add_integer("tie", tie)
    by_name = f"{_natural(title)}{SEPARATOR}{product.id.hex}"
    found.add_text("by_name", by_name)
    for field, key in zip(NAME_KEYS, name_keys(by_name), strict=True):
        found.add_integer(field, key)
    found.add_integer("newest", _newest(product.id, product.created_at))
    found.add_float("weight", _weight(product, title, tie))
    _add_prices(found, product, own, slots)
    return found


def _add_prices(found: Any, product: Document, own: str, slots: Mapping[str, int]) -> None:
    """In each currency the prices to filter by, and the lowest to sort by. What is not sold in the shop's own
    stands behind the others by what its card shows, the price in another currency; what has none is the last.
    """
    tie = product.id.int & 0xFFFFF
    for currency, slot in ((own, OWN), *slots.items()):
        prices = product.prices.get(currency, [])
        for price in set(prices):
            found.add_integer(f"price_{slot}", price)
        if prices and slot != OWN:
            found.add_text("currency", currency)
            found.add_integer(f"cost_{slot}", _cost(prices) | tie)
    if here := product.prices.get(own):
        up, down = _cost(here), _cost(here, 2)
    elif abroad := product.prices.get(fallback(product.prices)):
        up, down = _cost(abroad, 1), _cost(abroad, 1)
    else:
        up, down = _cost([], 2), _cost([0], 0)
    found.add_integer(f"cost_{OWN}", up | tie)
    found.add_integer(DEAREST, down | tie)


def _cost(prices: Sequence[int], group: int = 0) -> int:
    """For sort keys: groups one behind the other, each by the lowest price."""
    return (min((_COST_MAX - 1, *prices)) + group * _COST_MAX) << 20


def _written(*parts: str) -> str:
    return SEPARATOR.join(part.replace(SEPARATOR, " ").strip() for part in parts)


def filter_term(name: str, value: str) -> str:
    return f"{fold(name)}{SEPARATOR}{fold(value)}"


def _keywords(product: Document, title: str) -> Iterator[str]:
    named = [product.name, product.brand, *(category.name for category in product.categories)]
    for given in (product.attributes, product.options):
        for values in given.values():
            named += values[:VALUES_MAX]
    named = [text[:NAME_MAX] for text in named]
    yield from named[1:]
    yield product.name.replace("'", " ").replace("’", " ")
    for text in named:
        yield from compounds(text)
    yield from pairs(title.split(" "))


def _facets(product: Document) -> Iterator[tuple[str, str, str]]:
    """Name, value, label."""
    for category in product.categories:
        yield "category", category.slug, category.name
    if product.brand:
        yield "brand", product.brand, product.brand
    yield "in_stock", *(("true", "In stock") if product.in_stock else ("false", "Sold out"))
    for given in (product.attributes, product.options):
        for name, values in given.items():
            if fold(name) not in RESERVED:
                yield from ((name, value, value) for value in values[:VALUES_MAX])


def _add_facets(found: Any, product: Document) -> None:
    """A filter term `name value` folded, and a facet term that adds both as written, once for each."""
    terms: dict[str, str] = {}
    names: set[str] = set()
    for name, value, label in _facets(product):
        if fold(name) and fold(value) and max(len(name), len(value)) <= VALUE_MAX:
            names.add(fold(name))
            terms.setdefault(filter_term(name, value), _written(name, value, label))
    for term, written in terms.items():
        found.add_text("filter", term)
        found.add_text("facet", f"{term}{SEPARATOR}{written}")
    for name in names:
        found.add_text("attribute", name)


def _newest(id_: UUID, created_at: datetime) -> int:
    """When a product was made, as finely as its UUIDv7 tells: the order of the catalogue's lists."""
    if id_.version == 7:
        milliseconds, rest = id_.int >> 80, (id_.int >> 64 & 0xFFF) << 8 | id_.int >> 54 & 0xFF
    else:
        milliseconds, rest = max(0, int(created_at.timestamp() * 1_000)), id_.int & 0xFFFFF
    return min(milliseconds, _INT_MAX) << 20 | rest


def _weight(product: Document, title: str, tie: int) -> float:
    """What decides between products that match equally well: what can be bought first, then shorter names.
    Up to a hundredth of the score, less than between any two ways to match. The last digits differ from
    product to product, so that equal ones stand in a fixed order.
    """
    brevity = 1 - min(len(title), _NAME_LONG) / _NAME_LONG
    return 0.01 * product.in_stock + 0.008 * brevity + 0.001 * (tie & 0xFFFF) / 0xFFFF


def _natural(title: str) -> str:
    """Numbers sort by their value: `chair 2` before `chair 10`."""
    return " ".join(word.zfill(10) if word.isdigit() else word for word in title.split(" "))


def name_keys(by_name: str) -> list[int]:
    """The first letters of a sort name as numbers that sort like them."""
    letters = by_name[: _KEY_LETTERS * len(NAME_KEYS)]
    known = next((place for place, letter in enumerate(letters) if letter not in _RANKS), len(letters))
    ranks = [_RANKS[letter] for letter in letters[:known]] + [_OTHER] * (known < len(letters))
    ranks += [0] * (_KEY_LETTERS * len(NAME_KEYS) - len(ranks))
    keys = []
    for start in range(0, len(ranks), _KEY_LETTERS):
        key = 0
        for rank in ranks[start : start + _KEY_LETTERS]:
            key = key * (len(_RANKS) + 1) + rank
        keys.append(key)
    return keys
