"""Stripe's hosted page, which localstripe lacks: Checkout sessions as far as our side uses them; what buyers
pay there is charged at localstripe.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Any

from aiohttp import web

Ask = Callable[..., Awaitable[dict]]


class Pages:
    """`ask` makes a call to localstripe; `sessions` can be tampered with."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.sessions: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, dict[str, str]] = {}

    async def answer(self, method: str, path: str, form: dict[str, str], url: str) -> tuple[int, dict]:
        """Status and body of a call to /v1/checkout/sessions…"""
        parts = path.removeprefix("/v1/checkout/sessions").strip("/").split("/")
        if parts == [""]:
            return (200, self._open(form, url)) if method == "POST" else (200, await self._list())
        session = self.sessions.get(parts[0])
        if session is None:
            return 404, _error("resource_missing")
        if parts[1:] == ["expire"]:
            if session["status"] != "open":
                return 400, _error("session_not_open")
            session |= {"status": "expired", "url": None}
        return 200, await self._whole(session)

    def _open(self, form: dict[str, str], url: str) -> dict:
        lasts_s = int(form["expires_at"]) - time.time()
        assert 30 * 60 < lasts_s < 24 * 3_600, "Stripe takes no other"
        session_id = f"cs_test_{token_hex(8)}"
        self._asked[session_id] = form
        self.sessions[session_id] = {
            "id": session_id, "object": "checkout.session", "status": "open",
            "currency": form["line_items[0][price_data][currency]"],
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "client_reference_id": form["client_reference_id"],
            "url": f"{url}/checkout/{session_id}", "payment_intent": None,
            "success_url": form["success_url"],
        }  # fmt: skip
        return self.sessions[session_id]

    async def _list(self) -> dict:
        found = [await self._whole(session) for session in self.sessions.values()]
        return {"object": "list", "data": found, "has_more": False, "url": "/v1/checkout/sessions"}

    async def _whole(self, session: dict) -> dict:
        if session["payment_intent"] is None:
            return session
        path = f"/v1/payment_intents/{session['payment_intent']}?expand[]=latest_charge.balance_transaction"
        return session | {"payment_intent": await self._ask("GET", path)}

    async def pay(self, session_id: str, card: str) -> bool:
        """The buyer types a card; whether it was taken. A declined one leaves the page open."""
        session, form = self.sessions[session_id], self._asked[session_id]
        metadata = {
            re.sub(r"^payment_intent_data\[metadata\]", "metadata", name): value
            for name, value in form.items()
            if name.startswith("payment_intent_data[metadata]")
        }
        made = await self._ask(
            "POST", "/v1/payment_intents", amount=str(session["amount_total"]), currency=session["currency"],
            payment_method=card, confirm="true", capture_method="manual", **metadata,
        )  # fmt: skip
        if "error" in made:
            return False
        session |= {"status": "complete", "url": None, "payment_intent": made["id"]}
        return True

    async def show(self, request: web.Request) -> web.Response:
        """The page: `?card=pm_…` pays."""
        session_id = request.match_info["id"]
        if "card" not in request.query:
            return web.Response(text="Which card?")
        if not await self.pay(session_id, request.query["card"]):
            return web.Response(status=402, text="Your card was declined.")
        return web.Response(status=303, headers={"location": self.sessions[session_id]["success_url"]})


def _error(code: str) -> dict:
    return {"error": {"type": "invalid_request_error", "code": code, "message": code}}
