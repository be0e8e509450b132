"""How an order can be sent and what that costs: zones, methods, and rules by weight and total.

A method is offered where one of its rules fits the destination's zone, the cart's currency, weight and the
worth of its goods after discounts; the first that fits says the price. A rule without a zone holds
wherever the method has none for the zone. Collecting in store costs nothing where no rule says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address
from shopwright.contracts.problem import Problem

from .taxes import Place


class AddressMissing(Problem):
    """This way of shipping needs an address."""

    kind = "invalid"
    shipping_method: str = ""


class ShippingUnavailable(Problem):
    """There is no such way of shipping for this cart."""

    kind = "invalid"
    shipping_method: str = ""


class PlaceInOtherZone(Problem):
    """A place can be in one shipping zone only."""

    kind = "conflict"
    country: str
    region: str


class ZoneInUse(Problem):
    """Rules of shipping methods are for this zone; change them first."""

    kind = "conflict"


class ShippingZone(msgspec.Struct, frozen=True, kw_only=True):
    """Places that cost the same; a region may be taken out of its country into another zone."""

    id: UUID
    name: str
    places: list[Place]


class ShippingRule(msgspec.Struct, frozen=True, kw_only=True):
    """A price in minor units of `currency`; bounds are inclusive below and exclusive above."""

    currency: str
    amount: int
    zone_id: UUID | None = None
    free_from: int | None = None
    weight_from_g: int = 0
    weight_below_g: int | None = None
    total_from: int = 0
    total_below: int | None = None

    def fits(self, goods: Money, weight_g: int) -> bool:
        return (
            self.currency == goods.currency
            and _between(weight_g, self.weight_from_g, self.weight_below_g)
            and _between(goods.minor, self.total_from, self.total_below)
        )

    def price(self, goods: Money) -> Money:
        free = self.free_from is not None and goods.minor >= self.free_from
        return Money(0 if free else self.amount, goods.currency)


class ShippingMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A way of shipping with all its prices."""

    code: str
    name: str
    needs_address: bool
    days_min: int
    days_max: int
    position: int = 0
    rules: list[ShippingRule]

    def price(self, zone: UUID | None, goods: Money, weight_g: int) -> Money | None:
        """What it costs to send `goods` into `zone` (None: into no zone); None when it is not offered."""
        here = [rule for rule in self.rules if rule.zone_id == zone and rule.currency == goods.currency]
        anywhere = [rule for rule in self.rules if rule.zone_id is None]
        fitting = next((rule for rule in here or anywhere if rule.fits(goods, weight_g)), None)
        if fitting is not None:
            return fitting.price(goods)
        if not self.needs_address and not any(rule.currency == goods.currency for rule in self.rules):
            return Money(0, goods.currency)
        return None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A way of shipping, priced for one cart."""

    code: str
    name: str
    needs_address: bool
    days_min: int
    days_max: int
    price: Money


def zone_of(zones: Sequence[ShippingZone], place: Place | None) -> UUID | None:
    """The zone that holds the place, one that names its region before one that names its country."""
    if place is None:
        return None
    fitting = [
        (not near.region, zone.id)
        for zone in zones
        for near in zone.places
        if place.within(near.country, near.region)
    ]
    return min(fitting)[1] if fitting else None


def offers(methods: Sequence[ShippingMethod], zone: UUID | None, goods: Money, weight_g: int) -> list[Offer]:
    """The ways of sending `goods` into `zone`, in the shop's order."""
    priced = ((method, method.price(zone, goods, weight_g)) for method in methods)
    return [
        Offer(
            code=method.code,
            name=method.name,
            needs_address=method.needs_address,
            days_min=method.days_min,
            days_max=method.days_max,
            price=price,
        )
        for method, price in priced
        if price is not None
    ]


def choose_shipping(code: str | None, address: Address | None, offered: Sequence[Offer]) -> Offer | None:
    """The chosen way; without a choice the first that the address allows (collect when there is none).

    Raises:
        ShippingUnavailable: the chosen way is not offered.
        AddressMissing: the chosen way delivers, and there is no address.
    """
    if code is None:
        return next((offer for offer in offered if offer.needs_address == (address is not None)), None)
    chosen = next((offer for offer in offered if offer.code == code), None)
    if chosen is None:
        raise ShippingUnavailable(shipping_method=code)
    if chosen.needs_address and address is None:
        raise AddressMissing(shipping_method=chosen.code)
    return chosen


def _between(value: int, least: int, below: int | None) -> bool:
    return value >= least and (below is None or value < below)
