"""The way in and out: staff log in with a session of their own; buyers are told that it is not theirs."""

from __future__ import annotations

from typing import Any

from litestar import Response

from shopwright.contracts.problem import Problem

from ..clients.remote import is_away, unless_away
from ..clients.users import Tokens
from ..sessions import identity_of
from ..visit import local_path
from .desk import ANYBODY, LOG_IN, Desk, action, page

NOT_STAFF = "This account has no access to the back office. An administrator can give it access."


@page(LOG_IN, ANYBODY)
async def log_in_page(desk: Desk) -> Response[bytes]:
    target = _target(desk.query.get("next", ""))
    ended = bool(desk.query.get("ended"))
    if desk.identity is not None and not ended:
        return desk.go(target)
    return await desk.page("admin/login.html", next=target, otp=False, ended=ended)


@action(LOG_IN, ANYBODY)
async def log_in(desk: Desk) -> Response[bytes]:
    form, otp = desk.form, False
    target = _target(form["next"])
    form.require_email()
    form.require({"password": "Enter your password"})
    if not form.errors:
        try:
            tokens = await desk.site.users.log_in(form["email"], form["password"], form["otp"])
            if await _enter(desk, tokens):
                return desk.go(target)
            form.errors[""] = NOT_STAFF
        except Problem as problem:
            otp = "otp" in problem.slug or "second-factor" in problem.slug
            form.errors |= _refusal(problem, otp=otp, otp_given=bool(form["otp"]))
    return await desk.page("admin/login.html", status=422, next=target, otp=otp, ended=False)


@action("/admin/logout", ANYBODY)
async def log_out(desk: Desk) -> Response[bytes]:
    if desk.session is not None:
        await desk.site.sessions.log_out(desk.session)
    desk.use_session(None)
    return desk.go(LOG_IN)


async def _enter(desk: Desk, tokens: Tokens) -> bool:
    """Begin the session of `tokens`; False for an account that is not staff, whose log-in ends again."""
    site = desk.site
    if not identity_of(tokens, "", "").is_staff:
        await unless_away(site.users.log_out(tokens.access_token))
        return False
    account = await unless_away(site.users.account(tokens.access_token))
    email = account.email if account else desk.form["email"]
    name = account.name if account else ""
    desk.use_session(await site.sessions.log_in(desk.session, "staff", tokens, email=email, name=name))
    return True


def _refusal(problem: Problem, *, otp: bool, otp_given: bool) -> dict[str, str]:
    if otp:
        return {"otp": "This code is not right" if otp_given else "Enter the code of your authenticator app"}
    if problem.kind == "unauthenticated":
        return {"": "E-mail address or password is not right"}
    if problem.kind == "rate_limited":
        return {"": "Too many tries. Please wait a moment before the next one."}
    if is_away(problem):
        return {"": "Nobody can be logged in right now: the accounts service does not answer."}
    return {"": problem.detail or problem.title}


def _target(path: str) -> str:
    """Where to go after the log-in: only to the back office itself."""
    local = local_path(path or "/admin")
    inside = local == "/admin" or local.startswith(("/admin/", "/admin?"))
    return local if inside and not local.startswith(LOG_IN) else "/admin"


HANDLERS: list[Any] = [log_in_page, log_in, log_out]
