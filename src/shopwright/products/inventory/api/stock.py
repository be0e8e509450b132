"""Stock over HTTP: staff look and adjust; orders reserves, claims and releases over the mesh."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, get, post, put
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.paging import Limit, Page, decode_cursor, page_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.products import Reservation, Reserve, Restock

from ..commands import Inventory
from ..domain import Sku, StockOf, Transfer
from ..store import LedgerRow, Listing

Units = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
MAY_RESERVE = ("orders",)


class Adjustment(msgspec.Struct, frozen=True):
    """`delta` units more (or fewer) on hand in `warehouse` (the main one without it), and why."""

    sku: Sku
    delta: Annotated[int, msgspec.Meta(ge=-10_000_000, le=10_000_000)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    warehouse: Annotated[str, msgspec.Meta(max_length=40)] | None = None


@get("/v1/inventory", tags=["inventory"])
async def list_stock(
    principal: Principal,
    inventory: Inventory,
    limit: Limit = 50,
    cursor: str | None = None,
    low: Annotated[int | None, Parameter(ge=0, le=2**31 - 1)] = None,
    q: Annotated[str, Parameter(max_length=200)] = "",
    sort: Literal["sku", "available"] = "sku",
) -> Page[StockOf]:
    """Stock by SKU or the scarcest first; `low`: at most so many can be shipped; `q`: part of SKU or name."""
    principal.require("inventory:read")
    scarcest = sort == "available"
    position: Any = tuple[Units, str] if scarcest else str
    after = decode_cursor(cursor, position)
    rows = await inventory.listing(Listing(q.strip(), low, sort, after), limit + 1)
    return page_of(rows, limit, lambda row: (row.available, row.sku) if scarcest else row.sku)


@get("/v1/inventory/{sku:str}", tags=["inventory"])
async def read_stock(sku: str, principal: Principal, inventory: Inventory) -> StockOf:
    """Stock of one SKU in every warehouse."""
    principal.require("inventory:read")
    return await inventory.levels(sku)


@get("/v1/inventory/{sku:str}/movements", tags=["inventory"])
async def read_movements(
    sku: str, principal: Principal, inventory: Inventory, limit: Limit = 50, cursor: str | None = None
) -> Page[LedgerRow]:
    """Every change of a SKU's stock, newest first."""
    principal.require("inventory:read")
    rows = await inventory.ledger(sku, before=decode_cursor(cursor, Units), limit=limit + 1)
    return page_of(rows, limit, lambda row: row.id)


@post("/v1/inventory/adjustments", tags=["inventory"])
async def adjust_stock(
    data: Adjustment, request: Request, principal: Principal, inventory: Inventory
) -> StockOf:
    """Change what is on hand; never below what is reserved for orders."""
    principal.require("inventory:write")
    once = await once_of(request, str(principal.user_id))
    return await inventory.adjust(data.sku, data.delta, data.reason, data.warehouse, once)


@post("/v1/inventory/transfers", tags=["inventory"])
async def transfer_stock(
    data: Transfer, request: Request, principal: Principal, inventory: Inventory
) -> StockOf:
    """Carry units from one warehouse to another; never those that are reserved for orders."""
    principal.require("inventory:write")
    if data.source == data.to:
        raise invalid("/to", "must be another warehouse than the one they come from")
    return await inventory.transfer(data, await once_of(request, str(principal.user_id)))


@put("/internal/restocks/{restock_id:uuid}", status_code=204, include_in_schema=False)
async def restock(restock_id: UUID, data: Restock, principal: Principal, inventory: Inventory) -> None:
    principal.require_caller(MAY_RESERVE)
    await inventory.restock(restock_id, data)


@put("/internal/reservations/{reservation:uuid}", include_in_schema=False)
async def reserve(
    reservation: UUID, data: Reserve, principal: Principal, inventory: Inventory
) -> Reservation:
    principal.require_caller(MAY_RESERVE)
    return await inventory.reserve(reservation, data)


@post("/internal/reservations/{reservation:uuid}/claim", status_code=200, include_in_schema=False)
async def claim(reservation: UUID, principal: Principal, inventory: Inventory) -> Reservation:
    principal.require_caller(MAY_RESERVE)
    return await inventory.claim(reservation)


@post("/internal/reservations/{reservation:uuid}/release", status_code=200, include_in_schema=False)
async def release(reservation: UUID, principal: Principal, inventory: Inventory) -> Reservation:
    principal.require_caller(MAY_RESERVE)
    return await inventory.release(reservation)


HANDLERS: list[object] = [
    list_stock, read_stock, read_movements, adjust_stock, transfer_stock, restock, reserve, claim, release,
]  # fmt: skip
