"""What staff (`catalog:write`) may change in the catalogue. Every answer is the product as it is then."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, delete, patch, post, put
from litestar.datastructures import UploadFile
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.db import Once
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id

from ..cleaning import one_line
from ..commands import Catalog, Categories
from ..commands.categories import CategoryView
from ..commands.products import refs
from ..documents import ProductView
from ..domain import PICTURES_MAX, Picture, PictureRefused, Product
from ..edits import (
    CategoryChange,
    NewCategory,
    NewProduct,
    NewVariant,
    PicturesChange,
    ProductChange,
    VariantChange,
    without_picture,
    without_variant,
)
from ..merging import Tree, placed
from ..pictures import UPLOAD_MAX, Pictures
from .reading import PRIVATE

SCOPE = "catalog:write"
FORM_EXTRA = 65_536  # what a multipart form adds to the file

MADE = {201: ResponseSpec(ProductView, generate_examples=False, description="")}
DONE = {200: ResponseSpec(ProductView, generate_examples=False, description="")}

Alt = Annotated[str, Parameter(max_length=500, description="What the picture shows, for who cannot see it.")]


@post("/v1/products", tags=["catalogue"], responses=MADE)
async def create_product(
    data: NewProduct, request: Request, principal: Principal, catalog: Catalog
) -> Response[bytes]:
    """Add a product; a draft unless `status` says otherwise."""
    once = await _staff(request, principal)
    return await _shown(catalog, await catalog.create(data, once), created=True)


@patch("/v1/products/{name:str}", tags=["catalogue"], responses=DONE)
async def change_product(
    name: str, data: ProductChange, request: Request, principal: Principal, catalog: Catalog
) -> Response[bytes]:
    """Change what is given; `version` (or If-Match) refuses to overwrite somebody else's change."""
    once = await _staff(request, principal)
    given = await _given(request)

    def edit(product: Product, tree: Tree) -> Product:
        edited = data.on(product, given)
        if "categories" in given:
            edited = placed(edited, refs(tree, data.categories or []))
        return edited

    version = _version(request, data.version)
    return await _shown(catalog, await catalog.edit(name, edit, version=version, once=once))


@delete("/v1/products/{name:str}", status_code=204, tags=["catalogue"])
async def delete_product(name: str, request: Request, principal: Principal, catalog: Catalog) -> None:
    """Remove a product for good; `archived` only hides it."""
    once = await _staff(request, principal)
    await catalog.delete(name, once)


@post("/v1/products/{name:str}/variants", tags=["catalogue"], responses=MADE)
async def add_variant(
    name: str, data: NewVariant, request: Request, principal: Principal, catalog: Catalog
) -> Response[bytes]:
    """Add a variant."""
    once = await _staff(request, principal)
    return await _shown(catalog, await catalog.add_variant(name, data, once), created=True)


@patch("/v1/products/{name:str}/variants/{variant_id:uuid}", tags=["catalogue"], responses=DONE)
async def change_variant(
    name: str, variant_id: UUID, data: VariantChange, request: Request, principal: Principal, catalog: Catalog
) -> Response[bytes]:
    """Change what is given of a variant; `price` and `compare_at` of one currency, `prices` of all."""
    once = await _staff(request, principal)
    given = await _given(request)
    version = _version(request, data.version)

    def edit(product: Product, _tree: Tree) -> Product:
        return data.on(product, variant_id, given, catalog.currency)

    return await _shown(catalog, await catalog.edit(name, edit, version=version, once=once))


@delete(
    "/v1/products/{name:str}/variants/{variant_id:uuid}", status_code=200, tags=["catalogue"], responses=DONE
)
async def delete_variant(
    name: str, variant_id: UUID, request: Request, principal: Principal, catalog: Catalog
) -> Response[bytes]:
    """Remove a variant; the last one stays."""
    once = await _staff(request, principal)
    id_ = await catalog.edit(name, lambda product, _: without_variant(product, variant_id), once=once)
    return await _shown(catalog, id_)


@post(
    "/v1/products/{name:str}/pictures",
    tags=["catalogue"],
    responses=MADE,
    request_max_body_size=UPLOAD_MAX + FORM_EXTRA,
)
async def add_picture(
    name: str, request: Request, principal: Principal, catalog: Catalog, pictures: Pictures, alt: Alt = ""
) -> Response[bytes]:
    """Add a picture: the file as the body (`image/…`), or `file` and `alt` of a multipart form.

    JPEG, PNG, WebP, GIF, or a plain SVG drawing, at most 16 MiB.
    """
    once = await _staff(request, principal)
    content, filename, said = await _upload(request)
    stored = await pictures.store_picture(content, filename)
    fresh = Picture(new_id(), stored.path, one_line(said or alt)[:500], stored.width, stored.height)

    def edit(product: Product, _tree: Tree) -> Product:
        if len(product.pictures) >= PICTURES_MAX:
            raise invalid("/pictures", f"must be at most {PICTURES_MAX}")
        others = [picture for picture in product.pictures if picture.url != fresh.url]
        return msgspec.structs.replace(product, pictures=[*others, fresh])

    return await _shown(catalog, await catalog.edit(name, edit, once=once), created=True)


@put("/v1/products/{name:str}/pictures", tags=["catalogue"], responses=DONE)
async def set_pictures(
    name: str, data: PicturesChange, request: Request, principal: Principal, catalog: Catalog
) -> Response[bytes]:
    """Set which pictures are shown, in which order, and what they show."""
    once = await _staff(request, principal)
    version = _version(request, data.version)
    id_ = await catalog.edit(name, lambda product, _: data.on(product), version=version, once=once)
    return await _shown(catalog, id_)


@delete(
    "/v1/products/{name:str}/pictures/{picture_id:uuid}", status_code=200, tags=["catalogue"], responses=DONE
)
async def delete_picture(
    name: str, picture_id: UUID, request: Request, principal: Principal, catalog: Catalog
) -> Response[bytes]:
    """Take a picture off a product."""
    once = await _staff(request, principal)
    id_ = await catalog.edit(name, lambda product, _: without_picture(product, picture_id), once=once)
    return await _shown(catalog, id_)


@post("/v1/categories", tags=["catalogue"])
async def create_category(
    data: NewCategory, request: Request, principal: Principal, categories: Categories
) -> CategoryView:
    """Add a category, at the top or below `parent`."""
    return await categories.create(data, await _staff(request, principal))


@patch("/v1/categories/{name:str}", tags=["catalogue"])
async def change_category(
    name: str, data: CategoryChange, request: Request, principal: Principal, categories: Categories
) -> CategoryView:
    """Change what is given of a category, by its slug or id; `parent` moves it with all below."""
    once = await _staff(request, principal)
    return await categories.change(name, data, await _given(request), once)


@delete("/v1/categories/{name:str}", status_code=204, tags=["catalogue"])
async def delete_category(name: str, request: Request, principal: Principal, categories: Categories) -> None:
    """Remove an empty category."""
    await categories.delete(name, await _staff(request, principal))


async def _staff(request: Request, principal: Principal) -> Once | None:
    principal.require(SCOPE)
    return await once_of(request, str(principal.user_id))


async def _given(request: Request) -> frozenset[str]:
    """The members that the body has: what is left out is not changed."""
    return frozenset(msgspec.json.decode(await request.body(), type=dict[str, msgspec.Raw]))


def _version(request: Request, member: int | None) -> int | None:
    """The version that the client read, from the body or from If-Match (`"v3"`, as ETag told it)."""
    tag = request.headers.get("if-match", "").strip()
    if not tag or tag == "*":
        return member
    number = tag.removeprefix("W/").strip('"').removeprefix("v")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise invalid("/headers/if-match", 'must be the ETag that staff are given, such as "v3"')
    return int(number)


async def _upload(request: Request) -> tuple[bytes, str, str]:
    """The file, its name and what a form says it shows."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        if not kind.startswith("image/") and kind != "application/octet-stream":
            raise PictureRefused(detail="send the file as image/… or in the field file of a multipart form")
        return await request.body(), "", ""
    form = await request.form()
    file, alt = form.get("file"), form.get("alt")
    if not isinstance(file, UploadFile):
        raise invalid("/file", "is required")
    return await file.read(), file.filename or "", alt if isinstance(alt, str) else ""


async def _shown(catalog: Catalog, product_id: UUID, *, created: bool = False) -> Response[bytes]:
    shelved = await catalog.read(str(product_id))
    content = shelved.detail(catalog.currency, strict=False).fill(shelved.stock)
    headers = {"etag": f'"v{shelved.product.version}"', "cache-control": PRIVATE}
    if created:
        headers["location"] = f"/v1/products/{product_id}"
    return Response(content, status_code=201 if created else 200, media_type=MediaType.JSON, headers=headers)


HANDLERS: list[object] = [
    create_product, change_product, delete_product, add_variant, change_variant, delete_variant, add_picture,
    set_pictures, delete_picture, create_category, change_category, delete_category,
]  # fmt: skip
