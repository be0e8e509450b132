"""What buyers read when something was refused, and why a coupon gives nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shopwright.chassis.problems import document
from shopwright.contracts.payments import GiftCardSpent
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import InvalidInput, OutOfStock, UnknownSku

from ..clients.orders import Cart, Order
from ..clients.remote import is_away
from ..formatting import money
from ..forms import plain_words

CURRENCY_DIFFERS: Final = "currency-differs"
COUPON_NOT_VALID: Final = "coupon-not-valid"
_COUPONS: Final[Mapping[str, str]] = {
    "unknown": "We do not know the coupon {code}. Please look at how it is written.",
    "not_started": "The coupon {code} cannot be used yet.",
    "ended": "The coupon {code} has run out.",
    "used_up": "The coupon {code} has been used as often as it may be.",
    "used_by_you": "You have used the coupon {code} as often as you may.",
    "minimum_not_met": "The coupon {code} needs more in the cart.",
    "not_for_these_products": "The coupon {code} is not for what is in the cart.",
    "not_for_you": "The coupon {code} is not for this account.",
    "not_in_this_currency": "The coupon {code} is not for carts in this currency.",
    "does_not_combine": "The coupon {code} cannot be used together with your other discount.",
}


_GIFT_CARDS: Final[Mapping[str, str]] = {
    "unknown": "We do not know this gift card. Please look at how the code is written",
    "disabled": "This gift card can no longer be used",
    "expired": "This gift card has expired",
    "empty": "There is nothing left on this gift card",
}


def refusal_text(problem: Problem, shown_in: str = "") -> str:
    """A refusal in a buyer's words; `shown_in` is the currency of the price that they saw."""
    if isinstance(problem, OutOfStock) and problem.shortages:
        left = problem.shortages[0].available
        return f"Only {left} of these {'is' if left == 1 else 'are'} left." if left else "This is sold out."
    if is_away(problem):
        return "The cart cannot be changed right now. Nothing is lost; please try again in a moment."
    if isinstance(problem, UnknownSku):
        place = f" in {problem.currency}" if problem.currency else ""
        return f"This product is no longer for sale{place}."
    if isinstance(problem, InvalidInput) and problem.errors:
        return plain_words(problem.errors[0].detail) + "."
    if problem.slug == CURRENCY_DIFFERS:
        held = document(problem).get("cart_currency", "another currency")
        return f"Nothing was added: the price you saw is in {shown_in}, your cart is in {held}."
    return (problem.detail or problem.title).rstrip(".") + "."


def coupon_text(code: str, reason: str, *, guest: bool) -> str:
    """Why a coupon gives nothing."""
    if guest and reason == "not_for_you":
        return f"The coupon {code} is for certain customers: log in to use it."
    return _COUPONS.get(reason, "The coupon {code} cannot be used with this cart.").format(code=code)


def coupon_refused(problem: Problem, *, guest: bool, code: str = "") -> str:
    """Why orders refused a coupon."""
    said = document(problem)
    return coupon_text(str(said.get("code", code)), str(said.get("reason", "")), guest=guest)


def coupon_problems(cart: Cart, *, guest: bool) -> dict[str, str]:
    """By code, why a coupon that stands in the cart gives nothing."""
    return {one.code: coupon_text(one.code, one.reason, guest=guest) for one in cart.coupon_problems}


def gift_card_text(reason: str) -> str:
    """Why a gift card pays nothing."""
    return _GIFT_CARDS.get(reason, _GIFT_CARDS["unknown"])


def spent_text(problem: GiftCardSpent) -> str:
    left = f"now holds {money(problem.balance)}" if problem.balance.minor else "is used up"
    kept = "You were not charged, and your cart is still here: pay the rest another way."
    return f"Your gift card {left}. {kept}"


def declined_text(code: str) -> str:
    reason = {
        "insufficient_funds": "There is not enough money on the card.",
        "expired_card": "The card has expired.",
        "cancelled_by_buyer": "You cancelled the payment.",
        "authentication_failed": "Your bank did not get your confirmation.",
    }.get(code, "A gift card was not taken." if code.startswith("gift_card") else "The card was declined.")
    return f"{reason} You were not charged, and your cart is still here: try again or use another card."


def lost_text(order: Order) -> str:
    reason = str((order.refusal or {}).get("title", "")).rstrip(".")
    said = f" ({reason.lower()})" if reason and order.status == "refused" else ""
    if order.status == "expired":
        return "The payment was not finished in time. You were not charged, and your cart is still here."
    return f"The order was not placed{said}. You were not charged, and your cart is still here."


def shortage_text(problem: Problem) -> str:
    if isinstance(problem, OutOfStock):
        short = ", ".join(f"{item.sku}: {item.available} left" for item in problem.shortages)
        return f"Somebody was faster: not everything in your cart is there ({short}). You were not charged."
    return refusal_text(problem) + " You were not charged."
