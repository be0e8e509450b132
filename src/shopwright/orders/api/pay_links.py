"""What a buyer pays by a link, over HTTP: who has the link may see what it asks for, and pay it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from litestar import Request, get, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.contracts.money import Money

from ..commands.pay_links import Asked, PayLinks
from ..domain import DECIDED, OrderLine
from .orders import PaymentInput

State = Literal["waiting", "paying", "paid", "over"]


class PayLinkView(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting`: choose how to pay; `paying`: go on at `action_url`, or it is being worked on; `over`:
    nothing is to be paid any more. `adds` is what the money is for; `decline_code`: why the last try failed.
    """

    id: UUID
    purpose: Literal["edit", "exchange"]
    state: State
    order_id: UUID
    number: str
    amount: Money
    until: datetime
    adds: list[OrderLine]
    country: str
    action_url: str | None
    decline_code: str


class PayByLink(msgspec.Struct, frozen=True):
    payment: PaymentInput


@get("/v1/orders/pay-links/{link_id:uuid}", tags=["orders"])
async def read_pay_link(link_id: UUID, pay_links: PayLinks) -> PayLinkView:
    """What a link asks for, and how that stands."""
    return _view(await pay_links.find(link_id))


@post("/v1/orders/pay-links/{link_id:uuid}", status_code=200, tags=["orders"])
async def pay_by_link(
    link_id: UUID, data: PayByLink, request: Request, principal: Principal, pay_links: PayLinks
) -> PayLinkView:
    """Pay what a link asks for; `paying` with an `action_url`: go on there."""
    payment = data.payment.of(principal.user_id)
    once = await once_of(request, str(link_id))
    return _view(await pay_links.pay(link_id, payment, principal.user_id, once))


@post("/internal/orders/pay-links/{link_id:uuid}/look-again", status_code=204, include_in_schema=False)
async def look_again(link_id: UUID, principal: Principal, pay_links: PayLinks) -> None:
    """The buyer came back from the provider's page: see how the payment stands."""
    principal.require_caller(("web",))
    await pay_links.look_again(link_id)


def _view(asked: Asked) -> PayLinkView:
    order, edit = asked.order, asked.edit
    payment = edit.payment if edit else None
    action_url = payment.action_url if payment else order.action_url
    state = _state(asked)
    return PayLinkView(
        id=asked.link.id,
        purpose="edit" if edit else "exchange",
        state=state,
        order_id=order.id,
        number=order.number,
        amount=asked.amount,
        until=asked.link.until,
        adds=edit.added.lines if edit else order.lines,
        country=order.address.country if order.address else "",
        action_url=action_url if state == "paying" else None,
        decline_code=payment.decline_code if payment and state == "waiting" else "",
    )


def _state(asked: Asked) -> State:
    if asked.waits:
        return "waiting"
    if asked.edit is not None:
        if asked.edit.pending:
            return "paying"
        return "paid" if asked.edit.status == "applied" else "over"
    if asked.order.status not in DECIDED:
        return "paying"
    return "over" if asked.order.refusal is not None else "paid"


HANDLERS: list[object] = [read_pay_link, pay_by_link, look_again]
