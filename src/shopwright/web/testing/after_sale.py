"""The fake of what comes after a sale: shipments and refunds, once by key and never more than was paid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound

from .people import People
from .purchases import Purchases
from .routing import money, route


class AfterSale:
    def __init__(self, people: People, purchases: Purchases) -> None:
        self._people, self._purchases = people, purchases
        self.fulfilments: dict[str, list[dict[str, Any]]] = {}
        self.refunds: dict[str, list[dict[str, Any]]] = {}
        self._done: dict[str, dict[str, Any]] = {}

    @route("orders", "GET", "/v1/orders/([^/]+)/fulfilments")
    def list_fulfilments(self, request: web.Request, _body: Any, order_id: str) -> Any:
        self._purchases.seen(request, order_id)
        return {"items": self.fulfilments.get(order_id, [])}

    @route("orders", "GET", "/v1/orders/([^/]+)/refunds")
    def list_refunds(self, request: web.Request, _body: Any, order_id: str) -> Any:
        self._purchases.seen(request, order_id)
        return {"items": self.refunds.get(order_id, [])}

    @route("orders", "POST", "/v1/orders/([^/]+)/fulfilments")
    def ship(self, request: web.Request, body: Any, order_id: str) -> Any:
        order, key = self._opened(request, order_id, "orders:write")
        if key in self._done:
            return 201, self._done[key]
        if order["status"] != "confirmed":
            title = "An order in this state does not allow that"
            members = {"order_status": order["status"], "wanted": "fulfilled"}
            raise _refusal("wrong-transition", title, **members)
        order["status"] = "fulfilled"
        lines = [{"id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
        made: dict[str, Any] = {"id": str(new_id()), "lines": lines, "tracking": body["tracking"]}
        self._done[key] = made | {"created_at": datetime.now(UTC)}
        self.fulfilments.setdefault(order_id, []).append(self._done[key])
        return 201, self._done[key]

    @route("orders", "POST", "/v1/orders/([^/]+)/refunds")
    def refund(self, request: web.Request, body: Any, order_id: str) -> Any:
        order, key = self._opened(request, order_id, "orders:refund")
        if key in self._done:
            return 201, self._done[key]
        back = sum(item["amount"]["amount"] for item in self.refunds.get(order_id, []))
        left = order["total"]["amount"] - back
        amount = (body.get("amount") or money(left))["amount"]
        if amount > left:
            raise _refusal("more-than-paid", "That is more than is left to pay back", refundable=money(left))
        made: dict[str, Any] = {
            "id": str(new_id()),
            "kind": "refund",
            "amount": money(amount),
            "lines": [],
            "failure": "",
        }
        made |= {"reason": body["reason"], "status": "succeeded", "created_at": datetime.now(UTC)}
        order["payment"]["status"] = "refunded" if amount == left else "partially_refunded"
        self._done[key] = made
        self.refunds.setdefault(order_id, []).append(made)
        return 201, made

    def _opened(self, request: web.Request, order_id: str, scope: str) -> tuple[dict[str, Any], str]:
        self._people.needs(request, scope)
        if order_id not in self._purchases.orders:
            raise NotFound(detail=f"no order {order_id}")
        return self._purchases.orders[order_id], request.headers.get("idempotency-key", str(new_id()))


def _refusal(slug: str, title: str, **members: Any) -> problems.ForeignProblem:
    document = {"type": f"/problems/{slug}", "title": title, "status": 409}
    return problems.ForeignProblem(document=document | members)
