"""Calls to orders: what staff set up of taxes and shipping."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client

from .remote import WRITE_S, Remote


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """`percent` is a decimal string."""

    id: UUID
    name: str
    country: str
    region: str = ""
    tax_class: str = "standard"
    percent: str


class _Rates(msgspec.Struct):
    items: list[TaxRate] = []


class TaxSettings(msgspec.Struct, frozen=True, kw_only=True):
    prices_include_tax: bool = True
    country: str | None = None
    shipping_tax_class: str = "standard"


class Place(msgspec.Struct, frozen=True):
    country: str
    region: str = ""


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    places: list[Place] = []


class _Zones(msgspec.Struct):
    items: list[Zone] = []


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A price in minor units; bounds are inclusive below and exclusive above."""

    currency: str
    amount: int
    zone_id: UUID | None = None
    free_from: int | None = None
    weight_from_g: int = 0
    weight_below_g: int | None = None
    total_from: int = 0
    total_below: int | None = None


class Method(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    name: str
    needs_address: bool = True
    days_min: int = 0
    days_max: int = 0
    position: int = 0
    rules: list[Rule] = []


class _Methods(msgspec.Struct):
    items: list[Method] = []


class ShopRules:
    """Reading needs settings:read, changing settings:write."""

    def __init__(self, client: Client) -> None:
        self._orders = Remote(client, "orders")

    async def tax_settings(self, token: str) -> TaxSettings:
        return await self._orders.call("GET", "/v1/taxes/settings", TaxSettings, token=token)

    async def prices_include_tax(self) -> bool:
        """What product pages say beside a price; anybody may know."""
        found = await self._orders.call("GET", "/internal/taxes/mode", TaxSettings)
        return found.prices_include_tax

    async def set_tax_settings(self, token: str, wanted: dict[str, Any]) -> None:
        await self._change("PUT", "/v1/taxes/settings", token, wanted)

    async def rates(self, token: str) -> list[TaxRate]:
        return (await self._orders.call("GET", "/v1/taxes/rates", _Rates, token=token)).items

    async def put_rate(self, token: str, rate_id: UUID | None, rate: dict[str, Any], *, key: str) -> None:
        """Add a rate, or replace the one of `rate_id`."""
        if rate_id is None:
            await self._change("POST", "/v1/taxes/rates", token, rate, key)
        else:
            await self._change("PUT", f"/v1/taxes/rates/{rate_id}", token, rate)

    async def remove_rate(self, token: str, rate_id: UUID) -> None:
        await self._change("DELETE", f"/v1/taxes/rates/{rate_id}", token)

    async def zones(self, token: str) -> list[Zone]:
        return (await self._orders.call("GET", "/v1/shipping/zones", _Zones, token=token)).items

    async def put_zone(self, token: str, zone_id: UUID | None, zone: dict[str, Any], *, key: str) -> None:
        """Add a zone, or replace the one of `zone_id`."""
        if zone_id is None:
            await self._change("POST", "/v1/shipping/zones", token, zone, key)
        else:
            await self._change("PUT", f"/v1/shipping/zones/{zone_id}", token, zone)

    async def remove_zone(self, token: str, zone_id: UUID) -> None:
        await self._change("DELETE", f"/v1/shipping/zones/{zone_id}", token)

    async def methods(self, token: str) -> list[Method]:
        return (await self._orders.call("GET", "/v1/shipping/methods", _Methods, token=token)).items

    async def put_method(self, token: str, code: str, method: dict[str, Any]) -> None:
        await self._change("PUT", f"/v1/shipping/methods/{quote(code, safe='')}", token, method)

    async def remove_method(self, token: str, code: str) -> None:
        await self._change("DELETE", f"/v1/shipping/methods/{quote(code, safe='')}", token)

    async def _change(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None, key: str = ""
    ) -> None:
        await self._orders.call(method, path, token=token, body=body, key=key, timeout_s=WRITE_S)
