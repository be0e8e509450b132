"""For tests: the facts that notifications hears, as other services would tell them over the bus."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.streams import Valkey, stream_of
from shopwright.contracts.events import Envelope, Event, encode_data
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.orders import (
    Address,
    OrderCancelled,
    OrderConfirmed,
    OrderDrafted,
    OrderedLine,
    OrderRefunded,
    OrderShipped,
    PaymentRequested,
    ShippedLine,
    Total,
    TransferAwaited,
)
from shopwright.contracts.users import PasswordChanged, PasswordResetRequested, UserErased, UserRegistered

ADDRESS = Address(name="Ada Lovelace", line1="1 Lane", city="Bern", postal_code="3000", country="CH")


def registered(**changes: Any) -> UserRegistered:
    values: dict[str, Any] = {"user_id": new_id(), "email": "ada@example.com", "name": "Ada Lovelace"}
    return UserRegistered(**values | changes)


def changed_password(**changes: Any) -> PasswordChanged:
    values: dict[str, Any] = {"user_id": new_id(), "email": "ada@example.com", "name": "Ada Lovelace"}
    return PasswordChanged(**values | changes)


def forgot_password(**changes: Any) -> PasswordResetRequested:
    values: dict[str, Any] = {
        "user_id": new_id(), "email": "ada@example.com", "name": "Ada Lovelace", "token": "opens-it",
        "minutes": 60,
    }  # fmt: skip
    return PasswordResetRequested(**values | changes)


def erased(user_id: UUID) -> UserErased:
    return UserErased(user_id=user_id)


def a_line(**changes: Any) -> OrderedLine:
    values: dict[str, Any] = {
        "sku": "SHIRT-RED-M",
        "name": "Red shirt",
        "quantity": 2,
        "unit_price": Money(1_999, "EUR"),
        "total": Money(3_998, "EUR"),
    }
    return OrderedLine(**values | changes)


def confirmed(**changes: Any) -> OrderConfirmed:
    values: dict[str, Any] = {
        "order_id": new_id(),
        "number": "SW-1001",
        "user_id": None,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "lines": [a_line()],
        "totals": [Total("subtotal", Money(3_998, "EUR")), Total("shipping", Money(490, "EUR"))],
        "total": Money(4_488, "EUR"),
        "address": ADDRESS,
    }
    return OrderConfirmed(**values | changes)


def cancelled(**changes: Any) -> OrderCancelled:
    values: dict[str, Any] = {
        "order_id": new_id(),
        "number": "SW-1002",
        "user_id": None,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "total": Money(4_488, "EUR"),
    }
    return OrderCancelled(**values | changes)


def shipped(**changes: Any) -> OrderShipped:
    values: dict[str, Any] = {
        "order_id": new_id(),
        "number": "SW-1003",
        "user_id": None,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "lines": [ShippedLine(sku="SHIRT-RED-M", name="Red shirt", quantity=2)],
        "carrier": "Post",
        "tracking_number": "CH-123",
        "tracking_url": "https://post.example/CH-123",
        "complete": True,
    }
    return OrderShipped(**values | changes)


def refunded(**changes: Any) -> OrderRefunded:
    values: dict[str, Any] = {
        "order_id": new_id(),
        "number": "SW-1004",
        "user_id": None,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "amount": Money(1_999, "EUR"),
        "refunded": Money(3_998, "EUR"),
        "reason": "one shirt was too small",
    }
    return OrderRefunded(**values | changes)


def drafted(**changes: Any) -> OrderDrafted:
    values: dict[str, Any] = {
        "draft_id": new_id(),
        "user_id": None,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "total": Money(4_488, "EUR"),
        "note": "as agreed on the phone",
    }
    return OrderDrafted(**values | changes)


def requested(**changes: Any) -> PaymentRequested:
    values: dict[str, Any] = {
        "order_id": new_id(),
        "number": "SW-100001",
        "user_id": None,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "link_id": new_id(),
        "amount": Money(600, "EUR"),
        "until": datetime(2026, 7, 4, 12, 30, tzinfo=UTC),
        "purpose": "edit",
    }
    return PaymentRequested(**values | changes)


def awaited(**changes: Any) -> TransferAwaited:
    values: dict[str, Any] = {
        "order_id": new_id(),
        "number": "SW-100001",
        "user_id": None,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "amount": Money(600, "EUR"),
        "until": datetime(2026, 7, 4, 12, 30, tzinfo=UTC),
        "instructions": "Transfer 6.00 EUR to DE02 1203. Give as reference: SWABCD2345",
    }
    return TransferAwaited(**values | changes)


async def tell(valkey: Valkey, fact: Event, *, event_id: UUID | None = None, traceparent: str = "") -> None:
    """Put a fact on the stream of the service that owns its topic."""
    source = fact.topic.partition(".")[0]
    envelope = Envelope(
        id=str(event_id or new_id()),
        source=f"/{source}",
        type=fact.topic,
        subject=fact.subject,
        time=datetime.now(UTC),
        sequence=1,
        data=msgspec.Raw(encode_data(fact)),
        traceparent=traceparent,
    )
    fields: Any = {"e": msgspec.json.encode(envelope)}
    await valkey.xadd(stream_of(source), fields)
