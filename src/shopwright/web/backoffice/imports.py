"""Imports: hand over a file, watch it being read, and see which of its rows were refused and why.

The file passes through in pieces: only the form's own copy on the disk holds it whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.datastructures import UploadFile

from shopwright.contracts.problem import Problem

from ..clients.products import RowErrors
from ..clients.remote import is_away, unless_away
from ..forms import Form
from .desk import Desk, action, page
from .words import IMPORT_STATUS

PATH: Final = "/admin/imports"
SCOPE: Final = "catalog:write"
UPLOAD_MAX: Final = 536_870_912  # as products and the gateway have it
ENVELOPE: Final = 65_536  # of the form around the file
CHUNK: Final = 262_144
FIELDS: Final = ("file", "format", "currency", "warehouse", "stock")
FORMATS: Final = (
    ("", "Find out by itself"), ("csv", "Our own CSV"), ("jsonl", "Our own JSON Lines"),
    ("shopify", "Shopify CSV"), ("woocommerce", "WooCommerce CSV"), ("spree", "Spree CSV"),
    ("saleor", "Saleor fixture JSON"),
)  # fmt: skip


@page(PATH, SCOPE)
async def list_imports(desk: Desk) -> Response[bytes]:
    return await _list(desk, Form({}))


@action(PATH, SCOPE, body_max=UPLOAD_MAX + ENVELOPE)
async def start_import(desk: Desk) -> Response[bytes]:
    form = desk.form
    upload = form.files.get("file")
    if upload is None or not upload.filename:
        form.errors["file"] = "Choose the file to import"
    if form["currency"] and not (len(form["currency"]) == 3 and form["currency"].isalpha()):
        form.errors["currency"] = "Use a code of three letters, such as EUR"
    if form["stock"] and not (form["stock"].isascii() and form["stock"].isdigit()):
        form.errors["stock"] = "Enter a whole number, such as 10"
    if form.errors or upload is None:
        return await _list(desk, form, status=422)
    try:
        size = _size(upload)
        query = {name: form[name] for name in ("format", "warehouse", "stock") if form[name]}
        query |= {"filename": upload.filename, "currency": form["currency"].upper()}
        report = await desk.site.products.start_import(await desk.token(), _chunks(upload), size, query)
    except Problem as problem:
        if problem.kind not in {"invalid", "conflict", "rate_limited", "too_large"} and not is_away(problem):
            raise
        form.refuse(problem, FIELDS)
        return await _list(desk, form, status=422)
    finally:
        await upload.close()
    return desk.go(f"{PATH}/{report.id}")


@page(f"{PATH}/{{import_id:uuid}}", SCOPE)
async def show_import(desk: Desk, import_id: UUID) -> Response[bytes]:
    token, products = await desk.token(), desk.site.products
    cursor = desk.query.get("cursor", "")
    report, errors = await asyncio.gather(
        products.import_report(token, import_id),
        unless_away(products.import_errors(token, import_id, cursor=cursor)),
    )
    return await desk.page(
        "admin/import.html", report=report, errors=errors or RowErrors(), first=not cursor,
        statuses=IMPORT_STATUS,
    )  # fmt: skip


@action(f"{PATH}/{{import_id:uuid}}/cancel", SCOPE)
async def cancel_import(desk: Desk, import_id: UUID) -> Response[bytes]:
    back = f"{PATH}/{import_id}"
    try:
        await desk.site.products.cancel_import(await desk.token(), import_id)
    except Problem as problem:
        if problem.kind != "conflict":
            raise
        return await desk.not_done("This import has ended already.", back)
    return await desk.done("The import stops. Products it has put in stay.", back)


async def _list(desk: Desk, form: Form, status: int = 200) -> Response[bytes]:
    cursor = desk.query.get("cursor", "")
    found = await unless_away(desk.site.products.imports(await desk.token(), cursor=cursor))
    return await desk.page(
        "admin/imports.html", status=status, form=form, imports=found.items if found else None,
        next_cursor=found.next_cursor if found else None, first=not cursor, formats=FORMATS,
        statuses=IMPORT_STATUS,
    )  # fmt: skip


def _size(upload: UploadFile) -> int:
    end = upload.file.seek(0, 2)
    upload.file.seek(0)
    return end


async def _chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await upload.read(CHUNK):
        yield chunk


HANDLERS: list[Any] = [list_imports, start_import, show_import, cancel_import]
