"""What becomes of an order that was placed: to the provider's page, back from it, done, given up.

Redirect, webhook and reload meet here; whoever comes, the order itself is asked how it stands.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from litestar import Response, get, post

from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotAuthenticated, NotFound

from ..clients.orders import Order
from ..clients.remote import unless_away
from ..sessions import Tender
from ..visit import Visit, local_path
from .checkout import stays
from .words import declined_text, lost_text, refusal_text

log = structlog.get_logger()

RETRY_S = 2  # an order in progress is looked at again this soon


@get("/checkout/pay/{order_id:uuid}", include_in_schema=False)
async def go_on_paying(visit: Visit, order_id: UUID) -> Response[bytes]:
    """To the provider's page again, for who left it without deciding."""
    return await after_placing(visit, await order_of(visit, order_id))


@get("/checkout/return", include_in_schema=False)
async def came_back(visit: Visit) -> Response[bytes]:
    """Where the provider sends the buyer: on to the order that was paid, or the last of this browser."""
    purchases = visit.purchases
    if not purchases:
        return visit.go("/orders")
    payment_id = visit.request.query_params.get("payment", "")
    purchase = next(
        (item for item in purchases if payment_id and item.payment_id == payment_id), purchases[0]
    )
    try:
        await unless_away(visit.site.orders.look_again(purchase.order_id))
    except Problem as problem:  # the webhook will tell; the page below asks again anyway
        log.warning("the order was not asked to look again", problem=problem.slug, detail=problem.detail)
    return visit.go(f"/checkout/return/{purchase.order_id}")


@get("/checkout/return/{order_id:uuid}", include_in_schema=False)
async def outcome(visit: Visit, order_id: UUID) -> Response[bytes]:
    """The order's outcome; while there is none, a page that asks again by itself."""
    order = await unless_away(order_of(visit, order_id))
    if order is not None and (not order.in_progress or order.awaits_transfer):
        return await after_placing(visit, order)
    return await visit.page("checkout_wait.html", order=order, order_id=order_id, retry_s=RETRY_S)


@post("/checkout/cancel/{order_id:uuid}", include_in_schema=False)
async def cancel(visit: Visit, order_id: UUID) -> Response[bytes]:
    """The buyer would rather change the cart than pay."""
    cart_id = visit.session.cart_of(order_id) if visit.session else None
    try:
        await visit.site.orders.cancel(await visit.token(), order_id, cart_id)
    except Problem as problem:
        if not stays(problem):
            raise
        await visit.warn(refusal_text(problem))
        return visit.go(f"/checkout/return/{order_id}")
    if visit.session and visit.session.cart_id is None and cart_id is not None:
        await visit.site.sessions.set_cart(visit.session, cart_id)  # it was let go when the order was placed
    await visit.notify("Nothing was ordered. Your cart is as it was.")
    return visit.go("/cart")


@get("/checkout/done/{order_id:uuid}", include_in_schema=False)
async def confirmation(visit: Visit, order_id: UUID) -> Response[bytes]:
    return await visit.page("confirmation.html", order=await order_of(visit, order_id))


async def after_placing(visit: Visit, order: Order) -> Response[bytes]:
    """Where a buyer goes with an order in this state."""
    if order.status == "awaiting_buyer" and order.payment.action_url:
        return await hand_over(visit, order.payment.action_url, f"Order {order.number}", order.payment_due)
    if order.in_progress and not order.awaits_transfer:
        return visit.go(f"/checkout/return/{order.id}")
    if order.lost:
        code = str((order.refusal or {}).get("code", ""))
        text = declined_text(code) if order.payment.status == "declined" else lost_text(order)
        await visit.warn(text)
        return visit.go("/checkout/review" if order.payment.status == "declined" else "/cart")
    session = visit.session
    if session and session.cart_id and session.cart_of(order.id) in {session.cart_id, None}:
        await visit.site.sessions.set_cart(session, None)
        await visit.site.sessions.set_tender(session, Tender())
    return visit.go(f"/checkout/done/{order.id}")


async def hand_over(visit: Visit, url: str, about: str, amount: Money) -> Response[bytes]:
    """To the provider's page. A form may not redirect to another site (CSP), so a page goes between."""
    parts = urlsplit(url)
    if local_path(url) == url or f"{parts.scheme}://{parts.netloc}" == visit.origin:
        return visit.go(url)
    if parts.scheme not in {"https", "http"} or not parts.netloc:
        raise NotFound(detail="the payment has no page to go to")
    return await visit.page("checkout_pay.html", url=url, about=about, amount=amount)


async def order_of(visit: Visit, order_id: UUID) -> Order:
    """Raises NotAuthenticated for an account's order of this browser whose log-in has ended."""
    cart_id = visit.session.cart_of(order_id) if visit.session else None
    token = await visit.token()
    try:
        return await visit.site.orders.order(token, order_id, cart_id)
    except NotFound:
        if cart_id is not None and not token:
            raise NotAuthenticated from None
        raise


HANDLERS: list[Any] = [go_on_paying, came_back, outcome, cancel, confirmation]
