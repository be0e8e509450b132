"""What staff change of a SKU beside its count: where its units lie, how it is sold, what it is a bundle of.

Each form of the SKU's page has its own function; it returns the sentence for the next page, or None with the
reasons in the form.
"""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any, Final

from shopwright.contracts.problem import Problem

from ..clients.remote import is_away
from ..clients.stock import Bundle, Policy
from ..forms import Form
from .desk import Desk

COMPONENTS_MAX: Final = 50
ROWS_LEAST: Final = 4
UNITS_MAX: Final = 10_000_000
TRANSFER: Final = ("from", "to", "quantity", "reason")
POLICY: Final = ("safety_stock", "backorder_max", "preorder_from", "preorder_max", "low_stock_at")
WHY_NO_BUNDLE: Final = {
    "stocked": "It has stock of its own or was sold beyond it; take that away first",
    "nested": "A bundle cannot hold another bundle, nor lie in one",
}


async def transfer(desk: Desk, sku: str) -> str | None:
    form = desk.form
    quantity = whole(form, "quantity", least=1)
    form.require({"reason": "Say why, so that others can follow the ledger"})
    if form["from"] == form["to"]:
        form.errors["to"] = "Choose another warehouse than the one they come from"
    if form.errors:
        return None
    move = {
        "sku": sku,
        "from": form["from"],
        "to": form["to"],
        "quantity": quantity,
        "reason": form["reason"],
    }
    try:
        await desk.site.stockroom.transfer(await desk.token(), move, key=form["key"] or secrets.token_hex(16))
    except Problem as problem:
        refuse(form, problem, TRANSFER)
        if problem.slug == "stock-too-low":
            form.errors = {"quantity": "Fewer are free there: the rest is reserved for orders"}
        elif problem.slug == "idempotency-key-reused":
            form.values["key"] = secrets.token_hex(16)
            form.errors = {
                "": "This form was sent before with other values. Look at the stock, then send again."
            }
        return None
    return f"{quantity} {'unit' if quantity == 1 else 'units'} of {sku} moved."


async def set_policy(desk: Desk, sku: str) -> str | None:
    form = desk.form
    policy: dict[str, Any] = {
        name: whole(form, name) for name in ("safety_stock", "backorder_max", "preorder_max")
    }
    policy["low_stock_at"] = whole(form, "low_stock_at") if form["low_stock_at"] else None
    policy["preorder_from"] = form["preorder_from"] or None
    if form["preorder_from"] and not _is_day(form["preorder_from"]):
        form.errors["preorder_from"] = "Enter a day such as 2030-01-31"
    if policy["preorder_max"] and not form["preorder_from"]:
        form.errors["preorder_from"] = "Say from which day it ships"
    if form.errors:
        return None
    try:
        await desk.site.stockroom.set_policy(await desk.token(), sku, policy)
    except Problem as problem:
        refuse(form, problem, POLICY)
        return None
    return f"{sku} is sold by these rules now."


async def set_bundle(desk: Desk, sku: str) -> str | None:
    form = desk.form
    rows = [number for number in range(COMPONENTS_MAX) if form[f"sku-{number}"]]
    parts = [
        {"sku": form[f"sku-{row}"], "quantity": whole(form, f"count-{row}", least=1, most=1_000, default=1)}
        for row in rows
    ]
    if not parts:
        form.errors["sku-0"] = "Name at least one component"
    if form.errors:
        return None
    try:
        await desk.site.stockroom.set_bundle(await desk.token(), sku, parts)
    except Problem as problem:
        _refuse_bundle(form, problem, rows)
        return None
    return f"{sku} is a bundle now, sold from its components' stock."


async def unbundle(desk: Desk, sku: str) -> str | None:
    await desk.site.stockroom.unbundle(await desk.token(), sku)
    return f"{sku} is no bundle any more. Its stock begins with the first adjustment."


def transfer_form(places: list[tuple[str, str]]) -> Form:
    first, second = (place[0] for place in (*places, *places)[:2]) if places else ("", "")
    return Form({"key": secrets.token_hex(16), "from": first, "to": second})


def policy_form(policy: Policy) -> Form:
    shown = {name: getattr(policy, name) for name in POLICY}
    return Form(
        {
            name: str(value) if value or (value == 0 and name == "low_stock_at") else ""
            for name, value in shown.items()
        }
    )


def bundle_form(bundle: Bundle | None) -> Form:
    values: dict[str, str] = {}
    for number, part in enumerate(bundle.components if bundle else []):
        values |= {f"sku-{number}": part.sku, f"count-{number}": str(part.quantity)}
    return Form(values)


def bundle_rows(form: Form) -> range:
    """The rows of the form: those that are filled, and some that are not."""
    filled = [number for number in range(COMPONENTS_MAX) if form[f"sku-{number}"]]
    return range(min(COMPONENTS_MAX, max(ROWS_LEAST, max(filled, default=0) + 3)))


def refuse(form: Form, problem: Problem, known: tuple[str, ...]) -> None:
    """Say in the form why it was refused; raises what no form can mend."""
    if problem.kind not in {"invalid", "conflict", "not_found"} and not is_away(problem):
        raise problem
    form.refuse(problem, known)


def whole(form: Form, name: str, *, least: int = 0, most: int = UNITS_MAX, default: int = 0) -> int:
    """The whole number typed in `name`; an error stands in the form if it is none. Nothing is `default`."""
    text = form[name].replace(" ", "")
    if not text and default >= least:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        form.errors[name] = f"Enter a whole number from {least} to {most:,}"
        return default
    return int(text)


def _refuse_bundle(form: Form, problem: Problem, rows: list[int]) -> None:
    refuse(form, problem, ())
    for error in getattr(problem, "errors", []):
        place = error.pointer.removeprefix("/components/").partition("/")[0]
        if place.isdigit() and int(place) < len(rows):
            form.errors.pop("", None)
            form.errors[f"sku-{rows[int(place)]}"] = error.detail[:1].upper() + error.detail[1:]
    if problem.slug == "bundle-refused":
        reason = getattr(problem, "reason", "") or problem.members().get("reason", "")
        form.errors = {"": WHY_NO_BUNDLE.get(str(reason), "This cannot be a bundle")}


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
