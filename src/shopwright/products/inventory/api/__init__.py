"""Stock, warehouses and rules over HTTP."""

from . import rules, stock, warehouses

HANDLERS: list[object] = [*stock.HANDLERS, *warehouses.HANDLERS, *rules.HANDLERS]

__all__ = ["HANDLERS"]
