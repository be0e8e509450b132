"""Exchanges over HTTP: staff take goods back and send others for them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, get, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.products import ReserveLine

from ..commands.exchanges import Exchanges
from .after_sale import Reason, RefundView, refund_of
from .edits import AddedLine
from .orders import LINES, STAFF, LineCount, OrderView, counts, view_of


class NewExchange(msgspec.Struct, frozen=True, kw_only=True):
    """`return` units of lines come back, `send` is sent for them; `restock`: they can be sold again."""

    back: Annotated[list[LineCount], LINES] = msgspec.field(name="return")
    send: Annotated[list[AddedLine], LINES]
    reason: Reason
    restock: bool = True


class ExchangeView(msgspec.Struct, frozen=True):
    """The order that is sent, which costs nothing, and the return with what is paid back."""

    order: OrderView
    refund: RefundView


class ExchangeList(msgspec.Struct, frozen=True):
    items: list[OrderView]


@post("/v1/orders/{order_id:uuid}/exchanges", tags=["orders"])
async def exchange(
    order_id: UUID, data: NewExchange, request: Request, principal: Principal, exchanges: Exchanges
) -> ExchangeView:
    """For staff: goods come back and others are sent for them; what they cost less is paid back.

    Goods that cost more than what comes back are refused (ExchangeNeedsPayment).
    """
    principal.require("orders:write")
    principal.require("orders:refund")
    send = [ReserveLine(line.sku, line.quantity) for line in data.send]
    if len({line.sku for line in send}) < len(send):
        raise invalid("/send", "names a SKU twice")
    made = await exchanges.exchange(
        order_id,
        counts(data.back, "/return"),
        send,
        data.reason,
        restock=data.restock,
        once=await once_of(request, str(order_id)),
        by=principal.user_id,
    )
    return ExchangeView(view_of(made.order), refund_of(made.reversal, staff=True))


@get("/v1/orders/{order_id:uuid}/exchanges", tags=["orders"])
async def read_exchanges(order_id: UUID, principal: Principal, exchanges: Exchanges) -> ExchangeList:
    """For staff: what was sent for goods of an order that came back."""
    principal.require(STAFF)
    return ExchangeList([view_of(order) for order in await exchanges.of_order(order_id)])


HANDLERS: list[object] = [exchange, read_exchanges]
