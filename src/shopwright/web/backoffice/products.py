"""Products: find, create, edit what their variants share, archive."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from litestar import Response

from shopwright.contracts.problem import Problem

from ..clients.catalogue import CategoryNode, Product
from ..clients.remote import unless_away
from ..forms import Form
from . import editing
from .desk import Desk, action, page
from .editing import PATH, READ, WRITE, path_of


@page(PATH, READ)
async def list_products(desk: Desk) -> Response[bytes]:
    query = desk.query
    q, cursor = query.get("q", "").strip(), query.get("cursor", "")
    status = query.get("status", "") if query.get("status") in dict(editing.STATUSES) else ""
    found = await desk.site.catalogue.listed(await desk.token(), q=q, status=status, cursor=cursor)
    return await desk.page(
        "admin/products.html", products=found.items, next_cursor=found.next_cursor, q=q, wanted=status,
        statuses=editing.STATUSES, first=not cursor,
    )  # fmt: skip


@page(f"{PATH}/new", WRITE)
async def new_product(desk: Desk) -> Response[bytes]:
    return await _new(desk, Form({"status": "draft", "key": secrets.token_hex(16)}))


@action(f"{PATH}/new", WRITE)
async def create_product(desk: Desk) -> Response[bytes]:
    """A product with its first variant; everything else is added in the editor."""
    form, currency = desk.form, desk.site.settings.currency
    form.require({"name": "Enter the product's name", "sku": "Enter the SKU of its first variant"})
    price = editing.price_of(form, "price", "compare_at", currency)["price"]
    if form["stock"] and not (form["stock"].isascii() and form["stock"].isdigit()):
        form.errors["stock"] = "Enter a whole number, such as 10"
    if not form.errors:
        stock = {"main": int(form["stock"])} if form["stock"] else {}
        variant = {"sku": form["sku"], "price": price, "stock": stock}
        body = {"name": form["name"], "status": form["status"] or "draft", "variants": [variant]}
        try:
            product = await desk.site.catalogue.create(
                await desk.token(), body, key=form["key"] or secrets.token_hex(16)
            )
        except Problem as problem:
            editing.refuse(form, problem, ("name", "sku", "price", "stock", "status"))
            form.values["key"] = secrets.token_hex(16)
        else:
            return await desk.done(f"{product.name} was created.", path_of(product.id))
    return await _new(desk, form, status=422)


@page(f"{PATH}/{{name:str}}", READ)
async def edit_product(desk: Desk, name: str) -> Response[bytes]:
    return await show_product(desk, name)


@action(f"{PATH}/{{name:str}}", WRITE)
async def save_product(desk: Desk, name: str) -> Response[bytes]:
    """Save what all variants share."""
    form, currency, status = desk.form, currency_of(desk), 422
    change = editing.change_of(form)
    theirs: dict[str, str] = {}
    if not form.errors:
        try:
            product = await desk.site.catalogue.change(await desk.token(), name, change)
        except Problem as problem:
            if editing.refuse(form, problem, editing.DETAILS):
                now = await desk.site.catalogue.product(await desk.token(), name, currency)
                theirs, status = editing.differences(form, now), 409
                form.values["version"] = str(now.version)
        else:
            return await desk.done(f"{product.name} was saved.", path_of(product.id, currency))
    return await show_product(desk, name, details=form, theirs=theirs, status=status)


@action(f"{PATH}/{{name:str}}/archive", WRITE)
async def archive_product(desk: Desk, name: str) -> Response[bytes]:
    """Take it out of the shop; orders, stock and the product itself stay."""
    product = await desk.site.catalogue.change(await desk.token(), name, {"status": "archived"})
    return await desk.done(f"{product.name} is archived: buyers no longer see it.", path_of(product.id))


async def show_product(
    desk: Desk,
    name: str,
    *,
    details: Form | None = None,
    prices: Form | None = None,
    pictures: Form | None = None,
    theirs: dict[str, str] | None = None,
    status: int = 200,
) -> Response[bytes]:
    """The editor; a form that was refused stands in it as it was sent."""
    token, currency = await desk.token(), currency_of(desk)
    product, categories = await asyncio.gather(
        desk.site.catalogue.product(token, name, currency),
        unless_away(desk.site.catalogue.categories(token)),
    )
    return await desk.page(
        "admin/product.html", status=status, product=product, currency=currency, theirs=theirs or {},
        currencies=_currencies(desk, currency), categories_known=_tree(product, categories or []),
        details=details or editing.details_of(product), prices=prices or Form({}),
        pictures=pictures or Form({}), statuses=editing.STATUSES, labels=editing.LABELS,
    )  # fmt: skip


def currency_of(desk: Desk) -> str:
    """The currency whose prices are shown and edited."""
    asked = (desk.form["currency"] or desk.query.get("currency", "")).upper()
    known = len(asked) == 3 and asked.isascii() and asked.isalpha()
    return asked if known else desk.site.settings.currency


def _currencies(desk: Desk, currency: str) -> list[str]:
    return list(dict.fromkeys([desk.site.settings.currency, currency, *editing.CURRENCIES]))


def _tree(product: Product, categories: list[CategoryNode]) -> list[tuple[int, CategoryNode]]:
    """Categories with their depth, children below parents; those of the product are never missing."""
    known = {category.slug for category in categories}
    extra = [CategoryNode(slug=c.slug, name=c.name) for c in product.categories if c.slug not in known]
    below: dict[str | None, list[CategoryNode]] = {}
    for category in [*categories, *extra]:
        below.setdefault(category.parent if category.parent in known else None, []).append(category)

    def walk(parent: str | None, depth: int) -> list[tuple[int, CategoryNode]]:
        found = below.pop(parent, [])
        return [row for item in found for row in [(depth, item), *walk(item.slug, depth + 1)]]

    return walk(None, 0)


async def _new(desk: Desk, form: Form, status: int = 200) -> Response[bytes]:
    return await desk.page(
        "admin/new_product.html", status=status, form=form, statuses=editing.STATUSES[:2],
        currency=desk.site.settings.currency,
    )  # fmt: skip


HANDLERS: list[Any] = [
    list_products, new_product, create_product, edit_product, save_product, archive_product,
]  # fmt: skip
