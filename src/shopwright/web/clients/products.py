"""Calls to products: catalogue, search, stock, imports.

What pages show of the catalogue is in `reading.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client

from .reading import Category, CategoryList, Listing, Product, tree_of
from .remote import WRITE_S, Remote

UPLOAD_S = 280.0  # the gateway gives an upload 300


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    on_hand: int = 0
    reserved: int = 0
    available: int = 0
    name: str = ""
    warehouses: list[dict[str, Any]] = []
    in_stock: int | None = None
    promised: int = 0
    owed: int = 0


class StockPage(msgspec.Struct):
    items: list[Stock] = []
    next_cursor: str | None = None


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the stock ledger."""

    at: datetime
    warehouse: str = ""
    delta_on_hand: int = 0
    delta_reserved: int = 0
    reason: str = ""
    reference: str = ""


class MovementPage(msgspec.Struct):
    items: list[Movement] = []
    next_cursor: str | None = None


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a file that was refused or skipped, or what was left out of its product."""

    line: int = 0
    identifier: str = ""
    outcome: str = "refused"
    pointer: str = ""
    detail: str = ""


class RowErrors(msgspec.Struct):
    items: list[RowError] = []
    next_cursor: str | None = None


class ImportReport(msgspec.Struct, kw_only=True):
    """How an import stands. `rows` of `total` are worked through, the other counts are products."""

    id: str = ""
    status: str = ""
    format: str = ""
    file: str = ""
    bytes: int = 0
    rows: int = 0
    total: int | None = None
    products: int | None = None
    progress: float = 0.0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    errors_total: int = 0
    errors: list[RowError] = []
    hints: list[str] = []
    detail: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def running(self) -> bool:
        return self.status in {"", "queued", "running"}

    @property
    def took_s(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class ImportPage(msgspec.Struct):
    items: list[ImportReport] = []
    next_cursor: str | None = None


class Products:
    def __init__(self, client: Client) -> None:
        self._products = Remote(client, "products")

    async def categories(self) -> list[Category]:
        """The top categories, the fullest first, with those below them."""
        found = await self._products.call("GET", "/v1/categories", CategoryList)
        return sorted(tree_of(found.items), key=lambda category: -category.products)

    async def products(self, *, token: str = "", **query: Any) -> Listing:
        """`query`: limit, cursor, category, sort; with catalog:read also status and q."""
        return await self._products.call("GET", "/v1/products", Listing, query=query, token=token)

    async def search(self, query: Mapping[str, Any]) -> Listing:
        """`query`: q, category, sort, cursor, limit, price limits in minor units, and facets."""
        return await self._products.call("GET", "/v1/search", Listing, query=query)

    async def product(self, slug: str, currency: str = "", *, token: str = "") -> Product:
        """With `currency` prices in no other one; without, in the shop's own or else one the product has."""
        path, query = f"/v1/products/{quote(slug, safe='')}", {"currency": currency}
        return await self._products.call("GET", path, Product, token=token, query=query)

    async def stock(self, token: str, sku: str) -> Stock:
        return await self._products.call("GET", f"/v1/inventory/{quote(sku, safe='')}", Stock, token=token)

    async def stock_page(
        self, token: str, *, q: str = "", cursor: str = "", limit: int = 50, low: int | None = None,
        sort: str = "",
    ) -> StockPage:  # fmt: skip
        """`low`: at most so many that can be shipped; `sort` is `sku` or `available`, the scarcest first."""
        query = {"q": q, "cursor": cursor, "limit": limit, "low": low, "sort": sort}
        return await self._products.call("GET", "/v1/inventory", StockPage, token=token, query=query)

    async def movements(self, token: str, sku: str, *, cursor: str = "", limit: int = 50) -> MovementPage:
        """Every change of a SKU's stock, newest first."""
        path = f"/v1/inventory/{quote(sku, safe='')}/movements"
        query = {"cursor": cursor, "limit": limit}
        return await self._products.call("GET", path, MovementPage, token=token, query=query)

    async def adjust(self, token: str, adjustment: dict[str, Any], *, key: str) -> Stock:
        return await self._products.call(
            "POST", "/v1/inventory/adjustments", Stock, token=token, body=adjustment, key=key,
            timeout_s=WRITE_S,
        )  # fmt: skip

    async def start_import(
        self, token: str, content: AsyncIterable[bytes], size: int, query: Mapping[str, str]
    ) -> ImportReport:
        """Send a file of `size` bytes; `query`: filename, format, currency, warehouse, stock."""
        return await self._products.call(
            "POST", "/v1/imports", ImportReport, token=token, body=content, query=query, timeout_s=UPLOAD_S,
            headers={"content-type": "application/octet-stream", "content-length": str(size)},
        )  # fmt: skip

    async def imports(self, token: str, *, cursor: str = "", limit: int = 20) -> ImportPage:
        """Newest first."""
        query = {"cursor": cursor, "limit": limit}
        return await self._products.call("GET", "/v1/imports", ImportPage, token=token, query=query)

    async def import_report(self, token: str, import_id: UUID) -> ImportReport:
        return await self._products.call("GET", f"/v1/imports/{import_id}", ImportReport, token=token)

    async def import_errors(self, token: str, import_id: UUID, *, cursor: str, limit: int = 100) -> RowErrors:
        path, query = f"/v1/imports/{import_id}/errors", {"cursor": cursor, "limit": limit}
        return await self._products.call("GET", path, RowErrors, token=token, query=query)

    async def cancel_import(self, token: str, import_id: UUID) -> None:
        path = f"/v1/imports/{import_id}/cancel"
        await self._products.call("POST", path, token=token, timeout_s=WRITE_S)
