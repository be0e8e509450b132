"""What a buyer pays by a link: the difference of a change of an order, or what is sent in exchange."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client
from shopwright.contracts.money import Money

from .orders import PLACE_S, Line
from .remote import Remote


class PayLink(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: waiting (choose how to pay), paying, paid or over."""

    id: UUID
    purpose: str
    state: str
    order_id: UUID
    number: str
    amount: Money
    until: datetime
    adds: list[Line] = []
    country: str = ""
    action_url: str | None = None
    decline_code: str = ""


class EditPayment(msgspec.Struct, frozen=True, kw_only=True):
    amount: Money
    method: str = ""
    action_url: str | None = None
    instructions: str = ""
    until: datetime | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A change of an order; one that costs more is `awaiting_payment` at first."""

    id: UUID
    status: str
    reason: str = ""
    payment: EditPayment | None = None


class _Edits(msgspec.Struct):
    items: list[Edit] = []


class PayLinks:
    def __init__(self, client: Client) -> None:
        self._orders = Remote(client, "orders")

    async def find(self, token: str, link_id: UUID) -> PayLink:
        return await self._orders.call("GET", f"/v1/orders/pay-links/{link_id}", PayLink, token=token)

    async def pay(self, token: str, link_id: UUID, payment: dict[str, Any], *, key: str) -> PayLink:
        """Raises the problems payment-declined, edit-not-waiting, pay-link-over."""
        path = f"/v1/orders/pay-links/{link_id}"
        return await self._orders.call(
            "POST", path, PayLink, token=token, key=key, body={"payment": payment}, timeout_s=PLACE_S
        )

    async def look_again(self, link_id: UUID) -> None:
        """The buyer is back from the provider: ask it how the payment stands."""
        await self._orders.call("POST", f"/internal/orders/pay-links/{link_id}/look-again")

    async def waiting(self, token: str, order_id: UUID, cart_id: UUID | None = None) -> list[Edit]:
        """The changes of an order that wait for their payment."""
        headers = {"x-cart-id": str(cart_id)} if cart_id else {}
        path = f"/v1/orders/{order_id}/edits"
        found = await self._orders.call("GET", path, _Edits, token=token, headers=headers)
        return [edit for edit in found.items if edit.status == "awaiting_payment"]
