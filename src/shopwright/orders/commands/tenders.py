"""What payments say of an order that more than one card pays, as the order keeps it."""

from __future__ import annotations

from typing import cast

from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentStatus
from shopwright.contracts.payments_rpc import PaymentState

from ..domain import Order, PaymentPart, Tender


def known(order: Order, tender: Tender, state: PaymentState) -> Tender:
    """The tender with its parts as they stand, and without the codes that payments have now."""
    parts = [
        PaymentPart(part.method, Money(part.amount, order.currency), cast("PaymentStatus", part.status))
        for part in state.parts
    ]
    return tender.known(parts, state.instructions)
