"""Payments by hand over HTTP: staff say what came in, buyers ask how they can pay."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post

from shopwright.chassis.auth import Principal
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentStatus

from ..commands import Routing
from ..domain import Tender
from .commands import NAMES, ByHandPayments

Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]


class Received(msgspec.Struct, frozen=True):
    """`reference`: what the receipt or the bank statement says."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ReceivedView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    order_id: UUID | None
    status: PaymentStatus
    amount: Money
    captured: Money


class MethodView(msgspec.Struct, frozen=True):
    method: str
    name: str
    instructions: str


class Methods(msgspec.Struct, frozen=True):
    items: list[MethodView]


@post("/v1/payments/{payment_id:uuid}/received", status_code=200, tags=["payments"])
async def receive_by_hand(
    payment_id: UUID, data: Received, principal: Principal, by_hand: ByHandPayments
) -> ReceivedView:
    """Cash or a transfer is in: the payment is captured, and the order goes on. Scope payments:write."""
    principal.require("payments:write")
    return _view(await by_hand.received(payment_id, data.reference, principal.require_user()))


@get("/v1/payments/methods", tags=["payments"])
async def list_methods(
    routing: Routing,
    by_hand: ByHandPayments,
    currency: Currency | None = None,
    country: Country | None = None,
) -> Methods:
    """How a buyer can pay, the usual way first. A wallet needs an account."""
    del currency, country  # every method takes them all today
    offered = set(routing.methods())
    return Methods(
        [
            MethodView(method, name, by_hand.about(method))
            for method, name in NAMES.items()
            if method in offered
        ]
    )


HANDLERS = (receive_by_hand, list_methods)


def _view(tender: Tender) -> ReceivedView:
    return ReceivedView(
        id=tender.id,
        order_id=tender.order_id,
        status=tender.status,
        amount=Money(tender.amount, tender.currency),
        captured=Money(tender.captured, tender.currency),
    )
