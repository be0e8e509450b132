"""Orders: find one, see what happened to it step by step, cancel it or give it a push."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, get_args
from uuid import UUID

from litestar import Response

from shopwright.contracts.orders import OrderStatus
from shopwright.contracts.problem import Problem

from ..clients.orders import Order, Step
from ..clients.payments import Payment
from ..clients.remote import unless_away
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
    token, site = await desk.token(), desk.site
    order, steps, payments = await asyncio.gather(
        site.orders.order(token, order_id),
        unless_away(_timeline(desk, token, order_id)),
        _payments(desk, token, order_id),
    )
    return await desk.page(
        "admin/order.html", order=order, payments=payments,
        steps=None if steps is None else happenings(steps),
        kinds=PAYMENT_KINDS, outcomes=PAYMENT_OUTCOMES, stalled=stalled(order), key=secrets.token_hex(16),
    )  # fmt: skip


@action("/admin/orders/{order_id:uuid}/cancel", "orders:write")
async def cancel_order(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Cancel before the order is confirmed; afterwards the service says why it cannot."""
    back = f"/admin/orders/{order_id}"
    try:
        order = await desk.site.orders.cancel(await desk.token(), order_id)
    except Problem as problem:
        if problem.kind != "conflict":
            raise
        return await desk.not_done(f"Not cancelled: {(problem.detail or problem.title).rstrip('.')}.", back)
    if order.status == "cancelled":
        return await desk.done("The order was cancelled; items and money go back.", back)
    return await desk.done("The order is being cancelled. Look again in a moment.", back)


@action("/admin/orders/{order_id:uuid}/look-again", "orders:write")
async def look_again(desk: Desk, order_id: UUID) -> Response[bytes]:
    """Let the order's saga try its next step now instead of waiting for its turn."""
    await desk.site.orders.order(await desk.token(), order_id)
    await desk.site.orders.look_again(order_id)
    return await desk.done("The next step was tried again.", f"/admin/orders/{order_id}")


def stalled(order: Order) -> bool:
    """Whether the order's saga has not ended, so that a push may help."""
    unpaid = order.payment.status not in {"captured", "partially_refunded", "refunded"}
    return order.in_progress or (order.status == "confirmed" and unpaid)


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


HANDLERS: list[Any] = [list_orders, show_order, cancel_order, look_again]
