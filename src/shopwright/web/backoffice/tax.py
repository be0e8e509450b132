"""Tax: whether prices include it, where the shop is, and the rates by country, region and class."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final
from uuid import UUID

from litestar import Response

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound

from ..clients.remote import is_away, unless_away
from ..clients.shop_rules import TaxRate, TaxSettings
from ..forms import Form
from . import fields
from .desk import Desk, action, page

PATH: Final = "/admin/tax"
READ, WRITE = "settings:read", "settings:write"
RATES_PAGE: Final = 100
RATE: Final = ("name", "country", "region", "tax_class", "percent")
SETTINGS: Final = ("prices_include_tax", "country", "shipping_tax_class")
MODES: Final = (("1", "Prices include tax"), ("0", "Tax is added to prices"))
_TAKEN: Final = "tax-rate-exists"


@page(PATH, READ)
async def show_tax(desk: Desk) -> Response[bytes]:
    return await _show(desk)


@action(PATH, WRITE)
async def save_settings(desk: Desk) -> Response[bytes]:
    form = desk.form
    wanted = {
        "prices_include_tax": form["prices_include_tax"] != "0",
        "country": form["country"] or None,
        "shipping_tax_class": form["shipping_tax_class"].lower() or "standard",
    }
    try:
        await desk.site.rules.set_tax_settings(await desk.token(), wanted)
    except Problem as problem:
        refuse(form, problem, SETTINGS)
        return await _show(desk, settings=form, status=422)
    return await desk.done("Saved. It holds for the next order.", PATH)


@page(f"{PATH}/rates/new", WRITE)
async def new_rate(desk: Desk) -> Response[bytes]:
    return await _rate(desk, None, Form({"tax_class": "standard", "key": secrets.token_hex(16)}))


@action(f"{PATH}/rates/new", WRITE)
async def add_rate(desk: Desk) -> Response[bytes]:
    return await _save(desk, None)


@page(f"{PATH}/rates/{{rate_id:uuid}}", WRITE)
async def edit_rate(desk: Desk, rate_id: UUID) -> Response[bytes]:
    rate = await _find(desk, rate_id)
    typed = {name: getattr(rate, name) for name in RATE} | {"percent": fields.percent_text(rate.percent)}
    return await _rate(desk, rate_id, Form(typed))


@action(f"{PATH}/rates/{{rate_id:uuid}}", WRITE)
async def save_rate(desk: Desk, rate_id: UUID) -> Response[bytes]:
    return await _save(desk, rate_id)


@action(f"{PATH}/rates/{{rate_id:uuid}}/remove", WRITE)
async def remove_rate(desk: Desk, rate_id: UUID) -> Response[bytes]:
    await desk.site.rules.remove_rate(await desk.token(), rate_id)
    return await desk.done("The rate was removed. Placed orders keep theirs.", PATH)


async def _save(desk: Desk, rate_id: UUID | None) -> Response[bytes]:
    form = desk.form
    form.require(
        {
            "name": "Enter the name that buyers read, such as VAT",
            "country": "Choose the country",
            "percent": "Enter how many percent are due",
        }
    )
    rate = {name: form[name] for name in ("name", "country", "region")} | {
        "tax_class": form["tax_class"].lower() or "standard",
        "percent": fields.percent(form, "percent"),
    }
    if not form.errors:
        key = form["key"] or secrets.token_hex(16)
        try:
            await desk.site.rules.put_rate(await desk.token(), rate_id, rate, key=key)
        except Problem as problem:
            if problem.slug == _TAKEN:
                form.errors["tax_class"] = "There is a rate for this place and class already"
            else:
                refuse(form, problem, RATE)
            form.values["key"] = secrets.token_hex(16)
        else:
            return await desk.done(f"{form['name']} was saved.", PATH)
    return await _rate(desk, rate_id, form, status=422)


async def _rate(desk: Desk, rate_id: UUID | None, form: Form, status: int = 200) -> Response[bytes]:
    return await desk.page("admin/tax_rate.html", status=status, rate_id=rate_id, form=form)


async def _find(desk: Desk, rate_id: UUID) -> TaxRate:
    rates = await desk.site.rules.rates(await desk.token())
    found = next((rate for rate in rates if rate.id == rate_id), None)
    if found is None:
        raise NotFound(detail="There is no such rate; it may have been removed.")
    return found


async def _show(desk: Desk, *, settings: Form | None = None, status: int = 200) -> Response[bytes]:
    token, rules = await desk.token(), desk.site.rules
    rates, now = await asyncio.gather(unless_away(rules.rates(token)), unless_away(rules.tax_settings(token)))
    start = int(desk.query["cursor"]) if desk.query.get("cursor", "").isdecimal() else 0
    shown = None if rates is None else rates[start : start + RATES_PAGE]
    more = rates is not None and len(rates) > start + RATES_PAGE
    return await desk.page(
        "admin/tax.html", status=status, rates=shown, settings=settings or (now and _settings_form(now)),
        modes=MODES, first=not start, next_cursor=start + RATES_PAGE if more else None,
        percent=fields.percent_text,
    )  # fmt: skip


def _settings_form(settings: TaxSettings) -> Form:
    return Form(
        {
            "prices_include_tax": "1" if settings.prices_include_tax else "0",
            "country": settings.country or "",
            "shipping_tax_class": settings.shipping_tax_class,
        }
    )


def refuse(form: Form, problem: Problem, names: tuple[str, ...]) -> None:
    """Put a refusal into the form; raises what no form can tell."""
    if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
        raise problem
    form.refuse(problem, names)


HANDLERS: list[Any] = [
    show_tax, save_settings, new_rate, add_rate, edit_rate, save_rate, remove_rate,
]  # fmt: skip
