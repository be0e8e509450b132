"""The last step before an order: look it over, say how to pay, place it.

Placing an order is idempotent by a key that the review page carries: a double click, a reload or a lost
answer never makes a second order. The card is typed on the provider's page only. Gift cards and the wallet
pay first; their codes stay on the server, sealed in the session.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from shopwright.contracts.money import Money
from shopwright.contracts.payments import GiftCardSpent
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import OutOfStock, PaymentDeclined, TotalChanged

from ..clients.orders import Cart
from ..clients.remote import is_away, unless_away
from ..sessions import Purchase
from ..visit import Visit
from .cart import already_ordered, read_cart
from .checkout import not_open
from .outcome import after_placing, order_of
from .paying import paying_of, payment_of
from .words import (
    COUPON_NOT_VALID,
    coupon_refused,
    declined_text,
    refusal_text,
    shortage_text,
    spent_text,
)

_STEPS = {
    "email-missing": "/checkout",
    "address-missing": "/checkout",
    "shipping-unavailable": "/checkout/shipping",
}


@get("/checkout/review", include_in_schema=False)
async def review_page(visit: Visit) -> Response[bytes]:
    return await show_review(visit)


async def show_review(visit: Visit, status: int = 200) -> Response[bytes]:
    """The review page, with what was refused of its forms."""
    cart = await read_cart(visit)
    if (elsewhere := not_open(cart)) or cart is None:
        return visit.go(elsewhere or "/cart")
    if not cart.email:
        return visit.go("/checkout")
    if not cart.shipping_method:
        return visit.go("/checkout/shipping")
    return await _review(visit, cart, status=status)


@post("/checkout/place", include_in_schema=False)
async def place(visit: Visit) -> Response[bytes]:
    """Order the cart and send the buyer to pay."""
    form, session = visit.form, visit.session
    if session is None or session.cart_id is None:
        if visit.purchases:  # the other click was first
            return await after_placing(visit, await order_of(visit, visit.purchases[0].order_id))
        return visit.go("/orders" if visit.identity else "/cart")
    cart_id, token = session.cart_id, await visit.token()
    try:
        order = await visit.site.orders.place(
            token,
            cart_id,
            expected_total=_seen_total(visit),
            payment=await payment_of(visit, form["method"], visit.return_url("/checkout/return")),
            key=form["key"] or secrets.token_hex(16),
        )
    except Problem as problem:
        return await _not_placed(visit, problem, cart_id)
    await visit.site.sessions.add_purchase(session, Purchase(order.id, cart_id, order.payment.id))
    return await after_placing(visit, order)


async def _review(
    visit: Visit, cart: Cart, *, status: int = 200, key: str = "", problem: str = ""
) -> Response[bytes]:
    ways, paying = await asyncio.gather(
        unless_away(visit.site.orders.shipping_methods(await visit.token(), cart.id)),
        paying_of(visit, cart),
    )
    way = next((item for item in ways or [] if item.code == cart.shipping_method), None)
    return await visit.page(
        "checkout_review.html", status=status, cart=cart, way=way, paying=paying, problem=problem,
        key=key or secrets.token_hex(16),
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
    if isinstance(problem, GiftCardSpent):
        await visit.warn(spent_text(problem))
        return visit.go("/checkout/review")
    if isinstance(problem, PaymentDeclined):
        await visit.warn(declined_text(problem.code))
        return visit.go("/checkout/review")
    if isinstance(problem, OutOfStock) or problem.slug in {"not-for-sale", "cart-empty", "cart-changed"}:
        await visit.warn(shortage_text(problem))
        return visit.go("/cart")
    if problem.slug == COUPON_NOT_VALID:
        await visit.warn(f"{coupon_refused(problem, guest=visit.identity is None)} You were not charged.")
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


def _seen_total(visit: Visit) -> Money:
    """The total that the buyer saw on the review page; orders refuses one that is not so."""
    try:
        return Money(visit.form.number("total", 0, 2**62, 0), visit.form["currency"])
    except ValueError:
        return Money(0, visit.site.settings.currency)


HANDLERS: list[Any] = [review_page, place]
