"""Drafts in the back office: staff put an order together for a buyer, place it, or send a link to pay it."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from shopwright.contracts.problem import Problem

from ..addresses import FIELDS, address_of
from ..clients.orders import Address
from ..clients.remote import is_away
from ..clients.staff_orders import Draft
from ..forms import Form
from .counts import ROWS, sku_rows
from .desk import Desk, action, page

PATH = "/admin/drafts"
AT = f"{PATH}/{{draft_id:uuid}}"
WRITE = "orders:write"
LIMIT = 50
METHODS = {"bank_transfer": "Bank transfer", "cash_on_delivery": "Cash on delivery"}


@page(PATH, WRITE)
async def list_drafts(desk: Desk) -> Response[bytes]:
    cursor = desk.query.get("cursor", "")
    found = await desk.site.staff_orders.drafts(await desk.token(), cursor, LIMIT)
    return await desk.page(
        "admin/drafts.html", drafts=found.items, next_cursor=found.next_cursor, first=not cursor
    )


@page(f"{PATH}/new", WRITE)
async def new_page(desk: Desk) -> Response[bytes]:
    return await _show(desk, None, _fresh({"currency": "EUR"}))


@action(f"{PATH}/new", WRITE)
async def create(desk: Desk) -> Response[bytes]:
    return await _save(desk, None)


@page(AT, WRITE)
async def show(desk: Desk, draft_id: UUID) -> Response[bytes]:
    draft = await desk.site.staff_orders.draft(await desk.token(), draft_id)
    return await _show(desk, draft, _filled(draft))


@action(AT, WRITE)
async def change(desk: Desk, draft_id: UUID) -> Response[bytes]:
    return await _save(desk, await desk.site.staff_orders.draft(await desk.token(), draft_id))


@action(f"{AT}/delete", WRITE)
async def delete(desk: Desk, draft_id: UUID) -> Response[bytes]:
    await desk.site.staff_orders.delete_draft(await desk.token(), draft_id)
    return await desk.done("The draft is thrown away.", PATH)


@action(f"{AT}/send", WRITE)
async def send(desk: Desk, draft_id: UUID) -> Response[bytes]:
    """Mail the buyer a link to pay it."""
    back = f"{PATH}/{draft_id}"
    try:
        await desk.site.staff_orders.send_draft(await desk.token(), draft_id, key=_key(desk.form))
    except Problem as problem:
        return await _not_done(desk, problem, "Not sent", back)
    return await desk.done("The buyer is mailed a link to pay it.", back)


@action(f"{AT}/place", WRITE)
async def place(desk: Desk, draft_id: UUID) -> Response[bytes]:
    """Place it for the buyer, to be paid by a method that needs nobody now."""
    method = desk.form["method"] if desk.form["method"] in METHODS else "bank_transfer"
    try:
        order = await desk.site.staff_orders.place_draft(
            await desk.token(), draft_id, method, key=_key(desk.form)
        )
    except Problem as problem:
        return await _not_done(desk, problem, "Not placed", f"{PATH}/{draft_id}")
    return await desk.done("The order is placed.", f"/admin/orders/{order.id}")


async def _save(desk: Desk, draft: Draft | None) -> Response[bytes]:
    form = desk.form
    currency = draft.currency if draft else form["currency"].upper()
    lines = sku_rows(form, currency)
    if not lines and not form.errors:
        form.errors["sku-0"] = "Enter at least one SKU"
    if form["email"]:
        form.require_email()
    terms: dict[str, Any] = {"email": form["email"] or None, "lines": lines, "note": form["note"]}
    if draft is None:
        terms["currency"] = currency
    if form["line1"]:
        terms["address"] = address_of(form)
    if not form.errors:
        try:
            made = await desk.site.staff_orders.save_draft(
                await desk.token(), draft.id if draft else None, terms, key=_key(form)
            )
        except Problem as problem:
            if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
                raise
            form.refuse(problem, ("email", "note", "currency", *FIELDS))
            form.values["key"] = secrets.token_hex(16)
        else:
            return await desk.done("The draft is saved.", f"{PATH}/{made.id}")
    return await _show(desk, draft, form, status=422)


async def _show(desk: Desk, draft: Draft | None, form: Form, *, status: int = 200) -> Response[bytes]:
    count = max(ROWS, len(draft.cart.lines) + 2 if draft else ROWS)
    return await desk.page(
        "admin/draft.html", status=status, draft=draft, form=form, rows=range(count), methods=METHODS
    )


def _filled(draft: Draft) -> Form:
    values = {"email": draft.email or "", "note": draft.note}
    for row, line in enumerate(draft.cart.lines):
        values |= {f"sku-{row}": line.sku, f"quantity-{row}": str(line.quantity)}
        if line.id in draft.staff_priced:
            values[f"price-{row}"] = str(line.unit_price).partition(" ")[0]
    address: Address | None = draft.cart.address
    if address is not None:
        values |= {name: value for name, value in msgspec.structs.asdict(address).items() if value}
    return _fresh(values)


def _fresh(values: dict[str, str]) -> Form:
    return Form(values | {"key": secrets.token_hex(16)})


def _key(form: Form) -> str:
    return form["key"] or secrets.token_hex(16)


async def _not_done(desk: Desk, problem: Problem, what: str, back: str) -> Response[bytes]:
    if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
        raise problem
    return await desk.not_done(f"{what}: {(problem.detail or problem.title).rstrip('.')}.", back)


HANDLERS: list[Any] = [list_drafts, new_page, create, show, change, delete, send, place]
