"""A forgotten password: ask for a link by mail, choose a new one with it. Neither page tells which addresses
have an account; opening the link changes nothing, so that mail scanners may.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from shopwright.contracts.problem import Problem

from ..clients.remote import is_away
from ..visit import Visit
from .account import PASSWORD_MIN

AWAY = "This does not work right now. Please try again in a moment."


@get("/password/forgot", include_in_schema=False)
async def forgot_page(visit: Visit) -> Response[bytes]:
    return await visit.page("password_forgot.html", asked=False)


@post("/password/forgot", include_in_schema=False)
async def ask(visit: Visit) -> Response[bytes]:
    form = visit.form
    form.require_email()
    if not form.errors:
        try:
            await visit.site.users.ask_reset(form["email"])
            return await visit.page("password_forgot.html", asked=True)
        except Problem as problem:
            form.refuse(problem, ["email"])
            if is_away(problem):
                form.errors[""] = AWAY
    return await visit.page("password_forgot.html", status=422, asked=False)


@get("/password/reset", include_in_schema=False)
async def reset_page(visit: Visit) -> Response[bytes]:
    token = visit.request.query_params.get("token", "")
    if not token:
        return visit.go("/password/forgot")
    return await visit.page("password_reset.html", token=token, password_min=PASSWORD_MIN, ended=False)


@post("/password/reset", include_in_schema=False)
async def reset(visit: Visit) -> Response[bytes]:
    form, ended = visit.form, False
    form.require({"new": "Choose a password"})
    if form["new"] and len(form["new"]) < PASSWORD_MIN:
        form.errors["new"] = f"Use at least {PASSWORD_MIN} characters"
    if not form.errors:
        try:
            await visit.site.users.reset_password(form["token"], form["new"])
            await visit.notify("Your password was changed. Log in with the new one.")
            return visit.go("/login")
        except Problem as problem:
            ended = problem.kind == "gone"
            form.refuse(problem, ["password"])
            if refused := form.errors.pop("password", ""):
                form.errors["new"] = refused
            if is_away(problem):
                form.errors[""] = AWAY
    return await visit.page(
        "password_reset.html", status=410 if ended else 422, token=form["token"], password_min=PASSWORD_MIN,
        ended=ended,
    )  # fmt: skip


HANDLERS: list[Any] = [forgot_page, ask, reset_page, reset]
