"""Shipping, returns, refunds over HTTP: staff act, buyers read what concerns their order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.contracts.money import Money

from ..commands.after_sale import AfterSale
from ..commands.orders import Orders
from ..domain import Fulfilment, Reversal, Tracking
from .orders import LINES, STAFF, LineCount, counts, seen

Text = Annotated[str, msgspec.Meta(max_length=200)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class TrackingInput(msgspec.Struct, frozen=True):
    carrier: Text = ""
    number: Text = ""
    url: Annotated[str, msgspec.Meta(max_length=500, pattern=r"^(https://\S+)?$")] = ""


class NewFulfilment(msgspec.Struct, frozen=True):
    """Without `lines` all that is left to ship."""

    lines: Annotated[list[LineCount], LINES] | None = None
    tracking: TrackingInput = TrackingInput()


class NewRefund(msgspec.Struct, frozen=True):
    """Without `amount` all that is left; `to` the buyer's wallet, or where it came from."""

    reason: Reason
    amount: Money | None = None
    to: Literal["source", "wallet"] = "source"


class NewReturn(msgspec.Struct, frozen=True, kw_only=True):
    """`refund`: what is paid back, without it the price of the goods; `restock`: they can be sold again."""

    lines: Annotated[list[LineCount], LINES]
    reason: Reason
    refund: Money | None = None
    restock: bool = True
    to: Literal["source", "wallet"] = "source"


class FulfilmentView(msgspec.Struct, frozen=True):
    id: UUID
    lines: list[LineCount]
    tracking: Tracking
    created_at: datetime


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """`status` requested: asked for, its outcome not known yet. `failure` is shown to staff only."""

    id: UUID
    kind: Literal["refund", "return", "cancellation", "edit"]
    to: Literal["source", "wallet"]
    amount: Money
    lines: list[LineCount]
    reason: str
    status: Literal["requested", "succeeded", "failed"]
    failure: str
    created_at: datetime


class Fulfilments(msgspec.Struct, frozen=True):
    items: list[FulfilmentView]


class Refunds(msgspec.Struct, frozen=True):
    items: list[RefundView]


@post("/v1/orders/{order_id:uuid}/fulfilments", tags=["orders"])
async def ship(
    order_id: UUID, data: NewFulfilment, request: Request, principal: Principal, after_sale: AfterSale
) -> FulfilmentView:
    """Ship an order or a part of it; the buyer is told."""
    principal.require("orders:write")
    tracking = Tracking(data.tracking.carrier, data.tracking.number, data.tracking.url)
    lines = counts(data.lines) if data.lines is not None else None
    return _fulfilment(
        await after_sale.fulfil(
            order_id, lines, tracking, await once_of(request, str(order_id)), by=principal.user_id
        )
    )


@get("/v1/orders/{order_id:uuid}/fulfilments", tags=["orders"])
async def read_fulfilments(
    order_id: UUID, request: Request, principal: Principal, orders: Orders, after_sale: AfterSale
) -> Fulfilments:
    """What was shipped of an order."""
    await seen(order_id, request, principal, orders)
    fulfilments, _ = await after_sale.of_order(order_id)
    return Fulfilments([_fulfilment(fulfilment) for fulfilment in fulfilments])


@post("/v1/orders/{order_id:uuid}/refunds", tags=["orders"])
async def refund(
    order_id: UUID, data: NewRefund, request: Request, principal: Principal, after_sale: AfterSale
) -> Response[RefundView]:
    """Pay back money of an order. 201 it is back, or failed; 202 it is asked for."""
    principal.require("orders:refund")
    once = await once_of(request, str(order_id))
    return _answer(
        await after_sale.refund(order_id, data.amount, data.reason, once, to=data.to, by=principal.user_id)
    )


@post("/v1/orders/{order_id:uuid}/returns", tags=["orders"])
async def take_return(
    order_id: UUID, data: NewReturn, request: Request, principal: Principal, after_sale: AfterSale
) -> Response[RefundView]:
    """Take goods of an order back. 201 the money is back, or failed; 202 it is asked for."""
    principal.require("orders:write")
    principal.require("orders:refund")
    reversal = await after_sale.take_return(
        order_id,
        counts(data.lines),
        data.reason,
        amount=data.refund,
        restock=data.restock,
        to=data.to,
        once=await once_of(request, str(order_id)),
        by=principal.user_id,
    )
    return _answer(reversal)


@get("/v1/orders/{order_id:uuid}/refunds", tags=["orders"])
async def read_refunds(
    order_id: UUID, request: Request, principal: Principal, orders: Orders, after_sale: AfterSale
) -> Refunds:
    """What went back of an order: refunds, returns, cheaper changes, a cancellation."""
    await seen(order_id, request, principal, orders)
    _, reversals = await after_sale.of_order(order_id)
    went_back = [item for item in reversals if item.kind != "edit" or item.amount.minor]
    return Refunds([refund_of(reversal, staff=principal.may(STAFF)) for reversal in went_back])


def _answer(reversal: Reversal) -> Response[RefundView]:
    return Response(
        refund_of(reversal, staff=True), status_code=202 if reversal.status == "requested" else 201
    )  # fmt: skip


def _fulfilment(fulfilment: Fulfilment) -> FulfilmentView:
    return FulfilmentView(
        fulfilment.id, _lines(fulfilment.lines), fulfilment.tracking, fulfilment.created_at
    )  # fmt: skip


def refund_of(reversal: Reversal, *, staff: bool) -> RefundView:
    return RefundView(
        id=reversal.id,
        kind=reversal.kind,
        to=reversal.destination,
        amount=reversal.amount,
        lines=_lines(reversal.lines),
        reason=reversal.reason,
        status=reversal.status,
        failure=reversal.failure if staff else "",
        created_at=reversal.created_at,
    )


def _lines(quantities: dict[str, int]) -> list[LineCount]:
    return [LineCount(UUID(line_id), count) for line_id, count in quantities.items()]


HANDLERS: list[object] = [ship, read_fulfilments, refund, take_return, read_refunds]
