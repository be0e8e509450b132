"""Drafts: carts that staff make for a buyer, with prices of their own where they named some. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address
from shopwright.contracts.products import Quote

from .orders import Cart


class DraftLine(msgspec.Struct, frozen=True):
    """`unit_price` replaces the catalogue's."""

    sku: str
    quantity: int
    unit_price: Money | None = None


class DraftTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What staff say of a draft; what is None stays as it is."""

    email: str | None = None
    lines: list[DraftLine] | None = None
    address: Address | None = None
    shipping_method: str | None = None
    coupons: list[str] | None = None
    note: str | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as it is listed."""

    id: UUID
    user_id: UUID | None
    email: str | None
    currency: str
    staff_id: UUID
    note: str
    units: int
    created_at: datetime


def at_staff_prices(cart: Cart, quotes: Mapping[str, Quote]) -> Mapping[str, Quote]:
    """The quotes with the prices that staff named in place of the catalogue's."""
    named = {line.sku: line.staff_price for line in cart.lines if line.staff_price is not None}
    if not named:
        return quotes
    return {
        sku: msgspec.structs.replace(quote, unit_price=Money(named[sku], cart.currency))
        if sku in named
        else quote
        for sku, quote in quotes.items()
    }
