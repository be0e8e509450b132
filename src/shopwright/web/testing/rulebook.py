"""The fake of orders' taxes and shipping, as staff read and change them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import FieldError, InvalidInput

from .people import People, refusal
from .routing import route

READ, WRITE = "settings:read", "settings:write"


class Rulebook:
    def __init__(self, people: People) -> None:
        self._people = people
        self.rates: dict[str, dict[str, Any]] = {}
        self.zones: dict[str, dict[str, Any]] = {}
        self.methods: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, Any] = {
            "prices_include_tax": True, "country": None, "shipping_tax_class": "standard",
        }  # fmt: skip

    @route("orders", "GET", "/v1/taxes/settings")
    def read_settings(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, READ)
        return self.settings

    @route("orders", "GET", "/internal/taxes/mode")
    def read_mode(self, _request: web.Request, _body: Any) -> Any:
        return {"prices_include_tax": self.settings["prices_include_tax"]}

    @route("orders", "PUT", "/v1/taxes/settings")
    def set_settings(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, WRITE)
        self.settings = body
        return body

    @route("orders", "GET", "/v1/taxes/rates")
    def list_rates(self, request: web.Request, _body: Any) -> Any:
        return self._all(request, self.rates)

    @route("orders", "POST", "/v1/taxes/rates")
    def add_rate(self, request: web.Request, body: Any) -> Any:
        return self._put_rate(request, body, str(new_id()))

    @route("orders", "PUT", "/v1/taxes/rates/([^/]+)")
    def set_rate(self, request: web.Request, body: Any, rate_id: str) -> Any:
        return self._put_rate(request, body, rate_id)

    @route("orders", "DELETE", "/v1/taxes/rates/([^/]+)")
    def remove_rate(self, request: web.Request, _body: Any, rate_id: str) -> Any:
        self._people.needs(request, WRITE)
        del self.rates[rate_id]

    @route("orders", "GET", "/v1/shipping/zones")
    def list_zones(self, request: web.Request, _body: Any) -> Any:
        return self._all(request, self.zones)

    @route("orders", "POST", "/v1/shipping/zones")
    def add_zone(self, request: web.Request, body: Any) -> Any:
        return self._put_zone(request, body, str(new_id()))

    @route("orders", "PUT", "/v1/shipping/zones/([^/]+)")
    def set_zone(self, request: web.Request, body: Any, zone_id: str) -> Any:
        return self._put_zone(request, body, zone_id)

    @route("orders", "DELETE", "/v1/shipping/zones/([^/]+)")
    def remove_zone(self, request: web.Request, _body: Any, zone_id: str) -> Any:
        self._people.needs(request, WRITE)
        if any(rule.get("zone_id") == zone_id for one in self.methods.values() for rule in one["rules"]):
            raise refusal("zone-in-use", 409)
        del self.zones[zone_id]

    @route("orders", "GET", "/v1/shipping/methods")
    def list_methods(self, request: web.Request, _body: Any) -> Any:
        return self._all(request, self.methods)

    @route("orders", "PUT", "/v1/shipping/methods/([^/]+)")
    def set_method(self, request: web.Request, body: Any, code: str) -> Any:
        self._people.needs(request, WRITE)
        for place, rule in enumerate(body["rules"]):
            if rule.get("total_below") is not None and rule["total_below"] <= rule.get("total_from", 0):
                detail = "must be more than total_from"
                raise InvalidInput(errors=[FieldError(f"/rules/{place}/total_below", detail)])
        self.methods[code] = body | {"code": code}
        return self.methods[code]

    @route("orders", "DELETE", "/v1/shipping/methods/([^/]+)")
    def remove_method(self, request: web.Request, _body: Any, code: str) -> Any:
        self._people.needs(request, WRITE)
        del self.methods[code]

    def _all(self, request: web.Request, rows: dict[str, dict[str, Any]]) -> Any:
        self._people.needs(request, READ)
        return {"items": list(rows.values()), "next_cursor": None}

    def _put_rate(self, request: web.Request, body: Any, rate_id: str) -> Any:
        self._people.needs(request, WRITE)
        where = ("country", "region", "tax_class")
        others = (rate for rate in self.rates.values() if rate["id"] != rate_id)
        if any(all(rate[name] == body[name] for name in where) for rate in others):
            raise refusal("tax-rate-exists", 409)
        self.rates[rate_id] = body | {"id": rate_id}
        return self.rates[rate_id]

    def _put_zone(self, request: web.Request, body: Any, zone_id: str) -> Any:
        self._people.needs(request, WRITE)
        for other in self.zones.values():
            if other["id"] != zone_id and (held := [p for p in body["places"] if p in other["places"]]):
                raise refusal("place-in-other-zone", 409, **held[0])
        self.zones[zone_id] = body | {"id": zone_id}
        return self.zones[zone_id]
