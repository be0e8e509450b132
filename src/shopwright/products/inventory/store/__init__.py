"""All SQL of inventory: one function call per command."""

from .stock import LedgerRow, Listing

__all__ = ["LedgerRow", "Listing"]
