"""Calls to payments: what staff read of an order's payments."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client
from shopwright.contracts.money import Money

from .remote import Remote


class PaymentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the provider, or what became of it."""

    kind: str
    outcome: str
    amount: Money
    at: datetime
    fee: Money | None = None
    code: str = ""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: str
    amount: Money
    authorised: Money
    captured: Money
    refunded: Money
    method: str = ""
    provider: str = ""
    provider_ref: str | None = None
    decline_code: str | None = None
    events: list[PaymentEvent] = []


class _Payments(msgspec.Struct):
    items: list[Payment] = []


class Payments:
    def __init__(self, client: Client) -> None:
        self._payments = Remote(client, "payments")

    async def of_order(self, token: str, order_id: UUID) -> list[Payment]:
        """The payments of an order with their events; needs payments:read."""
        query = {"order_id": str(order_id)}
        return (await self._payments.call("GET", "/v1/payments", _Payments, token=token, query=query)).items
