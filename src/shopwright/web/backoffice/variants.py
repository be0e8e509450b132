"""Variants and pictures of a product: prices of all in one form, one variant at a time, pictures in order."""

from __future__ import annotations

import secrets
from typing import Any, Final

from litestar import Response

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound

from ..clients.catalogue import Product, Variant
from ..formatting import decimal_text
from ..forms import Form
from . import editing
from .desk import Desk, action, page
from .editing import PATH, READ, WRITE, path_of
from .products import currency_of, show_product

OF_PRODUCT: Final = f"{PATH}/{{name:str}}"
PICTURE_MAX: Final = 16 * 1_048_576 + 65_536  # as products has it, and the form around it
PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/svg+xml")


@action(f"{OF_PRODUCT}/prices", WRITE)
async def save_prices(desk: Desk, name: str) -> Response[bytes]:
    """Save the prices that were changed, one variant after the other, each on top of the version before."""
    form, currency = desk.form, currency_of(desk)
    token, catalogue = await desk.token(), desk.site.catalogue
    product = await catalogue.product(token, name, currency)
    changes = _price_changes(form, product, currency, desk.site.settings.currency)
    version, saved, conflict = editing.version_of(form), 0, False
    for variant, change in [] if form.errors else changes:
        try:
            body = change | {"version": version}
            version = (await catalogue.change_variant(token, product.id, variant.id, body)).version
        except Problem as problem:
            conflict = editing.refuse(form, problem, ())
            if not conflict:
                form.errors[f"price-{variant.id}"] = form.errors.pop("", "") or str(problem)
            break
        saved += 1
    if not form.errors:
        text = f"{saved} {'price was' if saved == 1 else 'prices were'} saved."
        return await desk.done(text if saved else "No price was changed.", path_of(product.id, currency))
    form.values["version"] = str(product.version if conflict else version)
    return await show_product(desk, product.id, prices=form, status=409 if conflict else 422)


@page(f"{OF_PRODUCT}/variants/new", WRITE)
async def new_variant(desk: Desk, name: str) -> Response[bytes]:
    product = await desk.site.catalogue.product(await desk.token(), name, currency_of(desk))
    options = "\n".join(f"{option}: " for option in product.options)
    return await _show(desk, product, None, Form({"options": options, "key": secrets.token_hex(16)}))


@action(f"{OF_PRODUCT}/variants/new", WRITE)
async def add_variant(desk: Desk, name: str) -> Response[bytes]:
    form, currency = desk.form, currency_of(desk)
    token, catalogue = await desk.token(), desk.site.catalogue
    variant = editing.variant_of(form, currency)
    if not form.errors:
        try:
            key = form["key"] or secrets.token_hex(16)
            product = await catalogue.add_variant(token, name, variant, key=key)
        except Problem as problem:
            editing.refuse(form, problem, editing.VARIANT)
            form.values["key"] = secrets.token_hex(16)
        else:
            return await desk.done(f"{form['sku']} was added.", path_of(product.id, currency))
    product = await catalogue.product(token, name, currency)
    return await _show(desk, product, None, form, status=422)


@page(f"{OF_PRODUCT}/variants/{{variant_id:str}}", READ)
async def edit_variant(desk: Desk, name: str, variant_id: str) -> Response[bytes]:
    product = await desk.site.catalogue.product(await desk.token(), name, currency_of(desk))
    variant = _variant(product, variant_id)
    return await _show(desk, product, variant, editing.variant_form(variant, product.version))


@action(f"{OF_PRODUCT}/variants/{{variant_id:str}}", WRITE)
async def save_variant(desk: Desk, name: str, variant_id: str) -> Response[bytes]:
    form, currency, status = desk.form, currency_of(desk), 422
    token, catalogue = await desk.token(), desk.site.catalogue
    product = await catalogue.product(token, name, currency)
    variant = _variant(product, variant_id)
    change, theirs = editing.variant_of(form, currency), dict[str, str]()
    if change["price"] is None and currency != desk.site.settings.currency:
        if variant.price is not None:
            form.errors.setdefault("price", _KEEP_PRICE)
        del change["price"], change["compare_at"]
    if not form.errors:
        try:
            change["version"] = editing.version_of(form)
            product = await catalogue.change_variant(token, product.id, variant.id, change)
        except Problem as problem:
            if editing.refuse(form, problem, editing.VARIANT):
                status, form.values["version"] = 409, str(product.version)
                theirs = editing.variant_differences(form, variant)
        else:
            return await desk.done(f"{form['sku']} was saved.", path_of(product.id, currency))
    return await _show(desk, product, variant, form, status=status, theirs=theirs)


@action(f"{OF_PRODUCT}/variants/{{variant_id:str}}/remove", WRITE)
async def remove_variant(desk: Desk, name: str, variant_id: str) -> Response[bytes]:
    """Remove a variant for good; a product keeps its last one."""
    try:
        await desk.site.catalogue.remove_variant(await desk.token(), name, variant_id)
    except Problem as problem:
        if problem.kind != "conflict":
            raise
        return await desk.not_done(f"{problem.title}.", path_of(name))
    return await desk.done("The variant was removed.", path_of(name))


@action(f"{OF_PRODUCT}/pictures", WRITE, body_max=PICTURE_MAX)
async def add_picture(desk: Desk, name: str) -> Response[bytes]:
    form = desk.form
    upload = form.files.get("file")
    if upload is None or not upload.filename:
        form.errors["file"] = "Choose the picture to add"
    elif upload.content_type not in PICTURE_TYPES:
        form.errors["file"] = "Choose a JPEG, PNG, WebP, GIF or SVG picture"
    else:
        try:
            await desk.site.catalogue.add_picture(
                await desk.token(), name, await upload.read(), media_type=upload.content_type, alt=form["alt"]
            )
        except Problem as problem:
            editing.refuse(form, problem, ("file", "alt"))
            form.errors.setdefault("file", form.errors.pop("", "This picture was refused"))
        else:
            return await desk.done("The picture was added.", f"{path_of(name)}#pictures")
    return await show_product(desk, name, pictures=form, status=422)


@action(f"{OF_PRODUCT}/pictures/order", WRITE)
async def order_pictures(desk: Desk, name: str) -> Response[bytes]:
    """Put pictures in order, say what they show, take off what is ticked."""
    form, token, catalogue = desk.form, await desk.token(), desk.site.catalogue
    product = await catalogue.product(token, name, currency_of(desk))
    kept = [picture for picture in product.pictures if not form[f"off-{picture.id}"]]
    places = {picture.id: form.number(f"place-{picture.id}", 0, 9_999, 9_999) for picture in kept}
    kept.sort(key=lambda picture: places[picture.id])
    wanted = [{"url": picture.url, "alt": form[f"alt-{picture.id}"]} for picture in kept]
    try:
        await catalogue.set_pictures(token, product.id, wanted, editing.version_of(form))
    except Problem as problem:
        conflict = editing.refuse(form, problem, ())
        form.values["version"] = str(product.version)
        return await show_product(desk, name, pictures=form, status=409 if conflict else 422)
    return await desk.done("The pictures were saved.", f"{path_of(product.id)}#pictures")


_KEEP_PRICE = "Enter a price: in a currency other than the shop's own it can be changed but not taken away"


def _price_changes(
    form: Form, product: Product, currency: str, own: str
) -> list[tuple[Variant, dict[str, Any]]]:
    """What was typed differently from what is stored, by variant; errors stand in the form."""
    changes = []
    for variant in product.variants:
        price, compare_at = f"price-{variant.id}", f"compare-{variant.id}"
        stored = (decimal_text(variant.price), decimal_text(variant.compare_at))
        if price not in form.values or (form[price], form[compare_at]) == stored:
            continue
        change = editing.price_of(form, price, compare_at, currency)
        if change["price"] is None and currency != own and price not in form.errors:
            form.errors[price] = _KEEP_PRICE
        changes.append((variant, dict(change)))
    return changes


def _variant(product: Product, variant_id: str) -> Variant:
    variant = product.variant(variant_id)
    if variant is None:
        raise NotFound(detail=f"{product.name} has no such variant.")
    return variant


async def _show(
    desk: Desk, product: Product, variant: Variant | None, form: Form, *, status: int = 200,
    theirs: dict[str, str] | None = None,
) -> Response[bytes]:  # fmt: skip
    return await desk.page(
        "admin/variant.html", status=status, product=product, variant=variant, form=form,
        currency=currency_of(desk), theirs=theirs or {},
        pictures=[("", "The product's first"), *((p.url, p.alt or p.url) for p in product.pictures)],
    )  # fmt: skip


HANDLERS: list[Any] = [
    save_prices, new_variant, add_variant, edit_variant, save_variant, remove_variant, add_picture,
    order_pictures,
]  # fmt: skip
