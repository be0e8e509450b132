"""Test cards: the only numbers the page takes. A number is looked at here and forgotten; only its token goes
on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from shopwright.contracts.problem import Problem

DIGITS_MIN, DIGITS_MAX = 12, 19  # ISO/IEC 7812-1


class Card(NamedTuple):
    number: str
    token: str
    meaning: str


CARDS: Final = (
    Card("4242 4242 4242 4242", "tok_ok", "is accepted"),
    Card("4000 0027 6000 3184", "tok_3ds", "asks for 3-D Secure"),
    Card("4000 0000 0000 0002", "tok_declined", "is declined"),
    Card("4000 0000 0000 9995", "tok_insufficient_funds", "has insufficient funds"),
)
_TOKENS: Final = {card.number.replace(" ", ""): card.token for card in CARDS}


class CardNotValid(Problem):
    """This is not a card number."""

    kind = "invalid"


class NotATestCard(Problem):
    """Only test cards work here. Never type a real card number into this page."""

    kind = "invalid"


def token_of(number: str) -> str:
    """The token of a test card.

    Raises:
        CardNotValid: not a number, or a wrong check digit.
        NotATestCard: perhaps somebody's real card; it is not kept, logged or repeated.
    """
    digits = number.translate(str.maketrans("", "", " -\t"))
    if not (digits.isascii() and digits.isdigit() and DIGITS_MIN <= len(digits) <= DIGITS_MAX):
        raise CardNotValid
    if not luhn(digits):
        raise CardNotValid
    if digits not in _TOKENS:
        raise NotATestCard
    return _TOKENS[digits]


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
