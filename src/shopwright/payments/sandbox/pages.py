"""The hosted card page, `/sandbox/pay/{session}`: where a buyer types a test card, confirms, or cancels.

A session is unguessable and ends with one decision, so a form from elsewhere cannot decide for a buyer. The
card number is read once and forgotten: never stored, logged or shown again. No script runs on these pages.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import jinja2
from litestar import MediaType, Request, Response, get, post
from litestar.status_codes import HTTP_303_SEE_OTHER
from markupsafe import Markup

from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem

from ..sites import naming
from .books import Books, Charge, State
from .cards import CARDS, CardNotValid, NotATestCard, token_of
from .provider import TOKENS

FORM_MAX = 4_096
_FOLDER: Final = Path(__file__).parent / "templates"
_CSS: Final = (_FOLDER / "sandbox.css").read_text(encoding="utf-8")
_CSS_HASH: Final = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    auto_reload=False,
)

#: Over, and why, in the buyer's words.
_OVER: Final = {
    "authorised": ("This payment is done", "You can close this page."),
    "processing": ("This payment is being processed", "You can close this page."),
    "voided": ("This payment was cancelled", "The shop no longer waits for it; nothing was charged."),
    "declined": ("This payment was not made", "Nothing was charged."),
}
#: What a buyer's decision at a stage makes of the charge; paying with a card is decided by the card.
_DECISIONS: Final[dict[tuple[str, str], tuple[State, str]]] = {
    ("card", "cancel"): ("declined", "cancelled_by_buyer"),
    ("challenge", "confirm"): ("authorised", ""),
    ("challenge", "reject"): ("declined", "authentication_failed"),
}


@get("/sandbox/pay/{session:str}", include_in_schema=False)
async def show(session: str, books: Books) -> Response[bytes]:
    charge = await books.by_session(session)
    return _not_found() if charge is None else _page(charge)


@post("/sandbox/pay/{session:str}", include_in_schema=False, request_max_body_size=FORM_MAX, status_code=200)
async def decide(session: str, request: Request, books: Books) -> Response[bytes]:
    try:
        form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:  # not a form of ours
        form = {}
    charge = await books.by_session(session)
    if charge is None:
        return _not_found()
    if charge.state != "requires_action" or charge.stage is None:
        return _back(charge)
    decision = form.get("decision", ["pay"])[0]
    if charge.stage == "card" and decision == "pay":
        return await _pay(books, charge, session, form.get("number", [""])[0])
    outcome = _DECISIONS.get((charge.stage, decision))
    if outcome is None:
        return _page(charge)
    await books.complete(session, charge.stage, *outcome)
    return _back(charge)


HANDLERS: Final = (show, decide)


async def _pay(books: Books, charge: Charge, session: str, number: str) -> Response[bytes]:
    try:
        card = TOKENS[token_of(number)]
    except (CardNotValid, NotATestCard) as problem:
        return _page(charge, problem)
    if card.stage == "challenge":
        await books.challenge(session)
        return _redirect(f"/sandbox/pay/{session}")
    state: State = "declined" if card.state == "declined" else "authorised"
    await books.complete(session, "card", state, card.decline_code)
    return _back(charge)


def _page(charge: Charge, problem: Problem | None = None) -> Response[bytes]:
    if charge.state != "requires_action":
        heading, text = _OVER[charge.state]
        return _html("over.html", charge, heading=heading, text=text, back=_return_url(charge))
    return _html(
        f"{charge.stage}.html",
        charge,
        status=422 if problem else 200,
        amount=str(Money(charge.amount, charge.currency)),
        action=f"/sandbox/pay/{charge.session}",
        cards=CARDS,
        error=f"{problem.title}." if problem else "",
    )


def _not_found() -> Response[bytes]:
    text = "The address is wrong, or the payment was made long ago."
    return _html("over.html", None, status=404, heading="There is no such payment", text=text, back="")


def _html(template: str, charge: Charge | None, /, *, status: int = 200, **values: Any) -> Response[bytes]:
    body = _TEMPLATES.get_template(template).render(css=_TRUSTED_CSS, charge=charge, **values)
    # a browser also holds the redirect after the form to form-action, so the shop's origin must stand there
    back = urlsplit(charge.return_url) if charge is not None and charge.return_url else None
    targets = f"'self' {back.scheme}://{back.netloc}" if back else "'self'"
    headers = {
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return Response(body.encode(), status_code=status, media_type=MediaType.HTML, headers=headers)


def _back(charge: Charge) -> Response[bytes]:
    return _redirect(_return_url(charge))


def _return_url(charge: Charge) -> str:
    return naming(charge.return_url, charge.reference)


def _redirect(url: str) -> Response[bytes]:
    headers = {"location": url, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(b"", status_code=HTTP_303_SEE_OTHER, headers=headers, media_type=MediaType.TEXT)


_TRUSTED_CSS: Final = Markup(_CSS)  # noqa: S704 - a file of ours, not input
