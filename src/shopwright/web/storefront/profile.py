"""The own account: name, password, address book, where it is logged in, a copy of the data, and its end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotAuthenticated, NotFound, TooManyRequests

from ..addresses import FIELDS, address_of
from ..clients.remote import is_away, unless_away
from ..visit import Visit
from .account import PASSWORD_MIN, too_many_text

WRONG_PASSWORD = "invalid-credentials"


@get("/account", include_in_schema=False)
async def account_page(visit: Visit) -> Response[bytes]:
    return await _account(visit)


@post("/account", include_in_schema=False)
async def rename(visit: Visit) -> Response[bytes]:
    form, token = visit.form, await _token(visit)
    form.require({"name": "Enter your name"})
    if not await _done(visit, lambda: visit.site.users.rename(token, form["name"]), ["name"]):
        return await _account(visit, part="name")
    assert visit.session is not None
    await visit.site.sessions.rename(visit.session, form["name"])
    await visit.notify("Your name was saved.")
    return visit.go("/account")


@post("/account/password", include_in_schema=False)
async def change_password(visit: Visit) -> Response[bytes]:
    form, token = visit.form, await _token(visit)
    form.require({"current": "Enter your present password"})
    if len(form["new"]) < PASSWORD_MIN:
        form.errors["new"] = f"Use at least {PASSWORD_MIN} characters"
    if not await _done(
        visit,
        lambda: visit.site.users.change_password(token, form["current"], form["new"]),
        ["current", "new"],
        password="current",
    ):
        return await _account(visit, part="password")
    await visit.notify("Your password was changed. Everywhere else you are logged out.")
    return visit.go("/account")


@post("/account/addresses", include_in_schema=False)
async def add_address(visit: Visit) -> Response[bytes]:
    form, token = visit.form, await _token(visit)
    key = form["key"] or secrets.token_hex(16)
    address = address_of(form)
    if not await _done(visit, lambda: visit.site.users.add_address(token, address, key=key), FIELDS):
        return await _account(visit, part="address")
    await visit.notify("The address was saved.")
    return visit.go("/account")


@post("/account/addresses/{address_id:uuid}/remove", include_in_schema=False)
async def remove_address(visit: Visit, address_id: UUID) -> Response[bytes]:
    try:
        await visit.site.users.remove_address(await _token(visit), str(address_id))
    except NotFound:
        pass  # removed in another tab: as wanted
    return visit.go("/account")


@post("/account/log-ins/{log_in_id:uuid}/end", include_in_schema=False)
async def end_log_in(visit: Visit, log_in_id: UUID) -> Response[bytes]:
    """Log out on another device."""
    try:
        await visit.site.users.end_log_in(await _token(visit), str(log_in_id))
    except NotFound:
        pass  # over already: as wanted
    await visit.notify("That device is logged out within a quarter of an hour.")
    return visit.go("/account")


@get("/account/data", include_in_schema=False)
async def export(visit: Visit) -> Response[bytes]:
    """A file with everything that is known of the account."""
    content = await visit.site.users.export(await _token(visit))
    return Response(
        content,
        media_type="application/json",
        headers={"content-disposition": 'attachment; filename="my-data.json"', "cache-control": "no-store"},
    )


@post("/account/erase", include_in_schema=False)
async def erase(visit: Visit) -> Response[bytes]:
    """Delete the account for good, if the password is right."""
    form, token = visit.form, await _token(visit)
    form.require({"password": "Enter your password to delete the account"})
    if not await _done(
        visit, lambda: visit.site.users.erase(token, form["password"]), ["password"], password="password"
    ):
        return await _account(visit, part="erase")
    assert visit.session is not None
    await visit.site.sessions.end(visit.session)
    visit.use_session(None)
    await visit.notify("Your account was deleted.")
    return visit.go("/")


async def _done(
    visit: Visit, change: Callable[[], Awaitable[None]], fields: Iterable[str], *, password: str = ""
) -> bool:
    """Make `change` if the form has no errors; what is refused stands beside the fields afterwards."""
    form = visit.form
    if form.errors:
        return False
    try:
        await change()
    except Problem as problem:
        if password and problem.slug == WRONG_PASSWORD:
            form.errors[password] = "This is not your present password"
        elif isinstance(problem, TooManyRequests):
            form.errors[""] = too_many_text(problem)
        elif problem.kind in {"invalid", "conflict"} or is_away(problem):
            form.refuse(problem, fields)
        else:
            raise
    return not form.errors


async def _token(visit: Visit) -> str:
    token = await visit.token()
    if not token:
        raise NotAuthenticated
    return token


async def _account(visit: Visit, *, part: str = "") -> Response[bytes]:
    """The page; `part` names the form that was refused."""
    token, users = await _token(visit), visit.site.users
    account, addresses, log_ins = await asyncio.gather(
        unless_away(users.account(token)),
        unless_away(users.addresses(token)),
        unless_away(users.log_ins(token)),
    )
    return await visit.page(
        "account.html", status=422 if part else 200, account=account, addresses=addresses, log_ins=log_ins,
        part=part, key=visit.form["key"] or secrets.token_hex(16), password_min=PASSWORD_MIN,
    )  # fmt: skip


HANDLERS: list[Any] = [
    account_page, rename, change_password, add_address, remove_address, end_log_in, export, erase,
]  # fmt: skip
