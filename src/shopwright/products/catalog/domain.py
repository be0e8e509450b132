"""What is true of the catalogue: shapes of products and categories, and the problems that refuse. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import FieldError

from .drafts import Status

PUT_MAX = 500  # products in one transaction: larger ones hold locks for longer and are not faster
VARIANTS_MAX = 250  # of one product; above it a matrix of options was meant as attributes
PICTURES_MAX = 40
DEPTH_MAX = 6  # of the category tree
ROOT = UUID(int=0)  # the category that holds everything, in listings

Outcome = Literal["created", "changed", "unchanged", "refused"]
Sort = Literal["newest", "price_asc", "price_desc", "name", "popular"]


class SlugTaken(Problem):
    """Another one has this slug."""

    kind = "conflict"
    slug_wanted: str = ""


class SkuTaken(Problem):
    """This SKU belongs to another product."""

    kind = "conflict"
    skus: list[str]


class LastVariant(Problem):
    """A product keeps at least one variant; archive the product instead."""

    kind = "conflict"


class EditedMeanwhile(Problem):
    """Somebody else changed it since you read it; read it again and repeat your change."""

    kind = "conflict"
    version: int
    your_version: int


class CategoryNotEmpty(Problem):
    """The category still holds products or other categories."""

    kind = "conflict"
    products: int = 0
    categories: int = 0


class CategoryTooDeep(Problem):
    """The category tree is not that deep, and a category cannot lie below itself."""

    kind = "conflict"
    depth_max: int = DEPTH_MAX


class PictureRefused(Problem):
    """That is no picture we can show: send JPEG, PNG, WebP or GIF, or a plain SVG drawing."""

    kind = "invalid"


class Count(NamedTuple):
    """Units of a SKU on hand in one warehouse."""

    sku: str
    warehouse: str
    on_hand: int


class Put(msgspec.Struct, frozen=True):
    """What became of one draft; `slug` and `product_id` are those it was stored under."""

    slug: str
    outcome: Outcome
    problems: list[FieldError] = []
    product_id: UUID | None = None


class Price(msgspec.Struct, frozen=True):
    """Minor units of `currency`."""

    currency: str
    amount: int
    compare_at: int | None = None


class Picture(msgspec.Struct, frozen=True):
    id: UUID
    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class CategoryRef(msgspec.Struct, frozen=True):
    slug: str
    name: str
    id: UUID


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """`path` are the ids from the top down to this one; `key` tells it from its siblings."""

    id: UUID
    slug: str
    key: str
    name: str
    path: list[UUID]
    parent_id: UUID | None = None
    description: str = ""
    picture: str | None = None
    position: int = 0


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    sku: str
    options: dict[str, str] = {}
    prices: list[Price] = []
    barcode: str | None = None
    weight_g: int | None = None
    picture: str | None = None

    def price(self, currency: str) -> Price | None:
        return next((price for price in self.prices if price.currency == currency), None)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product as it is stored; `options` are the names of the variants' options in their order."""

    id: UUID
    slug: str
    name: str
    variants: list[Variant]
    status: Status = "active"
    summary: str = ""
    description: str = ""
    brand: str = ""
    attributes: dict[str, list[str]] = {}
    options: list[str] = []
    categories: list[CategoryRef] = []
    pictures: list[Picture] = []
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def skus(self) -> list[str]:
        return [variant.sku for variant in self.variants]


class PriceRange(msgspec.Struct, frozen=True):
    """Minor units."""

    min: int
    max: int


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What search and other projections need of a product. `categories` hold all ancestors too."""

    id: UUID
    slug: str
    name: str
    summary: str
    text: str  # the description without its HTML
    brand: str
    status: Status
    categories: list[CategoryRef]
    attributes: dict[str, list[str]]
    options: dict[str, list[str]]
    skus: list[str]
    barcodes: list[str]
    prices: dict[str, PriceRange]  # by currency
    popularity: int
    created_at: datetime
