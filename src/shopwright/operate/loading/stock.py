"""The goods of a load: which SKUs it buys, and their stock, set and put back with the admin's rights."""

from __future__ import annotations

from math import ceil
from typing import Any, NamedTuple

from shopwright.operate.gateway import Gateway

REASON = "load test"
SKUS_MAX = 40


class Level(NamedTuple):
    sku: str
    on_hand: int


def buyable(gateway: Gateway, wanted: int = SKUS_MAX) -> list[str]:
    """SKUs in stock and sold in the shop's currency, one of each product."""
    currency = gateway.call("POST", "/v1/carts", body={})["currency"]
    found: list[str] = []
    for item in gateway.call("GET", "/v1/products", query={"limit": 100})["items"]:
        if item["status"] != "active":
            continue  # staff see drafts too
        variants = gateway.call("GET", f"/v1/products/{item['slug']}")["variants"]
        found += [
            variant["sku"]
            for variant in variants
            if variant["available"] > 1 and variant["price"]["currency"] == currency
        ][:1]
        if len(found) == wanted:
            break
    if not found:
        raise LookupError("nothing is in stock; import the demo shop or adjust stock first")
    return found


def top_up(gateway: Gateway, skus: list[str], units: int) -> list[Level]:
    """Add `units`, shared by all of `skus`; returns what was on hand before."""
    each = ceil(units / len(skus))
    before = [Level(sku, _of(gateway, sku)["on_hand"]) for sku in skus]
    for sku in skus:
        _adjust(gateway, sku, each)
    return before


def put_back(gateway: Gateway, before: list[Level]) -> None:
    """Make on hand again what was, whatever was sold meanwhile."""
    for level in before:
        if delta := level.on_hand - _of(gateway, level.sku)["on_hand"]:
            _adjust(gateway, level.sku, delta)


def make_scarce(gateway: Gateway, sku: str, units: int) -> int:
    """Leave exactly `units` of `sku` to be bought; returns how many could be before."""
    now = _of(gateway, sku)
    for place in now["warehouses"]:
        if place["available"]:
            _adjust(gateway, sku, -place["available"], place["code"])
    _adjust(gateway, sku, units)
    return int(now["available"])


def available(gateway: Gateway, sku: str) -> int:
    return int(_of(gateway, sku)["available"])


def _of(gateway: Gateway, sku: str) -> dict[str, Any]:
    return gateway.call("GET", f"/v1/inventory/{sku}")


def _adjust(gateway: Gateway, sku: str, delta: int, warehouse: str = "main") -> None:
    body = {"sku": sku, "delta": delta, "reason": REASON, "warehouse": warehouse}
    gateway.call("POST", "/v1/inventory/adjustments", body=body)
