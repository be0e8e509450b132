"""What others may know of payments: its states, facts and refusals. The calls are in payments_rpc and
payments.proto.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from .events import Event, event
from .money import Money
from .problem import Problem

PaymentStatus = Literal[
    "pending", "requires_action", "authorised", "captured", "partially_refunded", "refunded",
    "voided", "declined", "unknown",
]  # fmt: skip

PaymentMethod = Literal["card", "cash_on_delivery", "bank_transfer", "wallet", "gift_card"]


@event("payments.payment_changed.v1", subject="payment_id")
class PaymentChanged(Event, frozen=True):
    """A payment reached another state; `amount` is what was asked for in all.

    `part_of`: the payment of several parts that this is one of.
    """

    payment_id: UUID
    order_id: UUID
    status: PaymentStatus
    amount: Money
    method: str = "card"
    part_of: UUID | None = None


class PaymentNotAuthorised(Problem):
    """The payment is not authorised."""

    kind = "conflict"
    payment_status: str = ""


class PaymentAlreadyCaptured(Problem):
    """The payment is already captured; refund it instead."""

    kind = "conflict"
    payment_status: str = ""


class PaymentNotCaptured(Problem):
    """The payment is not captured, so there is nothing to give back."""

    kind = "conflict"
    payment_status: str = ""


class PaymentDiffers(Problem):
    """This payment or refund was asked for with other terms."""

    kind = "conflict"


class RefundTooLarge(Problem):
    """That is more than what is left to give back."""

    kind = "conflict"
    refundable: Money


class GiftCardSpent(Problem):
    """The gift card no longer holds what it was to pay."""

    kind = "payment_required"
    code: str = ""
    balance: Money


class ProviderRefused(Problem):
    """The payment provider refused."""

    kind = "conflict"
    code: str = ""
