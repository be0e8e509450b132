"""The fake of products: catalogue, search, stock."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import IdempotencyKeyReused, NotFound, UnknownSku

from .people import People
from .routing import money, route


def product(name: str, *, price: int = 4_900, available: int = 12, **more: Any) -> dict[str, Any]:
    """A product as the fake keeps it; `options` ({name: [values]}) makes variants of the first option."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    options: dict[str, list[str]] = more.pop("options", {})
    first, values = next(iter(options.items()), ("", [""]))
    variants = [
        {
            "id": str(new_id()), "sku": f"{slug.upper()[:12]}-{place}", "name": value or name,
            "price": money(price + place * 300), "compare_at": None, "available": available,
            "in_stock": available, "preorder_from": None,
            "options": {first: value} if value else {}, "picture": None, "weight_g": None, "barcode": None,
        }
        for place, value in enumerate(values)
    ]  # fmt: skip
    now = datetime.now(UTC)
    return {
        "id": str(new_id()), "slug": slug, "name": name, "summary": "",
        "description": f"<p>{name}, made to be used every day.</p>", "status": "active", "brand": "Nordlund",
        "attributes": {"material": ["Oak"]}, "pictures": [], "categories": [], "options": list(options),
        "variants": variants, "version": 1, "created_at": now, "updated_at": now, **more,
    }  # fmt: skip


def detail_of(item: dict[str, Any]) -> dict[str, Any]:
    """The product as its own page gets it: prices and stock are those of its variants now."""
    variants = [variant for variant in item["variants"] if variant["price"]]
    cheapest: dict[str, Any] = min(variants, key=_amount, default={})
    dearest: dict[str, Any] = max(variants, key=_amount, default={})
    return item | {
        "price": cheapest.get("price"), "price_max": dearest.get("price"),
        "compare_at": cheapest.get("compare_at"), "available": sum(v["available"] for v in variants),
    }  # fmt: skip


def card_of(item: dict[str, Any]) -> dict[str, Any]:
    """The product as lists get it."""
    detail = detail_of(item)
    same = ("id", "slug", "name", "summary", "brand", "status", "categories", "price", "price_max",
            "compare_at", "available")  # fmt: skip
    return {name: detail[name] for name in same} | {
        "picture": next(iter(item["pictures"]), None), "variants_count": len(item["variants"]),
        "sku": item["variants"][0]["sku"] if item["variants"] else "",
    }  # fmt: skip


def _amount(variant: dict[str, Any]) -> int:
    return int(variant["price"]["amount"])


class Goods:
    def __init__(self, people: People) -> None:
        self._people = people
        self.products: list[dict[str, Any]] = []
        self.categories: list[dict[str, Any]] = []
        self.facets: dict[str, Any] = {}
        self.suggestion: str | None = None
        self.prices: dict[tuple[str, str], dict[str, Any]] = {}  # by variant, in other currencies
        self.movements: list[dict[str, Any]] = []
        self._adjusted: dict[str, dict[str, Any]] = {}

    def variant(self, sku: str) -> tuple[dict[str, Any], dict[str, Any]]:
        for item in self.products:
            for variant in item["variants"]:
                if variant["sku"] == sku:
                    return item, variant
        raise UnknownSku(sku=sku)

    @route("products", "GET", "/v1/categories")
    def list_categories(self, _request: web.Request, _body: Any) -> Any:
        return {"items": self.categories}

    @route("products", "GET", "/v1/(?:products|search)")
    def list_products(self, request: web.Request, _body: Any) -> Any:
        wanted, words = request.query.get("category"), request.query.get("q", "").lower()
        found = [
            item
            for item in self.products
            if (not wanted or any(c["slug"] == wanted for c in item["categories"]))
            and (words in item["name"].lower() or any(words in v["sku"].lower() for v in item["variants"]))
            and (item["status"] == "active" or (self._staff(request) and "search" not in request.path))
            and request.query.get("status", item["status"]) == item["status"]
        ]
        if currency := request.query.get("currency", ""):
            priced = [
                item | {"variants": [v | self.priced(v, currency) for v in item["variants"]]}
                for item in found
            ]
            found = [item for item in priced if any(v["price"] for v in item["variants"])]
        start, limit = int(request.query.get("cursor", "0")), int(request.query.get("limit", "20"))
        more = str(start + limit) if start + limit < len(found) else None
        page = {"items": [card_of(item) for item in found[start : start + limit]], "next_cursor": more}
        if "search" not in request.path:
            return page
        return page | {"total": len(found), "facets": self.facets, "suggestion": self.suggestion}

    @route("products", "GET", "/v1/products/([^/]+)")
    def one_product(self, request: web.Request, _body: Any, slug: str) -> Any:
        item, currency = self.item(slug), request.query.get("currency", "")
        if item["status"] != "active" and not self._staff(request):
            raise NotFound(detail=f"no product {slug}")
        priced = [variant | self.priced(variant, currency) for variant in item["variants"]]
        return detail_of(item | {"variants": priced} if currency else item)

    def priced(self, variant: dict[str, Any], currency: str) -> dict[str, Any]:
        """Its price in `currency` and what it was before; both None where it is not sold in that."""
        if variant["price"] and variant["price"]["currency"] == currency:
            return {name: variant[name] for name in UNPRICED}
        return self.prices.get((variant["id"], currency), UNPRICED)

    def _staff(self, request: web.Request) -> bool:
        email = self._people.user_of(request)
        return email is not None and "catalog:read" in self._people.users[email]["scope"].split()

    @route("products", "GET", "/v1/inventory")
    def stock_list(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "inventory:read")
        q, low = request.query.get("q", "").lower(), request.query.get("low")
        rows = [self._stock(v["sku"]) for item in self.products for v in item["variants"]]
        rows = [row for row in rows if q in row["sku"].lower()]
        rows = [row for row in rows if low is None or row["available"] <= int(low)]
        scarcest = request.query.get("sort") == "available"
        rows.sort(key=lambda row: (row["available"] if scarcest else 0, row["sku"]))
        start, limit = int(request.query.get("cursor", "0")), int(request.query.get("limit", "50"))
        more = str(start + limit) if start + limit < len(rows) else None
        return {"items": rows[start : start + limit], "next_cursor": more}

    @route("products", "GET", "/v1/inventory/([^/]+)/movements")
    def movements_of(self, request: web.Request, _body: Any, sku: str) -> Any:
        self._people.needs(request, "inventory:read")
        found = [row for row in reversed(self.movements) if row["sku"] == sku]
        return {"items": found, "next_cursor": None}

    @route("products", "GET", "/v1/inventory/([^/]+)")
    def stock_of(self, request: web.Request, _body: Any, sku: str) -> Any:
        self._people.needs(request, "inventory:read")
        return self._stock(sku)

    @route("products", "POST", "/v1/inventory/adjustments")
    def adjust(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, "inventory:write")
        if (key := request.headers.get("idempotency-key", "")) and key in self._adjusted:
            if self._adjusted[key] != body:
                raise IdempotencyKeyReused
            return self._stock(body["sku"])
        stock = self._stock(body["sku"])
        place = body.get("warehouse") or "main"
        if place not in {"main", "north"}:
            raise problems.ForeignProblem(document=UNKNOWN_WAREHOUSE | {"warehouse": place})
        if stock["on_hand"] + body["delta"] < stock["reserved"]:
            known = {name: stock[name] for name in ("sku", "on_hand", "reserved")}
            raise problems.ForeignProblem(document=STOCK_TOO_LOW | known)
        _, variant = self.variant(body["sku"])
        variant["available"] += body["delta"]
        self._adjusted[key] = body
        self.movements.append(
            {
                "id": len(self.movements) + 1, "sku": body["sku"], "warehouse": place,
                "delta_on_hand": body["delta"], "delta_reserved": 0, "reason": body["reason"],
                "reference": "", "at": datetime.now(UTC),
            }
        )  # fmt: skip
        return self._stock(body["sku"])

    def item(self, slug: str) -> dict[str, Any]:
        for item in self.products:
            if slug in {item["slug"], item["id"]}:
                return item
        raise NotFound(detail=f"no product {slug}")

    def _stock(self, sku: str) -> dict[str, Any]:
        try:
            _, variant = self.variant(sku)
        except UnknownSku:
            raise NotFound(detail=f"no stock of {sku}") from None
        count = variant["available"]
        main = {
            "code": "main", "name": "Main warehouse", "on_hand": count + 1, "reserved": 1, "available": count
        }  # fmt: skip
        sums = {name: main[name] for name in ("on_hand", "reserved", "available")}
        return {"sku": sku, **sums, "warehouses": [main]}


UNPRICED: dict[str, Any] = {"price": None, "compare_at": None}
UNKNOWN_WAREHOUSE = {
    "type": "/problems/unknown-warehouse", "title": "There is no such warehouse", "status": 422
}  # fmt: skip
STOCK_TOO_LOW = {
    "type": "/problems/stock-too-low", "status": 409,
    "title": "That would leave less on hand than is reserved for orders",
}  # fmt: skip
