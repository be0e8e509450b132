"""Paying by a link that staff had mailed: what a change of an order costs, or what is sent in exchange.

Who has the link may pay, in any browser. Paying is idempotent by a key that the page carries, and orders asks
for one payment at a time: a double click or a reload never pays twice.
"""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

import structlog
from litestar import Response, get, post

from shopwright.contracts.problem import Problem

from ..clients.pay_links import PayLink
from ..clients.payments import Method
from ..clients.remote import is_away, unless_away
from ..visit import Visit
from .outcome import RETRY_S, hand_over
from .paying import CARD
from .words import declined_text

log = structlog.get_logger()

_NOT_HERE = {"gift_card", "bank_transfer"}  # beside a method, and longer than the goods are held


@get("/pay/{link_id:uuid}", include_in_schema=False)
async def pay_page(visit: Visit, link_id: UUID) -> Response[bytes]:
    return await _page(visit, await visit.site.pay_links.find(await visit.token(), link_id))


@post("/pay/{link_id:uuid}", include_in_schema=False)
async def pay(visit: Visit, link_id: UUID) -> Response[bytes]:
    form = visit.form
    payment = {
        "method": form["method"] or CARD.method,
        "return_url": visit.return_url(f"/pay/{link_id}/return"),
    }
    try:
        asked = await visit.site.pay_links.pay(
            await visit.token(), link_id, payment, key=form["key"] or secrets.token_hex(16)
        )
    except Problem as problem:
        if problem.kind not in {"invalid", "conflict", "gone", "declined"} and not is_away(problem):
            raise
        code = str(problem.members().get("code", ""))
        await visit.warn(declined_text(code) if code else f"{problem.title.rstrip('.')}.")
        return visit.go(f"/pay/{link_id}")
    if asked.state == "paying" and asked.action_url:
        return await hand_over(visit, asked.action_url, f"Order {asked.number}", asked.amount)
    return visit.go(f"/pay/{link_id}")


@get("/pay/{link_id:uuid}/return", include_in_schema=False)
async def came_back(visit: Visit, link_id: UUID) -> Response[bytes]:
    """Where the provider sends the buyer."""
    try:
        await unless_away(visit.site.pay_links.look_again(link_id))
    except Problem as problem:  # the webhook will tell; the page below asks again anyway
        log.warning("the payment was not asked to look again", problem=problem.slug)
    return visit.go(f"/pay/{link_id}")


async def _page(visit: Visit, asked: PayLink) -> Response[bytes]:
    methods = await unless_away(visit.site.payments.methods(asked.amount.currency, asked.country))
    offered = _offered(methods or [CARD], logged_in=visit.identity is not None)
    return await visit.page(
        "pay_link.html", asked=asked, methods=offered,
        key=secrets.token_hex(16), retry_s=RETRY_S,
        declined=declined_text(asked.decline_code) if asked.decline_code else "",
    )  # fmt: skip


def _offered(methods: list[Method], *, logged_in: bool) -> list[Method]:
    return [
        one for one in methods if one.method not in _NOT_HERE and (one.method != "wallet" or logged_in)
    ] or [CARD]


HANDLERS: list[Any] = [pay_page, pay, came_back]
