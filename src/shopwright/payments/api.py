"""What staff can read of payments over HTTP, and where providers send their webhooks.

Buyers see a payment through their order. A webhook is answered 200 once what it tells is booked, or when it
is genuine but about a charge that is not ours: our row is committed before the provider hears of a payment,
so an unknown one never will be ours, and another answer would only have it sent for days.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, get, post, put
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.db import Database
from shopwright.chassis.paging import Limit, Page, decode_cursor, page_of
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentStatus
from shopwright.contracts.problems import NotFound

from .commands import Payments, Routing
from .domain import Payment, Rule, Tender
from .store import parts
from .store import payments as store

WEBHOOK_MAX = 65_536  # what a provider tells of one charge is a few kilobytes


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a payment: what was asked of the provider, or what became of it."""

    kind: str
    outcome: str
    amount: Money
    fee: Money
    code: str
    at: datetime


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """`part_of`: the payment of several parts that it is one of; `parts`: those of such a payment."""

    id: UUID
    order_id: UUID | None
    status: PaymentStatus
    amount: Money
    authorised: Money
    captured: Money
    refunded: Money
    method: str
    provider: str
    provider_ref: str | None
    decline_code: str | None
    created_at: datetime | None
    updated_at: datetime | None
    events: list[TimelineEntry]
    part_of: UUID | None = None
    parts: list[PaymentView] = []


@get("/v1/payments/{payment_id:uuid}", tags=["payments"])
async def read_payment(payment_id: UUID, principal: Principal, db: Database) -> PaymentView:
    """A payment with its events. Scope payments:read."""
    principal.require("payments:read")
    payment = await store.find(db, payment_id)
    if payment is not None:
        return (await _views(db, [payment]))[0]
    tender = await parts.find(db, payment_id)
    if tender is None:
        raise NotFound(detail=f"no payment {payment_id}")
    begun = [part.payment for part in tender.parts if part.payment is not None]
    return _whole(tender, await _views(db, begun))


@get("/v1/payments", tags=["payments"])
async def list_payments(
    principal: Principal,
    db: Database,
    order_id: Annotated[UUID, Parameter(description="The order whose payments are asked for.")],
    limit: Limit = 20,
    cursor: str | None = None,
) -> Page[PaymentView]:
    """The payments of an order with their events, oldest first. Scope payments:read."""
    principal.require("payments:read")
    payments = await store.of_order(db, order_id, decode_cursor(cursor, UUID), limit + 1)
    return page_of(await _views(db, payments), limit, lambda payment: payment.id)


@post(
    "/v1/webhooks/{provider:str}",
    status_code=200,
    request_max_body_size=WEBHOOK_MAX,
    tags=["payments"],
)
async def receive_webhook(provider: str, request: Request, payments: Payments) -> dict[str, bool]:
    """For payment providers: what became of a charge. Signed; repeats and any order are harmless."""
    await payments.receive(provider, request.headers, await request.body())
    return {"received": True}


class RoutingRules(msgspec.Struct, frozen=True):
    """Tried from the top: the first rule that fits says which providers are asked, in their order."""

    rules: Annotated[list[Rule], msgspec.Meta(max_length=100)]


@get("/v1/payments/routing", tags=["payments"])
async def read_routing(principal: Principal, routing: Routing) -> RoutingRules:
    """Which provider takes which payments. Scope payments:read."""
    principal.require("payments:read")
    return RoutingRules(await routing.rules())


@put("/v1/payments/routing", tags=["payments"])
async def replace_routing(data: RoutingRules, principal: Principal, routing: Routing) -> RoutingRules:
    """Replace all rules; without any, each provider takes what it can, in the order of the installation.

    Scope payments:write.
    """
    principal.require("payments:write")
    await routing.replace(data.rules)
    return data


HANDLERS = (read_payment, list_payments, receive_webhook, read_routing, replace_routing)


async def _views(db: Database, payments: list[Payment]) -> list[PaymentView]:
    timelines = await store.timelines(db, payments)
    return [_view(payment, timelines[payment.id]) for payment in payments]


def _whole(tender: Tender, views: list[PaymentView]) -> PaymentView:
    """A payment of several parts as one: sums, and what happened to any of them."""
    live = tender.live
    return PaymentView(
        id=tender.id,
        order_id=tender.order_id,
        status=tender.status,
        amount=Money(tender.amount, tender.currency),
        authorised=Money(sum(part.payment.authorised for part in live if part.payment), tender.currency),
        captured=Money(tender.captured, tender.currency),
        refunded=Money(tender.refunded, tender.currency),
        method=live[-1].method,
        provider=live[-1].provider,
        provider_ref=None,
        decline_code=tender.decline_code or None,
        created_at=min((view.created_at for view in views if view.created_at), default=None),
        updated_at=max((view.updated_at for view in views if view.updated_at), default=None),
        events=sorted((event for view in views for event in view.events), key=lambda event: event.at),
        parts=views,
    )


def _view(payment: Payment, events: list[store.LoggedEvent]) -> PaymentView:
    return PaymentView(
        id=payment.id,
        order_id=payment.order_id,
        status=payment.status,
        amount=payment.money(payment.amount),
        authorised=payment.money(payment.authorised),
        captured=payment.money(payment.captured),
        refunded=payment.money(payment.refunded),
        method=payment.method,
        provider=payment.provider,
        provider_ref=payment.provider_ref,
        decline_code=payment.decline_code,
        created_at=payment.created_at,
        updated_at=payment.updated_at,
        part_of=payment.group_id,
        events=[
            TimelineEntry(
                kind=event.kind,
                outcome=event.outcome,
                amount=payment.money(event.amount),
                fee=payment.money(event.fee),
                code=event.code,
                at=event.at,
            )
            for event in events
        ],
    )
