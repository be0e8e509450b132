"""What others may know of payments: its states and facts. The calls are in payments.proto."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from .events import Event, event
from .money import Money

PaymentStatus = Literal[
    "pending", "requires_action", "authorised", "captured", "partially_refunded", "refunded",
    "voided", "declined", "unknown",
]  # fmt: skip


@event("payments.payment_changed.v1", subject="payment_id")
class PaymentChanged(Event, frozen=True):
    """A payment reached another state; `amount` is what was asked for in all."""

    payment_id: UUID
    order_id: UUID
    status: PaymentStatus
    amount: Money
