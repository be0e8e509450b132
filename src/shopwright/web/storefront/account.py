"""Accounts: register, log in, log out, own details and addresses, own orders."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotAuthenticated

from ..addresses import FIELDS, address_of
from ..clients.orders import Cart
from ..clients.remote import is_away, unless_away
from ..visit import Visit, local_path

PASSWORD_MIN = 8  # as users has it


@get("/login", include_in_schema=False)
async def log_in_page(visit: Visit) -> Response[bytes]:
    params = visit.request.query_params
    if visit.identity is not None and not params.get("ended"):
        return visit.go(local_path(params.get("next", "/account")))
    return await visit.page("login.html", next=local_path(params.get("next", "/account")), otp=False)


@post("/login", include_in_schema=False)
async def log_in(visit: Visit) -> Response[bytes]:
    form = visit.form
    target = local_path(form["next"] or "/account")
    form.require_email()
    form.require({"password": "Enter your password"})
    otp = False
    if not form.errors:
        try:
            await enter(visit, form["email"], form["password"], form["otp"])
            return visit.go(target)
        except Problem as problem:
            if problem.kind == "unauthenticated" or problem.slug == "not-allowed":
                otp = wants_second_factor(problem)
                form.errors["otp" if otp else ""] = log_in_text(problem, otp_given=bool(form["otp"]))
            else:
                form.refuse(problem, ["email", "password", "otp"])
                if is_away(problem):
                    form.errors[""] = "Logging in does not work right now. You can still buy as a guest."
    return await visit.page("login.html", status=422, next=target, otp=otp)


@get("/register", include_in_schema=False)
async def register_page(visit: Visit) -> Response[bytes]:
    if visit.identity is not None:
        return visit.go("/account")
    next_path = local_path(visit.request.query_params.get("next", "/account"))
    return await visit.page(
        "register.html", next=next_path, password_min=PASSWORD_MIN, key=secrets.token_hex(16)
    )


@post("/register", include_in_schema=False)
async def register(visit: Visit) -> Response[bytes]:
    form = visit.form
    target = local_path(form["next"] or "/account")
    form.require({"name": "Enter your name", "password": "Choose a password"})
    form.require_email()
    if form["password"] and len(form["password"]) < PASSWORD_MIN:
        form.errors["password"] = f"Use at least {PASSWORD_MIN} characters"
    if not form.errors:
        try:
            key = form["key"] or secrets.token_hex(16)
            await visit.site.users.register(form["email"], form["password"], form["name"], key=key)
            await enter(visit, form["email"], form["password"], "")
            await visit.notify(f"Welcome, {form['name']}. Your account is ready.")
            return visit.go(target)
        except Problem as problem:
            form.refuse(problem, ["email", "password", "name"])
            if problem.kind == "conflict":
                form.errors = {"email": "There is an account with this address. Log in instead?"}
            if is_away(problem):
                form.errors[""] = "Accounts cannot be made right now. You can still buy as a guest."
    return await visit.page(
        "register.html", status=422, next=target, password_min=PASSWORD_MIN, key=secrets.token_hex(16)
    )


@post("/logout", include_in_schema=False)
async def log_out(visit: Visit) -> Response[bytes]:
    if visit.session is not None:
        await visit.site.sessions.log_out(visit.session)
    visit.use_session(None)
    return visit.go("/")


@get("/account", include_in_schema=False)
async def account_page(visit: Visit) -> Response[bytes]:
    return await _account(visit)


@post("/account", include_in_schema=False)
async def change_account(visit: Visit) -> Response[bytes]:
    """Change the name, or the password where one was typed."""
    form, token = visit.form, await _token(visit)
    users = visit.site.users
    try:
        if form["action"] == "password":
            form.require({"current": "Enter your present password"})
            if len(form["new"]) < PASSWORD_MIN:
                form.errors["new"] = f"Use at least {PASSWORD_MIN} characters"
            if not form.errors:
                await users.change_password(token, form["current"], form["new"])
        else:
            form.require({"name": "Enter your name"})
            if not form.errors:
                await users.rename(token, form["name"])
    except Problem as problem:
        if problem.kind == "unauthenticated" and form["action"] == "password":
            form.errors["current"] = "This is not your present password"
        elif problem.kind in {"invalid", "conflict"} or is_away(problem):
            form.refuse(problem, ["name", "current", "new"])
        else:
            raise
    if form.errors:
        return await _account(visit, status=422)
    await visit.notify("Your details were saved.")
    return visit.go("/account")


@post("/account/addresses", include_in_schema=False)
async def add_address(visit: Visit) -> Response[bytes]:
    form, token = visit.form, await _token(visit)
    address = address_of(form)
    if not form.errors:
        try:
            await visit.site.users.add_address(token, address, key=form["key"] or secrets.token_hex(16))
            await visit.notify("The address was saved.")
            return visit.go("/account")
        except Problem as problem:
            if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
                raise
            form.refuse(problem, FIELDS)
    return await _account(visit, status=422, open_address=True)


@post("/account/addresses/{address_id:str}/remove", include_in_schema=False)
async def remove_address(visit: Visit, address_id: str) -> Response[bytes]:
    if address_id.replace("-", "").isalnum():
        await visit.site.users.remove_address(await _token(visit), address_id)
    return visit.go("/account")


@get("/orders", include_in_schema=False)
async def orders_page(visit: Visit) -> Response[bytes]:
    """An account's orders; a guest sees those placed from this browser."""
    cursor = visit.request.query_params.get("cursor")
    if visit.identity is not None:
        page = await unless_away(visit.site.orders.own_orders(await visit.token(), cursor))
        return await visit.page(
            "orders.html", orders=page.items if page else None, next_cursor=page.next_cursor if page else None
        )
    purchases = visit.session.purchases if visit.session else []
    if not purchases:
        return visit.log_in_first()
    found = await asyncio.gather(
        *(visit.site.orders.order("", item.order_id, item.cart_id) for item in purchases),
        return_exceptions=True,
    )
    orders = [item for item in found if not isinstance(item, BaseException)]
    return await visit.page("orders.html", orders=orders or None, next_cursor=None)


@get("/orders/{order_id:uuid}", include_in_schema=False)
async def order_page(visit: Visit, order_id: UUID) -> Response[bytes]:
    token = await visit.token()
    cart_id = visit.session.cart_of(order_id) if visit.session else None
    order, steps = await asyncio.gather(
        visit.site.orders.order(token, order_id, cart_id),
        unless_away(visit.site.orders.timeline(token, order_id, cart_id)),
    )
    return await visit.page("order.html", order=order, steps=steps)


async def enter(visit: Visit, email: str, password: str, otp: str) -> None:
    """Log in and move to a new session id; the cart of this browser comes along."""
    tokens = await visit.site.users.log_in(email, password, otp)
    account = await unless_away(visit.site.users.account(tokens.access_token))
    session = await visit.site.sessions.log_in(
        visit.session, visit.audience, tokens,
        email=account.email if account else email, name=account.name if account else "",
    )  # fmt: skip
    visit.use_session(session)
    if visit.audience == "shop":
        await _adopt_cart(visit, tokens.access_token)


async def _adopt_cart(visit: Visit, token: str) -> None:
    """A buyer who comes with an empty browser finds the cart of the last time again."""
    session = visit.session
    if session is None or session.cart_id is not None:
        return
    try:
        cart: Cart | None = await unless_away(visit.site.orders.current_cart(token))
    except Problem:
        return  # there is none
    if cart is not None:
        await visit.site.sessions.set_cart(session, cart.id, cart.count)


def wants_second_factor(problem: Problem) -> bool:
    return "otp" in problem.slug or "second-factor" in problem.slug


def log_in_text(problem: Problem, *, otp_given: bool) -> str:
    if wants_second_factor(problem):
        return "This code is not right" if otp_given else "Enter the code of your authenticator app"
    return "E-mail address or password is not right"


async def _token(visit: Visit) -> str:
    token = await visit.token()
    if not token:
        raise NotAuthenticated
    return token


async def _account(visit: Visit, *, status: int = 200, open_address: bool = False) -> Response[bytes]:
    token = await _token(visit)
    account, addresses = await asyncio.gather(
        unless_away(visit.site.users.account(token)), unless_away(visit.site.users.addresses(token))
    )
    return await visit.page(
        "account.html", status=status, account=account, addresses=addresses, open_address=open_address,
        key=secrets.token_hex(16), password_min=PASSWORD_MIN,
    )  # fmt: skip


HANDLERS: list[Any] = [
    log_in_page, log_in, register_page, register, log_out, account_page, change_account, add_address,
    remove_address, orders_page, order_page,
]  # fmt: skip
