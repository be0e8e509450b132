"""Coupons of the cart: put in and taken out by plain forms."""

from __future__ import annotations

from typing import Any

from litestar import Response, post

from shopwright.contracts.problem import Problem

from ..clients.orders import Cart
from ..clients.remote import is_away
from ..visit import Visit
from .cart import read_cart, show_cart
from .words import COUPON_NOT_VALID, coupon_refused, refusal_text


@post("/cart/coupons", include_in_schema=False)
async def add_coupon(visit: Visit) -> Response[bytes]:
    """Put one more code beside those of the cart."""
    form = visit.form
    form.require({"coupon": "Enter the code of your coupon"})
    cart = None if form.errors else await read_cart(visit)
    if cart is not None:
        code = form["coupon"]
        try:
            await _set(visit, cart, [*_without(cart, code), code])
        except Problem as problem:
            if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
                raise
            form.errors["coupon"] = _refusal(visit, problem, code)
        else:
            await visit.notify(f"The coupon {code} counts for this cart.")
    return await show_cart(visit, status=422) if form.errors else visit.go("/cart")


@post("/cart/coupons/remove", include_in_schema=False)
async def remove_coupon(visit: Visit) -> Response[bytes]:
    """Take one code out of the cart."""
    cart = await read_cart(visit)
    if cart is None:
        return visit.go("/cart")
    try:
        await _set(visit, cart, _without(cart, visit.form["code"]))
    except Problem as problem:
        if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
            raise
        await visit.warn(_refusal(visit, problem, visit.form["code"]))
    return visit.go("/cart")


async def _set(visit: Visit, cart: Cart, codes: list[str]) -> None:
    await visit.site.orders.set_coupons(await visit.token(), cart.id, codes)


def _without(cart: Cart, code: str) -> list[str]:
    return [one for one in cart.coupons if one.casefold() != code.casefold()]


def _refusal(visit: Visit, problem: Problem, code: str) -> str:
    if problem.slug != COUPON_NOT_VALID:
        return refusal_text(problem)
    return coupon_refused(problem, guest=visit.identity is None, code=code)


HANDLERS: list[Any] = [add_coupon, remove_coupon]
