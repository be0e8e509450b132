"""What somebody wants a product to be: the one shape that imports and staff hand to `Catalog.put`.

Pure. A draft carries no ids: a product is recognised by its `slug`, a variant by its `sku`. Prices and
stock are facts about a variant; a warehouse that a draft does not name keeps its stock. Anything out of
bounds is refused by `Catalog.put`, product by product, with the reason.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from shopwright.contracts.money import Money

Status = Literal["active", "draft", "archived"]


class PictureDraft(msgspec.Struct, frozen=True):
    """`source` is an `https://` address, kept as it is, or a `/media/…` path of a picture stored before."""

    source: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class PriceDraft(msgspec.Struct, frozen=True):
    """One price per currency; `compare_at` is what it cost before."""

    price: Money
    compare_at: Money | None = None


class VariantDraft(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    options: dict[str, str] = {}
    prices: list[PriceDraft] = []
    stock: dict[str, int] = {}  # warehouse code → units on hand; "main" where a file knows only one place
    barcode: str | None = None
    weight_g: int | None = None
    picture: str | None = None  # the `source` of one of the product's pictures


class ProductDraft(msgspec.Struct, frozen=True, kw_only=True):
    """`categories` are paths of names from the top, such as ["Home", "Lighting"]; what is missing is made.

    `description` may be HTML; it is cleaned before it is stored. `attributes` describe the whole product and
    become facets.
    """

    slug: str
    name: str
    variants: list[VariantDraft]
    description: str = ""
    summary: str = ""
    brand: str = ""
    status: Status = "active"
    categories: list[list[str]] = []
    attributes: dict[str, list[str]] = {}
    pictures: list[PictureDraft] = []
