"""Our minor units (ISO 4217) as Stripe writes amounts, and back: most are the same integer.

Source of the differences: https://docs.stripe.com/currencies (minor units, special cases). What Stripe
cannot express exactly is refused, never rounded: a cart, the ledger and Stripe must hold the same amount.
"""

from __future__ import annotations

from typing import Final

from shopwright.contracts.money import Money

#: Stripe takes these with three decimals of which the last must be 0.
TENS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
#: Ours are whole krónur, Stripe's are hundredths that must end with 00.
HUNDREDFOLD: Final = frozenset({"ISK"})
#: Ours have two decimals, Stripe's have none.
HUNDREDTH: Final = frozenset({"MGA"})
#: Not taken by Stripe (IQD, LYD, UYI), or of a unit that its documents contradict each other about (UGX).
NOT_TAKEN: Final = frozenset({"IQD", "LYD", "UGX", "UYI"})


class NotExpressible(ValueError):
    """Stripe cannot take this amount exactly; the message says what it could."""


def to_stripe(money: Money) -> int:
    """The integer that means `money` at Stripe.

    Raises:
        NotExpressible: no integer does.
    """
    if money.currency in NOT_TAKEN:
        raise NotExpressible(f"is not taken by Stripe in {money.currency}")
    if money.currency in TENS and money.minor % 10:
        raise NotExpressible(f"must be a multiple of {Money(10, money.currency)} for Stripe")
    if money.currency in HUNDREDFOLD:
        return money.minor * 100
    if money.currency in HUNDREDTH:
        if money.minor % 100:
            raise NotExpressible(f"must be a multiple of {Money(100, money.currency)} for Stripe")
        return money.minor // 100
    return money.minor


def from_stripe(amount: int, currency: str) -> int:
    """Our minor units of Stripe's `amount` in `currency` (any case).

    Raises:
        NotExpressible: a fraction of our smallest unit; Stripe has forbidden these since 2023.
    """
    code = currency.upper()
    if code in HUNDREDFOLD:
        if amount % 100:
            raise NotExpressible(f"Stripe tells of {amount} hundredths of {code}")
        return amount // 100
    return amount * 100 if code in HUNDREDTH else amount
