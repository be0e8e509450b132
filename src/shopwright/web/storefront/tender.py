"""The forms beside the payment: gift cards put in and taken out, the wallet used or left alone."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, post

from shopwright.contracts.problem import Problem

from ..visit import Visit
from .paying import GIFT_CARDS_MAX, keep, plain_code, refused_card_text
from .review import show_review

REVIEW: Final = "/checkout/review"


@post("/checkout/gift-cards", include_in_schema=False)
async def add_gift_card(visit: Visit) -> Response[bytes]:
    """Put one more gift card to the payment."""
    form = visit.form
    form.require({"gift_card": "Enter the code that stands on the gift card"})
    tender = (await visit.start_session()).tender
    code = plain_code(form["gift_card"])
    if not form.errors and len(tender.gift_cards) >= GIFT_CARDS_MAX:
        form.errors["gift_card"] = f"An order takes at most {GIFT_CARDS_MAX} gift cards"
    if not form.errors:
        try:
            found = await visit.site.payments.check_gift_card(await visit.token(), code)
        except Problem as problem:
            form.errors["gift_card"] = refused_card_text(problem)
        else:
            currency = (await visit.start_session()).cart_currency
            if not found.balance.minor:
                form.errors["gift_card"] = "There is nothing left on this gift card"
            elif found.balance.currency != currency:
                form.errors["gift_card"] = (
                    f"This gift card is in {found.balance.currency}, and your cart in {currency}"
                )
            else:
                await keep(visit, gift_cards=list(dict.fromkeys([*tender.gift_cards, code])))
                await visit.notify("The gift card was added.")
    return await show_review(visit, status=422) if form.errors else visit.go(REVIEW)


@post("/checkout/gift-cards/remove", include_in_schema=False)
async def remove_gift_card(visit: Visit) -> Response[bytes]:
    """Leave out the card whose code ends so."""
    tender, ending = (await visit.start_session()).tender, visit.form["ending"]
    await keep(visit, gift_cards=[code for code in tender.gift_cards if code[-4:] != ending])
    return visit.go(REVIEW)


@post("/checkout/wallet", include_in_schema=False)
async def choose_wallet(visit: Visit) -> Response[bytes]:
    """Pay from the wallet as far as it goes, or leave it alone."""
    await keep(visit, use_wallet=bool(visit.form["use"]))
    return visit.go(REVIEW)


HANDLERS: list[Any] = [add_gift_card, remove_gift_card, choose_wallet]
