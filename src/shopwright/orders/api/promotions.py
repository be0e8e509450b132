"""Promotions and their coupons over HTTP, for staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, delete, get, patch, post
from msgspec import UNSET, UnsetType

from shopwright.chassis.auth import Principal
from shopwright.chassis.db import Once
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.paging import Limit, Page, decode_cursor, page_of
from shopwright.contracts.money import MINOR_MAX, Currency

from ..commands.promotions import Promotions
from ..domain import Promotion
from ..domain.promotions import Kind, Stacking
from .carts import Code

READ, WRITE = "promotions:read", "promotions:write"
NAMES_MAX = 500  # products or categories of one promotion; for more there are categories

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Names = Annotated[list[Name], msgspec.Meta(max_length=NAMES_MAX)]
Percents = Annotated[str, msgspec.Meta(pattern=r"^(100(\.0{1,3})?|\d{1,2}(\.\d{1,3})?)$", examples=["12.5"])]
Amounts = dict[Currency, Annotated[int, msgspec.Meta(ge=1, le=MINOR_MAX)]]
Units = Annotated[int, msgspec.Meta(ge=1, le=999)]
Uses = Annotated[int, msgspec.Meta(ge=1, le=2_000_000_000)]
Priority = Annotated[int, msgspec.Meta(ge=-1_000, le=1_000)]


class NewPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """`percent` and `get_percent` are decimal strings; amounts and minimums minor units by currency.

    `products` takes SKUs and product slugs, `categories` slugs; `customer_groups` the groups of accounts,
    `registered` for every account and `guest` for buyers without one. `priority`: the highest goes first.
    """

    name: Name
    kind: Kind
    percent: Percents | None = None
    amounts: Amounts = {}
    buy_quantity: Units | None = None
    get_quantity: Units | None = None
    get_percent: Percents | None = None
    products: Names = []
    categories: Names = []
    customer_groups: Names = []
    minimum: Amounts = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    needs_code: bool = False
    stacking: Stacking = "combinable"
    priority: Priority = 0
    uses_max: Uses | None = None
    uses_per_customer_max: Uses | None = None
    active: bool = True


class PromotionChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays as it is; the kind always does."""

    name: Name | UnsetType = UNSET
    percent: Percents | UnsetType | None = UNSET
    amounts: Amounts | UnsetType = UNSET
    buy_quantity: Units | UnsetType | None = UNSET
    get_quantity: Units | UnsetType | None = UNSET
    get_percent: Percents | UnsetType | None = UNSET
    products: Names | UnsetType = UNSET
    categories: Names | UnsetType = UNSET
    customer_groups: Names | UnsetType = UNSET
    minimum: Amounts | UnsetType = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    needs_code: bool | UnsetType = UNSET
    stacking: Stacking | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    uses_max: Uses | UnsetType | None = UNSET
    uses_per_customer_max: Uses | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class NewCoupon(msgspec.Struct, frozen=True, kw_only=True):
    """A code is one in any case: `spring` is `SPRING`."""

    code: Code
    uses_max: Uses | None = None
    uses_per_customer_max: Uses | None = None


class CouponView(msgspec.Struct, frozen=True, kw_only=True):
    """`uses` counts orders that claimed it and were placed, or still may be."""

    code: str
    promotion_id: UUID
    uses_max: int | None
    uses_per_customer_max: int | None
    uses: int
    created_at: datetime


class PromotionView(Promotion, frozen=True, kw_only=True):
    """`uses` counts orders that claimed it and were placed, or still may be."""

    uses: int


@get("/v1/promotions", tags=["promotions"])
async def list_promotions(
    principal: Principal, promotions: Promotions, limit: Limit = 20, cursor: str | None = None
) -> Page[PromotionView]:
    """Newest first."""
    principal.require(READ)
    found = await promotions.listing(decode_cursor(cursor, UUID), limit + 1)
    page = page_of(found, limit, lambda promotion: promotion.id)
    return Page(await _views(promotions, page.items), page.next_cursor)


@post("/v1/promotions", tags=["promotions"])
async def create_promotion(
    data: NewPromotion, request: Request, principal: Principal, promotions: Promotions
) -> PromotionView:
    """Begin a promotion; with `needs_code` it counts for carts that hold one of its coupons."""
    principal.require(WRITE)
    return await _view(promotions, await promotions.create(_terms(data), await _once(request, principal)))


@get("/v1/promotions/{promotion_id:uuid}", tags=["promotions"])
async def read_promotion(promotion_id: UUID, principal: Principal, promotions: Promotions) -> PromotionView:
    """One promotion."""
    principal.require(READ)
    return await _view(promotions, await promotions.find(promotion_id))


@patch("/v1/promotions/{promotion_id:uuid}", tags=["promotions"])
async def change_promotion(
    promotion_id: UUID, data: PromotionChange, request: Request, principal: Principal, promotions: Promotions
) -> PromotionView:
    """Change some terms; orders that were placed keep what they got."""
    principal.require(WRITE)
    changed = await promotions.change(promotion_id, _terms(data), await _once(request, principal))
    return await _view(promotions, changed)


@delete("/v1/promotions/{promotion_id:uuid}", tags=["promotions"])
async def delete_promotion(
    promotion_id: UUID, request: Request, principal: Principal, promotions: Promotions
) -> None:
    """Remove a promotion with its coupons."""
    principal.require(WRITE)
    await promotions.delete(promotion_id, await _once(request, principal))


@get("/v1/promotions/{promotion_id:uuid}/coupons", tags=["promotions"])
async def list_coupons(
    promotion_id: UUID,
    principal: Principal,
    promotions: Promotions,
    limit: Limit = 20,
    cursor: str | None = None,
) -> Page[CouponView]:
    """A promotion's codes, in their order."""
    principal.require(READ)
    found = await promotions.coupons(promotion_id, decode_cursor(cursor, str), limit + 1)
    page = page_of(found, limit, lambda coupon: coupon.code)
    return Page([CouponView(**coupon._asdict()) for coupon in page.items], page.next_cursor)


@post("/v1/promotions/{promotion_id:uuid}/coupons", tags=["promotions"])
async def add_coupon(
    promotion_id: UUID, data: NewCoupon, request: Request, principal: Principal, promotions: Promotions
) -> CouponView:
    """Give out a code for a promotion that needs one."""
    principal.require(WRITE)
    added = await promotions.add_coupon(
        promotion_id,
        data.code.upper(),
        await _once(request, principal),
        uses_max=data.uses_max,
        uses_per_customer_max=data.uses_per_customer_max,
    )
    return CouponView(**added._asdict())


@delete("/v1/promotions/coupons/{code:str}", tags=["promotions"])
async def delete_coupon(code: str, request: Request, principal: Principal, promotions: Promotions) -> None:
    """Take a code back."""
    principal.require(WRITE)
    await promotions.delete_coupon(code.upper(), await _once(request, principal))


async def _once(request: Request, principal: Principal) -> Once | None:
    return await once_of(request, str(principal.user_id))


async def _view(promotions: Promotions, promotion: Promotion) -> PromotionView:
    return (await _views(promotions, [promotion]))[0]


async def _views(promotions: Promotions, found: Sequence[Promotion]) -> list[PromotionView]:
    uses = await promotions.uses([promotion.id for promotion in found])
    return [
        PromotionView(**msgspec.structs.asdict(promotion), uses=uses.get(promotion.id, 0))
        for promotion in found
    ]


def _terms(data: NewPromotion | PromotionChange) -> dict[str, Any]:
    """What was given, percents as numbers."""
    given = {name: getattr(data, name) for name in data.__struct_fields__}
    terms = {name: value for name, value in given.items() if value is not UNSET}
    percents = {n: Decimal(terms[n]) for n in ("percent", "get_percent") if terms.get(n) is not None}
    return terms | percents


HANDLERS: list[object] = [
    list_promotions, create_promotion, read_promotion, change_promotion, delete_promotion, list_coupons,
    add_coupon, delete_coupon,
]  # fmt: skip
