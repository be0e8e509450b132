"""Calls to orders: promotions and their coupons, for staff."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client

from .remote import WRITE_S, Remote


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """Percents are decimal strings; `amounts` and `minimum` minor units by currency."""

    id: UUID
    name: str
    kind: str
    percent: str | None = None
    amounts: dict[str, int] = {}
    buy_quantity: int | None = None
    get_quantity: int | None = None
    get_percent: str | None = None
    products: list[str] = []
    categories: list[str] = []
    customer_groups: list[str] = []
    minimum: dict[str, int] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    needs_code: bool = False
    stacking: str = "combinable"
    priority: int = 0
    uses_max: int | None = None
    uses_per_customer_max: int | None = None
    uses: int | None = None
    active: bool = True

    def state(self, now: datetime) -> str:
        """active, planned, ended, or off for one that was switched off."""
        if not self.active:
            return "off"
        if self.ends_at is not None and self.ends_at <= now:
            return "ended"
        return "planned" if self.starts_at is not None and self.starts_at > now else "active"

    @property
    def stands(self) -> str:
        return self.state(datetime.now(UTC))


class PromotionPage(msgspec.Struct):
    items: list[Promotion] = []
    next_cursor: str | None = None


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    uses: int = 0
    uses_max: int | None = None
    uses_per_customer_max: int | None = None


class CouponPage(msgspec.Struct):
    items: list[Coupon] = []
    next_cursor: str | None = None


class Promotions:
    def __init__(self, client: Client) -> None:
        self._orders = Remote(client, "orders")

    async def listed(self, token: str, *, cursor: str = "", limit: int = 50) -> PromotionPage:
        """Newest first; needs promotions:read."""
        query = {"cursor": cursor, "limit": limit}
        return await self._orders.call("GET", "/v1/promotions", PromotionPage, token=token, query=query)

    async def promotion(self, token: str, promotion_id: UUID) -> Promotion:
        return await self._orders.call("GET", f"/v1/promotions/{promotion_id}", Promotion, token=token)

    async def create(self, token: str, terms: dict[str, Any], *, key: str) -> Promotion:
        """Needs promotions:write, as all that follows."""
        return await self._orders.call(
            "POST", "/v1/promotions", Promotion, token=token, body=terms, key=key, timeout_s=WRITE_S
        )

    async def change(self, token: str, promotion_id: UUID, terms: dict[str, Any]) -> Promotion:
        path = f"/v1/promotions/{promotion_id}"
        return await self._orders.call("PATCH", path, Promotion, token=token, body=terms, timeout_s=WRITE_S)

    async def coupons(
        self, token: str, promotion_id: UUID, *, cursor: str = "", limit: int = 50
    ) -> CouponPage:
        """In the order of their codes."""
        path, query = f"/v1/promotions/{promotion_id}/coupons", {"cursor": cursor, "limit": limit}
        return await self._orders.call("GET", path, CouponPage, token=token, query=query)

    async def add_coupon(self, token: str, promotion_id: UUID, coupon: dict[str, Any], *, key: str) -> Coupon:
        path = f"/v1/promotions/{promotion_id}/coupons"
        return await self._orders.call(
            "POST", path, Coupon, token=token, body=coupon, key=key, timeout_s=WRITE_S
        )

    async def remove_coupon(self, token: str, code: str) -> None:
        path = f"/v1/promotions/coupons/{quote(code, safe='')}"
        await self._orders.call("DELETE", path, token=token, timeout_s=WRITE_S)
