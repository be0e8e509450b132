"""Carts over HTTP. A guest's cart is reached by its id alone; an account's with its token too."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, delete, get, patch, post, put

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.contracts.money import Currency, Money
from shopwright.contracts.orders import Address

from ..commands.carts import Carts, PricedCart
from ..domain import CODES_MAX, QUANTITY_MAX

Code = Annotated[
    str,
    msgspec.Meta(
        pattern="^[A-Za-z0-9_-]{1,40}$", description="letters, digits, - and _", examples=["SPRING"]
    ),
]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Email = Annotated[str, msgspec.Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class NewCart(msgspec.Struct, frozen=True):
    currency: Currency | None = None


class NewLine(msgspec.Struct, frozen=True):
    """`currency` is that of the price which the buyer saw; a cart in another one refuses the line."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)] = 1
    currency: Currency | None = None


class LineChange(msgspec.Struct, frozen=True):
    quantity: Annotated[int, msgspec.Meta(ge=0, le=QUANTITY_MAX)]


class AddressInput(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    name: Text
    line1: Text
    city: Text
    postal_code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    line2: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    region: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class CartAddress(msgspec.Struct, frozen=True):
    """Who gets it and where; either part may be left out."""

    email: Email | None = None
    address: AddressInput | None = None


class CouponCodes(msgspec.Struct, frozen=True):
    """The codes that shall count, in any case; none takes all of them out."""

    codes: Annotated[list[Code], msgspec.Meta(max_length=CODES_MAX)]


class ShippingChoice(msgspec.Struct, frozen=True):
    method: Text


class ShippingOffer(msgspec.Struct, frozen=True):
    code: str
    name: str
    price: Money
    days_min: int
    days_max: int
    needs_address: bool


class ShippingOffers(msgspec.Struct, frozen=True):
    methods: list[ShippingOffer]


@post("/v1/carts", tags=["carts"])
async def create_cart(
    request: Request, principal: Principal, carts: Carts, data: NewCart | None = None
) -> PricedCart:
    """Begin an empty cart. A guest's Idempotency-Key counts for nothing: others may choose the same."""
    once = await once_of(request, str(principal.user_id)) if principal.user_id else None
    return await carts.create(principal.user_id, data.currency if data else None, once)


@get("/v1/carts/current", tags=["carts"])
async def current_cart(principal: Principal, carts: Carts) -> PricedCart:
    """The account's newest open cart."""
    return await carts.current(principal.require_user())


@get("/v1/carts/{cart_id:uuid}", tags=["carts"])
async def read_cart(cart_id: UUID, principal: Principal, carts: Carts) -> PricedCart:
    """The cart with the prices of the moment."""
    return await carts.show(cart_id, principal.user_id)


@post("/v1/carts/{cart_id:uuid}/lines", status_code=200, tags=["carts"])
async def add_line(
    cart_id: UUID, data: NewLine, request: Request, principal: Principal, carts: Carts
) -> PricedCart:
    """Put more of a SKU into the cart."""
    once = await once_of(request, str(cart_id))
    return await carts.add(cart_id, principal.user_id, data.sku, data.quantity, once, shown_in=data.currency)


@patch("/v1/carts/{cart_id:uuid}/lines/{line_id:uuid}", tags=["carts"])
async def change_line(
    cart_id: UUID, line_id: UUID, data: LineChange, request: Request, principal: Principal, carts: Carts
) -> PricedCart:
    """Set a line's quantity; 0 removes it."""
    once = await once_of(request, str(cart_id))
    return await carts.set_quantity(cart_id, principal.user_id, line_id, data.quantity, once)


@delete("/v1/carts/{cart_id:uuid}/lines/{line_id:uuid}", status_code=200, tags=["carts"])
async def remove_line(
    cart_id: UUID, line_id: UUID, request: Request, principal: Principal, carts: Carts
) -> PricedCart:
    """Take a line out of the cart."""
    once = await once_of(request, str(cart_id))
    return await carts.set_quantity(cart_id, principal.user_id, line_id, 0, once)


@put("/v1/carts/{cart_id:uuid}/address", tags=["carts"])
async def set_address(
    cart_id: UUID, data: CartAddress, request: Request, principal: Principal, carts: Carts
) -> PricedCart:
    """Say who gets it and where."""
    address = msgspec.convert(data.address, Address, from_attributes=True) if data.address else None
    once = await once_of(request, str(cart_id))
    return await carts.set_address(cart_id, principal.user_id, data.email, address, once)


@get("/v1/carts/{cart_id:uuid}/shipping", tags=["carts"])
async def read_shipping(cart_id: UUID, principal: Principal, carts: Carts) -> ShippingOffers:
    """The ways of shipping this cart, with prices."""
    offers = await carts.shipping(cart_id, principal.user_id)
    return ShippingOffers(
        [ShippingOffer(o.code, o.name, o.price, o.days_min, o.days_max, o.needs_address) for o in offers]
    )


@put("/v1/carts/{cart_id:uuid}/shipping", tags=["carts"])
async def set_shipping(
    cart_id: UUID, data: ShippingChoice, request: Request, principal: Principal, carts: Carts
) -> PricedCart:
    """Choose how to ship."""
    once = await once_of(request, str(cart_id))
    return await carts.set_shipping(cart_id, principal.user_id, data.method, once)


@post("/v1/carts/{cart_id:uuid}/merge", status_code=200, tags=["carts"])
async def merge_cart(cart_id: UUID, request: Request, principal: Principal, carts: Carts) -> PricedCart:
    """At log-in: put a guest's cart into the account's open one; the answer is the cart to go on with."""
    user_id = principal.require_user()
    return await carts.merge(cart_id, user_id, await once_of(request, str(user_id)))


@put("/v1/carts/{cart_id:uuid}/coupons", tags=["carts"])
async def set_coupons(
    cart_id: UUID, data: CouponCodes, request: Request, principal: Principal, carts: Carts
) -> PricedCart:
    """Replace the coupons; one that gives nothing now is refused with the reason."""
    once = await once_of(request, str(cart_id))
    return await carts.set_coupons(cart_id, principal.user_id, [code.upper() for code in data.codes], once)


HANDLERS: list[object] = [
    create_cart, current_cart, read_cart, add_line, change_line, remove_line, set_address, read_shipping,
    set_shipping, set_coupons, merge_cart,
]  # fmt: skip
