"""Warehouses over HTTP: staff see, make, change and close them, and choose how they are taken from."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Request, get, patch, post, put
from msgspec import UNSET, UnsetType

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of

from ..commands import Warehouses
from ..domain import Code, Strategy, Warehouse

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Priority = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]


class NewWarehouse(msgspec.Struct, frozen=True):
    """A warehouse; without `priority` it is taken from after all others."""

    code: Code
    name: Name
    priority: Priority | None = None
    country: Country | None = None
    active: bool = True


class WarehouseChange(msgspec.Struct, frozen=True):
    """What shall be another; the rest stays."""

    name: Name | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    country: Country | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class WarehouseList(msgspec.Struct, frozen=True):
    items: list[Warehouse]
    strategy: Strategy


class Allocation(msgspec.Struct, frozen=True):
    """`priority`: by their numbers; `fewest_parcels`: one that has the whole order first; `nearest`: those in
    the country of the destination first.
    """

    strategy: Strategy


@get("/v1/warehouses", tags=["inventory"])
async def list_warehouses(principal: Principal, warehouses: Warehouses) -> WarehouseList:
    """All warehouses, the first to be taken from first, and the shop's strategy."""
    principal.require("inventory:read")
    return WarehouseList(await warehouses.every(), await warehouses.strategy())


@get("/v1/warehouses/{code:str}", tags=["inventory"])
async def read_warehouse(code: str, principal: Principal, warehouses: Warehouses) -> Warehouse:
    """One warehouse."""
    principal.require("inventory:read")
    return await warehouses.find(code)


@post("/v1/warehouses", tags=["inventory"])
async def create_warehouse(
    data: NewWarehouse, request: Request, principal: Principal, warehouses: Warehouses
) -> Warehouse:
    """Make a warehouse."""
    principal.require("inventory:write")
    new = Warehouse(
        code=data.code,
        name=data.name.strip(),
        priority=data.priority or 0,
        country=data.country,
        active=data.active,
    )
    return await warehouses.create(new, await once_of(request, str(principal.user_id)))


@patch("/v1/warehouses/{code:str}", tags=["inventory"])
async def change_warehouse(
    code: str, data: WarehouseChange, principal: Principal, warehouses: Warehouses
) -> Warehouse:
    """Change a warehouse; one that is not active sells nothing."""
    principal.require("inventory:write")
    changes = {name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not UNSET}
    return await warehouses.change(msgspec.structs.replace(await warehouses.find(code), **changes))


@put("/v1/warehouses/strategy", tags=["inventory"])
async def choose_strategy(data: Allocation, principal: Principal, warehouses: Warehouses) -> Allocation:
    """Choose from which warehouses orders are taken."""
    principal.require("inventory:write")
    return Allocation(await warehouses.choose(data.strategy))


HANDLERS: list[object] = [
    list_warehouses, read_warehouse, create_warehouse, change_warehouse, choose_strategy,
]  # fmt: skip
