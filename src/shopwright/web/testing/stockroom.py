"""The fake of products' warehouses, rules, bundles and transfers."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from shopwright.contracts.problems import FieldError, InvalidInput, NotFound

from .people import People, refusal
from .routing import route


class FakeStockroom:
    """`free`: units that can be moved out of any warehouse."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.strategy = "priority"
        self.places: list[dict[str, Any]] = [
            {"code": "main", "name": "Main warehouse", "priority": 1, "country": None, "active": True},
            {"code": "north", "name": "North warehouse", "priority": 2, "country": "DE", "active": True},
        ]
        self.policies: dict[str, dict[str, Any]] = {}
        self.bundles: dict[str, list[dict[str, Any]]] = {}
        self.moves: list[dict[str, Any]] = []
        self.free = 10

    @route("products", "GET", "/v1/warehouses")
    def list_places(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "inventory:read")
        return {"items": self.places, "strategy": self.strategy}

    @route("products", "POST", "/v1/warehouses")
    def make_place(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "inventory:write")
        if any(place["code"] == body["code"] for place in self.places):
            raise refusal("warehouse-exists", 409, code=body["code"])
        self.places.append({"priority": len(self.places) + 1} | body)
        return self.places[-1]

    @route("products", "PUT", "/v1/warehouses/strategy")
    def choose_strategy(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "inventory:write")
        self.strategy = body["strategy"]
        return body

    @route("products", "PATCH", "/v1/warehouses/([^/]+)")
    def change_place(self, request: web.Request, body: Any, code: str) -> Any:
        self._people.needs(request, "inventory:write")
        place = next(place for place in self.places if place["code"] == code)
        place.update(body)
        return place

    @route("products", "POST", "/v1/inventory/transfers")
    def move(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "inventory:write")
        if body["quantity"] > self.free:
            raise refusal("stock-too-low", 409, sku=body["sku"], on_hand=self.free, reserved=0)
        self.moves.append(body)
        return {"sku": body["sku"]}

    @route("products", "GET", "/v1/inventory/([^/]+)/policy")
    def policy_of(self, request: web.Request, _body: Any, sku: str) -> Any:
        self._people.needs(request, "inventory:read")
        return self.policies.get(sku, {})

    @route("products", "PUT", "/v1/inventory/([^/]+)/policy")
    def put_policy(self, request: web.Request, body: Any, sku: str) -> Any:
        self._people.needs(request, "inventory:write")
        self.policies[sku] = body
        return body

    @route("products", "GET", "/v1/inventory/bundles/([^/]+)")
    def bundle_of(self, request: web.Request, _body: Any, sku: str) -> Any:
        self._people.needs(request, "inventory:read")
        if sku not in self.bundles:
            raise NotFound(detail=f"{sku} is no bundle")
        parts = [part | {"available": 8} for part in self.bundles[sku]]
        return {"sku": sku, "components": parts, "available": min(8 // part["quantity"] for part in parts)}

    @route("products", "PUT", "/v1/inventory/bundles/([^/]+)")
    def put_bundle(self, request: web.Request, body: Any, sku: str) -> Any:
        self._people.needs(request, "inventory:write")
        for number, part in enumerate(body["components"]):
            if part["sku"] == "NOWHERE":
                detail = "'NOWHERE' is no SKU of this shop"
                raise InvalidInput(errors=[FieldError(f"/components/{number}/sku", detail)])
            if part["sku"] in self.bundles:
                raise refusal("bundle-refused", 409, sku=sku, reason="nested")
        self.bundles[sku] = body["components"]
        return self.bundle_of(request, None, sku)

    @route("products", "DELETE", "/v1/inventory/bundles/([^/]+)")
    def drop_bundle(self, request: web.Request, _body: Any, sku: str) -> Any:
        self._people.needs(request, "inventory:write")
        del self.bundles[sku]
