"""Gift cards: listed, issued with the code shown once, disabled."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from litestar import Response

from shopwright.contracts.problem import Problem

from ..clients.payments import GiftCard
from ..forms import Form
from .desk import Desk, action, page
from .editing import CURRENCIES
from .tax import refuse

PATH: Final = "/admin/gift-cards"
READ, WRITE = "payments:read", "payments:write"
FIELDS: Final = ("amount", "currency", "code", "expires_at", "note")
STATES: Final = {
    "active": ("Can be used", "good"),
    "spent": ("Spent", "muted"),
    "expired": ("Expired", "muted"),
    "disabled": ("Disabled", "bad"),
}


@page(PATH, READ)
async def list_gift_cards(desk: Desk) -> Response[bytes]:
    return await _show(desk)


@action(PATH, WRITE)
async def issue_gift_card(desk: Desk) -> Response[bytes]:
    """Issue one; its code is on this page and nowhere else. The same form sent twice issues one."""
    form, currency = desk.form, desk.form["currency"].upper()
    form.require({"amount": "Enter what the card is worth"})
    amount = form.money("amount", currency) if form["amount"] else None
    if amount is not None and amount.minor <= 0:
        form.errors["amount"] = "A gift card is worth more than nothing"
    expires = _last_moment(form)
    if form.errors or amount is None:
        return await _show(desk, status=422)
    card = {"amount": amount, "note": form["note"]}
    card |= {"code": form["code"]} if form["code"] else {}
    card |= {"expires_at": expires} if expires else {}
    key = form["key"] or secrets.token_hex(16)
    try:
        made = await desk.site.payments.issue_gift_card(await desk.token(), card, key=key)
    except Problem as problem:
        if problem.slug == "code-taken":
            form.errors["code"] = "There is a gift card with this code already"
        else:
            refuse(form, problem, FIELDS)
        form.values["key"] = secrets.token_hex(16)
        return await _show(desk, status=422)
    return await _show(desk, made=made)


@action(f"{PATH}/{{card_id:uuid}}/disable", WRITE)
async def disable_gift_card(desk: Desk, card_id: UUID) -> Response[bytes]:
    await desk.site.payments.disable_gift_card(await desk.token(), card_id)
    return await desk.done("The gift card pays nothing from now on.", PATH)


def _last_moment(form: Form) -> datetime | None:
    """The end of the day that was typed."""
    if not form["expires_at"]:
        return None
    try:
        day = datetime.fromisoformat(form["expires_at"])
    except ValueError:
        form.errors["expires_at"] = "Enter a day, such as 2027-12-31"
        return None
    if day.date() < datetime.now(UTC).date():
        form.errors["expires_at"] = "This day is over already"
    return day.replace(hour=23, minute=59, second=59, tzinfo=UTC)


async def _show(desk: Desk, *, made: GiftCard | None = None, status: int = 200) -> Response[bytes]:
    cursor, own = desk.query.get("cursor", ""), desk.site.settings.currency
    found = await desk.site.payments.gift_cards(await desk.token(), cursor=cursor)
    form = desk.form if status == 422 else Form({"currency": own, "key": secrets.token_hex(16)})
    return await desk.page(
        "admin/gift_cards.html", status=status, cards=found.items, next_cursor=found.next_cursor,
        first=not cursor, form=form, made=made, states=STATES,
        currencies=[(code, code) for code in dict.fromkeys([own, *CURRENCIES])],
    )  # fmt: skip


HANDLERS: list[Any] = [list_gift_cards, issue_gift_card, disable_gift_card]
