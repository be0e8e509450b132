"""Calls to orders that only staff make: changes, returns, exchanges, papers, pushes, and drafts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client
from shopwright.contracts.money import Money

from .orders import PLACE_S, Cart, LineCount, Order, Refund
from .pay_links import Edit
from .remote import WRITE_S, Remote


class SkuCount(msgspec.Struct, frozen=True):
    """How many units of a SKU, at a price of its own where one is named."""

    sku: str
    quantity: int
    unit_price: Money | None = None

    @property
    def plain(self) -> dict[str, Any]:
        return {"sku": self.sku, "quantity": self.quantity}


class Exchange(msgspec.Struct, frozen=True):
    """What is sent, and what went back."""

    order: Order
    refund: Refund | None = None


class _Difference(msgspec.Struct):
    difference: Money


class Paying(msgspec.Struct, frozen=True):
    """What staff saw of a change that costs more, and how it is paid: `link` sends the buyer one."""

    difference: Money
    method: str = ""

    @property
    def members(self) -> dict[str, Any]:
        pays = self.difference.minor > 0 and self.method != "link"
        payment = {"payment": {"method": self.method}} if pays else {}
        return {"expected_difference": self.difference} | payment


class _Exchanges(msgspec.Struct):
    items: list[Order] = []


class DraftRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    currency: str
    created_at: datetime
    user_id: UUID | None = None
    email: str | None = None
    note: str = ""
    units: int = 0


class Draft(DraftRow, frozen=True, kw_only=True):
    cart: Cart
    staff_priced: list[UUID] = []


class DraftPage(msgspec.Struct):
    items: list[DraftRow] = []
    next_cursor: str | None = None


class StaffOrders:
    def __init__(self, client: Client) -> None:
        self._orders = Remote(client, "orders")

    async def retry(self, token: str, order_id: UUID) -> None:
        """Let the order's sagas try their next steps now; needs orders:write."""
        await self._orders.call("POST", f"/v1/orders/{order_id}/retry", token=token, timeout_s=WRITE_S)

    async def packing_slip(self, token: str, order_id: UUID, fulfilment: str) -> bytes:
        """As PDF; without `fulfilment` of what is left to ship."""
        return await self._orders.call(
            "GET", f"/v1/orders/{order_id}/packing-slip.pdf", token=token, query={"fulfilment": fulfilment}
        )

    async def edit(
        self, token: str, order_id: UUID, keep: dict[UUID, int], add: Sequence[SkuCount], reason: str, *,
        paying: Paying, key: str,
    ) -> Edit:  # fmt: skip
        """Needs orders:write and orders:refund. Raises the problems difference-changed, nothing-left."""
        body = paying.members | {
            "lines": [{"line_id": line, "quantity": count} for line, count in keep.items()],
            "add": [line.plain for line in add],
            "reason": reason,
        }
        path = f"/v1/orders/{order_id}/edits"
        return await self._orders.call("POST", path, Edit, token=token, key=key, body=body, timeout_s=WRITE_S)

    async def quote_edit(
        self, token: str, order_id: UUID, keep: dict[UUID, int], add: Sequence[SkuCount]
    ) -> Money:
        """What a change would make the order dearer; negative: cheaper."""
        body = {
            "lines": [{"line_id": line, "quantity": count} for line, count in keep.items()],
            "add": [line.plain for line in add],
        }
        path = f"/v1/orders/{order_id}/edits/quote"
        return (await self._orders.call("POST", path, _Difference, token=token, body=body)).difference

    async def quote_exchange(
        self, token: str, order_id: UUID, back: Sequence[LineCount], send: Sequence[SkuCount]
    ) -> Money:
        """What is sent costs so much more than what comes back; negative: less."""
        body = {"return": back, "send": [line.plain for line in send]}
        path = f"/v1/orders/{order_id}/exchanges/quote"
        return (await self._orders.call("POST", path, _Difference, token=token, body=body)).difference

    async def withdraw_edit(self, token: str, order_id: UUID, edit_id: UUID) -> Edit:
        """Give up a change that is not paid."""
        path = f"/v1/orders/{order_id}/edits/{edit_id}/withdraw"
        return await self._orders.call("POST", path, Edit, token=token, timeout_s=WRITE_S)

    async def take_return(
        self, token: str, order_id: UUID, lines: Sequence[LineCount], reason: str, *,
        refund: Money | None, restock: bool, to: str, key: str,
    ) -> Refund:  # fmt: skip
        body = {"lines": lines, "reason": reason, "restock": restock, "to": to}
        if refund is not None:
            body["refund"] = refund
        path = f"/v1/orders/{order_id}/returns"
        return await self._orders.call(
            "POST", path, Refund, token=token, key=key, body=body, timeout_s=WRITE_S
        )

    async def exchange(
        self, token: str, order_id: UUID, back: Sequence[LineCount], send: Sequence[SkuCount], reason: str, *,
        restock: bool, paying: Paying, key: str,
    ) -> Exchange:  # fmt: skip
        """Raises the problem difference-changed."""
        body = paying.members | {
            "return": back,
            "send": [line.plain for line in send],
            "reason": reason,
            "restock": restock,
        }
        path = f"/v1/orders/{order_id}/exchanges"
        return await self._orders.call(
            "POST", path, Exchange, token=token, key=key, body=body, timeout_s=PLACE_S
        )

    async def exchanges(self, token: str, order_id: UUID) -> list[Order]:
        path = f"/v1/orders/{order_id}/exchanges"
        return (await self._orders.call("GET", path, _Exchanges, token=token)).items

    async def drafts(self, token: str, cursor: str, limit: int) -> DraftPage:
        query = {"cursor": cursor, "limit": limit}
        return await self._orders.call("GET", "/v1/drafts", DraftPage, token=token, query=query)

    async def draft(self, token: str, draft_id: UUID) -> Draft:
        return await self._orders.call("GET", f"/v1/drafts/{draft_id}", Draft, token=token)

    async def save_draft(
        self, token: str, draft_id: UUID | None, terms: dict[str, Any], *, key: str
    ) -> Draft:  # fmt: skip
        """Begin a draft, or change one."""
        method, path = ("PATCH", f"/v1/drafts/{draft_id}") if draft_id else ("POST", "/v1/drafts")
        return await self._orders.call(
            method, path, Draft, token=token, key=key, body=terms, timeout_s=WRITE_S
        )  # fmt: skip

    async def delete_draft(self, token: str, draft_id: UUID) -> None:
        await self._orders.call("DELETE", f"/v1/drafts/{draft_id}", token=token, timeout_s=WRITE_S)

    async def place_draft(self, token: str, draft_id: UUID, method: str, *, key: str) -> Order:
        path, body = f"/v1/drafts/{draft_id}/place", {"payment": {"method": method}}
        return await self._orders.call(
            "POST", path, Order, token=token, key=key, body=body, timeout_s=PLACE_S
        )

    async def send_draft(self, token: str, draft_id: UUID, *, key: str) -> None:
        """Mail the buyer a link to pay it."""
        path = f"/v1/drafts/{draft_id}/invoice"
        await self._orders.call("POST", path, token=token, key=key, timeout_s=WRITE_S)
