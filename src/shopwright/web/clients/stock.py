"""Calls to products: warehouses, how SKUs are sold, bundles and transfers, for staff."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

import msgspec

from shopwright.chassis.http import Client

from .remote import WRITE_S, Answer, Remote


class Warehouse(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    name: str = ""
    priority: int = 0
    country: str | None = None
    active: bool = True


class WarehouseList(msgspec.Struct, frozen=True):
    items: list[Warehouse] = []
    strategy: str = "priority"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    safety_stock: int = 0
    backorder_max: int = 0
    preorder_from: date | None = None
    preorder_max: int = 0
    low_stock_at: int | None = None


class Component(msgspec.Struct, frozen=True):
    sku: str
    quantity: int = 1
    available: int = 0


class Bundle(msgspec.Struct, frozen=True):
    sku: str
    components: list[Component] = []
    available: int = 0


class Stockroom:
    def __init__(self, client: Client) -> None:
        self._products = Remote(client, "products")

    async def warehouses(self, token: str) -> WarehouseList:
        """The first to be taken from first, and how the shop chooses; needs inventory:read."""
        return await self._products.call("GET", "/v1/warehouses", WarehouseList, token=token)

    async def make_warehouse(self, token: str, new: dict[str, Any], *, key: str) -> Warehouse:
        return await self._write("POST", "/v1/warehouses", Warehouse, token, new, key)

    async def change_warehouse(self, token: str, code: str, changes: dict[str, Any]) -> Warehouse:
        path = f"/v1/warehouses/{quote(code, safe='')}"
        return await self._write("PATCH", path, Warehouse, token, changes)

    async def choose(self, token: str, strategy: str) -> None:
        await self._write("PUT", "/v1/warehouses/strategy", WarehouseList, token, {"strategy": strategy})

    async def transfer(self, token: str, move: dict[str, Any], *, key: str) -> None:
        """`move`: sku, from, to, quantity, reason."""
        path = "/v1/inventory/transfers"
        await self._products.call("POST", path, token=token, body=move, key=key, timeout_s=WRITE_S)

    async def policy(self, token: str, sku: str) -> Policy:
        return await self._products.call("GET", f"{_sku(sku)}/policy", Policy, token=token)

    async def set_policy(self, token: str, sku: str, policy: dict[str, Any]) -> Policy:
        return await self._write("PUT", f"{_sku(sku)}/policy", Policy, token, policy)

    async def bundle(self, token: str, sku: str) -> Bundle:
        """Raises NotFound of a SKU that is no bundle."""
        return await self._products.call("GET", _bundle(sku), Bundle, token=token)

    async def set_bundle(self, token: str, sku: str, components: list[dict[str, Any]]) -> Bundle:
        return await self._write("PUT", _bundle(sku), Bundle, token, {"components": components})

    async def unbundle(self, token: str, sku: str) -> None:
        await self._products.call("DELETE", _bundle(sku), token=token, timeout_s=WRITE_S)

    async def _write(
        self, method: str, path: str, answer: type[Answer], token: str, body: dict[str, Any], key: str = ""
    ) -> Answer:
        return await self._products.call(
            method, path, answer, token=token, body=body, key=key, timeout_s=WRITE_S
        )


def _sku(sku: str) -> str:
    return f"/v1/inventory/{quote(sku, safe='')}"


def _bundle(sku: str) -> str:
    return f"/v1/inventory/bundles/{quote(sku, safe='')}"
