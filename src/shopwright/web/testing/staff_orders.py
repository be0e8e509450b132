"""The fake of what only staff do with orders: changes, returns, exchanges, drafts, pushes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound

from .people import People
from .purchases import Purchases
from .routing import money, route


class StaffOrders:
    """`difference`: how much dearer the next change or exchange would be."""

    def __init__(self, people: People, purchases: Purchases) -> None:
        self._people, self._purchases = people, purchases
        self.retried: list[str] = []
        self.edits: list[Any] = []
        self.returns: list[Any] = []
        self.exchanged: dict[str, list[dict[str, Any]]] = {}
        self.drafts: dict[str, dict[str, Any]] = {}
        self.sent: list[str] = []
        self.waiting: dict[str, list[dict[str, Any]]] = {}
        self.links: dict[str, dict[str, Any]] = {}
        self.paid: list[Any] = []
        self.difference = 0

    @route("orders", "POST", "/v1/orders/([^/]+)/retry")
    def retry(self, request: web.Request, _body: Any, order_id: str) -> Any:
        self._order(request, order_id)
        self.retried.append(order_id)
        self._purchases.stuck.discard(order_id)

    @route("orders", "POST", "/v1/orders/([^/]+)/edits")
    def edit(self, request: web.Request, body: Any, order_id: str) -> Any:
        self._order(request, order_id)
        self.edits.append(body)
        made = {"id": str(new_id()), "status": "applied", "reason": body["reason"]}
        if self.difference <= 0 or "payment" in body:
            return 201, made
        asked = {"amount": money(self.difference), "method": "link", "action_url": f"/pay/{made['id']}"}
        waits = made | {"status": "awaiting_payment", "payment": asked}
        self.waiting.setdefault(order_id, []).append(waits)
        return 202, waits

    @route("orders", "GET", "/v1/orders/([^/]+)/edits")
    def list_edits(self, request: web.Request, _body: Any, order_id: str) -> Any:
        self._purchases.seen(request, order_id)
        return {"items": self.waiting.get(order_id, [])}

    @route("orders", "POST", "/v1/orders/([^/]+)/edits/([^/]+)/withdraw")
    def withdraw(self, request: web.Request, _body: Any, order_id: str, _edit_id: str) -> Any:
        self._order(request, order_id)
        return self.waiting[order_id].pop() | {"status": "withdrawn"}

    @route("orders", "GET", "/v1/orders/pay-links/([^/]+)")
    def pay_link(self, _request: web.Request, _body: Any, link_id: str) -> Any:
        return self.links[link_id]

    @route("orders", "POST", "/v1/orders/pay-links/([^/]+)")
    def pay_by_link(self, _request: web.Request, body: Any, link_id: str) -> Any:
        self.paid.append(body["payment"])
        self.links[link_id] |= {"state": "paying", "action_url": self._purchases.action_url}
        return self.links[link_id]

    @route("orders", "POST", "/v1/orders/([^/]+)/(?:edits|exchanges)/quote")
    def quote(self, request: web.Request, _body: Any, order_id: str) -> Any:
        self._order(request, order_id)
        return {"difference": money(self.difference)}

    @route("orders", "POST", "/v1/orders/([^/]+)/returns")
    def take_return(self, request: web.Request, body: Any, order_id: str) -> Any:
        self._order(request, order_id)
        self.returns.append(body)
        return 201, _refund(body.get("refund") or money(100), body["reason"])

    @route("orders", "POST", "/v1/orders/([^/]+)/exchanges")
    def exchange(self, request: web.Request, body: Any, order_id: str) -> Any:
        order = self._order(request, order_id)
        self.returns.append(body)
        sent = order | {"id": str(new_id()), "number": "SW-200001", "exchange_of": order_id}
        self.exchanged.setdefault(order_id, []).append(sent)
        return 201, {"order": sent, "refund": _refund(money(0), body["reason"])}

    @route("orders", "GET", "/v1/orders/([^/]+)/exchanges")
    def exchanges(self, request: web.Request, _body: Any, order_id: str) -> Any:
        self._people.needs(request, "orders:read")
        return {"items": self.exchanged.get(order_id, [])}

    @route("orders", "GET", "/v1/drafts")
    def list_drafts(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "orders:write")
        return {"items": list(self.drafts.values())[::-1], "next_cursor": None}

    @route("orders", "POST", "/v1/drafts")
    def create_draft(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "orders:write")
        draft_id = str(new_id())
        self.drafts[draft_id] = {
            "id": draft_id, "currency": body["currency"], "created_at": datetime.now(UTC), "user_id": None,
        }  # fmt: skip
        return 201, self._write(draft_id, body)

    @route("orders", "PATCH", "/v1/drafts/([^/]+)")
    def change_draft(self, request: web.Request, body: Any, draft_id: str) -> Any:
        self._draft(request, draft_id)
        return self._write(draft_id, body)

    @route("orders", "GET", "/v1/drafts/([^/]+)")
    def read_draft(self, request: web.Request, _body: Any, draft_id: str) -> Any:
        return self._draft(request, draft_id)

    @route("orders", "DELETE", "/v1/drafts/([^/]+)")
    def delete_draft(self, request: web.Request, _body: Any, draft_id: str) -> Any:
        self._draft(request, draft_id)
        del self.drafts[draft_id]

    @route("orders", "POST", "/v1/drafts/([^/]+)/invoice")
    def send_draft(self, request: web.Request, _body: Any, draft_id: str) -> Any:
        self._draft(request, draft_id)
        self.sent.append(draft_id)

    @route("orders", "POST", "/v1/drafts/([^/]+)/place")
    def place_draft(self, request: web.Request, body: Any, draft_id: str) -> Any:
        self._draft(request, draft_id)
        order = next(iter(self._purchases.orders.values()))
        order["payment"]["method"] = body["payment"]["method"]
        return 201, order

    def _write(self, draft_id: str, body: Any) -> dict[str, Any]:
        lines, named = [], []
        for line in body["lines"]:
            price = line.get("unit_price") or money(1_000)
            total = money(price["amount"] * line["quantity"])
            lines.append({"id": str(new_id()), "sku": line["sku"], "quantity": line["quantity"], "name": "",
                          "unit_price": price, "total": total})  # fmt: skip
            named += [lines[-1]["id"]] if line.get("unit_price") else []
        whole = money(sum(line["total"]["amount"] for line in lines))
        cart = {
            "id": draft_id, "currency": "EUR", "lines": lines, "total": whole, "address": body.get("address"),
            "totals": [{"type": "subtotal", "amount": whole}],
        }  # fmt: skip
        self.drafts[draft_id] |= {
            "email": body["email"], "note": body["note"], "units": len(lines), "cart": cart,
            "staff_priced": named,
        }  # fmt: skip
        return self.drafts[draft_id]

    def _order(self, request: web.Request, order_id: str) -> dict[str, Any]:
        self._people.needs(request, "orders:write")
        if order_id not in self._purchases.orders:
            raise NotFound(detail=f"no order {order_id}")
        return self._purchases.orders[order_id]

    def _draft(self, request: web.Request, draft_id: str) -> dict[str, Any]:
        self._people.needs(request, "orders:write")
        if draft_id not in self.drafts:
            raise NotFound(detail=f"no draft {draft_id}")
        return self.drafts[draft_id]


def _refund(amount: dict[str, Any], reason: str) -> dict[str, Any]:
    return {"id": str(new_id()), "kind": "return", "amount": amount, "lines": [], "reason": reason,
            "status": "succeeded", "failure": "", "created_at": datetime.now(UTC)}  # fmt: skip
