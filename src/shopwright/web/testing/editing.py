"""The fake of what staff change in the catalogue: versions, unique slugs and SKUs, prices by currency."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import FieldError, InvalidInput, NotFound

from .goods import Goods, detail_of, product
from .people import People
from .routing import route

SCOPE = "catalog:write"
PLAIN = ("name", "slug", "summary", "description", "brand", "status", "attributes")


class Editing:
    def __init__(self, people: People, goods: Goods) -> None:
        self._people, self._goods = people, goods
        self._made: dict[str, dict[str, Any]] = {}

    @route("products", "POST", "/v1/products")
    def create_product(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, SCOPE)
        key = request.headers.get("idempotency-key", "")
        if key and key in self._made:
            return 201, detail_of(self._made[key])
        item = product(body["name"], attributes={}, brand="", description="", status=body["status"])
        for variant in body["variants"]:
            self._refuse_taken(variant["sku"], "")
        item["variants"] = [self._variant(variant) for variant in body["variants"]]
        self._goods.products.append(item)
        self._made[key] = item
        return 201, detail_of(item)

    @route("products", "PATCH", "/v1/products/([^/]+)")
    def change_product(self, request: web.Request, body: Any, name: str) -> Any:
        item = self._opened(request, body, name)
        if body.get("name") == "":
            raise InvalidInput(errors=[FieldError("/name", "expected at least 1 character")])
        others = [other for other in self._goods.products if other is not item]
        if any(other["slug"] == body.get("slug") for other in others):
            raise _refusal("slug-taken", "Another one has this slug", slug_wanted=body["slug"])
        item.update({member: body[member] for member in PLAIN if member in body})
        if "categories" in body:
            known = {row["slug"]: row["name"] for row in self._goods.categories}
            item["categories"] = [{"slug": slug, "name": known[slug]} for slug in body["categories"]]
        return self._saved(item)

    @route("products", "POST", "/v1/products/([^/]+)/variants")
    def add_variant(self, request: web.Request, body: Any, name: str) -> Any:
        item = self._opened(request, body, name)
        self._refuse_taken(body["sku"], "")
        item["variants"].append(self._variant(body))
        return 201, self._saved(item)

    @route("products", "PATCH", "/v1/products/([^/]+)/variants/([^/]+)")
    def change_variant(self, request: web.Request, body: Any, name: str, variant_id: str) -> Any:
        item = self._opened(request, body, name)
        variant = self._find(item, variant_id)
        self._refuse_taken(body.get("sku", ""), variant_id)
        amounts = {member: body[member] for member in ("price", "compare_at") if member in body}
        currency = ((body.get("price") or body.get("compare_at")) or {"currency": "EUR"})["currency"]
        if currency == "EUR":
            variant.update(amounts)
        elif amounts:
            self._goods.prices[variant_id, currency] = {"price": None, "compare_at": None} | amounts
        plain = ("sku", "options", "barcode", "weight_g", "picture")
        variant.update({member: body[member] for member in plain if member in body})
        return self._saved(item)

    @route("products", "DELETE", "/v1/products/([^/]+)/variants/([^/]+)")
    def remove_variant(self, request: web.Request, _body: Any, name: str, variant_id: str) -> Any:
        item = self._opened(request, {}, name)
        if len(item["variants"]) == 1:
            raise _refusal(
                "last-variant", "A product keeps at least one variant; archive the product instead"
            )
        item["variants"].remove(self._find(item, variant_id))
        return self._saved(item)

    @route("products", "POST", "/v1/products/([^/]+)/pictures")
    def add_picture(self, request: web.Request, body: Any, name: str) -> Any:
        item = self._opened(request, {}, name)
        if not body.startswith((b"\x89PNG", b"<svg", b"\xff\xd8")):
            document = {"type": "/problems/picture-refused", "status": 422}
            raise problems.ForeignProblem(document=document | {"title": "That is no picture we can show"})
        item["pictures"].append(
            {"id": str(new_id()), "url": f"/media/{len(body)}.webp", "alt": request.query.get("alt", ""),
             "width": 8, "height": 8}
        )  # fmt: skip
        return 201, self._saved(item)

    @route("products", "PUT", "/v1/products/([^/]+)/pictures")
    def set_pictures(self, request: web.Request, body: Any, name: str) -> Any:
        item = self._opened(request, body, name)
        known = {picture["url"]: picture for picture in item["pictures"]}
        item["pictures"] = [known[order["url"]] | {"alt": order["alt"]} for order in body["pictures"]]
        return self._saved(item)

    def _opened(self, request: web.Request, body: Any, name: str) -> dict[str, Any]:
        self._people.needs(request, SCOPE)
        item = self._goods.item(name)
        if body.get("version") not in {None, item["version"]}:
            title = "Somebody else changed it since you read it; read it again and repeat your change"
            yours = {"version": item["version"], "your_version": body["version"]}
            raise _refusal("edited-meanwhile", title, **yours)
        return item

    def _saved(self, item: dict[str, Any]) -> dict[str, Any]:
        item["version"] += 1
        item["updated_at"] = datetime.now(UTC)
        return detail_of(item)

    def _refuse_taken(self, sku: str, variant_id: str) -> None:
        for item in self._goods.products:
            if any(v["sku"] == sku and v["id"] != variant_id for v in item["variants"]):
                raise _refusal("sku-taken", "This SKU belongs to another product", skus=[sku])

    def _find(self, item: dict[str, Any], variant_id: str) -> dict[str, Any]:
        for variant in item["variants"]:
            if variant["id"] == variant_id:
                found: dict[str, Any] = variant
                return found
        raise NotFound(detail=f"the product has no variant {variant_id}")

    def _variant(self, body: Any) -> dict[str, Any]:
        return {
            "id": str(new_id()), "sku": body["sku"], "name": body["sku"], "price": body.get("price"),
            "compare_at": body.get("compare_at"), "available": sum((body.get("stock") or {}).values()),
            "options": body.get("options") or {}, "picture": body.get("picture"),
            "weight_g": body.get("weight_g"), "barcode": body.get("barcode"), "preorder_from": None,
            "in_stock": sum((body.get("stock") or {}).values()),
        }  # fmt: skip


def _refusal(slug: str, title: str, **members: Any) -> problems.ForeignProblem:
    document = {"type": f"/problems/{slug}", "title": title, "status": 409}
    return problems.ForeignProblem(document=document | members)
