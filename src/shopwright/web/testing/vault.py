"""The fake of payments' other means: ways to pay, gift cards, wallets, reconciliations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import FieldError, InvalidInput, NotFound

from .people import People, refusal
from .routing import money, route


def plain(code: str) -> str:
    """A code as payments read it."""
    return code.replace("-", "").upper()


class Vault:
    """`cards`: code → gift card; `balances`: e-mail address → minor units of EUR in the wallet."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.methods: list[dict[str, Any]] = [{"method": "card", "name": "Card", "instructions": ""}]
        self.cards: dict[str, dict[str, Any]] = {}
        self.balances: dict[str, int] = {}
        self.entries: list[dict[str, Any]] = []
        self.reconciliations: list[dict[str, Any]] = []
        self.differences: list[dict[str, Any]] = []
        self.asked_days: list[str] = []
        self.top_up_status = "captured"
        self.action_url: str | None = None  # where a top-up is paid; None: it is paid at once

    def add_card(self, code: str, balance: int, currency: str = "EUR") -> dict[str, Any]:
        card = {
            "id": str(new_id()), "code": code, "balance": money(balance, currency), "note": "",
            "issued": money(balance, currency), "held": money(0, currency), "expires_at": None,
            "disabled_at": None, "created_at": datetime.now(UTC),
        }  # fmt: skip
        self.cards[plain(code)] = card
        return card

    @route("payments", "GET", "/v1/payments/methods")
    def list_methods(self, _request: web.Request, _body: Any) -> Any:
        return {"items": self.methods}

    @route("payments", "POST", "/v1/gift-cards/check")
    def check(self, _request: web.Request, body: Any) -> Any:
        card = self.cards.get(plain(body["code"]))
        if card is None or card["disabled_at"] is not None:
            raise refusal("gift-card-not-valid", 422, reason="disabled" if card else "unknown")
        return {"balance": card["balance"], "expires_at": card["expires_at"]}

    @route("payments", "GET", "/v1/gift-cards")
    def list_cards(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "payments:read")
        rows = [card | {"code": f"…{card['code'][-4:]}"} for card in reversed(self.cards.values())]
        start, limit = int(request.query.get("cursor", "0")), int(request.query["limit"])
        more = str(start + limit) if start + limit < len(rows) else None
        return {"items": rows[start : start + limit], "next_cursor": more}

    @route("payments", "POST", "/v1/gift-cards")
    def issue(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "payments:write")
        if body["amount"]["amount"] > 100_000:
            raise InvalidInput(errors=[FieldError("/amount/amount", "Expected `int` <= 100000")])
        code = body.get("code") or f"GIFT-{len(self.cards):04}"
        card = self.add_card(code, body["amount"]["amount"], body["amount"]["currency"])
        card["note"] = body.get("note", "")
        return 201, card

    @route("payments", "POST", "/v1/gift-cards/([^/]+)/disable")
    def disable(self, request: web.Request, _body: Any, card_id: str) -> Any:
        self._people.needs(request, "payments:write")
        card = next((card for card in self.cards.values() if card["id"] == card_id), None)
        if card is None:
            raise NotFound(detail=f"no gift card {card_id}")
        card["disabled_at"] = datetime.now(UTC)
        return card

    @route("payments", "GET", "/v1/wallet")
    def wallet(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "")
        balance = self.balances.get(str(self._people.user_of(request)))
        return {
            "balances": [] if balance is None else [money(balance)],
            "items": self.entries, "next_cursor": None,
        }  # fmt: skip

    @route("payments", "POST", "/v1/wallet/top-ups")
    def top_up(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "")
        if body["amount"]["amount"] > 50_000:
            raise InvalidInput(errors=[FieldError("/amount/amount", "Expected `int` <= 50000")])
        if self.action_url is None:
            email = str(self._people.user_of(request))
            self.balances[email] = self.balances.get(email, 0) + body["amount"]["amount"]
            return 201, {
                "id": str(new_id()), "amount": body["amount"], "status": "captured", "action_url": None
            }  # fmt: skip
        return 202, {
            "id": str(new_id()), "amount": body["amount"], "status": "requires_action",
            "action_url": self.action_url,
        }  # fmt: skip

    @route("payments", "GET", "/v1/wallet/top-ups/([^/]+)")
    def read_top_up(self, request: web.Request, _body: Any, top_up_id: str) -> Any:
        self._people.needs(request, "")
        return {"id": top_up_id, "amount": money(1_000), "status": self.top_up_status, "action_url": None}

    @route("payments", "GET", "/v1/reconciliations")
    def list_reconciliations(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "payments:read")
        return {"items": self.reconciliations, "next_cursor": None}

    @route("payments", "GET", "/v1/reconciliations/([^/]+)")
    def read_reconciliation(self, request: web.Request, _body: Any, run_id: str) -> Any:
        self._people.needs(request, "payments:read")
        run = next(run for run in self.reconciliations if run["id"] == run_id)
        return {"reconciliation": run, "items": self.differences, "next_cursor": None}

    @route("payments", "POST", "/v1/reconciliations")
    def reconcile(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "payments:write")
        self.asked_days.append(body["day"])
        return 202, {"items": []}
