"""How a buyer means to pay: gift cards and the wallet first, the rest by a method of their choice.

Codes are kept in the session, sealed, and never written into a page; a page names a card by its last four
characters. What cards and wallet are worth is asked anew for every page;
what they pay is decided by payments.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import msgspec

from shopwright.chassis.problems import document
from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem

from ..clients.orders import Cart
from ..clients.payments import Method
from ..clients.remote import is_away, unless_away
from ..clients.sales import Tendered, tendered
from ..sessions import Tender
from ..visit import Visit
from .words import gift_card_text

GIFT_CARDS_MAX: Final = 5  # each is asked for on every look at the review page
CARD: Final = Method(method="card", name="Card")
_PARTING: Final = re.compile(r"[\s-]")
_BY_THEMSELVES: Final = {"wallet", "gift_card"}  # chosen beside the method, not as one


class Paying(msgspec.Struct, frozen=True, kw_only=True):
    """What the review page shows of the payment."""

    methods: list[Method]
    method: str
    wallet: Money | None
    use_wallet: bool
    sums: Tendered

    @property
    def covered_by(self) -> str:
        """The method of an order that needs no other; empty while something is left to pay."""
        if self.sums.left.minor:
            return ""
        return "gift_card" if self.sums.cards else "wallet" if self.sums.wallet.minor else self.method


async def paying_of(visit: Visit, cart: Cart) -> Paying:
    """How this cart can be paid, with what its buyer chose so far."""
    tender = visit.session.tender if visit.session else Tender()
    country = cart.address.country if cart.address else ""
    methods, wallet, cards = await asyncio.gather(
        unless_away(visit.site.payments.methods(cart.currency, country)),
        _wallet(visit, cart.currency),
        asyncio.gather(*(_worth(visit, code, cart.currency) for code in tender.gift_cards)),
    )
    worth = list(zip(tender.gift_cards, cards, strict=True))
    good = [code for code, balance in worth if balance is not None]
    if len(good) < len(worth):
        await keep(visit, gift_cards=good)
    offered = [one for one in methods or [CARD] if one.method not in _BY_THEMSELVES] or [CARD]
    known = {one.method for one in offered}
    from_wallet = wallet if tender.use_wallet else None
    return Paying(
        methods=offered,
        method=tender.method if tender.method in known else offered[0].method,
        wallet=wallet,
        use_wallet=from_wallet is not None,
        sums=tendered(cart.total, [(c, b) for c, b in worth if b is not None], from_wallet),
    )


async def payment_of(visit: Visit, method: str, return_url: str) -> dict[str, Any]:
    """What orders is told of the payment; the method is remembered for the next try."""
    method = method or CARD.method
    if visit.session is None or (visit.session.tender == Tender() and method == CARD.method):
        return {"method": method, "return_url": return_url}
    await keep(visit, method=method)
    tender = visit.session.tender
    more: dict[str, Any] = {"gift_cards": tender.gift_cards} if tender.gift_cards else {}
    if tender.use_wallet and visit.identity is not None:
        more["use_wallet"] = True
    return {"method": method, "return_url": return_url} | more


def plain_code(typed: str) -> str:
    """A code as people mean it: without spaces and dashes, in capitals, as payments read it too."""
    return _PARTING.sub("", typed).upper()


def refused_card_text(problem: Problem) -> str:
    """Why a code is not taken; raises what is no answer to a code."""
    if is_away(problem):
        return "Gift cards cannot be checked right now. Please try again in a moment"
    if problem.kind in {"not_found", "invalid", "conflict", "gone"}:
        return gift_card_text(str(document(problem).get("reason", "")))
    raise problem


async def _wallet(visit: Visit, currency: str) -> Money | None:
    if visit.identity is None:
        return None
    wallet = await unless_away(visit.site.payments.wallet(await visit.token(), limit=1))
    return wallet.balance(currency) if wallet else None


async def _worth(visit: Visit, code: str, cart_currency: str) -> Money | None:
    """What a card can pay; None for one that can no longer be used."""
    try:
        found = await unless_away(visit.site.payments.check_gift_card(await visit.token(), code))
    except Problem as problem:
        refused_card_text(problem)
        return None
    if found is None:  # nobody knows now: it stays, and payments will say
        return Money(0, cart_currency)
    return found.balance if found.balance.minor else None


async def keep(visit: Visit, **changes: Any) -> None:
    session = await visit.start_session()
    await visit.site.sessions.set_tender(session, msgspec.structs.replace(session.tender, **changes))
