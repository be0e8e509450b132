"""Changes of orders before shipment, over HTTP: staff take units out and put others in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.products import ReserveLine

from ..commands.edits import Edits
from ..domain import QUANTITY_MAX, OrderLine
from ..domain.edits import Edit
from .after_sale import Reason
from .orders import STAFF, LineCount

SOME = msgspec.Meta(max_length=200)
Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class AddedLine(msgspec.Struct, frozen=True):
    sku: Sku
    quantity: Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)]


class LineQuantity(msgspec.Struct, frozen=True):
    """How many units of a line are to be sent; 0 takes it out."""

    line_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=0, le=QUANTITY_MAX)]


class NewEdit(msgspec.Struct, frozen=True, kw_only=True):
    """Fewer units of lines, and others at today's price; together not dearer than before."""

    reason: Reason
    lines: Annotated[list[LineQuantity], SOME] = []
    add: Annotated[list[AddedLine], SOME] = []


class EditView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    removed: list[LineCount]
    added: list[OrderLine]
    reason: str
    status: Literal["requested", "applied", "refused"]
    refusal: dict[str, Any] | None
    created_at: datetime


class EditList(msgspec.Struct, frozen=True):
    items: list[EditView]


@post("/v1/orders/{order_id:uuid}/edits", tags=["orders"])
async def edit_order(
    order_id: UUID, data: NewEdit, request: Request, principal: Principal, edits: Edits
) -> Response[EditView]:
    """For staff: change an order of which nothing was shipped. 201 it is changed; 202 it is being changed.

    A cheaper order is paid back in part; a dearer one is refused (EditNeedsPayment).
    """
    principal.require("orders:write")
    principal.require("orders:refund")
    keep = {line.line_id: line.quantity for line in data.lines}
    if len(keep) < len(data.lines):
        raise invalid("/lines", "names a line twice")
    add = [ReserveLine(line.sku, line.quantity) for line in data.add]
    if len({line.sku for line in add}) < len(add):
        raise invalid("/add", "names a SKU twice")
    edit = await edits.edit(
        order_id, keep, add, data.reason, once=await once_of(request, str(order_id)), by=principal.user_id
    )
    return Response(_view(edit), status_code=201 if edit.status == "applied" else 202)


@get("/v1/orders/{order_id:uuid}/edits", tags=["orders"])
async def read_edits(order_id: UUID, principal: Principal, edits: Edits) -> EditList:
    """For staff: the changes of an order, oldest first."""
    principal.require(STAFF)
    return EditList([_view(edit) for edit in await edits.of_order(order_id)])


def _view(edit: Edit) -> EditView:
    return EditView(
        id=edit.id,
        removed=[LineCount(line_id, count) for line_id, count in edit.removed.items()],
        added=edit.added.lines,
        reason=edit.reason,
        status=edit.status,
        refusal=edit.refusal,
        created_at=edit.created_at,
    )


HANDLERS: list[object] = [edit_order, read_edits]
