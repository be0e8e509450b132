"""Money as an integer of minor units and an ISO 4217 currency: the only form in which an amount travels or
is stored.

Guarantees: no float ever, no addition across currencies, and one rounding rule (half away from zero) in one
place. On the wire `{"amount": 1999, "currency": "EUR"}` means 19.99 euros; `{"amount": 1999, "currency":
"JPY"}` 1,999 yen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated

import msgspec

Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code", examples=["EUR"])]

_CODE = re.compile(r"[A-Z]{3}")
#: Minor-unit exponents of ISO 4217 that are not 2.
_EXPONENTS = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)

#: PostgreSQL's bigint; an amount beyond it is an error, never a wrapped number.
MINOR_MAX = 2**63 - 1


def exponent(currency: str) -> int:
    """Digits after the decimal point of `currency` in ISO 4217."""
    return _EXPONENTS.get(currency, 2)


def round_half_away(value: Decimal) -> int:
    """The one rounding rule: to the nearest integer, ties away from zero."""
    return int(value.to_integral_value(ROUND_HALF_UP))


class Money(msgspec.Struct, frozen=True, order=False):
    """`minor` minor units of `currency`; named `amount` on the wire."""

    minor: int = msgspec.field(name="amount")
    currency: Currency

    def __post_init__(self) -> None:
        if abs(self.minor) > MINOR_MAX:
            raise ValueError(f"amount {self.minor} is beyond 64 bits")
        if not _CODE.fullmatch(self.currency):
            raise ValueError(f"currency {self.currency!r} is not an ISO 4217 code such as EUR")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.minor * count, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __str__(self) -> str:
        digits = exponent(self.currency)
        return f"{Decimal(self.minor).scaleb(-digits):.{digits}f} {self.currency}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add")

    def share(self, weights: Sequence[int]) -> list[Money]:
        """Split into parts proportional to `weights` that sum exactly to the whole (largest remainder
        method).

        Weights are non-negative; if all are zero the parts are as equal as possible. Ties go to the earlier
        part.
        """
        if not weights or min(weights) < 0:
            raise ValueError("weights must be a non-empty list of non-negative integers")
        scale = sum(weights) or len(weights)
        used = weights if sum(weights) else [1] * len(weights)
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        floors = [whole * weight // scale for weight in used]
        by_remainder = sorted(range(len(used)), key=lambda index: (-(whole * used[index] % scale), index))
        for index in by_remainder[: whole - sum(floors)]:
            floors[index] += 1
        return [Money(sign * part, self.currency) for part in floors]


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, zero of `currency` when there are none."""
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result


def fallback(currencies: Iterable[str]) -> str:
    """In which of `currencies` to show what is not sold in the one that is wanted: US dollars, which most
    buyers can reckon with, else the first by its code; empty if there is none.
    """
    return min(currencies, key=lambda currency: (currency != "USD", currency), default="")


def parse_decimal(text: str, currency: str) -> Money:
    """Read `19.99` as 1999 minor units; refuses what `currency` cannot hold exactly.

    Raises:
        ValueError: not a finite decimal number, or more digits after the point than the currency has.
    """
    try:
        value = Decimal(text.strip()).scaleb(exponent(currency))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal number such as 19.99") from None
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError(f"{text!r} has more digits than {currency} holds ({exponent(currency)})")
    return Money(int(value), currency)
