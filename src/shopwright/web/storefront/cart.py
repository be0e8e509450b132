"""The cart: put in, change, take out. Every change is a plain form; the buyer always lands on the cart."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Response, get, post

from shopwright.chassis.problems import document
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound

from ..clients.orders import Cart
from ..clients.remote import is_away, unless_away
from ..sessions import Purchase
from ..visit import Visit
from .words import CURRENCY_DIFFERS, coupon_problems, refusal_text

QUANTITY_MAX = 999
_CURRENCY = re.compile("[A-Z]{3}")
_COUNT = re.compile("[0-9]{1,3}")


@get("/cart", include_in_schema=False)
async def show(visit: Visit) -> Response[bytes]:
    return await show_cart(visit)


async def show_cart(visit: Visit, status: int = 200) -> Response[bytes]:
    """The cart's page, with what was refused of its form."""
    try:
        cart = await read_cart(visit)
    except Problem as problem:
        if not is_away(problem):
            raise
        return await visit.page("cart.html", cart=None, purchase=None, away=True, problems={})
    purchase = None
    if cart is not None and cart.status != "open":
        purchase = next((item for item in visit.purchases if item.cart_id == cart.id), None)
        if purchase is None or await _is_over(visit, purchase):
            await visit.site.sessions.set_cart(await visit.start_session(), None)
            cart = None
    problems = coupon_problems(cart, guest=visit.identity is None) if cart else {}
    return await visit.page(
        "cart.html", status=status, cart=cart, purchase=purchase, away=False, problems=problems
    )


@post("/cart/lines", include_in_schema=False)
async def add(visit: Visit) -> Response[bytes]:
    """Put a variant into the cart; begins a session and a cart for who has none."""
    form = visit.form
    shown_in = form["currency"] if _CURRENCY.fullmatch(form["currency"]) else ""
    token = await visit.token()
    session = await visit.start_session()
    try:
        cart_id = session.cart_id or await _new_cart(visit, token, shown_in)
        try:
            cart = await _put(visit, token, cart_id, shown_in)
        except Problem as problem:
            if not _is_gone(problem) and not await _is_empty(visit, token, cart_id, problem):
                raise
            cart = await _put(visit, token, await _new_cart(visit, token, shown_in), shown_in)
    except Problem as problem:
        if problem.kind == "unauthenticated":
            raise
        await visit.warn(refusal_text(problem, shown_in))
        return visit.go(_product_path(form["slug"], form["sku"]))
    await visit.site.sessions.set_cart(session, cart.id, cart.count, cart.currency)
    name = next((line.name for line in cart.lines if line.sku == form["sku"]), "")
    await visit.notify(f"{name or 'It'} is in your cart.")
    return visit.go("/cart")


@post("/cart/lines/{line_id:uuid}", include_in_schema=False)
async def change(visit: Visit, line_id: UUID) -> Response[bytes]:
    """Set a line's quantity; the button `remove` takes it out."""
    form = visit.form
    removing = bool(form["remove"])
    session, token = visit.session, await visit.token()
    if session is None or session.cart_id is None:
        return visit.go("/cart")
    if not removing and not _COUNT.fullmatch(form["quantity"]):
        await visit.warn(f"Nothing was changed: the quantity is a whole number from 0 to {QUANTITY_MAX}.")
        return visit.go("/cart")
    quantity = 0 if removing else int(form["quantity"])
    orders = visit.site.orders
    try:
        if quantity:
            cart = await orders.set_quantity(token, session.cart_id, line_id, quantity)
        else:
            cart = await orders.remove_line(token, session.cart_id, line_id)
    except NotFound:
        return visit.go("/cart")  # taken out in another tab
    except Problem as problem:
        if problem.kind == "unauthenticated":
            raise
        await visit.warn(refusal_text(problem))
        return visit.go("/cart")
    await visit.site.sessions.set_cart(session, cart.id, cart.count, cart.currency)
    return visit.go("/cart")


async def read_cart(visit: Visit) -> Cart | None:
    """The session's cart; one that is gone is forgotten, an account without one gets its newest."""
    session = visit.session
    if session is None:
        return None
    token = await visit.token()
    orders = visit.site.orders
    cart: Cart | None = None
    try:
        if session.cart_id is not None:
            cart = await orders.cart(token, session.cart_id)
        elif session.identity is not None:
            cart = await orders.current_cart(token)
    except NotFound:
        cart = None
    if cart is None:
        await visit.site.sessions.set_cart(session, None)
    else:
        await visit.site.sessions.set_cart(session, cart.id, cart.count, cart.currency)
    return cart


def already_ordered(problem: Problem) -> UUID | None:
    """The order that a cart has become, if that is what refused."""
    order_id = document(problem).get("order_id") if problem.slug == "cart-already-ordered" else None
    return UUID(str(order_id)) if order_id else None


def _is_gone(problem: Problem) -> bool:
    """Whether the cart cannot be used any more: forgotten, or ordered."""
    return problem.slug in {"not-found", "cart-already-ordered"}


async def _put(visit: Visit, token: str, cart_id: UUID, shown_in: str) -> Cart:
    """Add what the form says. Pages may be cached, so the key is of this request, not of the form."""
    form = visit.form
    return await visit.site.orders.add_line(
        token, cart_id, form["sku"], form.number("quantity", 1, QUANTITY_MAX, 1),
        shown_in=shown_in, key=secrets.token_hex(16),
    )  # fmt: skip


async def _is_empty(visit: Visit, token: str, cart_id: UUID, problem: Problem) -> bool:
    """Whether the cart of another currency holds nothing, so that a new one may take its place."""
    if problem.slug != CURRENCY_DIFFERS:
        return False
    cart = await visit.site.orders.cart(token, cart_id)
    await visit.site.sessions.set_cart(await visit.start_session(), cart.id, cart.count, cart.currency)
    return not cart.lines


def _product_path(slug: str, sku: str) -> str:
    return f"/product/{quote(slug, safe='')}?variant={quote(sku, safe='')}" if slug else "/cart"


async def _is_over(visit: Visit, purchase: Purchase) -> bool:
    """Whether the order that this cart became was paid without the buyer coming back."""
    orders = visit.site.orders
    order = await unless_away(orders.order(await visit.token(), purchase.order_id, purchase.cart_id))
    return order is not None and not order.in_progress


async def _new_cart(visit: Visit, token: str, currency: str) -> UUID:
    cart = await visit.site.orders.create_cart(token, currency or visit.site.settings.currency)
    session = await visit.start_session()
    await visit.site.sessions.set_cart(session, cart.id, 0, cart.currency)
    return cart.id


HANDLERS: list[Any] = [show, add, change]
