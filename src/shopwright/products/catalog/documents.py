"""What is shown of a product: encoded once, with holes where its availability goes.

A `Document` is JSON cut at what is told of stock; filling the holes again costs no encoding of the rest. The
shapes here are the public contract of products.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, Literal, NamedTuple, cast
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money, fallback
from shopwright.contracts.products import Offer

from .domain import Picture, Price, Product, Variant
from .drafts import Status

_HOLE = b"\0"  # stands in no JSON, which escapes control characters
_COUNT = cast("int", msgspec.Raw(_HOLE))  # an int to readers and to the API reference
_DAY = cast("date | None", msgspec.Raw(_HOLE))
_OF_VARIANT: Final = ("available", "in_stock", "preorder_from")  # in the order of VariantView
NO_OFFER = Offer()
_encode = msgspec.json.Encoder().encode


class CategoryView(msgspec.Struct, frozen=True):
    slug: str
    name: str


class PictureView(msgspec.Struct, frozen=True):
    """`url` is a path of this shop or an address elsewhere; sizes in pixels where they are known."""

    id: UUID
    url: str
    alt: str
    width: int | None
    height: int | None


class VariantView(msgspec.Struct, frozen=True, kw_only=True):
    """`price` is null where the variant is not for sale in this currency. Of what is `available`, `in_stock`
    units are there; all of them ship from the day `preorder_from` where that is told.
    """

    id: UUID
    sku: str
    name: str
    price: Money | None
    compare_at: Money | None
    available: int
    in_stock: int
    preorder_from: date | None
    options: dict[str, str]
    picture: str | None
    weight_g: int | None
    barcode: str | None


class ProductView(msgspec.Struct, frozen=True, kw_only=True):
    """`price` and `price_max` span the variants; `compare_at` belongs to the cheapest."""

    id: UUID
    slug: str
    name: str
    summary: str
    description: str
    brand: str
    status: Status
    categories: list[CategoryView]
    attributes: dict[str, list[str]]
    pictures: list[PictureView]
    options: list[str]
    variants: list[VariantView]
    price: Money | None
    price_max: Money | None
    compare_at: Money | None
    available: int
    version: int
    created_at: datetime | None
    updated_at: datetime | None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A product in a list."""

    id: UUID
    slug: str
    name: str
    summary: str
    brand: str
    status: Status
    categories: list[CategoryView]
    picture: PictureView | None
    price: Money | None
    price_max: Money | None
    compare_at: Money | None
    available: int
    variants_count: int
    sku: str


class Hole(NamedTuple):
    """What goes into a hole: of these SKUs together, or of the first."""

    what: Literal["available", "in_stock", "preorder_from"]
    skus: Sequence[str]

    def filling(self, stock: Mapping[str, Offer]) -> bytes:
        offers = [stock.get(sku, NO_OFFER) for sku in self.skus]
        if self.what == "preorder_from":
            return _encode(offers[0].preorder_from)
        return str(sum(getattr(offer, self.what) for offer in offers)).encode()


class Document:
    """Encoded JSON with holes; `content` and `etag` are of the last filling."""

    __slots__ = ("_filled", "_holes", "_pieces", "content", "etag")

    def __init__(self, encoded: bytes, holes: Sequence[Hole]) -> None:
        self._pieces = encoded.split(_HOLE)
        self._holes = holes
        self._filled: Mapping[str, Offer] | None = None
        self.content = b""
        self.etag = ""

    def fill(self, stock: Mapping[str, Offer]) -> bytes:
        """The document with what is available of each SKU; the same bytes for the same mapping."""
        if stock is not self._filled:
            parts = [self._pieces[0]]
            for hole, piece in zip(self._holes, self._pieces[1:], strict=True):
                parts += [hole.filling(stock), piece]
            self.content = b"".join(parts)
            self.etag = etag_of(self.content)
            self._filled = stock
        return self.content


def etag_of(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def shown_currency(product: Product, wanted: str) -> str:
    """`wanted`, or for a product that is not sold in it another in which it is."""
    sold = {price.currency for variant in product.variants for price in variant.prices}
    return wanted if wanted in sold or not sold else fallback(sold)


def card(product: Product, currency: str) -> Document:
    prices = _prices(product, currency)
    view = Card(
        id=product.id,
        slug=product.slug,
        name=product.name,
        summary=product.summary,
        brand=product.brand,
        status=product.status,
        categories=_categories(product),
        picture=_picture(product.pictures[0]) if product.pictures else None,
        price=_money(min(prices, key=_amount, default=None)),
        price_max=_money(max(prices, key=_amount, default=None)),
        compare_at=_before(min(prices, key=_amount, default=None)),
        available=_COUNT,
        variants_count=len(product.variants),
        sku=product.variants[0].sku if product.variants else "",
    )
    return Document(_encode(view), [Hole("available", _for_sale(product, currency))])


def detail(product: Product, currency: str) -> Document:
    prices = _prices(product, currency)
    view = ProductView(
        id=product.id,
        slug=product.slug,
        name=product.name,
        summary=product.summary,
        description=product.description,
        brand=product.brand,
        status=product.status,
        categories=_categories(product),
        attributes=product.attributes,
        pictures=[_picture(picture) for picture in product.pictures],
        options=product.options,
        variants=[_variant(product, variant, currency) for variant in product.variants],
        price=_money(min(prices, key=_amount, default=None)),
        price_max=_money(max(prices, key=_amount, default=None)),
        compare_at=_before(min(prices, key=_amount, default=None)),
        available=_COUNT,
        version=product.version,
        created_at=product.created_at,
        updated_at=product.updated_at,
    )
    holes = [Hole(what, [sku]) for sku in product.skus for what in _OF_VARIANT]
    return Document(_encode(view), [*holes, Hole("available", _for_sale(product, currency))])


def _variant(product: Product, variant: Variant, currency: str) -> VariantView:
    price = variant.price(currency)
    return VariantView(
        id=variant.id,
        sku=variant.sku,
        name=" / ".join(variant.options.values()) or product.name,
        price=_money(price),
        compare_at=_before(price),
        available=_COUNT,
        in_stock=_COUNT,
        preorder_from=_DAY,
        options=variant.options,
        picture=variant.picture,
        weight_g=variant.weight_g,
        barcode=variant.barcode,
    )


def _for_sale(product: Product, currency: str) -> list[str]:
    return [variant.sku for variant in product.variants if variant.price(currency)]


def _prices(product: Product, currency: str) -> list[Price]:
    return [price for variant in product.variants if (price := variant.price(currency))]


def _amount(price: Price) -> int:
    return price.amount


def _money(price: Price | None) -> Money | None:
    return Money(price.amount, price.currency) if price else None


def _before(price: Price | None) -> Money | None:
    return Money(price.compare_at, price.currency) if price and price.compare_at else None


def _categories(product: Product) -> list[CategoryView]:
    return [CategoryView(category.slug, category.name) for category in product.categories]


def _picture(picture: Picture) -> PictureView:
    return PictureView(picture.id, picture.url, picture.alt, picture.width, picture.height)
