"""What tax is due on an order's parts: rates by country, region and class, and who computes them.

A tax is computed once per rate, over everything that bears it, and rounded once; the parts then get their
exact shares of it. `base` is always net, so base + amount is what the buyer pays, whether prices include
the tax or not. `TaxProvider` is what an outside tax service would have to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Protocol
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money, round_half_away, total
from shopwright.contracts.problem import Problem

STANDARD = "standard"
Percent = Annotated[Decimal, msgspec.Meta(description="percent as a decimal string, such as 19 or 8.875")]


class TaxRateExists(Problem):
    """There is a rate for this place and class already."""

    kind = "conflict"
    country: str
    region: str
    tax_class: str


class TooManyRules(Problem):
    """The shop holds as many of these as it can."""

    kind = "conflict"
    most: int


class Place(msgspec.Struct, frozen=True):
    """Where goods go, as far as rules care."""

    country: str
    region: str = ""

    def within(self, country: str, region: str) -> bool:
        """Whether this is in `region` of `country`; no region means all of them."""
        return self.country == country and (not region or same_region(self.region, region))


def same_region(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """What is due in a place on goods of a class; a rate of a region replaces its country's."""

    id: UUID
    name: str
    country: str
    region: str = ""
    tax_class: str = STANDARD
    percent: Percent


class TaxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether prices include tax, where the shop is, and as which class shipping is taxed."""

    prices_include_tax: bool = True
    country: str | None = None
    shipping_tax_class: str = STANDARD


class Taxable(msgspec.Struct, frozen=True):
    """A part of the order as it is charged, discounts taken off."""

    amount: Money
    tax_class: str


class Tax(msgspec.Struct, frozen=True, kw_only=True):
    """One row of tax; `included`: it is in the prices already and adds nothing."""

    name: str
    rate: str
    base: Money
    amount: Money
    included: bool


class Taxed(msgspec.Struct, frozen=True):
    """The rows, and each part's share of all of them; both have the same sum."""

    rows: list[Tax]
    shares: list[Money]


class TaxProvider(Protocol):
    """Computes taxes: the shop's own table, or a service that knows more."""

    async def taxes(
        self, parts: Sequence[Taxable], place: Place | None, rates: Sequence[TaxRate], *, included: bool
    ) -> Taxed:
        """The tax on `parts` sent to `place` (None while it is not known)."""
        ...


class RateTable:
    """The shop's own rates."""

    async def taxes(
        self, parts: Sequence[Taxable], place: Place | None, rates: Sequence[TaxRate], *, included: bool
    ) -> Taxed:
        return by_rates(parts, place, rates, included=included)


def by_rates(
    parts: Sequence[Taxable], place: Place | None, rates: Sequence[TaxRate], *, included: bool
) -> Taxed:
    """The tax on `parts` by the most fitting of `rates`; a part without one is free of tax."""
    shares = [Money(0, part.amount.currency) for part in parts]
    bearing: dict[UUID, list[int]] = {}
    fitting = {tax_class: rate_for(rates, place, tax_class) for tax_class in {p.tax_class for p in parts}}
    for index, part in enumerate(parts):
        rate = fitting[part.tax_class]
        if rate is not None:
            bearing.setdefault(rate.id, []).append(index)
    rows: list[tuple[Decimal, str, Tax]] = []
    for rate in {rate.id: rate for rate in fitting.values() if rate is not None}.values():
        amounts = [parts[index].amount for index in bearing[rate.id]]
        charged = total(amounts, amounts[0].currency)
        tax = tax_on(charged, rate.percent, included=included)
        for index, share in zip(bearing[rate.id], tax.share([a.minor for a in amounts]), strict=True):
            shares[index] = share
        row = Tax(
            name=rate.name,
            rate=percent_text(rate.percent),
            base=charged - tax if included else charged,
            amount=tax,
            included=included,
        )
        rows.append((-rate.percent, rate.name, row))
    return Taxed([row for _, _, row in sorted(rows, key=lambda entry: entry[:2])], shares)


def rate_for(rates: Sequence[TaxRate], place: Place | None, tax_class: str) -> TaxRate | None:
    """The rate of the class, the region's before the country's; a class without one bears the standard."""
    if place is None:
        return None
    near = [rate for rate in rates if place.within(rate.country, rate.region)]
    wanted = sorted(
        (rate for rate in near if rate.tax_class in {tax_class, STANDARD}),
        key=lambda rate: (rate.tax_class != tax_class, not rate.region),
    )
    return wanted[0] if wanted else None


def tax_on(charged: Money, percent: Decimal, *, included: bool) -> Money:
    """The tax in `charged` when it is included, on top of it otherwise."""
    whole = 100 + percent if included else Decimal(100)
    return Money(round_half_away(charged.minor * percent / whole), charged.currency)


def percent_text(percent: Decimal) -> str:
    """19.000 as 19, 8.875 as it is."""
    return f"{percent.normalize():f}"
