"""Checkout: who and where, then how to ship. Each step is one page and one form."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response, get, post

from shopwright.contracts.problem import Problem

from ..addresses import FIELDS, address_of, typed
from ..clients.orders import Cart
from ..clients.remote import is_away, unless_away
from ..clients.users import SavedAddress
from ..forms import Form
from ..visit import Visit
from .cart import read_cart


@get("/checkout", include_in_schema=False)
async def address_page(visit: Visit) -> Response[bytes]:
    cart, saved = await asyncio.gather(read_cart(visit), _saved(visit))
    if (elsewhere := not_open(cart)) or cart is None:
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
            if not stays(problem):
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
            if not stays(problem):
                raise
            form.refuse(problem, ["method"])
    return await _shipping(visit, status=422)


async def _shipping(visit: Visit, status: int = 200) -> Response[bytes]:
    cart = await read_cart(visit)
    if (elsewhere := not_open(cart)) or cart is None:
        return visit.go(elsewhere or "/cart")
    if not cart.email:
        return visit.go("/checkout")
    methods = await visit.site.orders.shipping_methods(await visit.token(), cart.id)
    return await visit.page("checkout_shipping.html", status=status, cart=cart, methods=methods)


async def _saved(visit: Visit) -> list[SavedAddress]:
    if visit.identity is None:
        return []
    return await unless_away(visit.site.users.addresses(await visit.token())) or []


def not_open(cart: Cart | None) -> str:
    """Where to go with a cart that cannot be checked out."""
    return "" if cart is not None and cart.lines and cart.status == "open" else "/cart"


def stays(problem: Problem) -> bool:
    """Whether the form is shown again with what was refused; otherwise the error page tells."""
    if problem.slug == "cart-already-ordered":
        return False
    return problem.kind in {"invalid", "conflict", "gone"} or is_away(problem)


HANDLERS: list[Any] = [address_page, set_address, shipping_page, set_shipping]
