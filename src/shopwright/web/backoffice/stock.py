"""Stock: the scarcest first or by SKU, one SKU's levels and ledger, and adjustments.

An adjustment carries a key from its form: sent twice, it counts once.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from urllib.parse import quote

from litestar import Response

from shopwright.contracts.problem import Problem

from ..clients.products import Movement, MovementPage, Stock
from ..clients.remote import is_away, unless_away
from ..forms import Form
from .desk import Desk, action, page
from .words import MOVEMENTS

LIMIT = 50
FIELDS = ("sku", "delta", "reason", "warehouse")
REASONS = ("Count", "Delivery", "Damaged", "Returned by a buyer", "Lost")
DELTA_MAX = 10_000_000


@page("/admin/stock", "inventory:read")
async def list_stock(desk: Desk) -> Response[bytes]:
    query = desk.query
    q, cursor = query.get("q", "").strip(), query.get("cursor", "")
    sort = "available" if query.get("sort", "available") == "available" else "sku"
    found = await desk.site.products.stock_page(
        await desk.token(), q=q, cursor=cursor, sort=sort, limit=LIMIT
    )
    if q and not cursor and len(found.items) == 1 and found.items[0].sku.lower() == q.lower():
        return desk.go(_path(found.items[0].sku))
    return await desk.page(
        "admin/stock.html", stock=found.items, next_cursor=found.next_cursor, q=q, sort=sort, first=not cursor
    )


@page("/admin/stock/{sku:path}", "inventory:read")
async def show_sku(desk: Desk, sku: str) -> Response[bytes]:
    return await _show(desk, sku.removeprefix("/"), Form({"key": secrets.token_hex(16)}))


@action("/admin/stock/{sku:path}", "inventory:write")
async def adjust(desk: Desk, sku: str) -> Response[bytes]:
    """Add to or take from what is on hand in one warehouse."""
    form, sku = desk.form, sku.removeprefix("/")
    delta = _delta(form)
    form.require({"reason": "Say why, so that others can follow the ledger"})
    if len(form["reason"]) > 200:
        form.errors["reason"] = "Use at most 200 characters"
    if not form.errors:
        change = {"sku": sku, "delta": delta, "reason": form["reason"]}
        if form["warehouse"]:
            change["warehouse"] = form["warehouse"]
        try:
            stock = await desk.site.products.adjust(
                await desk.token(), change, key=form["key"] or secrets.token_hex(16)
            )
        except Problem as problem:
            if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
                raise
            form.refuse(problem, FIELDS)
            _explain(form, problem)
        else:
            return await desk.done(f"Stock of {sku} is now {stock.on_hand}.", _path(sku))
    return await _show(desk, sku, form, status=422)


async def _show(desk: Desk, sku: str, form: Form, status: int = 200) -> Response[bytes]:
    token, products = await desk.token(), desk.site.products
    cursor = desk.query.get("cursor", "")
    stock, movements = await asyncio.gather(
        _levels(desk, token, sku), unless_away(products.movements(token, sku, cursor=cursor))
    )
    page = movements or MovementPage()
    return await desk.page(
        "admin/sku.html", status=status, sku=sku, stock=stock, form=form, reasons=REASONS,
        movements=None if movements is None else page.items, next_cursor=page.next_cursor, first=not cursor,
        why=_why,
    )  # fmt: skip


async def _levels(desk: Desk, token: str, sku: str) -> Stock | None:
    """None for a SKU that never had stock: the first adjustment begins it."""
    try:
        return await desk.site.products.stock(token, sku)
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return None


def _delta(form: Form) -> int:
    """Units to add (or, negative, to take); an error stands in the form if what was typed is none."""
    text = form["delta"].replace("−", "-").replace(" ", "")
    digits = text.lstrip("+-")
    if not digits.isascii() or not digits.isdigit() or len(text) - len(digits) > 1:
        form.errors["delta"] = "Enter a whole number, such as 12 to add or -3 to take away"
        return 0
    value = int(text)
    if value == 0 or abs(value) > DELTA_MAX:
        form.errors["delta"] = f"Enter a number other than 0, of at most {DELTA_MAX:,}"
    return value


def _explain(form: Form, problem: Problem) -> None:
    """What the ledger's own refusals mean to the person at the form."""
    if problem.slug == "stock-too-low":
        reserved = getattr(problem, "reserved", 0) or problem.members().get("reserved", 0)
        form.errors = {
            "delta": f"That would leave less than the {reserved} reserved for orders; take away fewer"
        }
    elif problem.slug == "unknown-warehouse":
        form.errors = {"warehouse": "There is no such warehouse"}
    elif problem.slug == "idempotency-key-reused":
        form.values["key"] = secrets.token_hex(16)
        form.errors = {"": "This form was sent before with other values. Look at the stock, then send again."}


def _why(movement: Movement) -> str:
    return MOVEMENTS.get(movement.reason, movement.reason)


def _path(sku: str) -> str:
    return f"/admin/stock/{quote(sku, safe='')}"


HANDLERS: list[Any] = [list_stock, show_sku, adjust]
