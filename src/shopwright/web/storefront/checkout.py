"""Checkout: who and where, how to ship, look it over and pay, come back. Each step is one page and one form.

Placing an order is idempotent by a key that the review page carries: a double click, a reload or a lost
answer never makes a second order. The card is typed on the provider's page only.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from litestar import Response, get, post

from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import (
    NotAuthenticated,
    NotFound,
    OutOfStock,
    PaymentDeclined,
    TotalChanged,
)

from ..addresses import FIELDS, address_of, typed
from ..clients.orders import Cart, Order
from ..clients.remote import is_away, unless_away
from ..clients.users import SavedAddress
from ..forms import Form
from ..sessions import Purchase
from ..visit import Visit, local_path
from .cart import already_ordered, read_cart, refusal_text

log = structlog.get_logger()

RETRY_S = 2  # an order in progress is looked at again this soon
_STEPS = {
    "email-missing": "/checkout",
    "address-missing": "/checkout",
    "shipping-unavailable": "/checkout/shipping",
}


@get("/checkout", include_in_schema=False)
async def address_page(visit: Visit) -> Response[bytes]:
    cart, saved = await asyncio.gather(read_cart(visit), _saved(visit))
    if (elsewhere := _not_open(cart)) or cart is None:
        return visit.go(elsewhere or "/cart")
    wanted = visit.request.query_params.get("saved", "")
    chosen = next((item for item in saved if item.id == wanted), None)
    entry = chosen or (saved[0] if saved and not cart.address else None)
    default = entry.address if entry else cart.address
    email = cart.email or (visit.identity.email if visit.identity else "")
    name = visit.identity.name if visit.identity else ""
    form = Form(typed(default, email=email) if default else {"email": email, "name": name})
    return await visit.page("checkout_address.html", cart=cart, saved=saved, form=form)


@post("/checkout", include_in_schema=False)
async def set_address(visit: Visit) -> Response[bytes]:
    form, session = visit.form, visit.session
    if session is None or session.cart_id is None:
        return visit.go("/cart")
    form.require_email()
    address = address_of(form)
    token = await visit.token()
    if not form.errors:
        try:
            await visit.site.orders.set_address(token, session.cart_id, form["email"], address)
            return visit.go("/checkout/shipping")
        except Problem as problem:
            if not _stays(problem):
                raise
            form.refuse(problem, [*FIELDS, "email"])
    cart, saved = await asyncio.gather(unless_away(read_cart(visit)), _saved(visit))
    return await visit.page("checkout_address.html", status=422, cart=cart, saved=saved)


@get("/checkout/shipping", include_in_schema=False)
async def shipping_page(visit: Visit) -> Response[bytes]:
    return await _shipping(visit)


@post("/checkout/shipping", include_in_schema=False)
async def set_shipping(visit: Visit) -> Response[bytes]:
    form, session = visit.form, visit.session
    if session is None or session.cart_id is None:
        return visit.go("/cart")
    form.require({"method": "Choose how it should reach you"})
    if not form.errors:
        try:
            await visit.site.orders.set_shipping(await visit.token(), session.cart_id, form["method"])
            return visit.go("/checkout/review")
        except Problem as problem:
            if not _stays(problem):
                raise
            form.refuse(problem, ["method"])
    return await _shipping(visit, status=422)


@get("/checkout/review", include_in_schema=False)
async def review_page(visit: Visit) -> Response[bytes]:
    cart = await read_cart(visit)
    if (elsewhere := _not_open(cart)) or cart is None:
        return visit.go(elsewhere or "/cart")
    if not cart.email:
        return visit.go("/checkout")
    if not cart.shipping_method:
        return visit.go("/checkout/shipping")
    return await _review(visit, cart)


@post("/checkout/place", include_in_schema=False)
async def place(visit: Visit) -> Response[bytes]:
    """Order the cart and send the buyer to pay."""
    form, session = visit.form, visit.session
    if session is None or session.cart_id is None:
        return visit.go("/orders" if visit.identity else "/cart")
    cart_id, token = session.cart_id, await visit.token()
    try:
        order = await visit.site.orders.place(
            token,
            cart_id,
            expected_total=_seen_total(visit),
            return_url=visit.return_url("/checkout/return"),
            key=form["key"] or secrets.token_hex(16),
        )
    except Problem as problem:
        return await _not_placed(visit, problem, cart_id)
    await visit.site.sessions.add_purchase(session, Purchase(order.id, cart_id, order.payment.id))
    return await _next(visit, order)


@get("/checkout/pay/{order_id:uuid}", include_in_schema=False)
async def go_on_paying(visit: Visit, order_id: UUID) -> Response[bytes]:
    """To the provider's page again, for who left it without deciding."""
    return await _next(visit, await _order(visit, order_id))


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
    order = await unless_away(_order(visit, order_id))
    if order is not None and not order.in_progress:
        return await _next(visit, order)
    return await visit.page("checkout_wait.html", order=order, order_id=order_id, retry_s=RETRY_S)


@post("/checkout/cancel/{order_id:uuid}", include_in_schema=False)
async def cancel(visit: Visit, order_id: UUID) -> Response[bytes]:
    """The buyer would rather change the cart than pay."""
    cart_id = visit.session.cart_of(order_id) if visit.session else None
    try:
        await visit.site.orders.cancel(await visit.token(), order_id, cart_id)
    except Problem as problem:
        if not _stays(problem):
            raise
        await visit.warn(refusal_text(problem))
        return visit.go(f"/checkout/return/{order_id}")
    await visit.notify("Nothing was ordered. Your cart is as it was.")
    return visit.go("/cart")


@get("/checkout/done/{order_id:uuid}", include_in_schema=False)
async def confirmation(visit: Visit, order_id: UUID) -> Response[bytes]:
    return await visit.page("confirmation.html", order=await _order(visit, order_id))


async def _shipping(visit: Visit, status: int = 200) -> Response[bytes]:
    cart = await read_cart(visit)
    if (elsewhere := _not_open(cart)) or cart is None:
        return visit.go(elsewhere or "/cart")
    if not cart.email:
        return visit.go("/checkout")
    methods = await visit.site.orders.shipping_methods(await visit.token(), cart.id)
    return await visit.page("checkout_shipping.html", status=status, cart=cart, methods=methods)


async def _review(
    visit: Visit, cart: Cart, *, status: int = 200, key: str = "", problem: str = ""
) -> Response[bytes]:
    methods = await unless_away(visit.site.orders.shipping_methods(await visit.token(), cart.id)) or []
    method = next((item for item in methods if item.code == cart.shipping_method), None)
    return await visit.page(
        "checkout_review.html", status=status, cart=cart, method=method, key=key or secrets.token_hex(16),
        problem=problem,
    )  # fmt: skip


async def _not_placed(visit: Visit, problem: Problem, cart_id: UUID) -> Response[bytes]:
    """Back to the page where the buyer can do something about it; the cart is kept."""
    if problem.kind == "unauthenticated" or problem.slug in {"not-allowed", "foreign-form"}:
        raise problem
    if order_id := already_ordered(problem):
        assert visit.session is not None
        if visit.session.cart_of(order_id) is None:
            await visit.site.sessions.add_purchase(visit.session, Purchase(order_id, cart_id))
        return visit.go(f"/checkout/return/{order_id}")
    if step := _STEPS.get(problem.slug):
        await visit.warn(refusal_text(problem))
        return visit.go(step)
    if isinstance(problem, PaymentDeclined):
        await visit.warn(declined_text(problem.code))
        return visit.go("/checkout/review")
    if isinstance(problem, OutOfStock) or problem.slug in {"not-for-sale", "cart-empty", "cart-changed"}:
        await visit.warn(_shortage_text(problem))
        return visit.go("/cart")
    if isinstance(problem, TotalChanged):
        await visit.warn("A price has changed since you looked. Please check the new total before you order.")
        return visit.go("/checkout/review")
    return await _unknown_outcome(visit, problem)


async def _unknown_outcome(visit: Visit, problem: Problem) -> Response[bytes]:
    """Nobody knows whether the order was placed: the same key asks again and never orders twice."""
    reused = problem.slug == "idempotency-key-reused"
    text = (
        "The order form had changed. Please look it over once more."
        if reused
        else "We could not finish this just now. Press the button again: it will not order or charge twice."
    )
    cart = await unless_away(read_cart(visit))
    if cart is None or cart.status != "open":
        if visit.session and visit.session.purchases and cart is not None:
            return visit.go(f"/checkout/return/{visit.session.purchases[0].order_id}")
        raise problem
    key = "" if reused else visit.form["key"]
    return await _review(visit, cart, status=503 if is_away(problem) else 409, key=key, problem=text)


async def _next(visit: Visit, order: Order) -> Response[bytes]:
    """Where a buyer goes with an order in this state."""
    if order.status == "awaiting_buyer" and order.payment.action_url:
        return await _hand_over(visit, order, order.payment.action_url)
    if order.in_progress:
        return visit.go(f"/checkout/return/{order.id}")
    if order.lost:
        code = str((order.refusal or {}).get("code", ""))
        text = declined_text(code) if order.payment.status == "declined" else _lost_text(order)
        await visit.warn(text)
        return visit.go("/checkout/review" if order.payment.status == "declined" else "/cart")
    session = visit.session
    if session and session.cart_id and session.cart_of(order.id) in {session.cart_id, None}:
        await visit.site.sessions.set_cart(session, None)
    return visit.go(f"/checkout/done/{order.id}")


async def _hand_over(visit: Visit, order: Order, url: str) -> Response[bytes]:
    """To the provider's page. A form may not redirect to another site (CSP), so a page goes between."""
    parts = urlsplit(url)
    if local_path(url) == url or f"{parts.scheme}://{parts.netloc}" == visit.origin:
        return visit.go(url)
    if parts.scheme not in {"https", "http"} or not parts.netloc:
        raise NotFound(detail="the payment has no page to go to")
    return await visit.page("checkout_pay.html", order=order, url=url)


async def _order(visit: Visit, order_id: UUID) -> Order:
    """Raises NotAuthenticated for an account's order of this browser whose log-in has ended."""
    cart_id = visit.session.cart_of(order_id) if visit.session else None
    token = await visit.token()
    try:
        return await visit.site.orders.order(token, order_id, cart_id)
    except NotFound:
        if cart_id is not None and not token:
            raise NotAuthenticated from None
        raise


def _seen_total(visit: Visit) -> Money:
    """The total that the buyer saw on the review page; orders refuses one that is not so."""
    try:
        return Money(visit.form.number("total", 0, 2**62, 0), visit.form["currency"])
    except ValueError:
        return Money(0, visit.site.settings.currency)


async def _saved(visit: Visit) -> list[SavedAddress]:
    if visit.identity is None:
        return []
    return await unless_away(visit.site.users.addresses(await visit.token())) or []


def _not_open(cart: Cart | None) -> str:
    """Where to go with a cart that cannot be checked out."""
    return "" if cart is not None and cart.lines and cart.status == "open" else "/cart"


def _stays(problem: Problem) -> bool:
    """Whether the form is shown again with what was refused; otherwise the error page tells."""
    if problem.slug == "cart-already-ordered":
        return False
    return problem.kind in {"invalid", "conflict", "gone"} or is_away(problem)


def declined_text(code: str) -> str:
    reason = {
        "insufficient_funds": "There is not enough money on the card.",
        "expired_card": "The card has expired.",
        "cancelled_by_buyer": "You cancelled the payment.",
        "authentication_failed": "Your bank did not get your confirmation.",
    }.get(code, "The card was declined.")
    return f"{reason} You were not charged, and your cart is still here: try again or use another card."


def _lost_text(order: Order) -> str:
    reason = str((order.refusal or {}).get("title", "")).rstrip(".")
    said = f" ({reason.lower()})" if reason and order.status == "refused" else ""
    if order.status == "expired":
        return "The payment was not finished in time. You were not charged, and your cart is still here."
    return f"The order was not placed{said}. You were not charged, and your cart is still here."


def _shortage_text(problem: Problem) -> str:
    if isinstance(problem, OutOfStock):
        short = ", ".join(f"{item.sku}: {item.available} left" for item in problem.shortages)
        return f"Somebody was faster: not everything in your cart is there ({short}). You were not charged."
    return refusal_text(problem) + " You were not charged."


HANDLERS: list[Any] = [
    address_page, set_address, shipping_page, set_shipping, review_page, place, go_on_paying, came_back,
    outcome, cancel, confirmation,
]  # fmt: skip
