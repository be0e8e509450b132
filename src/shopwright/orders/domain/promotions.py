"""What is taken off, by which promotion, and why a coupon gives nothing.

Promotions that combine are applied one after the other, the highest priority first, each to what the
earlier ones left; so no line and no sum can fall below zero. An exclusive promotion stands alone: the buyer
gets whichever of these is cheapest. A discount is rounded once and shared exactly over its lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money, round_half_away, total
from shopwright.contracts.problem import Problem

GUEST, REGISTERED = "guest", "registered"
BY_THEMSELVES_MAX = 100  # active ones without a code: each is tried on each cart
CODES_MAX = 10  # coupons of one cart; more is somebody guessing

Kind = Literal["percentage", "amount", "buy_x_get_y", "free_shipping"]
Stacking = Literal["combinable", "exclusive"]
Reason = Literal[
    "unknown", "not_started", "ended", "used_up", "used_by_you", "minimum_not_met", "not_for_these_products",
    "not_for_you", "not_in_this_currency", "does_not_combine",
]  # fmt: skip


class CouponNotValid(Problem):
    """This coupon cannot be used with this cart."""

    kind = "invalid"
    code: str
    reason: Reason


class CouponExists(Problem):
    """There is a coupon with this code already."""

    kind = "conflict"
    code: str


class TooManyPromotions(Problem):
    """As many promotions as there can be apply by themselves; end one first."""

    kind = "conflict"
    promotions_max: int = BY_THEMSELVES_MAX


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """A promise to take something off; amounts and minimums are minor units by currency.

    `products` holds SKUs and product slugs, `categories` slugs; both empty means everything.
    """

    id: UUID
    name: str
    kind: Kind
    percent: Decimal | None = None
    amounts: dict[str, int] = {}
    buy_quantity: int | None = None
    get_quantity: int | None = None
    get_percent: Decimal | None = None
    products: list[str] = []
    categories: list[str] = []
    customer_groups: list[str] = []
    minimum: dict[str, int] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    needs_code: bool = False
    stacking: Stacking = "combinable"
    priority: int = 0
    uses_max: int | None = None
    uses_per_customer_max: int | None = None
    active: bool = True


class Candidate(msgspec.Struct, frozen=True):
    """A promotion that may apply: by itself, or by `code`; `barred` says why its limits forbid it."""

    promotion: Promotion
    code: str | None = None
    barred: Reason | None = None

    @property
    def order(self) -> tuple[int, UUID, str]:
        return (-self.promotion.priority, self.promotion.id, self.code or "")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A line as the rules see it."""

    sku: str
    slug: str
    quantity: int
    unit_price: Money
    categories: Sequence[str] = ()
    tax_class: str = "standard"
    weight_g: int = 0

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


class Discount(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion took off, positive; off the lines or off the shipping."""

    promotion_id: UUID
    name: str
    code: str | None
    amount: Money


class CouponProblem(msgspec.Struct, frozen=True):
    """A code that stands in the cart and gives nothing."""

    code: str
    reason: Reason


class Reduced(msgspec.Struct, frozen=True, kw_only=True):
    """What promotions left: each item's discount in the items' order, and who asked for free shipping."""

    per_item: list[Money]
    discounts: list[Discount]
    free_shipping: Candidate | None


def reason_against(
    candidate: Candidate, items: Sequence[Item], groups: frozenset[str], now: datetime, currency: str
) -> Reason | None:
    """Why the candidate does not apply to these items, or None when it does."""
    promotion = candidate.promotion
    if not promotion.active or (promotion.ends_at is not None and promotion.ends_at <= now):
        return "ended"
    if promotion.starts_at is not None and promotion.starts_at > now:
        return "not_started"
    if candidate.barred is not None:
        return candidate.barred
    if promotion.customer_groups and groups.isdisjoint(promotion.customer_groups):
        return "not_for_you"
    priced_in = [amounts for amounts in (promotion.amounts, promotion.minimum) if amounts]
    if any(currency not in amounts for amounts in priced_in):
        return "not_in_this_currency"
    fitting = [items[index] for index in eligible(promotion, items)]
    if not fitting:
        return "not_for_these_products"
    if total((item.total for item in fitting), currency).minor < promotion.minimum.get(currency, 0):
        return "minimum_not_met"
    if promotion.kind == "buy_x_get_y" and not _units_reduced(promotion, [i.quantity for i in fitting]):
        return "minimum_not_met"
    return None


def eligible(promotion: Promotion, items: Sequence[Item]) -> list[int]:
    """Which items the promotion is for."""
    if not promotion.products and not promotion.categories:
        return list(range(len(items)))
    products, categories = set(promotion.products), set(promotion.categories)
    return [
        index
        for index, item in enumerate(items)
        if item.sku in products or item.slug in products or not categories.isdisjoint(item.categories)
    ]


def reduce(items: Sequence[Item], candidates: Sequence[Candidate], currency: str) -> Reduced:
    """Apply the candidates one after the other, in this order; all of them are known to apply."""
    left = [item.total.minor for item in items]
    discounts: list[Discount] = []
    free_shipping: Candidate | None = None
    for candidate in candidates:
        if candidate.promotion.kind == "free_shipping":
            free_shipping = free_shipping or candidate
            continue
        taken = _taken(candidate.promotion, items, left, currency)
        for index, part in taken.items():
            left[index] -= part
        if amount := sum(taken.values()):
            discounts.append(discount_of(candidate, Money(amount, currency)))
    off = [Money(item.total.minor - rest, currency) for item, rest in zip(items, left, strict=True)]
    return Reduced(per_item=off, discounts=discounts, free_shipping=free_shipping)


def discount_of(candidate: Candidate, amount: Money) -> Discount:
    promotion = candidate.promotion
    return Discount(promotion_id=promotion.id, name=promotion.name, code=candidate.code, amount=amount)


def _taken(
    promotion: Promotion, items: Sequence[Item], left: Sequence[int], currency: str
) -> Mapping[int, int]:
    """Minor units off each item that the promotion is for, never more than is left of it."""
    fitting = eligible(promotion, items)
    if promotion.kind == "buy_x_get_y":
        return _free_units(promotion, items, left, fitting)
    weights = [left[index] for index in fitting]
    worth = sum(weights)
    if not worth:
        return {}
    if promotion.kind == "percentage":
        wanted = round_half_away(worth * (promotion.percent or Decimal(0)) / 100)
    else:
        wanted = promotion.amounts.get(currency, 0)
    parts = Money(min(wanted, worth), currency).share(weights)
    return {index: part.minor for index, part in zip(fitting, parts, strict=True)}


def _free_units(
    promotion: Promotion, items: Sequence[Item], left: Sequence[int], fitting: Sequence[int]
) -> Mapping[int, int]:
    """From the dearest unit on, of every full group of X + Y the Y cheapest are `get_percent` off."""
    dearest_first = sorted(fitting, key=lambda index: (-items[index].unit_price.minor, items[index].sku))
    counts = _units_reduced(promotion, [items[index].quantity for index in dearest_first])
    percent = promotion.get_percent if promotion.get_percent is not None else Decimal(100)
    return {
        index: round_half_away(left[index] * count * percent / (100 * items[index].quantity))
        for index, count in zip(dearest_first, counts, strict=False)
        if count
    }


def _units_reduced(promotion: Promotion, quantities: Sequence[int]) -> list[int]:
    """How many units of each quantity, in this order, are reduced; empty when no group is full."""
    buy, get = promotion.buy_quantity or 1, promotion.get_quantity or 1
    whole = sum(quantities) // (buy + get) * (buy + get)
    if not whole:
        return []
    passed, before, counts = 0, 0, []
    for quantity in quantities:
        passed = min(passed + quantity, whole)
        reduced = passed // (buy + get) * get + max(0, passed % (buy + get) - buy)
        counts.append(reduced - before)
        before = reduced
    return counts
