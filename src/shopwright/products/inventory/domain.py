"""What is true of stock: shapes and the problems that refuse. Pure."""

from __future__ import annotations

from uuid import UUID

import msgspec

from shopwright.contracts.problem import Problem


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


class Level(msgspec.Struct, frozen=True):
    """Stock of a SKU in one warehouse."""

    code: str
    name: str
    on_hand: int
    reserved: int
    available: int


class StockOf(msgspec.Struct, frozen=True):
    """Stock of a SKU everywhere; `name` is what its product is called."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    warehouses: list[Level]
    name: str = ""


class Movement(msgspec.Struct, frozen=True):
    sku: str
    warehouse: str
    on_hand: int
