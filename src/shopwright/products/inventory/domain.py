"""What is true of stock: shapes and the problems that refuse. Pure."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from shopwright.contracts.problem import Problem

Strategy = Literal["priority", "fewest_parcels", "nearest"]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Code = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,40}$")]
Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ReservationEnded(Problem):
    """This reservation was released before; it cannot be held again."""

    kind = "conflict"
    reservation: UUID


class StockTooLow(Problem):
    """That would leave less on hand than is reserved for orders."""

    kind = "conflict"
    sku: str
    on_hand: int
    reserved: int


class UnknownWarehouse(Problem):
    """There is no such warehouse."""

    kind = "invalid"
    warehouse: str


class WarehouseExists(Problem):
    """There is a warehouse of this code."""

    kind = "conflict"
    code: str


class BundleHasNoStock(Problem):
    """A bundle is sold from its components' stock and has none and no rules of its own."""

    kind = "conflict"
    sku: str


class BundleRefused(Problem):
    """This cannot be a bundle."""

    kind = "conflict"
    sku: str
    reason: Literal["stocked", "nested"]


class Level(msgspec.Struct, frozen=True):
    """Stock of a SKU in one warehouse."""

    code: str
    name: str
    on_hand: int
    reserved: int
    available: int
    active: bool = True


class StockOf(msgspec.Struct, frozen=True):
    """Stock of a SKU everywhere; `name` is what its product is called. `available` is what shops sell: what
    is free in open warehouses without the safety stock (`in_stock`), and what may be sold beyond it.
    Units sold beyond stock are `promised` to orders at work, then `owed`.
    """

    sku: str
    on_hand: int
    reserved: int
    available: int
    warehouses: list[Level]
    name: str = ""
    in_stock: int = 0
    promised: int = 0
    owed: int = 0


class Movement(msgspec.Struct, frozen=True):
    sku: str
    warehouse: str
    on_hand: int


class Transfer(msgspec.Struct, frozen=True, rename={"source": "from"}):
    """`quantity` units of a SKU from one warehouse `to` another, and why."""

    sku: Sku
    source: Code
    to: Code
    quantity: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Warehouse(msgspec.Struct, frozen=True, kw_only=True):
    """Where stock lies. The lower its `priority`, the sooner it is taken from; what lies in one that is not
    `active` is not for sale.
    """

    code: str
    name: str
    priority: int
    country: str | None = None
    active: bool = True


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a SKU is sold. `safety_stock` units are kept back; `backorder_max` may be sold beyond stock, and
    `preorder_max` on top until the day `preorder_from`, from which it ships; staff are told when what can be
    shipped comes down to `low_stock_at` (null: to the shop's own).
    """

    safety_stock: Count = 0
    backorder_max: Count = 0
    preorder_from: date | None = None
    preorder_max: Count = 0
    low_stock_at: Count | None = None


class Component(msgspec.Struct, frozen=True):
    """A part of a bundle, `available` by itself."""

    sku: Sku
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000)]
    available: int = 0


class Bundle(msgspec.Struct, frozen=True):
    """A SKU that is sold as its components; `available` is as many as the scarcest of them makes."""

    sku: str
    components: list[Component]
    available: int
