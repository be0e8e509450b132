"""Orders that were placed: the list and one order, for an account and for the browser that bought as a
guest.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from litestar import Response, get

from shopwright.contracts.problems import NotFound

from ..clients.orders import Order, Step
from ..clients.remote import unless_away
from ..sessions import Purchase
from ..visit import Visit

PURCHASES_PAGE = 5  # each is a call of its own


@get("/orders", include_in_schema=False)
async def orders_page(visit: Visit) -> Response[bytes]:
    """An account's orders; a guest sees those placed from this browser."""
    cursor = visit.request.query_params.get("cursor")
    if visit.identity is not None:
        page = await unless_away(visit.site.orders.own_orders(await visit.token(), cursor))
        return await visit.page(
            "orders.html", orders=page.items if page else None, next_cursor=page.next_cursor if page else None
        )
    purchases = visit.purchases
    if not purchases:
        return visit.log_in_first()
    start = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() else 0
    shown = purchases[start : start + PURCHASES_PAGE]
    found = await asyncio.gather(*(_purchase(visit, item) for item in shown))
    orders = [order for order in found if order is not None]
    following = start + PURCHASES_PAGE
    return await visit.page(
        "orders.html", orders=orders or None, next_cursor=following if following < len(purchases) else None
    )


async def _purchase(visit: Visit, purchase: Purchase) -> Order | None:
    """None for an order that cannot be shown now, or only to the account it belongs to."""
    try:
        return await unless_away(visit.site.orders.order("", purchase.order_id, purchase.cart_id))
    except NotFound:
        return None


@get("/orders/{order_id:uuid}", include_in_schema=False)
async def order_page(visit: Visit, order_id: UUID) -> Response[bytes]:
    token = await visit.token()
    cart_id = visit.session.cart_of(order_id) if visit.session else None
    order, steps, parcels, refunds, waiting = await asyncio.gather(
        visit.site.orders.order(token, order_id, cart_id),
        unless_away(visit.site.orders.timeline(token, order_id, cart_id)),
        unless_away(visit.site.orders.fulfilments(token, order_id, cart_id)),
        unless_away(visit.site.orders.refunds(token, order_id, cart_id)),
        unless_away(visit.site.pay_links.waiting(token, order_id, cart_id)),
    )
    return await visit.page(
        "order.html", order=order, steps=None if steps is None else _told(steps), parcels=parcels or [],
        waiting=waiting or [], refunds=[refund for refund in refunds or [] if refund.amount.minor],
    )  # fmt: skip


@get("/orders/{order_id:uuid}/invoice.pdf", include_in_schema=False)
async def invoice(visit: Visit, order_id: UUID) -> Response[bytes]:
    cart_id = visit.session.cart_of(order_id) if visit.session else None
    content = await visit.site.orders.invoice(await visit.token(), order_id, cart_id)
    headers = {
        "content-disposition": f'inline; filename="invoice-{order_id}.pdf"',
        "cache-control": "private, no-store",
    }
    return Response(content, media_type="application/pdf", headers=headers)


def _told(steps: list[Step]) -> list[Step]:
    """The steps without the waiting that is over."""
    done = {(step.step, step.direction) for step in steps if step.outcome == "done"}
    return [step for step in steps if step.outcome == "done" or (step.step, step.direction) not in done]


HANDLERS: list[Any] = [orders_page, order_page, invoice]
