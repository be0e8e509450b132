"""Warehouses: which there are, which are taken from first, and which sell."""

from __future__ import annotations

import secrets
from typing import Any, Final

from litestar import Response

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound

from ..clients.stock import Warehouse
from ..forms import Form
from .desk import Desk, action, page
from .stock_rules import refuse, whole

PATH: Final = "/admin/warehouses"
FIELDS: Final = ("code", "name", "priority", "country", "active")
STRATEGIES: Final = (
    ("priority", "By priority", "The first in the list that has any, then the next."),
    ("fewest_parcels", "Fewest parcels", "One warehouse that has the whole order, where there is one."),
    ("nearest", "Nearest", "Warehouses in the buyer's country before all others."),
)


@page(PATH, "inventory:read")
async def list_warehouses(desk: Desk) -> Response[bytes]:
    found = await desk.site.stockroom.warehouses(await desk.token())
    return await desk.page(
        "admin/warehouses.html", warehouses=found.items, strategy=found.strategy, strategies=STRATEGIES
    )


@action(PATH, "inventory:write")
async def choose(desk: Desk) -> Response[bytes]:
    """Choose how an order's warehouses are found."""
    name = next((title for value, title, _ in STRATEGIES if value == desk.form["strategy"]), "")
    if not name:
        return await desk.not_done("Choose one of the ways.", PATH)
    await desk.site.stockroom.choose(await desk.token(), desk.form["strategy"])
    return await desk.done(f"Orders are taken from warehouses so now: {name.lower()}.", PATH)


@page(f"{PATH}/new", "inventory:write")
async def new_warehouse(desk: Desk) -> Response[bytes]:
    return await _form(desk, None, Form({"key": secrets.token_hex(16), "active": "1"}))


@action(f"{PATH}/new", "inventory:write")
async def add_warehouse(desk: Desk) -> Response[bytes]:
    return await _save(desk, None)


@page(f"{PATH}/{{code:str}}", "inventory:write")
async def edit_warehouse(desk: Desk, code: str) -> Response[bytes]:
    found = await _find(desk, code)
    shown = {"name": found.name, "priority": str(found.priority), "country": found.country or ""}
    return await _form(desk, found, Form(shown | ({"active": "1"} if found.active else {})))


@action(f"{PATH}/{{code:str}}", "inventory:write")
async def save_warehouse(desk: Desk, code: str) -> Response[bytes]:
    return await _save(desk, await _find(desk, code))


async def _find(desk: Desk, code: str) -> Warehouse:
    listed = await desk.site.stockroom.warehouses(await desk.token())
    found = next((place for place in listed.items if place.code == code), None)
    if found is None:
        raise NotFound(detail=f"There is no warehouse {code}.")
    return found


async def _save(desk: Desk, before: Warehouse | None) -> Response[bytes]:
    form, token, room = desk.form, await desk.token(), desk.site.stockroom
    form.require({"name": "Give it a name"} | ({} if before else {"code": "Give it a code"}))
    country = form["country"].upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        form.errors["country"] = "Use the two letters of the country, such as DE"
    values: dict[str, Any] = {
        "name": form["name"], "country": country or None, "active": bool(form["active"]),
    }  # fmt: skip
    if form["priority"] or before:
        values["priority"] = whole(form, "priority", least=1, most=1_000_000)
    if not form.errors:
        try:
            if before:
                await room.change_warehouse(token, before.code, values)
            else:
                new = values | {"code": form["code"].lower()}
                await room.make_warehouse(token, new, key=form["key"] or secrets.token_hex(16))
        except Problem as problem:
            refuse(form, problem, FIELDS)
            if problem.slug == "warehouse-exists":
                form.errors = {"code": "There is a warehouse of this code"}
            elif "code" in form.errors:
                form.errors["code"] = "Use up to 40 small letters, digits and hyphens"
        else:
            return await desk.done(f"{form['name']} is saved.", PATH)
    return await _form(desk, before, form, status=422)


async def _form(desk: Desk, before: Warehouse | None, form: Form, status: int = 200) -> Response[bytes]:
    path = f"{PATH}/{before.code if before else 'new'}"
    return await desk.page("admin/warehouse.html", status=status, before=before, form=form, path=path)


HANDLERS: list[Any] = [
    list_warehouses, choose, new_warehouse, add_warehouse, edit_warehouse, save_warehouse,
]  # fmt: skip
