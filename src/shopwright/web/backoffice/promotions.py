"""Promotions: listed with how they stand, made and changed by kind, with their coupons."""

from __future__ import annotations

import csv
import io
import secrets
from typing import Any
from uuid import UUID

from litestar import Response

from shopwright.contracts.problem import Problem

from ..clients.promotions import Coupon, CouponPage, Promotion
from ..clients.remote import is_away, unless_away
from ..forms import Form
from . import fields
from .desk import Desk, action, page
from .promoting import (
    CODES_MAX,
    COUPON,
    FIELDS,
    KINDS,
    OWN,
    PATH,
    READ,
    STACKING,
    STATES,
    WRITE,
    codes,
    form_of,
    new_form,
    terms_of,
)

ONE = f"{PATH}/{{promotion_id:uuid}}"
EXPORT_PAGE = 100


@page(PATH, READ)
async def list_promotions(desk: Desk) -> Response[bytes]:
    cursor = desk.query.get("cursor", "")
    found = await desk.site.promotions.listed(await desk.token(), cursor=cursor)
    return await desk.page(
        "admin/promotions.html", promotions=found.items, next_cursor=found.next_cursor, first=not cursor,
        kinds=KINDS, states=STATES,
    )  # fmt: skip


@page(f"{PATH}/new", WRITE)
async def new_promotion(desk: Desk) -> Response[bytes]:
    kind = desk.query.get("kind", "")
    if kind not in KINDS:
        return await desk.page("admin/promotion_kinds.html", kinds=KINDS)
    return await _edit(desk, None, new_form(kind, secrets.token_hex(16)))


@action(f"{PATH}/new", WRITE)
async def create_promotion(desk: Desk) -> Response[bytes]:
    form = desk.form
    kind = form["kind"] if form["kind"] in KINDS else "percentage"
    terms = terms_of(form, kind) | {"kind": kind}
    if not form.errors:
        try:
            made = await desk.site.promotions.create(
                await desk.token(), terms, key=form["key"] or secrets.token_hex(16)
            )
        except Problem as problem:
            _refuse(form, problem, FIELDS)
            form.values["key"] = secrets.token_hex(16)
        else:
            return await desk.done(f"{made.name} was made.", f"{PATH}/{made.id}")
    return await _edit(desk, None, form, status=422)


@page(ONE, READ)
async def show_promotion(desk: Desk, promotion_id: UUID) -> Response[bytes]:
    promotion = await desk.site.promotions.promotion(await desk.token(), promotion_id)
    return await _edit(desk, promotion, form_of(promotion))


@action(ONE, WRITE)
async def save_promotion(desk: Desk, promotion_id: UUID) -> Response[bytes]:
    form, promotions = desk.form, desk.site.promotions
    promotion = await promotions.promotion(await desk.token(), promotion_id)
    terms = terms_of(form, promotion.kind)
    if not form.errors:
        try:
            await promotions.change(await desk.token(), promotion_id, terms)
        except Problem as problem:
            _refuse(form, problem, FIELDS)
        else:
            return await desk.done(f"{form['name']} was saved.", f"{PATH}/{promotion_id}")
    return await _edit(desk, promotion, form, status=422)


@action(f"{ONE}/switch", WRITE)
async def switch_promotion(desk: Desk, promotion_id: UUID) -> Response[bytes]:
    """On or off; orders that were placed keep what they got."""
    active = bool(desk.form["on"])
    changed = await desk.site.promotions.change(await desk.token(), promotion_id, {"active": active})
    words = "counts again" if active else "is switched off: carts get it no more"
    return await desk.done(f"{changed.name} {words}.", f"{PATH}/{promotion_id}")


@action(f"{ONE}/coupons", WRITE)
async def add_coupon(desk: Desk, promotion_id: UUID) -> Response[bytes]:
    """One code that staff chose, or many that nobody guesses."""
    form, at = desk.form, f"{PATH}/{promotion_id}"
    limits = {name: fields.whole(form, name) for name in ("uses_max", "uses_per_customer_max")}
    many = "count" in form.values
    count = fields.whole(form, "count", most=CODES_MAX) if many else 1
    form.require({"count": "Enter how many codes"} if many else {"code": "Enter the code"})
    key = form["key"] or secrets.token_hex(16)
    wanted = codes(form["prefix"], count or 1, key) if many else [form["code"]]
    if not form.errors:
        token = await desk.token()
        try:
            for number, code in enumerate(wanted):
                await desk.site.promotions.add_coupon(
                    token, promotion_id, {"code": code} | limits, key=f"{key}-{number}"
                )
        except Problem as problem:
            _refuse(form, problem, COUPON)
            form.values["key"] = key if is_away(problem) else secrets.token_hex(16)
        else:
            made = f"{len(wanted)} codes were made." if many else f"The code {form['code']} was made."
            return await desk.done(made, f"{at}#coupons")
    promotion = await desk.site.promotions.promotion(await desk.token(), promotion_id)
    return await _edit(desk, promotion, form_of(promotion), coupon=form, status=422)


@action(f"{ONE}/coupons/remove", WRITE)
async def remove_coupon(desk: Desk, promotion_id: UUID) -> Response[bytes]:
    await desk.site.promotions.remove_coupon(await desk.token(), desk.form["code"])
    at = f"{PATH}/{promotion_id}#coupons"
    return await desk.done(f"The code {desk.form['code']} was taken back.", at)


@page(f"{ONE}/coupons.csv", READ)
async def download_coupons(desk: Desk, promotion_id: UUID) -> Response[bytes]:
    """All codes of a promotion as a file."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["code", "uses", "uses_max", "uses_per_customer_max"])
    cursor: str | None = ""
    while cursor is not None:
        found = await desk.site.promotions.coupons(
            await desk.token(), promotion_id, cursor=cursor, limit=EXPORT_PAGE
        )
        rows.writerows(_row(coupon) for coupon in found.items)
        cursor = found.next_cursor
    headers = {
        "content-disposition": f'attachment; filename="coupons-{promotion_id}.csv"',
        "cache-control": "no-store",
    }
    return Response(text.getvalue().encode(), media_type="text/csv", headers=headers)


def _row(coupon: Coupon) -> list[Any]:
    return [coupon.code, coupon.uses, coupon.uses_max or "", coupon.uses_per_customer_max or ""]


async def _edit(
    desk: Desk, promotion: Promotion | None, form: Form, *, coupon: Form | None = None, status: int = 200
) -> Response[bytes]:
    cursor = desk.query.get("cursor", "")
    found: CouponPage | None = CouponPage()
    if promotion is not None and promotion.needs_code:
        asked = desk.site.promotions.coupons(await desk.token(), promotion.id, cursor=cursor)
        found = await unless_away(asked)
    return await desk.page(
        "admin/promotion.html", status=status, promotion=promotion, form=form, kinds=KINDS, states=STATES,
        own=OWN[form["kind"] if promotion is None else promotion.kind], stacking=STACKING,
        coupons=None if found is None else found.items, first=not cursor,
        next_cursor=found.next_cursor if found else None, codes_max=CODES_MAX,
        coupon=coupon or Form({"key": secrets.token_hex(16)}),
    )  # fmt: skip


def _refuse(form: Form, problem: Problem, names: tuple[str, ...]) -> None:
    if problem.kind not in {"invalid", "conflict"} and not is_away(problem):
        raise problem
    form.refuse(problem, names)


HANDLERS: list[Any] = [
    list_promotions, new_promotion, create_promotion, show_promotion, save_promotion, switch_promotion,
    add_coupon, remove_coupon, download_coupons,
]  # fmt: skip
