"""What pages show of the catalogue: products and cards, search results with their facets, the category tree.

Members that a release does not send yet have defaults; members it sends beyond these are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from shopwright.contracts.money import Money

DEPTH_MAX = 6  # of categories; a menu deeper than this is none


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in pixels where they are known."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class Named(msgspec.Struct, frozen=True):
    slug: str
    name: str = ""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """`price` is None where it is not for sale in the currency asked for. Of what is `available`, `in_stock`
    units are there, if that is told.
    """

    id: str
    sku: str
    name: str = ""
    price: Money | None = None
    compare_at: Money | None = None
    available: int = 0
    options: dict[str, str] = {}
    picture: str | None = None
    preorder_from: date | None = None
    in_stock: int | None = None

    @property
    def back_ordered(self) -> bool:
        """Whether it can be bought and is not there yet."""
        return self.available > 0 and self.in_stock is not None and self.in_stock <= 0


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A card of a list, or the whole product: a card has `picture`, the product `pictures` and `variants`."""

    id: str
    slug: str
    name: str
    summary: str = ""
    description: str = ""
    brand: str = ""
    categories: list[Named] = []
    attributes: dict[str, list[str]] = {}
    picture: Picture | None = None
    pictures: list[Picture] = []
    variants: list[Variant] = []
    price: Money | None = None
    price_max: Money | None = None
    compare_at: Money | None = None
    available: int = 0

    @property
    def many_prices(self) -> bool:
        return self.price is not None and self.price_max is not None and self.price != self.price_max


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    count: int
    label: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """`total`, `facets` and `suggestion` are known to a search only."""

    items: list[Product] = []
    total: int | None = None
    facets: dict[str, list[FacetValue]] = {}
    next_cursor: str | None = None
    suggestion: str | None = None


class Category(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    name: str
    description: str = ""
    picture: Picture | None = None
    parent: str | None = None
    products: int = 0
    children: list[Category] = []


class CategoryList(msgspec.Struct, frozen=True):
    items: list[Category] = []


def tree_of(flat: Sequence[Category]) -> list[Category]:
    """Top categories with their children; one whose parent is unknown is at the top."""
    slugs = {category.slug for category in flat}
    below: dict[str, list[Category]] = {}
    for category in flat:
        below.setdefault(category.parent if category.parent in slugs else "", []).append(category)
    return [_with_children(item, below, DEPTH_MAX) for item in below.get("", [])]


def find_category(tree: Sequence[Category], slug: str) -> list[Category]:
    """The path from a top category down to `slug`; empty if the tree has none."""
    for category in tree:
        if category.slug == slug:
            return [category]
        if below := find_category(category.children, slug):
            return [category, *below]
    return []


def _with_children(category: Category, below: dict[str, list[Category]], depth: int) -> Category:
    if depth == 0 or category.slug not in below:
        return category
    children = [_with_children(child, below, depth - 1) for child in below[category.slug]]
    return msgspec.structs.replace(category, children=children)
