"""The fake of payments: what staff read of an order's payments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web

from shopwright.contracts.problems import FieldError, InvalidInput

from .people import People
from .purchases import Purchases
from .routing import money, route


class Till:
    """Every order whose goods were there has one payment, authorised and captured as its status says."""

    def __init__(self, people: People, purchases: Purchases) -> None:
        self._people, self._purchases = people, purchases

    @route("payments", "GET", "/v1/payments")
    def list_payments(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "payments:read")
        if "order_id" not in request.query:
            raise InvalidInput(errors=[FieldError("/query/order_id", "is required")])
        order = self._purchases.orders.get(request.query["order_id"])
        asked_for = order is not None and (order["refusal"] or {}).get("type") != "out-of-stock"
        return {"items": [self._payment(order)] if order and asked_for else [], "next_cursor": None}

    def _payment(self, order: dict[str, Any]) -> dict[str, Any]:
        total, status = order["total"]["amount"], order["payment"]["status"]
        done = ["authorise", "capture"] if status == "captured" else ["authorise"]
        failed = status == "declined"
        paid = total if status == "captured" else 0
        events = [
            {
                "kind": kind, "outcome": outcome, "amount": money(total), "fee": money(0),
                "code": "insufficient_funds" if outcome == "failed" else "",
                "at": order["created_at"] + timedelta(seconds=place),
            }
            for place, kind in enumerate(done)
            for outcome in ("requested", "failed" if failed else "succeeded")
        ]  # fmt: skip
        return {
            "id": order["payment"]["id"], "order_id": order["id"], "status": status, "amount": money(total),
            "authorised": money(0 if failed else total), "captured": money(paid), "refunded": money(0),
            "method": "card", "provider": "sandbox", "provider_ref": f"ch_{order['number'].lower()}",
            "decline_code": "insufficient_funds" if failed else None, "created_at": order["created_at"],
            "updated_at": order["created_at"], "events": events,
        }  # fmt: skip
