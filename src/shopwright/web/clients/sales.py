"""What carts and orders share: discounts, taxes, coupons that give nothing, parts of a payment.

Members that a release does not send yet have defaults; members it sends beyond these are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shopwright.contracts.money import Money


class Discount(msgspec.Struct, frozen=True, kw_only=True):
    """What one promotion takes off; `amount` is positive."""

    name: str
    amount: Money
    code: str | None = None


class Tax(msgspec.Struct, frozen=True, kw_only=True):
    """One rate over all that bears it; an included one is told, never added."""

    name: str
    rate: str
    amount: Money
    included: bool = True


class CouponProblem(msgspec.Struct, frozen=True):
    """A coupon of the cart that gives nothing now."""

    code: str
    reason: str = ""


class PaymentPart(msgspec.Struct, frozen=True, kw_only=True):
    """What is paid by one method."""

    method: str
    amount: Money
    status: str = ""


class Tendered(msgspec.Struct, frozen=True, kw_only=True):
    """What pays for a total: gift cards in their order, then the wallet; `left` is for the method."""

    cards: list[tuple[str, Money]]
    wallet: Money
    left: Money


def tendered(total: Money, cards: Sequence[tuple[str, Money]], wallet: Money | None) -> Tendered:
    """How far these balances reach; those of another currency pay nothing."""
    left, used = total, []
    for code, balance in cards:
        taken = _most(left, balance)
        left -= taken
        used.append((code, taken))
    from_wallet = _most(left, wallet) if wallet else Money(0, total.currency)
    return Tendered(cards=used, wallet=from_wallet, left=left - from_wallet)


def _most(left: Money, balance: Money) -> Money:
    if balance.currency != left.currency:
        return Money(0, left.currency)
    return Money(max(0, min(left.minor, balance.minor)), left.currency)
