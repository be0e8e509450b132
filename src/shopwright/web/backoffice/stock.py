"""Stock: the scarcest first or by SKU, one SKU's levels and ledger, and what staff change of it.

An adjustment or a transfer carries a key from its form: sent twice, it counts once.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable
from typing import Any, TypeVar
from urllib.parse import quote

from litestar import Response

from shopwright.contracts.problem import Problem

from ..clients.products import Movement, MovementPage
from ..clients.remote import is_away, unless_away
from ..clients.stock import Policy, WarehouseList
from ..forms import Form
from . import stock_rules
from .desk import Desk, action, page
from .words import MOVEMENTS

Found = TypeVar("Found")

LIMIT = 50
FIELDS = ("sku", "delta", "reason", "warehouse")
REASONS = ("Count", "Delivery", "Damaged", "Returned by a buyer", "Lost")
DELTA_MAX = 10_000_000
OF_ORDERS = frozenset({"reserved", "sold", "released", "expired", "backorder filled"})
LOW = 5  # of which shops are told unless a SKU says otherwise
CHANGES = {
    "move": stock_rules.transfer, "rules": stock_rules.set_policy, "bundle": stock_rules.set_bundle,
    "unbundle": stock_rules.unbundle,
}  # fmt: skip


@page("/admin/stock", "inventory:read")
async def list_stock(desk: Desk) -> Response[bytes]:
    query = desk.query
    q, cursor = query.get("q", "").strip(), query.get("cursor", "")
    sort = "available" if query.get("sort", "available") == "available" else "sku"
    low = LOW if query.get("low") else None
    found = await desk.site.products.stock_page(
        await desk.token(), q=q, cursor=cursor, sort=sort, limit=LIMIT, low=low
    )
    if q and not cursor and len(found.items) == 1 and found.items[0].sku.lower() == q.lower():
        return desk.go(_path(found.items[0].sku))
    return await desk.page(
        "admin/stock.html", stock=found.items, next_cursor=found.next_cursor, q=q, sort=sort,
        first=not cursor, low=low,
    )  # fmt: skip


@page("/admin/stock/{sku:path}", "inventory:read")
async def show_sku(desk: Desk, sku: str) -> Response[bytes]:
    return await _show(desk, sku.removeprefix("/"), {})


@action("/admin/stock/{sku:path}", "inventory:write")
async def change(desk: Desk, sku: str) -> Response[bytes]:
    """What `do` of the address says; without it an adjustment."""
    sku, what = sku.removeprefix("/"), desk.query.get("do", "adjust")
    if what not in CHANGES:
        return await _adjust(desk, sku)
    notice = await CHANGES[what](desk, sku)
    if notice is None:
        return await _show(desk, sku, {what: desk.form}, status=422)
    return await desk.done(notice, _path(sku))


async def _adjust(desk: Desk, sku: str) -> Response[bytes]:
    """Add to or take from what is on hand in one warehouse."""
    form = desk.form
    delta = _delta(form)
    form.require({"reason": "Say why, so that others can follow the ledger"})
    if len(form["reason"]) > 200:
        form.errors["reason"] = "Use at most 200 characters"
    if not form.errors and not await _is_known(desk, sku):
        form.errors[""] = f"Nothing was booked: no product has the SKU {sku}. Look at how it is written"
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
    return await _show(desk, sku, {"adjust": form}, status=422)


async def _show(desk: Desk, sku: str, sent: dict[str, Form], status: int = 200) -> Response[bytes]:
    """The page of a SKU; `sent` are forms that were refused, by what they change."""
    token, products, room = await desk.token(), desk.site.products, desk.site.stockroom
    cursor = desk.query.get("cursor", "")
    stock, movements, warehouses, policy, bundle = await asyncio.gather(
        _if_any(products.stock(token, sku)),
        unless_away(products.movements(token, sku, cursor=cursor)),
        unless_away(room.warehouses(token)),
        unless_away(room.policy(token, sku)),
        unless_away(_if_any(room.bundle(token, sku))),
    )
    page = movements or MovementPage()
    places = [(place.code, place.name or place.code) for place in (warehouses or WarehouseList()).items]
    forms = {
        "adjust": Form({"key": secrets.token_hex(16)}),
        "move": stock_rules.transfer_form(places),
        "rules": stock_rules.policy_form(policy or Policy()),
        "bundle": stock_rules.bundle_form(bundle),
    } | sent
    return await desk.page(
        "admin/sku.html", status=status, sku=sku, stock=stock, forms=forms, reasons=REASONS,
        movements=None if movements is None else page.items, next_cursor=page.next_cursor, first=not cursor,
        why=_why, of_order=_of_order, bundle=bundle, policy=policy, places=places,
        rows=stock_rules.bundle_rows(forms["bundle"]),
    )  # fmt: skip


async def _is_known(desk: Desk, sku: str) -> bool:
    """Whether a product has this SKU, as far as this account may know; stock is not begun by a slip."""
    token = await desk.token()
    if await unless_away(_if_any(desk.site.products.stock(token, sku))) or not desk.may("catalog:read"):
        return True
    found = await unless_away(desk.site.catalogue.listed(token, q=sku))
    return found is None or bool(found.items)


async def _if_any(answer: Awaitable[Found]) -> Found | None:
    """None of a SKU that has none: stock begins with the first adjustment, and most are no bundles."""
    try:
        return await answer
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
    elif problem.slug == "bundle-has-no-stock":
        form.errors = {"": "A bundle has no stock of its own; adjust that of its components"}
    elif problem.slug == "unknown-warehouse":
        form.errors = {"warehouse": "There is no such warehouse"}
    elif problem.slug == "idempotency-key-reused":
        form.values["key"] = secrets.token_hex(16)
        form.errors = {"": "This form was sent before with other values. Look at the stock, then send again."}


def _why(movement: Movement) -> str:
    return MOVEMENTS.get(movement.reason, movement.reason)


def _of_order(movement: Movement) -> bool:
    """Whether its reference is an order, not the two ends of a transfer or what came back."""
    return movement.reason in OF_ORDERS


def _path(sku: str) -> str:
    return f"/admin/stock/{quote(sku, safe='')}"


HANDLERS: list[Any] = [list_stock, show_sku, change]
