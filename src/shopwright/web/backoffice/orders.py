"""Orders: find one, see what happened to it step by step, give it a push, ship, refund or cancel it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, get_args
from uuid import UUID

from litestar import Response

from shopwright.contracts.orders import OrderStatus
from shopwright.contracts.problem import Problem

from ..clients.orders import Order, Refund, Step, Tracking
from ..clients.payments import Payment
from ..clients.remote import is_away, unless_away
from ..forms import Form
from .desk import Desk, action, page
from .words import PAYMENT_KINDS, PAYMENT_OUTCOMES, happenings

STATUSES: tuple[str, ...] = get_args(OrderStatus)
LIMIT = 50


@page("/admin/orders", "orders:read")
async def list_orders(desk: Desk) -> Response[bytes]:
    query = desk.query
    q, cursor = query.get("q", "").strip(), query.get("cursor", "")
    status = query.get("status", "") if query.get("status") in STATUSES else ""
    found = await desk.site.orders.orders(
        await desk.token(), status=status, q=_number(q), cursor=cursor, limit=LIMIT
    )
    if q and not cursor and len(found.items) == 1 and found.items[0].number == _number(q):
        return desk.go(f"/admin/orders/{found.items[0].id}")
    return await desk.page(
        "admin/orders.html", orders=found.items, next_cursor=found.next_cursor, q=q, wanted=status,
        statuses=STATUSES, first=not cursor,
    )  # fmt: skip


@page("/admin/orders/{order_id:uuid}", "orders:read")
async def show_order(desk: Desk, order_id: UUID) -> Response[bytes]:
    return await _show(desk, order_id)


@action("/admin/orders/{order_id:uuid}/cancel", "orders:write")
async def cancel_order(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Cancel until it is shipped; afterwards the service says why it cannot."""
    back = f"/admin/orders/{order_id}"
    try:
        order = await desk.site.orders.cancel(await desk.token(), order_id)
    except Problem as problem:
        if problem.kind != "conflict":
            raise
        return await desk.not_done(f"Not cancelled: {(problem.detail or problem.title).rstrip('.')}.", back)
    if order.status == "cancelled":
        return await desk.done("The order was cancelled; the items go back, and so does what was paid.", back)
    return await desk.done("The order is being cancelled. Look again in a moment.", back)


@action("/admin/orders/{order_id:uuid}/ship", "orders:write")
async def ship(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Say that all that is left was handed to a carrier; the buyer is told."""
    form = desk.form
    tracking = Tracking(form["carrier"], form["number"], form["url"])
    if form["url"] and not form["url"].startswith("https://"):
        form.errors["url"] = "Enter an address that begins with https://"
    if not form.errors:
        try:
            await desk.site.orders.ship(await desk.token(), order_id, tracking, key=_key(form))
        except Problem as problem:
            _refuse(form, problem, ("carrier", "number", "url"))
        else:
            return await desk.done("The order is shipped; the buyer is told.", f"/admin/orders/{order_id}")
    return await _show(desk, order_id, shipping=form, status=422)


@action("/admin/orders/{order_id:uuid}/refund", "orders:refund")
async def refund(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Pay back an amount, or all that is left."""
    form, token = desk.form, await desk.token()
    form.require({"reason": "Say why, for the books"})
    order = await desk.site.orders.order(token, order_id)
    amount = form.money("amount", order.total.currency) if form["amount"] else None
    if amount is not None and amount.minor <= 0:
        form.errors["amount"] = "Enter an amount above zero"
    if not form.errors:
        try:
            made = await desk.site.orders.refund(
                token, order_id, form["reason"], amount, to=form["to"], key=_key(form)
            )
        except Problem as problem:
            _refuse(form, problem, ("amount", "reason"))
        else:
            done = {"succeeded": "The money is back.", "requested": "The refund is on its way."}
            back = f"/admin/orders/{order_id}"
            if made.status in done:
                return await desk.done(done[made.status], back)
            return await desk.not_done(f"The refund failed: {made.failure}.", back)
    return await _show(desk, order_id, refunding=form, status=422)


def stalled(order: Order, refunds: Sequence[Refund] = ()) -> bool:
    """Whether a saga of the order has not ended, so that a push may help."""
    unpaid = order.payment.status not in {"captured", "partially_refunded", "refunded"}
    waits = any(refund.status == "requested" for refund in refunds)
    return waits or order.in_progress or (order.status == "confirmed" and unpaid and not refused(order))


def refused(order: Order) -> bool:
    """Whether the provider will never pay for the confirmed order: only cancelling it is left."""
    return order.status == "confirmed" and order.payment.status in {"declined", "voided"}


def cancellable(desk: Desk, order: Order) -> bool:
    """Until all is shipped; once it is paid that gives money back, which needs its own scope."""
    paid = order.status in {"confirmed", "partially_fulfilled"} and desk.may("orders:refund")
    return desk.may("orders:write") and (order.in_progress or paid)


async def _show(
    desk: Desk, order_id: UUID, *, shipping: Form | None = None, refunding: Form | None = None,
    status: int = 200,
) -> Response[bytes]:  # fmt: skip
    token, orders = await desk.token(), desk.site.orders
    order, steps, payments, fulfilments, refunds, others = await asyncio.gather(
        orders.order(token, order_id),
        unless_away(_timeline(desk, token, order_id)),
        _payments(desk, token, order_id),
        unless_away(orders.fulfilments(token, order_id)),
        unless_away(orders.refunds(token, order_id)),
        asyncio.gather(
            unless_away(desk.site.staff_orders.exchanges(token, order_id)),
            unless_away(desk.site.pay_links.waiting(token, order_id)),
        ),
    )
    paid = order.payment.status in {"captured", "partially_refunded"}
    return await desk.page(
        "admin/order.html", status=status, order=order, payments=payments, kinds=PAYMENT_KINDS,
        steps=None if steps is None else happenings(steps), outcomes=PAYMENT_OUTCOMES,
        fulfilments=fulfilments or [], refunds=refunds or [], exchanges=others[0] or [],
        waiting=others[1] or [],
        stalled=stalled(order, refunds or []), refused=refused(order),
        cancellable=cancellable(desk, order), refundable=paid and desk.may("orders:refund"),
        shippable=order.status in {"confirmed", "partially_fulfilled"} and paid and desk.may("orders:write"),
        editable=order.status == "confirmed" and paid and desk.may("orders:refund"),
        returnable=any(line.fulfilled > line.returned for line in order.lines) and desk.may("orders:refund"),
        shipping=shipping or _fresh(), refunding=refunding or _fresh(),
    )  # fmt: skip


def _fresh() -> Form:
    return Form({"key": secrets.token_hex(16)})


def _key(form: Form) -> str:
    return form["key"] or secrets.token_hex(16)


def _refuse(form: Form, problem: Problem, fields: tuple[str, ...]) -> None:
    if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
        raise problem
    if problem.slug == "more-than-paid":
        form.errors["amount"] = "That is more than is left to pay back"
    else:
        form.refuse(problem, fields)
    if not is_away(problem):
        form.values["key"] = secrets.token_hex(16)


async def _timeline(desk: Desk, token: str, order_id: UUID) -> list[Step]:
    """Empty for an order whose first step has not come back yet."""
    try:
        return await desk.site.orders.timeline(token, order_id)
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return []


async def _payments(desk: Desk, token: str, order_id: UUID) -> list[Payment] | None:
    if not desk.may("payments:read"):
        return None
    return await unless_away(desk.site.payments.of_order(token, order_id))


def _number(q: str) -> str:
    """What was typed as orders looks for it: `100001` and `sw-100001` are the number SW-100001."""
    return f"SW-{q}" if q.isascii() and q.isdigit() else q.upper() if q[:3].lower() == "sw-" else q


HANDLERS: list[Any] = [list_orders, show_order, cancel_order, ship, refund]
