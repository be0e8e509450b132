"""Accounts: register, log in, log out. Whoever logs in keeps the cart of this browser, under a new session
id.
"""

from __future__ import annotations

import secrets
from typing import Any

from litestar import Response, get, post

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import TooManyRequests

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
            elif isinstance(problem, TooManyRequests):
                form.errors[""] = too_many_text(problem)
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
    key = form["key"] or secrets.token_hex(16)
    if not form.errors:
        try:
            await visit.site.users.register(form["email"], form["password"], form["name"], key=key)
            await enter(visit, form["email"], form["password"], "")
            await visit.notify(f"Welcome, {form['name']}. Your account is ready.")
            return visit.go(target)
        except Problem as problem:
            form.refuse(problem, ["email", "password", "name"])
            if problem.kind == "conflict":
                form.errors = {"email": "There is an account with this address. Log in instead?"}
            if is_away(problem):  # the account may have been made: the same key asks again
                form.errors[""] = "Accounts cannot be made right now. You can still buy as a guest."
            else:
                key = secrets.token_hex(16)
    return await visit.page("register.html", status=422, next=target, password_min=PASSWORD_MIN, key=key)


@post("/logout", include_in_schema=False)
async def log_out(visit: Visit) -> Response[bytes]:
    if visit.session is not None:
        await visit.site.sessions.log_out(visit.session)
    visit.use_session(None)
    return visit.go("/")


async def enter(visit: Visit, email: str, password: str, otp: str) -> None:
    """Log in and move to a new session id; the cart of this browser comes along."""
    tokens = await visit.site.users.log_in(
        email, password, otp, agent=visit.request.headers.get("user-agent", "")
    )
    account = await unless_away(visit.site.users.account(tokens.access_token))
    session = await visit.site.sessions.log_in(
        visit.session, visit.audience, tokens,
        email=account.email if account else email, name=account.name if account else "",
    )  # fmt: skip
    visit.use_session(session)
    if visit.audience == "shop":
        await _adopt_cart(visit, tokens.access_token)


async def _adopt_cart(visit: Visit, token: str) -> None:
    """The cart of the last time is found again, and what this browser holds is put into it."""
    session, orders = visit.session, visit.site.orders
    if session is None:
        return
    held = session.cart_id
    try:
        cart: Cart | None = await unless_away(
            orders.merge_cart(token, held) if held else orders.current_cart(token)
        )
    except Problem:
        return  # there is none, or this browser's stays as it is
    if cart is not None:
        if held not in {None, cart.id}:
            await visit.notify("What you put into your cart the last time is in it again, beside the new.")
        await visit.site.sessions.set_cart(session, cart.id, cart.count, cart.currency)


def wants_second_factor(problem: Problem) -> bool:
    return "otp" in problem.slug or "second-factor" in problem.slug


def log_in_text(problem: Problem, *, otp_given: bool) -> str:
    if wants_second_factor(problem):
        return "This code is not right" if otp_given else "Enter the code of your authenticator app"
    return "E-mail address or password is not right"


def too_many_text(problem: TooManyRequests) -> str:
    wait = problem.retry_after_s
    time = f"{wait} seconds" if wait < 90 else f"{-(-wait // 60)} minutes"
    return f"Too many wrong passwords in a row. Please wait {time} and try again."


HANDLERS: list[Any] = [log_in_page, log_in, register_page, register, log_out]
