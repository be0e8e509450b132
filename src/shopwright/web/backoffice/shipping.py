"""Shipping: zones of places that cost the same, and ways to ship with their prices by zone and currency."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any, Final
from uuid import UUID

from litestar import Response

from shopwright.chassis.problems import document
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import InvalidInput, NotFound

from ..clients.remote import unless_away
from ..clients.shop_rules import Zone
from ..forms import Form
from .desk import Desk, action, page
from .editing import CURRENCIES
from .shipping_forms import METHOD, method_form, method_of, rows_of, zone_form, zone_of
from .tax import READ, WRITE, refuse

PATH: Final = "/admin/shipping"
_CODE: Final = re.compile("[a-z0-9_-]{1,40}")
_RULE: Final = re.compile("/rules/([0-9]{1,3})/([a-z_]+)")


@page(PATH, READ)
async def show_shipping(desk: Desk) -> Response[bytes]:
    token, rules = await desk.token(), desk.site.rules
    zones, methods = await asyncio.gather(unless_away(rules.zones(token)), unless_away(rules.methods(token)))
    return await desk.page("admin/shipping.html", zones=zones, methods=methods, zone_names=_names(zones))


@page(f"{PATH}/zones/new", WRITE)
async def new_zone(desk: Desk) -> Response[bytes]:
    return await _zone(desk, None, Form({"key": secrets.token_hex(16)}))


@action(f"{PATH}/zones/new", WRITE)
async def add_zone(desk: Desk) -> Response[bytes]:
    return await _save_zone(desk, None)


@page(f"{PATH}/zones/{{zone_id:uuid}}", WRITE)
async def edit_zone(desk: Desk, zone_id: UUID) -> Response[bytes]:
    zones = await desk.site.rules.zones(await desk.token())
    found = next((zone for zone in zones if zone.id == zone_id), None)
    if found is None:
        raise NotFound(detail="There is no such zone; it may have been removed.")
    return await _zone(desk, zone_id, zone_form(found))


@action(f"{PATH}/zones/{{zone_id:uuid}}", WRITE)
async def save_zone(desk: Desk, zone_id: UUID) -> Response[bytes]:
    return await _save_zone(desk, zone_id)


@action(f"{PATH}/zones/{{zone_id:uuid}}/remove", WRITE)
async def remove_zone(desk: Desk, zone_id: UUID) -> Response[bytes]:
    """Remove a zone that no way of shipping has prices for."""
    try:
        await desk.site.rules.remove_zone(await desk.token(), zone_id)
    except Problem as problem:
        if problem.kind != "conflict":
            raise
        text = "Not removed: a way of shipping has prices for this zone. Take those out first."
        return await desk.not_done(text, PATH)
    return await desk.done("The zone was removed.", PATH)


@page(f"{PATH}/methods/new", WRITE)
async def new_method(desk: Desk) -> Response[bytes]:
    return await _method(desk, "", Form({"needs_address": "1"}))


@action(f"{PATH}/methods/new", WRITE)
async def add_method(desk: Desk) -> Response[bytes]:
    form = desk.form
    if not _CODE.fullmatch(form["code"]):
        form.errors["code"] = "Use 1 to 40 lower-case letters, digits, - or _, such as standard"
    elif any(one.code == form["code"] for one in await desk.site.rules.methods(await desk.token())):
        form.errors["code"] = "There is a way of shipping with this code already"
    return await _save_method(desk, "")


@page(f"{PATH}/methods/{{code:str}}", WRITE)
async def edit_method(desk: Desk, code: str) -> Response[bytes]:
    methods = await desk.site.rules.methods(await desk.token())
    found = next((method for method in methods if method.code == code), None)
    if found is None:
        raise NotFound(detail=f"There is no way of shipping {code}; it may have been removed.")
    return await _method(desk, code, method_form(found))


@action(f"{PATH}/methods/{{code:str}}", WRITE)
async def save_method(desk: Desk, code: str) -> Response[bytes]:
    return await _save_method(desk, code)


@action(f"{PATH}/methods/{{code:str}}/remove", WRITE)
async def remove_method(desk: Desk, code: str) -> Response[bytes]:
    await desk.site.rules.remove_method(await desk.token(), code)
    return await desk.done("It is offered no more. Placed orders keep it.", PATH)


async def _save_zone(desk: Desk, zone_id: UUID | None) -> Response[bytes]:
    form = desk.form
    zone = zone_of(form)
    if not form.errors:
        key = form["key"] or secrets.token_hex(16)
        try:
            await desk.site.rules.put_zone(await desk.token(), zone_id, zone, key=key)
        except Problem as problem:
            if problem.slug == "place-in-other-zone":
                said = document(problem)
                place = " ".join(str(said.get(name, "")) for name in ("country", "region")).strip()
                form.errors["places"] = f"{place} is in another zone already"
            else:
                refuse(form, problem, ("name", "places"))
            form.values["key"] = secrets.token_hex(16)
        else:
            return await desk.done(f"{form['name']} was saved.", PATH)
    return await _zone(desk, zone_id, form, status=422)


async def _save_method(desk: Desk, code: str) -> Response[bytes]:
    form = desk.form
    method = method_of(form)
    if not form.errors:
        try:
            await desk.site.rules.put_method(await desk.token(), code or form["code"], method)
        except Problem as problem:
            _refuse_rules(form, problem)
        else:
            return await desk.done(f"{form['name']} was saved.", PATH)
    return await _method(desk, code, form, status=422)


def _refuse_rules(form: Form, problem: Problem) -> None:
    """What is wrong with a rule stands beside its field: orders count filled rows, the page all of them."""
    rows = [row for row in rows_of(form) if form[f"rule-{row}-amount"]]
    refuse(form, problem, METHOD)
    for error in problem.errors if isinstance(problem, InvalidInput) else []:
        found = _RULE.fullmatch(error.pointer)
        if found and int(found[1]) < len(rows):
            form.errors.pop("", None)
            text = error.detail[:1].upper() + error.detail[1:]
            form.errors[f"rule-{rows[int(found[1])]}-{found[2]}"] = text


async def _zone(desk: Desk, zone_id: UUID | None, form: Form, status: int = 200) -> Response[bytes]:
    return await desk.page("admin/shipping_zone.html", status=status, zone_id=zone_id, form=form)


async def _method(desk: Desk, code: str, form: Form, status: int = 200) -> Response[bytes]:
    zones = await unless_away(desk.site.rules.zones(await desk.token()))
    own = desk.site.settings.currency
    return await desk.page(
        "admin/shipping_method.html", status=status, code=code, form=form, rows=rows_of(form),
        zones=[("", "Everywhere else"), *((str(zone.id), zone.name) for zone in zones or [])],
        currencies=list(dict.fromkeys([own, *CURRENCIES])),
    )  # fmt: skip


def _names(zones: list[Zone] | None) -> dict[UUID, str]:
    return {zone.id: zone.name for zone in zones or []}


HANDLERS: list[Any] = [
    show_shipping, new_zone, add_zone, edit_zone, save_zone, remove_zone, new_method, add_method, edit_method,
    save_method, remove_method,
]  # fmt: skip
