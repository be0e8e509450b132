"""Online Boutique's `products.json`: {"products": [{id, name, description, picture, priceUsd, categories}]}.

Slugs and SKUs come from names: the ids are of that demo's database, and its descendants use the same ones
for other products. Lines are numbers of products in the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from shopwright.contracts.money import Money
from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, VariantDraft

from . import documents, values
from .reading import Cells, Form, Note, Options, Read, Unit, read

NAME = "boutique"
TITLE = "Online Boutique products.json"
DERIVES_SLUGS = True


class _Price(msgspec.Struct, rename="camel"):
    currency_code: str = "USD"
    units: int = 0
    nanos: int = 0


class _Product(msgspec.Struct, rename="camel"):
    id: str = ""
    name: str = ""
    description: str = ""
    picture: str = ""
    price_usd: _Price | None = None
    categories: list[str] = []


class _Products(msgspec.Struct):
    products: list[_Product]


def fits(text: str, _columns: frozenset[str]) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("{") and '"priceUsd"' in text


def units(path: Path, form: Form) -> Iterator[Unit]:
    for number, item in enumerate(documents.decode(path, form, _Products).products, 1):
        yield Unit(number, f"{number}", msgspec.to_builtins(item))


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    cells = Cells(units[0], notes)
    item = msgspec.convert(units[0].cells, _Product)
    if not item.name:
        cells.refuse("name", "is missing; every product has a name")
    price = _price(cells, item)
    draft = ProductDraft(
        slug=values.slug(item.name),
        name=item.name,
        description=values.as_html(item.description),
        categories=[[name.capitalize()] for name in item.categories if name],
        pictures=values.pictures([(item.picture.rpartition("/")[2], item.name)]),
        variants=[
            VariantDraft(
                sku=values.slug(item.name),
                prices=[PriceDraft(price)] if price else [],
                stock={} if options.stock is None else {options.warehouse: options.stock},
            )
        ],
    )
    return read(units[0], item.id or item.name, draft, notes)


def _price(cells: Cells, item: _Product) -> Money | None:
    if item.price_usd is None:
        cells.refuse("priceUsd", "is missing; a price is {currencyCode, units, nanos}")
        return None
    try:
        return documents.google_money(
            item.price_usd.units, item.price_usd.nanos, item.price_usd.currency_code
        )
    except ValueError as error:
        cells.refuse("priceUsd", str(error))
        return None
