"""What can change in the catalogue, and when it is refused."""

from .categories import Categories
from .products import Available, Catalog, Intake

__all__ = ["Available", "Catalog", "Categories", "Intake"]
