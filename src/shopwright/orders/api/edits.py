"""Changes of orders before shipment, over HTTP: staff take units out and put others in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentStatus
from shopwright.contracts.products import ReserveLine

from ..commands.edits import Edits, Wanted
from ..commands.orders import Orders
from ..domain import QUANTITY_MAX, EditPayment, OrderLine
from ..domain.edits import Edit, EditStatus
from ..domain.pay_links import path_of
from .after_sale import Reason
from .orders import STAFF, LineCount, PaymentInput, seen

SOME = msgspec.Meta(max_length=200)
Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class AddedLine(msgspec.Struct, frozen=True):
    sku: Sku
    quantity: Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)]


class LineQuantity(msgspec.Struct, frozen=True):
    """How many units of a line are to be sent; 0 takes it out."""

    line_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=0, le=QUANTITY_MAX)]


class EditQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Fewer units of lines, and others at today's price."""

    lines: Annotated[list[LineQuantity], SOME] = []
    add: Annotated[list[AddedLine], SOME] = []

    def wanted(self) -> Wanted:
        """Raises InvalidInput when a line or SKU is named twice."""
        keep = {line.line_id: line.quantity for line in self.lines}
        if len(keep) < len(self.lines):
            raise invalid("/lines", "names a line twice")
        add = [ReserveLine(line.sku, line.quantity) for line in self.add]
        if len({line.sku for line in add}) < len(add):
            raise invalid("/add", "names a SKU twice")
        return Wanted(keep, add)


class NewEdit(EditQuestion, frozen=True, kw_only=True):
    """A dearer order is paid by `payment`, or its buyer is sent a link to pay the difference.

    `expected_difference` is what was seen (negative: paid back); another one is refused with the new one.
    """

    reason: Reason
    payment: PaymentInput | None = None
    expected_difference: Money | None = None


class Difference(msgspec.Struct, frozen=True):
    """What a change makes the order dearer, negative when it gets cheaper; and the total it has then."""

    difference: Money
    total: Money


class EditPaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """How the difference is paid; `link`: the buyer has not chosen yet, `decline_code` says why again.

    `action_url` is where the buyer goes on: a page of the provider, or a path of the shop.
    """

    id: UUID | None
    amount: Money
    method: str
    status: PaymentStatus
    action_url: str | None
    decline_code: str
    instructions: str
    until: datetime | None


class EditView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    removed: list[LineCount]
    added: list[OrderLine]
    reason: str
    status: EditStatus
    refusal: dict[str, Any] | None
    payment: EditPaymentView | None
    created_at: datetime


class EditList(msgspec.Struct, frozen=True):
    items: list[EditView]


@post("/v1/orders/{order_id:uuid}/edits", tags=["orders"])
async def edit_order(
    order_id: UUID, data: NewEdit, request: Request, principal: Principal, edits: Edits, orders: Orders
) -> Response[EditView]:
    """For staff: change an order of which nothing was shipped. 201 it is changed; 202 it is being changed.

    A cheaper order is paid back in part. A dearer one is paid first: by `payment`, or by its buyer, who is
    sent a link; until then it is `awaiting_payment` and what is added is held.
    """
    principal.require("orders:write")
    principal.require("orders:refund")
    wanted = data.wanted()._replace(reason=data.reason, expected_difference=data.expected_difference)
    if data.payment is not None:
        order = await orders.find(order_id)
        wanted = wanted._replace(payment=data.payment.of(order.user_id))
    edit = await edits.edit(
        order_id, wanted, once=await once_of(request, str(order_id)), by=principal.user_id
    )
    return Response(view_of_edit(edit), status_code=201 if edit.status == "applied" else 202)


@post("/v1/orders/{order_id:uuid}/edits/quote", status_code=200, tags=["orders"])
async def quote_edit(order_id: UUID, data: EditQuestion, principal: Principal, edits: Edits) -> Difference:
    """For staff: what a change would cost now; nothing is changed."""
    principal.require("orders:write")
    change = await edits.quote(order_id, data.wanted())
    return Difference(change.difference, change.total)


@post("/v1/orders/{order_id:uuid}/edits/{edit_id:uuid}/withdraw", status_code=200, tags=["orders"])
async def withdraw_edit(
    order_id: UUID, edit_id: UUID, request: Request, principal: Principal, edits: Edits
) -> EditView:
    """For staff: give up a change that is not paid; what is held for it goes back."""
    principal.require("orders:write")
    once = await once_of(request, str(edit_id))
    return view_of_edit(await edits.withdraw(order_id, edit_id, once, by=principal.user_id))


@get("/v1/orders/{order_id:uuid}/edits", tags=["orders"])
async def read_edits(
    order_id: UUID, request: Request, principal: Principal, orders: Orders, edits: Edits
) -> EditList:
    """The changes of an order, oldest first; its buyer sees those that wait for their payment."""
    await seen(order_id, request, principal, orders)
    found = await edits.of_order(order_id)
    if principal.may(STAFF):
        return EditList([view_of_edit(edit) for edit in found])
    waiting = [edit for edit in found if edit.status == "awaiting_payment"]
    return EditList([msgspec.structs.replace(view_of_edit(edit), reason="") for edit in waiting])


def view_of_edit(edit: Edit) -> EditView:
    return EditView(
        id=edit.id,
        removed=[LineCount(line_id, count) for line_id, count in edit.removed.items()],
        added=edit.added.lines,
        reason=edit.reason,
        status=edit.status,
        refusal=edit.refusal,
        payment=_payment(edit, edit.payment) if edit.payment else None,
        created_at=edit.created_at,
    )


def _payment(edit: Edit, payment: EditPayment) -> EditPaymentView:
    waits = path_of(edit.link) if edit.by_link and edit.link else payment.action_url
    return EditPaymentView(
        id=edit.payment_id,
        amount=edit.due,
        method=payment.method,
        status=payment.status,
        action_url=waits if edit.pending else None,
        decline_code=payment.decline_code,
        instructions=payment.tender.instructions if payment.tender else "",
        until=edit.until,
    )


HANDLERS: list[object] = [edit_order, quote_edit, withdraw_edit, read_edits]
