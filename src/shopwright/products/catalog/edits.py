"""What staff send: new products, and changes of one, each laid over what is stored. Pure.

In a change only the members that were sent count (`given`); null or an empty value clears.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Annotated, Any
from uuid import UUID

import msgspec

from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problems import NotFound

from .cleaning import one_line
from .domain import LastVariant, Picture, Price, Product, Variant
from .drafts import PictureDraft, PriceDraft, ProductDraft, Status, VariantDraft

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=100_000)]
Line = Annotated[str, msgspec.Meta(max_length=1_000)]
Slug = Annotated[str, msgspec.Meta(max_length=200)]
Version = Annotated[int, msgspec.Meta(ge=1)]
Units = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]

#: A category by its slug, or by the path of names from the top; what is missing of a path is made.
CategoryName = str | list[str]


class NewVariant(msgspec.Struct, frozen=True, kw_only=True):
    """`price` and `compare_at` are short for one entry of `prices`; `stock`: warehouse → units on hand."""

    sku: Sku
    price: Money | None = None
    compare_at: Money | None = None
    prices: list[PriceDraft] = []
    options: dict[str, str] = {}
    stock: dict[str, Units] = {}
    barcode: Line | None = None
    weight_g: Annotated[int, msgspec.Meta(ge=0)] | None = None
    picture: str | None = None

    def draft(self) -> VariantDraft:
        short = [PriceDraft(self.price, self.compare_at)] if self.price else []
        return VariantDraft(
            sku=self.sku,
            options=self.options,
            prices=[*short, *self.prices],
            stock=dict(self.stock),
            barcode=self.barcode,
            weight_g=self.weight_g,
            picture=self.picture,
        )


class NewProduct(msgspec.Struct, frozen=True, kw_only=True):
    """Without a slug one is made of the name."""

    name: Name
    variants: Annotated[list[NewVariant], msgspec.Meta(min_length=1, max_length=250)]
    slug: Slug = ""
    summary: Line = ""
    description: Text = ""
    brand: Line = ""
    status: Status = "draft"
    categories: list[CategoryName] = []
    attributes: dict[str, list[str]] = {}
    pictures: list[PictureDraft] = []

    def draft(self) -> ProductDraft:
        """Its categories are left to the tree, which knows slugs."""
        return ProductDraft(
            slug=self.slug,
            name=self.name,
            variants=[variant.draft() for variant in self.variants],
            description=self.description,
            summary=self.summary,
            brand=self.brand,
            status=self.status,
            attributes=self.attributes,
            pictures=self.pictures,
        )


class ProductChange(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is the one you read: a change of anything newer is refused."""

    name: Name | None = None
    slug: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    summary: Line | None = None
    description: Text | None = None
    brand: Line | None = None
    status: Status | None = None
    categories: list[CategoryName] | None = None
    attributes: dict[str, list[str]] | None = None
    version: Version | None = None

    def on(self, product: Product, given: AbstractSet[str]) -> Product:
        empty: dict[str, Any] = {"summary": "", "description": "", "brand": "", "attributes": {}}
        changes = {}
        for name in given & {"name", "slug", "status", *empty}:
            value = getattr(self, name)
            if value is None and name not in empty:
                raise invalid(f"/{name}", "cannot be null")
            changes[name] = empty[name] if value is None else value
        return msgspec.structs.replace(product, **changes)


class VariantChange(msgspec.Struct, frozen=True, kw_only=True):
    """`price` and `compare_at` change one currency, `prices` replaces all of them."""

    sku: Sku | None = None
    price: Money | None = None
    compare_at: Money | None = None
    prices: list[PriceDraft] | None = None
    options: dict[str, str] | None = None
    barcode: Line | None = None
    weight_g: Annotated[int, msgspec.Meta(ge=0)] | None = None
    picture: str | None = None
    version: Version | None = None

    def on(self, product: Product, variant_id: UUID, given: AbstractSet[str], currency: str) -> Product:
        """`currency` is the shop's own."""
        place = place_of(product, variant_id)
        changes: dict[str, Any] = {name: getattr(self, name) for name in given & {"barcode", "weight_g"}}
        if "sku" in given:
            changes["sku"] = one_line(self.sku or "")
        if "options" in given:
            changes["options"] = self.options or {}
        if "picture" in given:
            changes["picture"] = one_line(self.picture or "") or None
        before = product.variants[place]
        changes["prices"] = self._prices(before, given, currency)
        variants = [*product.variants]
        variants[place] = msgspec.structs.replace(before, **changes)
        return msgspec.structs.replace(product, variants=variants)

    def _prices(self, before: Variant, given: AbstractSet[str], currency: str) -> list[Price]:
        prices = {price.currency: price for price in before.prices}
        if "prices" in given:
            prices = {
                draft.price.currency: _price(draft.price, draft.compare_at) for draft in self.prices or []
            }
        if not given & {"price", "compare_at"}:
            return list(prices.values())
        one = self.price or self.compare_at
        place = one.currency if one else currency
        old = prices.get(place)
        if "price" in given and self.price is None:
            prices.pop(place, None)
        elif old is None and self.price is None:
            if self.compare_at is not None:
                raise invalid("/compare_at", f"needs a price in {place}")
        else:
            amount = self.price.minor if self.price else old.amount if old else 0
            compare_at = old.compare_at if old else None
            if "compare_at" in given:
                compare_at = self.compare_at.minor if self.compare_at else None
                if self.compare_at and self.compare_at.currency != place:
                    raise invalid("/compare_at", f"must be an amount of {place}")
            prices[place] = Price(place, amount, compare_at)
        return list(prices.values())


class PictureOrder(msgspec.Struct, frozen=True):
    """A picture that the product shall show: one it has, or another `url`."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    alt: Line | None = None


class PicturesChange(msgspec.Struct, frozen=True):
    """All pictures in their order; one that is left out is taken off."""

    pictures: Annotated[list[PictureOrder], msgspec.Meta(max_length=40)]
    version: Version | None = None

    def on(self, product: Product) -> Product:
        known = {picture.url: picture for picture in product.pictures}
        wanted = []
        for order in self.pictures:
            picture = known.get(order.url) or Picture(new_id(), order.url)
            alt = picture.alt if order.alt is None else order.alt
            wanted.append(msgspec.structs.replace(picture, alt=alt))
        return with_pictures(product, wanted)


def with_pictures(product: Product, pictures: list[Picture]) -> Product:
    """With these pictures only; variants that showed another show none."""
    urls = {picture.url for picture in pictures}
    variants = [
        variant
        if variant.picture is None or variant.picture in urls
        else msgspec.structs.replace(variant, picture=None)
        for variant in product.variants
    ]
    return msgspec.structs.replace(product, pictures=pictures, variants=variants)


def without_picture(product: Product, picture_id: UUID) -> Product:
    """Raises NotFound when the product has no such picture."""
    left = [picture for picture in product.pictures if picture.id != picture_id]
    if len(left) == len(product.pictures):
        raise NotFound(detail=f"the product has no picture {picture_id}")
    return with_pictures(product, left)


def without_variant(product: Product, variant_id: UUID) -> Product:
    """Raises NotFound, or LastVariant when none would be left."""
    place = place_of(product, variant_id)
    if len(product.variants) == 1:
        raise LastVariant
    return msgspec.structs.replace(
        product, variants=[*product.variants[:place], *product.variants[place + 1 :]]
    )


def place_of(product: Product, variant_id: UUID) -> int:
    """Where a variant stands in its product; raises NotFound."""
    for place, variant in enumerate(product.variants):
        if variant.id == variant_id:
            return place
    raise NotFound(detail=f"the product has no variant {variant_id}")


def _price(price: Money, compare_at: Money | None) -> Price:
    return Price(price.currency, price.minor, compare_at.minor if compare_at else None)


class NewCategory(msgspec.Struct, frozen=True, kw_only=True):
    """`parent` is the slug of another category; without a slug one is made of the name."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    parent: Slug | None = None
    slug: Slug = ""
    description: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    picture: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None
    position: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)] = 0


class CategoryChange(msgspec.Struct, frozen=True, kw_only=True):
    """`parent` null moves the category to the top."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    parent: Slug | None = None
    slug: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    description: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None
    picture: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None
    position: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)] | None = None
