"""What a cart costs: the one place where discounts, shipping and tax meet and the sum is made.

Pure, in two steps around the tax provider: `reduce_and_ship`, then `with_taxes`. Guarantees: the rows sum to
the total, the lines' discounts and the shipping's to the discounts, the shares of tax to the tax rows; no
line, row or sum that should be positive is negative; the order of lines and of codes changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Address, Total

from . import shipping
from .promotions import (
    Candidate,
    CouponProblem,
    Discount,
    Item,
    Promotion,
    Reason,
    Reduced,
    discount_of,
    reason_against,
    reduce,
)
from .shipping import Offer, ShippingMethod, ShippingZone
from .taxes import STANDARD, Place, Tax, Taxable, Taxed, TaxRate


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop has decided, at `version`: the promotions that need no code, and everything else."""

    version: int
    promotions: list[Promotion] = []
    used_up: frozenset[UUID] = frozenset()
    rates: list[TaxRate] = []
    zones: list[ShippingZone] = []
    methods: list[ShippingMethod] = []
    prices_include_tax: bool = True
    country: str | None = None
    shipping_tax_class: str = STANDARD


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be priced, for whom, where to and when; `candidates` are promotions and coupons."""

    currency: str
    items: list[Item]
    candidates: list[Candidate]
    unknown_codes: list[str] = []
    groups: frozenset[str]
    address: Address | None
    shipping_method: str | None
    now: datetime

    @property
    def weight_g(self) -> int:
        return sum(item.weight_g * item.quantity for item in self.items)


class PricedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item's sum, what is off it, and the tax in it or on it."""

    sku: str
    total: Money
    discount: Money
    tax: Money


class Reckoned(msgspec.Struct, frozen=True, kw_only=True):
    """A basket before tax; `items` are in the order of their SKUs."""

    currency: str
    items: list[Item]
    reduced: Reduced
    offered: list[Offer]
    offer: Offer | None
    shipping_problem: shipping.AddressMissing | shipping.ShippingUnavailable | None
    shipping_discount: Money
    discounts: list[Discount]
    claims: list[Candidate]
    problems: list[CouponProblem]
    destination: Place | None
    shipping_tax_class: str

    @property
    def goods(self) -> Money:
        full = total((item.total for item in self.items), self.currency)
        return full - total(self.reduced.per_item, self.currency)

    @property
    def shipping(self) -> Money:
        return self.offer.price if self.offer else Money(0, self.currency)

    @property
    def before_tax(self) -> Money:
        return self.goods + self.shipping - self.shipping_discount

    @property
    def taxables(self) -> list[Taxable]:
        """The items, then the shipping if there is any."""
        pairs = zip(self.items, self.reduced.per_item, strict=True)
        parts = [Taxable(item.total - off, item.tax_class) for item, off in pairs]
        if self.offer is not None and self.shipping.minor:
            parts.append(Taxable(self.shipping - self.shipping_discount, self.shipping_tax_class))
        return parts


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """What a basket costs."""

    items: dict[str, PricedItem]
    discounts: list[Discount]
    taxes: list[Tax]
    totals: list[Total]
    total: Money
    offered: list[Offer]
    offer: Offer | None
    shipping_problem: shipping.AddressMissing | shipping.ShippingUnavailable | None
    claims: list[Candidate]
    problems: list[CouponProblem]


def reduce_and_ship(basket: Basket, rules: Rules) -> Reckoned:
    """The basket with everything but tax: the cheapest of what the promotions allow."""
    items = sorted(basket.items, key=lambda item: item.sku)
    judged = [
        (candidate, reason_against(candidate, items, basket.groups, basket.now, basket.currency))
        for candidate in sorted(basket.candidates, key=lambda c: c.order)
    ]
    fitting = _once_each([candidate for candidate, reason in judged if reason is None])
    sets = [[c for c in fitting if c.promotion.stacking == "combinable"]]
    sets += [[c] for c in fitting if c.promotion.stacking == "exclusive"]
    outcomes = [_reckon(basket, rules, items, chosen) for chosen in sets]
    best = min(outcomes, key=lambda outcome: outcome.before_tax.minor)
    return msgspec.structs.replace(best, problems=_problems(basket, judged, best.claims))


def with_taxes(reckoned: Reckoned, taxed: Taxed, *, included: bool) -> Priced:
    """The finished sum.

    Raises:
        ValueError: the provider's shares are not its rows, or negative.
    """
    currency = reckoned.currency
    tax = total((row.amount for row in taxed.rows), currency)
    if tax != total(taxed.shares, currency) or len(taxed.shares) != len(reckoned.taxables):
        raise ValueError("the shares of tax do not sum to its rows")
    if any(share.minor < 0 for share in taxed.shares):
        raise ValueError("a share of tax is negative")
    discount = total(reckoned.reduced.per_item, currency)
    rows = [Total("subtotal", reckoned.goods + discount)]
    if discount.minor:
        rows.append(Total("discount", -discount))
    if reckoned.offer is not None:
        rows.append(Total("shipping", reckoned.shipping))
    if reckoned.shipping_discount.minor:
        rows.append(Total("shipping_discount", -reckoned.shipping_discount))
    if taxed.rows and not included:
        rows.append(Total("tax", tax))
    triples = zip(reckoned.items, reckoned.reduced.per_item, taxed.shares, strict=False)
    return Priced(
        items={
            item.sku: PricedItem(sku=item.sku, total=item.total, discount=off, tax=share)
            for item, off, share in triples
        },
        discounts=reckoned.discounts,
        taxes=taxed.rows,
        totals=rows,
        total=total((row.amount for row in rows), currency),
        offered=reckoned.offered,
        offer=reckoned.offer,
        shipping_problem=reckoned.shipping_problem,
        claims=reckoned.claims,
        problems=reckoned.problems,
    )


def place_of(address: Address | None, country: str | None) -> Place | None:
    """Where goods go; as long as nobody said, where the shop is."""
    if address is not None:
        return Place(address.country, address.region or "")
    return Place(country) if country else None


def _reckon(basket: Basket, rules: Rules, items: list[Item], chosen: Sequence[Candidate]) -> Reckoned:
    nothing = Money(0, basket.currency)
    reduced = reduce(items, chosen, basket.currency)
    goods = total((item.total for item in items), basket.currency) - total(reduced.per_item, basket.currency)
    place = place_of(basket.address, rules.country)
    offered = shipping.offers(rules.methods, shipping.zone_of(rules.zones, place), goods, basket.weight_g)
    offer, problem = _chosen(basket, offered)
    free = reduced.free_shipping if offer is not None and offer.price.minor else None
    shipping_discount = offer.price if free is not None and offer is not None else nothing
    discounts = list(reduced.discounts)
    if free is not None:
        discounts.append(discount_of(free, shipping_discount))
    used = {(discount.promotion_id, discount.code) for discount in discounts}
    return Reckoned(
        currency=basket.currency,
        items=items,
        reduced=reduced,
        offered=offered,
        offer=offer,
        shipping_problem=problem,
        shipping_discount=shipping_discount,
        discounts=discounts,
        claims=[c for c in chosen if (c.promotion.id, c.code) in used],
        problems=[],
        destination=place_of(None, rules.country) if _collected(offer, rules) else place,
        shipping_tax_class=rules.shipping_tax_class,
    )


def _collected(offer: Offer | None, rules: Rules) -> bool:
    """Whether the buyer fetches it, so that it is sold where the shop is."""
    return offer is not None and not offer.needs_address and rules.country is not None


def _chosen(
    basket: Basket, offered: Sequence[Offer]
) -> tuple[Offer | None, shipping.AddressMissing | shipping.ShippingUnavailable | None]:
    """The way of shipping, and what stands against ordering with it."""
    if not basket.items:
        return None, None
    try:
        return shipping.choose_shipping(basket.shipping_method, basket.address, offered), None
    except shipping.AddressMissing as problem:
        return next(offer for offer in offered if offer.code == basket.shipping_method), problem
    except shipping.ShippingUnavailable as problem:
        return None, problem


def _once_each(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Two codes of one promotion take it off once."""
    first: dict[UUID, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.promotion.id, candidate)
    return list(first.values())


def _problems(
    basket: Basket, judged: Sequence[tuple[Candidate, Reason | None]], claims: Sequence[Candidate]
) -> list[CouponProblem]:
    """Why each code that gives nothing does not; none for free shipping that is free already."""
    claimed = {candidate.code for candidate in claims}
    taken = {candidate.promotion.id for candidate in claims}
    found = [CouponProblem(code, "unknown") for code in basket.unknown_codes]
    for candidate, reason in judged:
        if candidate.code is None or candidate.code in claimed:
            continue
        if reason is not None:
            found.append(CouponProblem(candidate.code, reason))
        elif candidate.promotion.id in taken or any(
            c.promotion.stacking == "exclusive" or candidate.promotion.stacking == "exclusive" for c in claims
        ):
            found.append(CouponProblem(candidate.code, "does_not_combine"))
    return found
