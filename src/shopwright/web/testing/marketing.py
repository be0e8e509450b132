"""The fake of orders' promotions and coupons, as staff read and change them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import FieldError, InvalidInput, NotFound

from .people import People
from .routing import route


class Marketing:
    def __init__(self, people: People) -> None:
        self._people = people
        self.promotions: list[dict[str, Any]] = []
        self.coupons: dict[str, dict[str, dict[str, Any]]] = {}
        self._done: dict[str, Any] = {}

    def add(self, name: str = "Spring sale", kind: str = "percentage", **more: Any) -> dict[str, Any]:
        promotion = {
            "id": str(new_id()), "name": name, "kind": kind, "percent": "10", "amounts": {},
            "buy_quantity": None, "get_quantity": None, "get_percent": None, "products": [],
            "categories": [], "customer_groups": [], "minimum": {}, "starts_at": None, "ends_at": None,
            "needs_code": False, "stacking": "combinable", "priority": 0, "uses_max": None,
            "uses_per_customer_max": None, "active": True, "uses": 0, **more,
        }  # fmt: skip
        self.promotions.insert(0, promotion)
        self.coupons[str(promotion["id"])] = {}
        return promotion

    @route("orders", "GET", "/v1/promotions")
    def list_promotions(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "promotions:read")
        return _page(request, self.promotions)

    @route("orders", "POST", "/v1/promotions")
    def create_promotion(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "promotions:write")
        key = request.headers.get("idempotency-key", "")
        if key not in self._done:
            self._refuse(body)
            self._done[key] = self.add(**body)
        return 201, self._done[key]

    @route("orders", "GET", "/v1/promotions/([0-9a-f-]{36})")
    def read_promotion(self, request: web.Request, _body: Any, promotion_id: str) -> Any:
        self._people.needs(request, "promotions:read")
        return self._one(promotion_id)

    @route("orders", "PATCH", "/v1/promotions/([0-9a-f-]{36})")
    def change_promotion(self, request: web.Request, body: Any, promotion_id: str) -> Any:
        self._people.needs(request, "promotions:write")
        self._refuse(body)
        self._one(promotion_id).update(body)
        return self._one(promotion_id)

    @route("orders", "GET", "/v1/promotions/([^/]+)/coupons")
    def list_coupons(self, request: web.Request, _body: Any, promotion_id: str) -> Any:
        self._people.needs(request, "promotions:read")
        return _page(request, sorted(self.coupons[promotion_id].values(), key=lambda one: str(one["code"])))

    @route("orders", "POST", "/v1/promotions/([^/]+)/coupons")
    def add_coupon(self, request: web.Request, body: Any, promotion_id: str) -> Any:
        self._people.needs(request, "promotions:write")
        code = body["code"].upper()
        if any(code in codes for codes in self.coupons.values()):
            if request.headers.get("idempotency-key", "") in self._done:
                return 201, self.coupons[promotion_id][code]
            raise InvalidInput(errors=[FieldError("/code", "another coupon has this code")])
        self._done[request.headers.get("idempotency-key", "")] = code
        self.coupons[promotion_id][code] = body | {"code": code, "uses": 0}
        return 201, self.coupons[promotion_id][code]

    @route("orders", "DELETE", "/v1/promotions/coupons/([^/]+)")
    def remove_coupon(self, request: web.Request, _body: Any, code: str) -> Any:
        self._people.needs(request, "promotions:write")
        for codes in self.coupons.values():
            if codes.pop(code, None) is not None:
                return
        raise NotFound(detail=f"no coupon {code}")

    def _one(self, promotion_id: str) -> dict[str, Any]:
        found = next((one for one in self.promotions if one["id"] == promotion_id), None)
        if found is None:
            raise NotFound(detail=f"no promotion {promotion_id}")
        return found

    def _refuse(self, body: Any) -> None:
        if "EUR" in body.get("minimum", {}) and body["minimum"]["EUR"] > 10_000_000:
            raise InvalidInput(errors=[FieldError("/minimum/EUR", "Expected `int` <= 10000000")])


def _page(request: web.Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
    start, limit = int(request.query.get("cursor", "0")), int(request.query.get("limit", "20"))
    more = str(start + limit) if start + limit < len(rows) else None
    return {"items": rows[start : start + limit], "next_cursor": more}
