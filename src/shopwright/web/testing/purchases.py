"""The fake of orders: carts, checkout, orders, timelines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problems import (
    FieldError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    OutOfStock,
    PaymentDeclined,
    Shortage,
    TotalChanged,
    UnknownSku,
)

from .goods import Goods
from .offers import Offers
from .people import People, refusal
from .routing import money, route


class Purchases:
    def __init__(self, people: People, goods: Goods) -> None:
        self._people, self._goods = people, goods
        self.carts: dict[str, dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.timelines: dict[str, list[dict[str, Any]]] = {}  # where the usual one is not meant
        self.failed_refunds: list[dict[str, Any]] = []
        self.stuck: set[str] = set()  # ids of orders that do not move on
        self.offers = Offers()
        self.pay = "hosted"  # or: paid, declined, slow
        self.action_url = "http://shop.test/sandbox/pay/1"
        self._by_key: dict[str, dict[str, Any]] = {}

    @route("orders", "POST", "/v1/carts")
    def create_cart(self, request: web.Request, body: Any) -> Any:
        currency = (body or {}).get("currency", "EUR")
        cart = {
            "id": str(uuid4()), "currency": currency, "status": "open", "version": 1, "email": None,
            "address": None, "shipping_method": None, "coupons": [], "lines": [],
            "user": self._people.user_of(request),
        }  # fmt: skip
        self.carts[str(cart["id"])] = cart
        return 201, self._priced(cart)

    @route("orders", "GET", "/v1/carts/current")
    def current_cart(self, request: web.Request, _body: Any) -> Any:
        own = [
            c
            for c in self.carts.values()
            if c["user"] == self._people.user_of(request) and c["status"] == "open"
        ]
        if not own or self._people.user_of(request) is None:
            raise NotFound(detail="there is no open cart")
        return self._priced(own[-1])

    @route("orders", "POST", "/v1/carts/([^/]+)/merge")
    def merge_cart(self, request: web.Request, _body: Any, cart_id: str) -> Any:
        user, cart = self._people.user_of(request), self._cart(request, cart_id)
        own = [
            c for c in self.carts.values() if c["user"] == user and c["status"] == "open" and c is not cart
        ]
        if not own or cart["user"] is not None or own[-1]["currency"] != cart["currency"]:
            cart["user"] = user
            return self._priced(cart)
        for line in cart["lines"]:
            same = next((kept for kept in own[-1]["lines"] if kept["sku"] == line["sku"]), None)
            if same is None:
                own[-1]["lines"].append(line)
            else:
                same["quantity"] += line["quantity"]
        cart["status"] = "merged"
        return self._priced(own[-1])

    @route("orders", "GET", "/v1/carts/([0-9a-f-]{36})")
    def read_cart(self, request: web.Request, _body: Any, cart_id: str) -> Any:
        return self._priced(self._cart(request, cart_id))

    @route("orders", "POST", "/v1/carts/([^/]+)/lines")
    def add_line(self, request: web.Request, body: Any, cart_id: str) -> Any:
        cart = self._cart(request, cart_id, change=True)
        item, variant = self._goods.variant(body["sku"])
        if (shown_in := body.get("currency", cart["currency"])) != cart["currency"]:
            text = f"the price was shown in {shown_in}, and the cart is in {cart['currency']}"
            known = {"detail": text, "sku": body["sku"], "cart_currency": cart["currency"]}
            raise refusal("currency-differs", 409, **known)
        if not self._goods.priced(variant, cart["currency"])["price"]:
            raise UnknownSku(sku=body["sku"], currency=cart["currency"])
        line = next((line for line in cart["lines"] if line["sku"] == body["sku"]), None)
        count = body["quantity"] + (line["quantity"] if line else 0)
        if count > variant["available"]:
            raise OutOfStock(shortages=[Shortage(body["sku"], count, variant["available"])])
        if line is None:
            line = {"id": str(uuid4()), "sku": body["sku"], "name": item["name"], "slug": item["slug"]}
            cart["lines"].append(line)
        line["quantity"] = count
        return self._priced(cart)

    @route("orders", "PATCH", "/v1/carts/([^/]+)/lines/([^/]+)")
    def change_line(self, request: web.Request, body: Any, cart_id: str, line_id: str) -> Any:
        cart = self._cart(request, cart_id, change=True)
        line = next((line for line in cart["lines"] if line["id"] == line_id), None)
        if line is None:
            raise NotFound(detail=f"the cart has no line {line_id}")
        left = self._goods.variant(line["sku"])[1]["available"]
        if body["quantity"] > max(left, line["quantity"]):
            raise OutOfStock(shortages=[Shortage(line["sku"], body["quantity"], left)])
        line["quantity"] = body["quantity"]
        return self._priced(cart)

    @route("orders", "DELETE", "/v1/carts/([^/]+)/lines/([^/]+)")
    def remove_line(self, request: web.Request, _body: Any, cart_id: str, line_id: str) -> Any:
        cart = self._cart(request, cart_id, change=True)
        cart["lines"] = [line for line in cart["lines"] if line["id"] != line_id]
        return self._priced(cart)

    @route("orders", "PUT", "/v1/carts/([^/]+)/address")
    def set_address(self, request: web.Request, body: Any, cart_id: str) -> Any:
        cart = self._cart(request, cart_id, change=True)
        if len(body["address"]["postal_code"]) > 20:
            raise InvalidInput(errors=[FieldError("/address/postal_code", "expected at most 20 characters")])
        cart["email"], cart["address"] = body["email"], body["address"]
        return self._priced(cart)

    @route("orders", "GET", "/v1/carts/([^/]+)/shipping")
    def read_shipping(self, request: web.Request, _body: Any, cart_id: str) -> Any:
        subtotal = self._priced(self._cart(request, cart_id))["totals"][0]["amount"]["amount"]
        return {"methods": [offer | {"price": money(_price(offer, subtotal))} for offer in SHIPPING]}

    @route("orders", "PUT", "/v1/carts/([^/]+)/shipping")
    def set_shipping(self, request: web.Request, body: Any, cart_id: str) -> Any:
        cart = self._cart(request, cart_id, change=True)
        if body["method"] not in {offer["code"] for offer in SHIPPING}:
            raise refusal("shipping-unavailable", 422, shipping_method=body["method"])
        cart["shipping_method"] = body["method"]
        return self._priced(cart)

    @route("orders", "PUT", "/v1/carts/([^/]+)/coupons")
    def set_coupons(self, request: web.Request, body: Any, cart_id: str) -> Any:
        cart = self._cart(request, cart_id, change=True)
        cart["coupons"] = self.offers.accept(body["codes"])
        return self._priced(cart)

    @route("orders", "POST", "/v1/orders")
    def place(self, request: web.Request, body: Any) -> Any:
        key = request.headers.get("idempotency-key", "")
        if key in self._by_key:
            return 202, view_of(self._by_key[key])
        cart = self._cart(request, body["cart_id"], change=True)
        priced = self._priced(cart)
        if not priced["lines"]:
            raise refusal("cart-empty", 409)
        if short := [line for line in priced["lines"] if not line["available"]]:
            raise OutOfStock(shortages=[Shortage(line["sku"], line["quantity"], 0) for line in short])
        if not cart["email"]:
            raise refusal("email-missing", 422)
        if body["expected_total"] != priced["total"]:
            raise TotalChanged(
                expected_total=msgspec.convert(body["expected_total"], Money),
                total=msgspec.convert(priced["total"], Money),
            )
        if self.pay == "declined":
            raise PaymentDeclined(code="insufficient_funds")
        return self._new_order(cart, priced, key, body["payment"])

    def _new_order(
        self, cart: dict[str, Any], priced: dict[str, Any], key: str, payment: dict[str, Any]
    ) -> Any:
        status = {"paid": "confirmed", "hosted": "awaiting_buyer", "slow": "in_progress"}[self.pay]
        method = payment["method"]
        if method in {"cash_on_delivery", "wallet", "gift_card"}:
            status = "confirmed"
        waits = status == "awaiting_buyer" and method == "card"
        order = {
            "id": str(new_id()), "number": f"SW-{100_001 + len(self.orders)}", "status": status,
            "email": cart["email"], "name": (cart["address"] or {}).get("name", ""), "currency": "EUR",
            "lines": [{k: v for k, v in line.items() if k not in OF_CARTS} for line in priced["lines"]],
            "totals": priced["totals"], "total": priced["total"],
            "payment": {
                "id": str(new_id()), "status": "captured" if status == "confirmed" else "requires_action",
                "method": method, "action_url": self.action_url if waits else None,
                "instructions": "DE00 1234" if method == "bank_transfer" else "", "parts": [],
            },
            "shipping": {
                "code": priced["shipping_method"],
                "name": next(o["name"] for o in SHIPPING if o["code"] == priced["shipping_method"]),
            },
            "address": cart["address"],
            "discounts": priced["discounts"], "taxes": priced["taxes"],
            "refunded": money(0), "refusal": None, "created_at": datetime.now(UTC), "cart_id": cart["id"],
            "user": cart["user"],
        }  # fmt: skip
        cart["status"] = "ordered"
        self.orders[order["id"]] = order
        self._by_key[key] = order
        return 201 if status == "confirmed" else 202, view_of(order)

    @route("orders", "GET", "/v1/orders")
    def list_orders(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "")
        email = str(self._people.user_of(request))
        everyone = "orders:read" in self._people.users[email]["scope"] and "mine" not in request.query
        q, status = request.query.get("q", ""), request.query.get("status", "")
        found = [
            order
            for order in reversed(self.orders.values())
            if (everyone or order["user"] == email)
            and (not status or order["status"] == status)
            and (not q or q.upper() == order["number"] or q.lower() == order["email"].lower())
        ]
        start, limit = int(request.query.get("cursor", "0")), int(request.query.get("limit", "20"))
        more = str(start + limit) if start + limit < len(found) else None
        return {"items": [view_of(order) for order in found[start : start + limit]], "next_cursor": more}

    @route("orders", "GET", "/v1/orders/summary")
    def summary(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, "orders:read")
        since = datetime.fromisoformat(request.query["since"])
        bought = [
            order
            for order in self.orders.values()
            if order["created_at"] >= since and order["status"] in {"confirmed", "fulfilled"}
        ]
        waiting = [order["status"] for order in self.orders.values()]
        return {
            "since": since, "orders": len(bought),
            "revenue": [money(sum(order["total"]["amount"] for order in bought))] if bought else [],
            "in_progress": waiting.count("in_progress"), "awaiting_buyer": waiting.count("awaiting_buyer"),
            "attention": [view_of(order) for order in self.orders.values() if order["id"] in self.stuck],
            "failed_refunds": self.failed_refunds,
        }  # fmt: skip

    @route("orders", "GET", "/v1/orders/([^/]+)")
    def read_order(self, request: web.Request, _body: Any, order_id: str) -> Any:
        return view_of(self.seen(request, order_id))

    def seen(self, request: web.Request, order_id: str) -> dict[str, Any]:
        """The order, if the caller may see it."""
        order, email = self.orders.get(order_id), self._people.user_of(request)
        staff = email is not None and "orders:read" in self._people.users[email]["scope"]
        if order and (
            staff
            or (email and order["user"] == email)
            or (order["user"] is None and request.headers.get("x-cart-id") == order["cart_id"])
        ):
            return order
        if email is None and "x-cart-id" not in request.headers:
            raise NotAuthenticated
        raise NotFound(detail=f"no order {order_id}")

    @route("orders", "GET", "/v1/orders/([^/]+)/timeline")
    def timeline(self, request: web.Request, _body: Any, order_id: str) -> Any:
        at = self.seen(request, order_id)["created_at"]
        if order_id in self.timelines:
            return {"items": self.timelines[order_id]}
        return {
            "items": [
                {"at": at + timedelta(seconds=place), "step": step, "direction": "forward",
                 "outcome": "done", "detail": ""}
                for place, step in enumerate(["reserve", "authorise", "confirm", "claim", "capture"])
            ]
        }  # fmt: skip

    @route("orders", "POST", "/v1/orders/([^/]+)/cancel")
    def cancel(self, request: web.Request, _body: Any, order_id: str) -> Any:
        order = self.seen(request, order_id)
        email = self._people.user_of(request)
        if email and "orders:read" in self._people.users[email]["scope"]:
            self._people.needs(request, "orders:write")
            if order["status"] == "confirmed":
                self._people.needs(request, "orders:refund")
                self.finish(order_id, "cancelled", "refunded")
                return view_of(order)
        if order["status"] not in {"in_progress", "awaiting_buyer"}:
            raise problems.ForeignProblem(document=NOT_CANCELLABLE | {"order_status": order["status"]})
        self.finish(order_id, "cancelled", "voided")
        return view_of(order)

    @route("orders", "POST", "/internal/orders/([^/]+)/look-again")
    def look_again(self, _request: web.Request, _body: Any, order_id: str) -> Any:
        self.stuck.discard(order_id)

    def finish(
        self, order_id: str, status: str = "confirmed", payment: str = "captured", code: str = ""
    ) -> None:
        """What the provider's webhook or a worker would bring about; `code` says why a card was declined."""
        order = self.orders[order_id]
        if status in {"refused", "cancelled", "expired"}:
            kind = "payment-declined" if payment == "declined" else status
            order["refusal"] = {"type": kind, "title": f"The order was {status}"} | (
                {"code": code} if code else {}
            )
        order["status"] = status
        order["payment"] |= {"status": payment, "action_url": None}
        if status not in {"confirmed", "fulfilled"}:
            self.carts[order["cart_id"]]["status"] = "open"

    def _cart(self, request: web.Request, cart_id: str, *, change: bool = False) -> dict[str, Any]:
        cart, user = self.carts.get(str(UUID(cart_id))), self._people.user_of(request)
        if cart is None or cart["user"] not in {None, user}:
            raise NotFound(detail=f"no cart {cart_id}")
        if change and cart["status"] != "open":
            order = next(o for o in self.orders.values() if o["cart_id"] == cart["id"])
            raise refusal("cart-already-ordered", 409, order_id=order["id"])
        if change and user:
            cart["user"] = user
        return cart

    def _priced(self, cart: dict[str, Any]) -> dict[str, Any]:
        lines, currency = [], cart["currency"]
        for line in cart["lines"]:
            item, variant = self._goods.variant(line["sku"])
            price = self._goods.priced(variant, currency)["price"]["amount"]
            picture = next((p["url"] for p in item["pictures"]), None)
            enough = variant["available"] >= line["quantity"]
            lines.append(
                line | {"unit_price": money(price, currency), "picture": picture,
                        "total": money(price * line["quantity"], currency),
                        "discount": money(0, currency), "tax": money(0, currency),
                        "preorder_from": variant.get("preorder_from"),
                        "options": variant["options"], "available": enough}
            )  # fmt: skip
        subtotal = sum(line["total"]["amount"] for line in lines)
        fitting = [o["code"] for o in SHIPPING if o["needs_address"] == (cart["address"] is not None)]
        code = (cart["shipping_method"] or fitting[0]) if lines else None
        shipping = next((_price(offer, subtotal) for offer in SHIPPING if offer["code"] == code), None)
        discounts = self.offers.applied(cart) if lines else []
        off = sum(discount["amount"]["amount"] for discount in discounts)
        for line in lines[:1]:
            line["discount"] = money(off, currency)
        taxes = self.offers.taxes(subtotal - off + (shipping or 0), currency)
        added = sum(tax["amount"]["amount"] for tax in taxes if not tax["included"])
        rows = [("subtotal", subtotal), ("discount", -off), ("shipping", shipping), ("tax", added)]
        totals = [
            {"type": kind, "amount": money(amount, currency)}
            for kind, amount in rows
            if amount or (kind in {"subtotal", "shipping"} and amount is not None)
        ]
        shown = {name: value for name, value in cart.items() if name != "user"}
        return shown | {
            "shipping_method": code,
            "lines": lines,
            "totals": totals,
            "discounts": discounts,
            "taxes": taxes,
            "coupon_problems": self.offers.problems(cart),
            "total": money(subtotal - off + (shipping or 0) + added, currency),
            "stale": False,
        }


OF_CARTS = {"available", "preorder_from"}  # what a line no longer has once it is ordered


def view_of(order: dict[str, Any]) -> dict[str, Any]:
    """What a caller gets of an order."""
    seen = {name: value for name, value in order.items() if name not in {"cart_id", "user"}}
    payment = seen["payment"]
    first = {
        "id": payment["id"], "edit_id": None, "amount": seen["total"], "status": payment["status"],
        "method": payment["method"], "parts": payment.get("parts", []),
        "refunded": seen.get("refunded", money(0)),
    }  # fmt: skip
    return {"payments": [first], "unpaid": money(0)} | seen


def _price(offer: dict[str, Any], subtotal: int) -> int:
    amount = {"standard": 490, "express": 1_290, "pickup": 0}[offer["code"]]
    return 0 if offer["code"] == "standard" and subtotal >= 7_500 else amount


SHIPPING = [
    {"code": "standard", "name": "Standard delivery", "days_min": 2, "days_max": 4, "needs_address": True},
    {"code": "express", "name": "Express delivery", "days_min": 1, "days_max": 1, "needs_address": True},
    {"code": "pickup", "name": "Collect in store", "days_min": 0, "days_max": 1, "needs_address": False},
]
NOT_CANCELLABLE = {
    "type": "/problems/order-not-cancellable", "status": 409,
    "title": "An order in this state can no longer be cancelled here",
}  # fmt: skip
