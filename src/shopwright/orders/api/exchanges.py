"""Exchanges over HTTP: staff take goods back and send others for them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.products import ReserveLine

from ..commands.exchanges import Exchanges, Swap
from ..commands.orders import Orders
from .after_sale import Reason, RefundView, refund_of
from .edits import AddedLine
from .orders import LINES, STAFF, LineCount, OrderView, PaymentInput, counts, view_of


class ExchangeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """`return` units of lines come back, `send` is sent for them."""

    back: Annotated[list[LineCount], LINES] = msgspec.field(name="return")
    send: Annotated[list[AddedLine], LINES]

    def swap(self) -> Swap:
        """Raises InvalidInput when a line or SKU is named twice."""
        send = [ReserveLine(line.sku, line.quantity) for line in self.send]
        if len({line.sku for line in send}) < len(send):
            raise invalid("/send", "names a SKU twice")
        return Swap(counts(self.back, "/return"), send)


class NewExchange(ExchangeQuestion, frozen=True, kw_only=True):
    """`restock`: what comes back can be sold again. What is sent and costs more is paid by `payment`, or its
    buyer is sent a link.

    `expected_difference` is what was seen (negative: paid back); another one is refused with the new one.
    """

    reason: Reason
    restock: bool = True
    payment: PaymentInput | None = None
    expected_difference: Money | None = None


class ExchangeView(msgspec.Struct, frozen=True):
    """The order that is sent, which costs the difference, and the return; none until that is paid."""

    order: OrderView
    refund: RefundView | None


class ExchangeList(msgspec.Struct, frozen=True):
    items: list[OrderView]


class ExchangeDifference(msgspec.Struct, frozen=True):
    """What is sent costs so much more than what comes back; negative: so much less."""

    difference: Money


@post("/v1/orders/{order_id:uuid}/exchanges", tags=["orders"])
async def exchange(
    order_id: UUID,
    data: NewExchange,
    request: Request,
    principal: Principal,
    exchanges: Exchanges,
    orders: Orders,
) -> Response[ExchangeView]:
    """For staff: goods come back and others are sent for them; what they cost less is paid back.

    201 it is done; 202 what is sent costs more and is not paid yet: then nothing is taken back yet either.
    """
    principal.require("orders:write")
    principal.require("orders:refund")
    swap = data.swap()._replace(
        reason=data.reason, restock=data.restock, expected_difference=data.expected_difference
    )
    if data.payment is not None:
        order = await orders.find(order_id)
        swap = swap._replace(payment=data.payment.of(order.user_id))
    made = await exchanges.exchange(
        order_id, swap, once=await once_of(request, str(order_id)), by=principal.user_id
    )
    refund = refund_of(made.reversal, staff=True) if made.reversal else None
    return Response(ExchangeView(view_of(made.order), refund), status_code=201 if refund else 202)


@post("/v1/orders/{order_id:uuid}/exchanges/quote", status_code=200, tags=["orders"])
async def quote_exchange(
    order_id: UUID, data: ExchangeQuestion, principal: Principal, exchanges: Exchanges
) -> ExchangeDifference:
    """For staff: what an exchange would cost now; nothing is changed."""
    principal.require("orders:write")
    return ExchangeDifference(await exchanges.quote(order_id, data.swap()))


@get("/v1/orders/{order_id:uuid}/exchanges", tags=["orders"])
async def read_exchanges(order_id: UUID, principal: Principal, exchanges: Exchanges) -> ExchangeList:
    """For staff: what was sent for goods of an order that came back."""
    principal.require(STAFF)
    return ExchangeList([view_of(order) for order in await exchanges.of_order(order_id)])


HANDLERS: list[object] = [exchange, quote_exchange, read_exchanges]
