"""Tax rates and settings over HTTP, for staff."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post, put

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.paging import Page
from shopwright.contracts.ids import new_id

from ..commands.shop import Shop
from ..domain import TaxRate, TaxSettings

READ, WRITE = "settings:read", "settings:write"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", examples=["DE"])]
Region = Annotated[str, msgspec.Meta(max_length=100)]
TaxClass = Annotated[str, msgspec.Meta(pattern="^[a-z0-9_-]{1,40}$", examples=["standard"])]
Percents = Annotated[
    str, msgspec.Meta(pattern=r"^(100(\.0{1,3})?|\d{1,2}(\.\d{1,3})?)$", examples=["19", "8.875"])
]


class RateInput(msgspec.Struct, frozen=True, kw_only=True):
    """`percent` is a decimal string; a region's rate replaces its country's, a class's the standard one."""

    name: Name
    country: Country
    region: Region = ""
    tax_class: TaxClass = "standard"
    percent: Percents


class SettingsInput(msgspec.Struct, frozen=True, kw_only=True):
    """`country` is where the shop is: its rates hold for what is collected, or while no address is given."""

    prices_include_tax: bool
    country: Country | None = None
    shipping_tax_class: TaxClass = "standard"


class TaxMode(msgspec.Struct, frozen=True):
    prices_include_tax: bool


@get("/v1/taxes/rates", tags=["taxes"])
async def list_rates(principal: Principal, shop: Shop) -> Page[TaxRate]:
    """All of them, by place."""
    principal.require(READ)
    return Page(await shop.rates())


@post("/v1/taxes/rates", tags=["taxes"])
async def create_rate(data: RateInput, request: Request, principal: Principal, shop: Shop) -> TaxRate:
    """Add a rate for a place and class."""
    principal.require(WRITE)
    once = await once_of(request, str(principal.user_id))
    return await shop.put_rate(_rate(new_id(), data), once, new=True)


@put("/v1/taxes/rates/{rate_id:uuid}", tags=["taxes"])
async def replace_rate(
    rate_id: UUID, data: RateInput, request: Request, principal: Principal, shop: Shop
) -> TaxRate:
    """Replace a rate; orders that were placed keep theirs."""
    principal.require(WRITE)
    once = await once_of(request, str(principal.user_id))
    return await shop.put_rate(_rate(rate_id, data), once, new=False)


@delete("/v1/taxes/rates/{rate_id:uuid}", tags=["taxes"])
async def delete_rate(rate_id: UUID, request: Request, principal: Principal, shop: Shop) -> None:
    """Remove a rate."""
    principal.require(WRITE)
    await shop.delete_rate(rate_id, await once_of(request, str(principal.user_id)))


@get("/v1/taxes/settings", tags=["taxes"])
async def read_settings(principal: Principal, shop: Shop) -> TaxSettings:
    """Whether prices include tax, and where the shop is."""
    principal.require(READ)
    return await shop.settings()


@get("/internal/taxes/mode", include_in_schema=False)
async def read_mode(shop: Shop) -> TaxMode:
    """What product pages say beside a price."""
    return TaxMode((await shop.settings()).prices_include_tax)


@put("/v1/taxes/settings", tags=["taxes"])
async def set_settings(
    data: SettingsInput, request: Request, principal: Principal, shop: Shop
) -> TaxSettings:
    """Say whether prices include tax; holds for the next order."""
    principal.require(WRITE)
    wanted = msgspec.convert(data, TaxSettings, from_attributes=True)
    return await shop.set_settings(wanted, await once_of(request, str(principal.user_id)))


def _rate(rate_id: UUID, data: RateInput) -> TaxRate:
    return TaxRate(
        id=rate_id,
        name=data.name,
        country=data.country,
        region=data.region.strip(),
        tax_class=data.tax_class,
        percent=Decimal(data.percent),
    )


HANDLERS: list[object] = [
    list_rates, create_rate, replace_rate, delete_rate, read_settings, read_mode, set_settings,
]  # fmt: skip
