"""What others may know of orders: the facts it publishes."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from .events import Event, event
from .money import Money

OrderStatus = Literal[
    "in_progress", "awaiting_buyer", "confirmed", "refused", "cancelled",
    "partially_fulfilled", "fulfilled", "returned", "expired",
]  # fmt: skip


class Address(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    line2: str | None = None
    region: str | None = None
    phone: str | None = None


class OrderedLine(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    name: str
    quantity: int
    unit_price: Money
    total: Money


class Total(msgspec.Struct, frozen=True):
    """One row of an order's sum: `subtotal`, `discount`, `shipping`, `shipping_discount`, `tax`."""

    type: str
    amount: Money


@event("orders.order_confirmed.v1", subject="order_id")
class OrderConfirmed(Event, frozen=True):
    order_id: UUID
    number: str
    user_id: UUID | None
    email: str
    name: str
    lines: list[OrderedLine]
    totals: list[Total]
    total: Money
    address: Address | None = None


@event("orders.order_refused.v1", subject="order_id")
class OrderRefused(Event, frozen=True):
    order_id: UUID
    number: str
    reason: str


@event("orders.order_cancelled.v1", subject="order_id")
class OrderCancelled(Event, frozen=True):
    order_id: UUID
    number: str
    email: str
    name: str
    total: Money
    user_id: UUID | None = None


class ShippedLine(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    name: str
    quantity: int


@event("orders.order_shipped.v1", subject="order_id")
class OrderShipped(Event, frozen=True):
    """Goods of an order left; `complete` when nothing of it is left to ship."""

    order_id: UUID
    number: str
    user_id: UUID | None
    email: str
    name: str
    lines: list[ShippedLine]
    carrier: str
    tracking_number: str
    tracking_url: str
    complete: bool


@event("orders.order_refunded.v1", subject="order_id")
class OrderRefunded(Event, frozen=True):
    """Money of an order went back; `refunded` is the sum of all that did."""

    order_id: UUID
    number: str
    user_id: UUID | None
    email: str
    name: str
    amount: Money
    refunded: Money
    reason: str


@event("orders.order_drafted.v1", subject="draft_id")
class OrderDrafted(Event, frozen=True):
    """Staff made an order for a buyer, who pays it at the storefront's `/drafts/{draft_id}`."""

    draft_id: UUID
    user_id: UUID | None
    email: str
    name: str
    total: Money
    note: str


@event("orders.transfer_awaited.v1", subject="order_id")
class TransferAwaited(Event, frozen=True):
    """An order waits for a bank transfer, for which the `instructions` give account and reference."""

    order_id: UUID
    number: str
    user_id: UUID | None
    email: str
    name: str
    amount: Money
    until: datetime
    instructions: str


@event("orders.payment_requested.v1", subject="order_id")
class PaymentRequested(Event, frozen=True):
    """Staff ask a buyer for money, who pays it at the storefront's `/pay/{link_id}` until then.

    `purpose`: for a change (`edit`) of the order, or for the order that is sent in an `exchange`.
    """

    order_id: UUID
    number: str
    user_id: UUID | None
    email: str
    name: str
    link_id: UUID
    amount: Money
    until: datetime
    purpose: str
