"""Calls that change the catalogue, and products as staff see them: every status, with the version to edit.

Writes name the version that was read, so that nobody's change is overwritten unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from shopwright.chassis.http import Client
from shopwright.contracts.money import Money

from .remote import WRITE_S, Remote

PICTURE_S = 30.0


class Named(msgspec.Struct, frozen=True):
    slug: str
    name: str = ""


class CategoryNode(msgspec.Struct, frozen=True, kw_only=True):
    """A category of the tree; parents come before their children."""

    slug: str
    name: str = ""
    parent: str | None = None


class _Categories(msgspec.Struct):
    items: list[CategoryNode] = []


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    id: str = ""
    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """`price` is None where it is not for sale in the currency asked for."""

    id: str
    sku: str
    name: str = ""
    price: Money | None = None
    compare_at: Money | None = None
    available: int = 0
    options: dict[str, str] = {}
    picture: str | None = None
    weight_g: int | None = None
    barcode: str | None = None


class Product(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str = ""
    summary: str = ""
    description: str = ""
    brand: str = ""
    status: str = "draft"
    categories: list[Named] = []
    attributes: dict[str, list[str]] = {}
    pictures: list[Picture] = []
    options: list[str] = []
    variants: list[Variant] = []
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def variant(self, variant_id: str) -> Variant | None:
        return next((item for item in self.variants if item.id == variant_id), None)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A product in a list."""

    id: str
    slug: str
    name: str = ""
    brand: str = ""
    status: str = "active"
    picture: Picture | None = None
    price: Money | None = None
    price_max: Money | None = None
    available: int = 0
    variants_count: int = 1
    sku: str = ""


class CardPage(msgspec.Struct):
    items: list[Card] = []
    next_cursor: str | None = None


class Catalogue:
    def __init__(self, client: Client) -> None:
        self._products = Remote(client, "products")

    async def listed(self, token: str, *, q: str = "", status: str = "", cursor: str = "") -> CardPage:
        """Newest first; needs catalog:read."""
        query = {"q": q, "status": status, "cursor": cursor, "limit": 50}
        return await self._products.call("GET", "/v1/products", CardPage, token=token, query=query)

    async def product(self, token: str, name: str, currency: str) -> Product:
        """By id or slug, with prices in `currency` only."""
        query = {"currency": currency}
        return await self._products.call("GET", _path(name), Product, token=token, query=query)

    async def categories(self, token: str) -> list[CategoryNode]:
        return (await self._products.call("GET", "/v1/categories", _Categories, token=token)).items

    async def create(self, token: str, product: Mapping[str, Any], *, key: str) -> Product:
        return await self._write(token, "POST", "/v1/products", product, key=key)

    async def change(self, token: str, name: str, change: Mapping[str, Any]) -> Product:
        """Raises the problem `edited-meanwhile` if `change["version"]` is no longer the product's."""
        return await self._write(token, "PATCH", _path(name), change)

    async def add_variant(self, token: str, name: str, variant: Mapping[str, Any], *, key: str) -> Product:
        return await self._write(token, "POST", f"{_path(name)}/variants", variant, key=key)

    async def change_variant(
        self, token: str, name: str, variant_id: str, change: Mapping[str, Any]
    ) -> Product:
        return await self._write(
            token, "PATCH", f"{_path(name)}/variants/{quote(variant_id, safe='')}", change
        )

    async def remove_variant(self, token: str, name: str, variant_id: str) -> None:
        path = f"{_path(name)}/variants/{quote(variant_id, safe='')}"
        await self._products.call("DELETE", path, token=token, timeout_s=WRITE_S)

    async def add_picture(
        self, token: str, name: str, content: bytes, *, media_type: str, alt: str
    ) -> Product:
        return await self._products.call(
            "POST", f"{_path(name)}/pictures", Product, token=token, body=content, timeout_s=PICTURE_S,
            query={"alt": alt}, headers={"content-type": media_type},
        )  # fmt: skip

    async def set_pictures(
        self, token: str, name: str, pictures: list[dict[str, str]], version: int
    ) -> Product:
        """All pictures in their order; one that is left out is taken off."""
        body = {"pictures": pictures, "version": version}
        return await self._write(token, "PUT", f"{_path(name)}/pictures", body)

    async def _write(
        self, token: str, method: str, path: str, body: Mapping[str, Any], *, key: str = ""
    ) -> Product:
        return await self._products.call(
            method, path, Product, token=token, body=body, key=key, timeout_s=WRITE_S
        )


def _path(name: str) -> str:
    return f"/v1/products/{quote(name, safe='')}"
