"""What payments say of an order that more than one card pays, as the order keeps it; why one was declined."""

from __future__ import annotations

from typing import Final, cast

from shopwright.contracts.money import Money
from shopwright.contracts.payments import GiftCardSpent, PaymentStatus
from shopwright.contracts.payments_rpc import PaymentState
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import PaymentDeclined

from ..domain import Order, PaymentPart, Tender

DECLINED: Final = frozenset({PaymentDeclined.slug, GiftCardSpent.slug})


def declined(state: PaymentState) -> Problem:
    """Why nothing was paid; of a gift card that another order was faster with, what it holds now."""
    code = state.decline_code or state.status
    if not state.HasField("gift_card_balance"):
        return PaymentDeclined(code=code)
    balance = Money(state.gift_card_balance, state.currency)
    detail = f"it holds {balance} now; pay the rest another way"
    return GiftCardSpent(detail=detail, code=code, balance=balance)


def known(order: Order, tender: Tender, state: PaymentState) -> Tender:
    """The tender with its parts as they stand, and without the codes that payments have now."""
    return known_in(order.currency, tender, state)


def known_in(currency: str, tender: Tender, state: PaymentState) -> Tender:
    parts = [
        PaymentPart(part.method, Money(part.amount, currency), cast("PaymentStatus", part.status))
        for part in state.parts
    ]
    return tender.known(parts, state.instructions)
