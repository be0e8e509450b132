"""What can change in stock, and when it is refused."""

from .rules import Rules
from .stock import Inventory
from .warehouses import Warehouses

__all__ = ["Inventory", "Rules", "Warehouses"]
