"""Shipping zones and methods over HTTP, for staff."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post, put

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.paging import Page
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import MINOR_MAX, Currency

from ..commands.shop import Shop
from ..domain import Place, ShippingMethod, ShippingRule, ShippingZone
from .taxes import READ, WRITE, Country, Name, Region

PLACES_MAX = 500
RULES_MAX = 500
METHOD_CODE = "[a-z0-9_-]{1,40}"

Amount = Annotated[int, msgspec.Meta(ge=0, le=MINOR_MAX)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=MINOR_MAX)]
Grams = Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
Days = Annotated[int, msgspec.Meta(ge=0, le=365)]


class PlaceInput(msgspec.Struct, frozen=True, kw_only=True):
    """A country, or one region of it."""

    country: Country
    region: Region = ""


class ZoneInput(msgspec.Struct, frozen=True, kw_only=True):
    name: Name
    places: Annotated[list[PlaceInput], msgspec.Meta(max_length=PLACES_MAX)]


class RuleInput(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts are minor units of `currency`; `_from` bounds count, `_below` bounds do not.

    A rule without `zone_id` holds wherever the method has none for the zone. The first that fits counts.
    """

    currency: Currency
    amount: Amount
    zone_id: UUID | None = None
    free_from: Limit | None = None
    weight_from_g: Grams = 0
    weight_below_g: Grams | None = None
    total_from: Amount = 0
    total_below: Limit | None = None


class MethodInput(msgspec.Struct, frozen=True, kw_only=True):
    """A way of shipping, with all its rules; the lowest `position` is offered first."""

    name: Name
    needs_address: bool = True
    days_min: Days
    days_max: Days
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    rules: Annotated[list[RuleInput], msgspec.Meta(max_length=RULES_MAX)]


@get("/v1/shipping/zones", tags=["shipping"])
async def list_zones(principal: Principal, shop: Shop) -> Page[ShippingZone]:
    """All of them, by name."""
    principal.require(READ)
    return Page(await shop.zones())


@post("/v1/shipping/zones", tags=["shipping"])
async def create_zone(data: ZoneInput, request: Request, principal: Principal, shop: Shop) -> ShippingZone:
    """Add a zone; a place is in one at most."""
    principal.require(WRITE)
    once = await once_of(request, str(principal.user_id))
    return await shop.put_zone(_zone(new_id(), data), once, new=True)


@put("/v1/shipping/zones/{zone_id:uuid}", tags=["shipping"])
async def replace_zone(
    zone_id: UUID, data: ZoneInput, request: Request, principal: Principal, shop: Shop
) -> ShippingZone:
    """Replace a zone's name and places."""
    principal.require(WRITE)
    once = await once_of(request, str(principal.user_id))
    return await shop.put_zone(_zone(zone_id, data), once, new=False)


@delete("/v1/shipping/zones/{zone_id:uuid}", tags=["shipping"])
async def delete_zone(zone_id: UUID, request: Request, principal: Principal, shop: Shop) -> None:
    """Remove a zone that no method has a rule for."""
    principal.require(WRITE)
    await shop.delete_zone(zone_id, await once_of(request, str(principal.user_id)))


@get("/v1/shipping/methods", tags=["shipping"])
async def list_methods(principal: Principal, shop: Shop) -> Page[ShippingMethod]:
    """All of them with their rules, in the order in which they are offered."""
    principal.require(READ)
    return Page(await shop.methods())


@put("/v1/shipping/methods/{code:str}", tags=["shipping"])
async def put_method(
    code: str, data: MethodInput, request: Request, principal: Principal, shop: Shop
) -> ShippingMethod:
    """Add a way of shipping, or replace it with all its rules."""
    principal.require(WRITE)
    if not re.fullmatch(METHOD_CODE, code):
        raise invalid("/path/code", "must be 1 to 40 lower-case letters, digits, - or _")
    once = await once_of(request, str(principal.user_id))
    return await shop.put_method(_method(code, data), once)


@delete("/v1/shipping/methods/{code:str}", tags=["shipping"])
async def delete_method(code: str, request: Request, principal: Principal, shop: Shop) -> None:
    """Offer this way of shipping no more."""
    principal.require(WRITE)
    await shop.delete_method(code, await once_of(request, str(principal.user_id)))


def _zone(zone_id: UUID, data: ZoneInput) -> ShippingZone:
    places = [Place(place.country, place.region.strip()) for place in data.places]
    return ShippingZone(id=zone_id, name=data.name, places=places)


def _method(code: str, data: MethodInput) -> ShippingMethod:
    return ShippingMethod(
        code=code,
        name=data.name,
        needs_address=data.needs_address,
        days_min=data.days_min,
        days_max=data.days_max,
        position=data.position,
        rules=[msgspec.convert(rule, ShippingRule, from_attributes=True) for rule in data.rules],
    )


HANDLERS: list[object] = [
    list_zones, create_zone, replace_zone, delete_zone, list_methods, put_method, delete_method,
]  # fmt: skip
