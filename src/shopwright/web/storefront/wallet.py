"""The wallet of an account: what is in it, what changed it, putting money in; what a gift card is worth."""

from __future__ import annotations

import secrets
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post

from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotAuthenticated, NotFound, PaymentDeclined

from ..clients.payments import Balance, TopUp
from ..clients.remote import is_away, unless_away
from ..visit import Visit
from .outcome import hand_over
from .paying import plain_code, refused_card_text
from .words import declined_text

PATH: Final = "/account/wallet"
REASONS: Final = {
    "top_up": "Paid in",
    "payment": "Paid an order",
    "refund": "Paid back",
    "issued": "Given to you",
}


@get(PATH, include_in_schema=False)
async def wallet_page(visit: Visit) -> Response[bytes]:
    return await _show(visit)


@post(PATH, include_in_schema=False)
async def top_up(visit: Visit) -> Response[bytes]:
    """Put money in; the card is typed on the provider's page."""
    form, token, currency = visit.form, await _token(visit), visit.site.settings.currency
    form.require({"amount": "Enter how much to put in"})
    amount = form.money("amount", currency) if form["amount"] else None
    if amount is not None and amount.minor <= 0:
        form.errors["amount"] = "Enter an amount above zero"
    if form.errors or amount is None:
        return await _show(visit, status=422)
    try:
        made = await visit.site.payments.top_up(
            token, amount, visit.return_url(f"{PATH}/return"), key=form["key"] or secrets.token_hex(16)
        )
    except Problem as problem:
        if isinstance(problem, PaymentDeclined):
            form.errors[""] = declined_text(problem.code).partition(" You were")[0]
        elif problem.kind in {"invalid", "conflict"} or is_away(problem):
            form.refuse(problem, ["amount"])
        else:
            raise
        if not is_away(problem):  # nobody knows: the same key asks again and never charges twice
            form.values["key"] = secrets.token_hex(16)
        return await _show(visit, status=422)
    if made.action_url:
        return await hand_over(visit, made.action_url, "Your wallet", amount)
    return await _told(visit, made)


@get(f"{PATH}/return", include_in_schema=False)
async def came_back(visit: Visit) -> Response[bytes]:
    """Where the provider sends the buyer: payments ask it how the top-up stands."""
    token = await _token(visit)
    try:
        top_up_id = UUID(visit.request.query_params.get("payment", ""))
        found = await unless_away(visit.site.payments.top_up_of(token, top_up_id))
    except (ValueError, NotFound):
        return visit.go(PATH)
    return await _told(visit, found)


@get("/account/gift-card", include_in_schema=False)
async def gift_card_page(visit: Visit) -> Response[bytes]:
    return await visit.page("gift_card.html", found=None)


@post("/account/gift-card", include_in_schema=False)
async def check_gift_card(visit: Visit) -> Response[bytes]:
    """What is left on a card, for whoever has its code."""
    form = visit.form
    form.require({"gift_card": "Enter the code that stands on the gift card"})
    found: Balance | None = None
    if not form.errors:
        code = plain_code(form["gift_card"])
        try:
            found = await visit.site.payments.check_gift_card(await visit.token(), code)
        except Problem as problem:
            form.errors["gift_card"] = refused_card_text(problem)
    return await visit.page("gift_card.html", status=422 if form.errors else 200, found=found)


async def _told(visit: Visit, found: TopUp | None) -> Response[bytes]:
    if found is not None and found.status == "captured":
        await visit.notify("The money is in your wallet.")
    elif found is not None and found.status in {"declined", "voided"}:
        await visit.warn("Nothing was put in: the payment was not made. You were not charged.")
    else:
        await visit.warn("The payment is not finished yet. The money is here as soon as it is.")
    return visit.go(PATH)


async def _token(visit: Visit) -> str:
    token = await visit.token()
    if not token:
        raise NotAuthenticated
    return token


async def _show(visit: Visit, status: int = 200) -> Response[bytes]:
    token, cursor = await _token(visit), visit.request.query_params.get("cursor", "")[:200]
    wallet = await unless_away(visit.site.payments.wallet(token, cursor))
    own = visit.site.settings.currency
    balances = wallet.balances if wallet else []
    return await visit.page(
        "wallet.html", status=status, wallet=wallet, balances=balances or [Money(0, own)], currency=own,
        reasons=REASONS, first=not cursor, key=visit.form["key"] or secrets.token_hex(16),
    )  # fmt: skip


HANDLERS: list[Any] = [wallet_page, top_up, came_back, gift_card_page, check_gift_card]
