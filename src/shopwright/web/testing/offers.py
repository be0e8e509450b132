"""What the fake of orders takes off and adds: coupons that a test names, and one rate of tax."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .people import refusal
from .routing import money


class Offers:
    """`coupons`: code → {name, amount, reason?}; one with a reason gives nothing. `tax`: {name, rate,
    included}, or None.
    """

    def __init__(self) -> None:
        self.coupons: dict[str, dict[str, Any]] = {}
        self.tax: dict[str, Any] | None = None

    def accept(self, codes: list[str]) -> list[str]:
        for code in codes:
            reason = self.coupons.get(code, {"reason": "unknown"}).get("reason")
            if reason:
                raise refusal("coupon-not-valid", 422, code=code, reason=reason)
        return codes

    def applied(self, cart: dict[str, Any]) -> list[dict[str, Any]]:
        """The discounts of a cart."""
        return [
            {"promotion_id": code, "name": self.coupons[code]["name"], "code": code,
             "amount": money(self.coupons[code]["amount"], cart["currency"])}
            for code in cart.get("coupons", ())
            if not self.coupons[code].get("reason")
        ]  # fmt: skip

    def problems(self, cart: dict[str, Any]) -> list[dict[str, Any]]:
        reasons = ((code, self.coupons[code].get("reason")) for code in cart.get("coupons", ()))
        return [{"code": code, "reason": reason} for code, reason in reasons if reason]

    def taxes(self, charged: int, currency: str) -> list[dict[str, Any]]:
        """The tax in, or on, an amount."""
        if self.tax is None:
            return []
        rate, included = Decimal(self.tax["rate"]), self.tax["included"]
        amount = int(charged * rate / (100 + rate if included else 100))
        base = charged - amount if included else charged
        return [self.tax | {"base": money(base, currency), "amount": money(amount, currency)}]
