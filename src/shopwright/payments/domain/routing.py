"""Which provider is asked first for a payment, which next, and which are left alone for a while.

Pure. Rules are tried from the top; the first that fits names providers in their order. Without one that fits
it is all that take the method. A provider that could not be reached several times in a row is put last
until its pause is over: then one buyer tries it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from shopwright.contracts.money import Money

FAILURES_MAX: Final = 3  # in a row, before a provider is left alone
PAUSE: Final = timedelta(seconds=20)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An empty condition fits everything; amounts are minor units and need the currency."""

    method: Annotated[str, msgspec.Meta(max_length=40)] = "card"
    currency: Annotated[str, msgspec.Meta(pattern="^([A-Z]{3})?$")] = ""
    countries: Annotated[
        list[Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]], msgspec.Meta(max_length=250)
    ] = []
    minimum: Annotated[int, msgspec.Meta(ge=0)] | None = None
    maximum: Annotated[int, msgspec.Meta(ge=0)] | None = None
    providers: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=40)]], msgspec.Meta(min_length=1, max_length=10)
    ]

    def fits(self, method: str, amount: Money, country: str) -> bool:
        return (
            self.method == method
            and self.currency in {"", amount.currency}
            and (not self.countries or country in self.countries)
            and (self.minimum is None or amount.minor >= self.minimum)
            and (self.maximum is None or amount.minor <= self.maximum)
        )


def route(
    rules: Sequence[Rule], method: str, amount: Money, country: str, default: Sequence[str]
) -> list[str]:
    """The providers to ask, in order; only those that take the method (`default`) are ever named."""
    for rule in rules:
        if rule.fits(method, amount, country):
            named = [name for name in rule.providers if name in default]
            return named or list(default)
    return list(default)


class Circuit(msgspec.Struct, frozen=True):
    """How reaching one provider went of late."""

    failures: int = 0
    closed_until: datetime | None = None

    def failed(self, now: datetime) -> Circuit:
        failures = self.failures + 1
        return Circuit(failures, now + PAUSE if failures >= FAILURES_MAX else None)

    def tried(self, now: datetime) -> Circuit:
        """One buyer tries a provider whose pause is over; others leave it alone meanwhile."""
        return Circuit(self.failures, now + PAUSE)

    def rests(self, now: datetime) -> bool:
        return self.closed_until is not None and self.closed_until > now


def in_reach(names: Sequence[str], circuits: dict[str, Circuit], now: datetime) -> list[str]:
    """The providers with those that rest put last: better a slim chance than none."""
    return sorted(names, key=lambda name: circuits.get(name, Circuit()).rests(now))
