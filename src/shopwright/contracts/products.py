"""What others may know of products: quotes, stock reservations, and the facts it publishes.

Internal calls (mesh only): `POST /internal/quotes` QuoteRequest → Quotes; `PUT /internal/reservations/{id}`
Reserve → Reservation (OutOfStock); `POST /internal/reservations/{id}/claim` and `/release` → Reservation;
`PUT /internal/restocks/{id}` Restock. All are idempotent by the id in the path.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec

from .events import Event, event
from .money import Currency, Money

Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class QuoteRequest(msgspec.Struct, frozen=True):
    skus: Annotated[list[str], msgspec.Meta(max_length=200)]
    currency: Currency


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a SKU costs and is called now, by its owner. `category_slugs` has the categories above its own;
    `available` counts what may be sold beyond stock; `preorder_from` is the day from which it ships.
    """

    sku: str
    product_id: UUID
    variant_id: UUID
    slug: str
    name: str
    options: dict[str, str]
    unit_price: Money
    picture: str | None = None
    weight_g: int | None = None
    available: int
    category_slugs: list[str] = []
    tax_class: str = "standard"
    preorder_from: date | None = None


class Quotes(msgspec.Struct, frozen=True):
    """Quotes of the SKUs that are for sale in that currency; the others are absent."""

    items: list[Quote]


class Offer(NamedTuple):
    """What can be bought of a SKU, how much of it is there, and the day from which it ships if not yet."""

    available: int = 0
    in_stock: int = 0
    preorder_from: date | None = None


class ReserveLine(msgspec.Struct, frozen=True):
    sku: str
    quantity: Quantity


class Reserve(msgspec.Struct, frozen=True):
    """Hold stock for `expires_in_s` seconds; lines of the same SKU add up. `country` is where the goods go
    (ISO 3166-1 alpha-2): a shop may take them from the nearest warehouse.
    """

    lines: Annotated[list[ReserveLine], msgspec.Meta(min_length=1, max_length=200)]
    expires_in_s: Annotated[int, msgspec.Meta(ge=1, le=30 * 86_400)]
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None


class Restock(msgspec.Struct, frozen=True):
    """Goods that were sold and came back; lines of the same SKU add up."""

    lines: Annotated[list[ReserveLine], msgspec.Meta(min_length=1, max_length=200)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Reservation(msgspec.Struct, frozen=True):
    id: UUID
    status: Literal["held", "claimed", "released"]


@event("products.product_changed.v1", subject="product_id")
class ProductChanged(Event, frozen=True):
    """A product was created, changed, published or archived; consumers read what they need from the
    catalogue.
    """

    product_id: UUID
    slug: str
    status: Literal["active", "draft", "archived"]


@event("products.product_deleted.v1", subject="product_id")
class ProductDeleted(Event, frozen=True):
    product_id: UUID
    slug: str


@event("products.category_changed.v1", subject="category_id")
class CategoryChanged(Event, frozen=True):
    """A category was renamed, moved or removed: what is shown of the products in it may be out of date."""

    category_id: UUID
    slug: str


@event("products.stock_changed.v1", subject="sku")
class StockChanged(Event, frozen=True):
    """What can be bought of a SKU after a movement."""

    sku: str
    available: int


@event("products.stock_low.v1", subject="sku")
class StockLow(Event, frozen=True):
    """What can be shipped of a SKU came down to the point at which staff want to know: told once each time it
    crosses `threshold`, whatever sells below.
    """

    sku: str
    available: int
    threshold: int
