"""What everybody may read of the catalogue, and what orders is told.

Answers to the public may be kept for a moment by any cache; with the shelf's own moment they are at most two
seconds old. Staff (`catalog:read`) see drafts and archived products too, and nobody keeps that.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.paging import Limit, Page, decode_cursor, encode_cursor
from shopwright.chassis.validation import invalid
from shopwright.contracts.problems import NotFound
from shopwright.contracts.products import QuoteRequest, Quotes

from ..cleaning import one_line
from ..commands import Catalog, Categories
from ..commands.categories import CategoryTree
from ..documents import Card, ProductView, etag_of
from ..domain import Sort
from ..drafts import Status
from ..store.listings import Position, StaffWanted, Wanted

STAFF = "catalog:read"
MAY_QUOTE = ("orders",)
PUBLIC = "public, max-age=1"
CATEGORIES = "public, max-age=5"
PRIVATE = "private, no-store"

Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Key = Annotated[str, msgspec.Meta(pattern="^[^\\x00]*$")]
Currency = Annotated[str | None, Parameter(pattern="^[A-Z]{3}$", description="ISO 4217, such as EUR.")]


def _told(shape: Any) -> dict[int, ResponseSpec]:
    """What encoded bytes hold, for the API reference."""
    return {200: ResponseSpec(shape, generate_examples=False, description="")}


@get("/v1/products", tags=["catalogue"], responses=_told(Page[Card]))
async def list_products(
    request: Request,
    principal: Principal,
    catalog: Catalog,
    categories: Categories,
    limit: Limit = 24,
    cursor: str | None = None,
    category: Annotated[str, Parameter(max_length=200)] = "",
    sort: Sort | None = None,
    currency: Currency = None,
    status: Status | None = None,
    q: Annotated[str, Parameter(max_length=200)] = "",
) -> Response[bytes]:
    """Products, the newest first unless `sort` says otherwise; those of a category and all below it.

    With `currency` only what is sold in it; without, prices are in the shop's own currency, or else in one
    the product has. Staff see products of every status, and may ask for one, or for part (`q`) of a name or
    a SKU.
    """
    if status not in {None, "active"} or q:
        principal.require(STAFF)
    place = await categories.id_of(category)
    shown_in = currency or catalog.currency
    if principal.may(STAFF) and (sort in {None, "newest"} or status or q):
        if sort not in {None, "newest"}:
            raise invalid("/query/sort", "with status or q products are sorted by newest only")
        wanted = StaffWanted(status, one_line(q), place if category else None, decode_cursor(cursor, UUID))
        ids = await catalog.listed_for_staff(wanted, limit + 1)
        last = ids[limit - 1] if len(ids) > limit else None
        cards = await catalog.cards_for_staff(ids[:limit], shown_in)
        return _page(cards, encode_cursor(last) if last else None, PRIVATE, request)
    how = sort or "newest"
    found = await catalog.listed(
        Wanted(place, how, catalog.currency, currency, _position(cursor, how)), limit + 1
    )
    cards = await catalog.cards([position.id for position in found[:limit]], shown_in)
    more = encode_cursor((how, *found[limit - 1])) if len(found) > limit else None
    return _page(cards, more, PRIVATE if principal.may(STAFF) else PUBLIC, request)


@get("/v1/products/{name:str}", tags=["catalogue"], responses=_told(ProductView))
async def read_product(
    name: str, request: Request, principal: Principal, catalog: Catalog, currency: Currency = None
) -> Response[bytes]:
    """One product by its id or slug.

    With `currency` a variant without a price in it is not for sale and has none; without, prices are in the
    shop's own currency, or else in one the product has.
    """
    staff = principal.may(STAFF)
    shelved = await (catalog.read(name) if staff else catalog.shown(name))
    if not shelved.active and not staff:
        raise NotFound(detail=f"no product {name}")
    document = shelved.detail(currency or catalog.currency, strict=currency is not None)
    content = document.fill(shelved.stock)
    if staff:
        return _answer(content, f'"v{shelved.product.version}"', PRIVATE, request)
    return _answer(content, document.etag, PUBLIC, request)


@get("/v1/categories", tags=["catalogue"], responses=_told(CategoryTree))
async def list_categories(request: Request, principal: Principal, categories: Categories) -> Response[bytes]:
    """The category tree: parents before their children, siblings in their order."""
    if principal.may(STAFF):
        content = msgspec.json.encode(await categories.all())
        return _answer(content, etag_of(content), PRIVATE, request)
    content = await categories.shown()
    return _answer(content, etag_of(content), CATEGORIES, request)


@post("/internal/quotes", status_code=200, include_in_schema=False)
async def quote(data: QuoteRequest, principal: Principal, catalog: Catalog) -> Quotes:
    principal.require_caller(MAY_QUOTE)
    return Quotes(await catalog.quotes(data.skus, data.currency))


def _position(cursor: str | None, sort: Sort) -> Position | None:
    """Where a page ended; raises InvalidInput for a cursor that is none of a list sorted so."""
    if not cursor:
        return None
    key_type: Any = {"newest": None, "name": Key}.get(sort, Number)
    after = decode_cursor(cursor, tuple[Sort, key_type, UUID])
    if after is None or after[0] != sort:
        raise invalid("/query/cursor", "is not a cursor of a list sorted so; leave it out for the first page")
    return Position(after[1], after[2])


def _page(cards: list[msgspec.Raw], more: str | None, cache: str, request: Request) -> Response[bytes]:
    content = b'{"items":[' + b",".join(bytes(card) for card in cards) + b'],"next_cursor":'
    content += msgspec.json.encode(more) + b"}"
    return _answer(content, etag_of(content), cache, request)


def _answer(content: bytes, etag: str, cache: str, request: Request) -> Response[bytes]:
    headers = {"etag": etag, "cache-control": cache}
    asked = request.headers.get("if-none-match", "")
    if asked and etag in {tag.strip().removeprefix("W/") for tag in asked.split(",")}:
        return Response(b"", status_code=304, headers=headers, media_type=MediaType.JSON)
    return Response(content, media_type=MediaType.JSON, headers=headers)


HANDLERS: list[object] = [list_products, read_product, list_categories, quote]
