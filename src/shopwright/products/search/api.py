"""Search over HTTP.

Every parameter that is not one of our own chooses from a facet: `?color=red&color=blue&size=m` finds what is
red or blue, in M. Names and values are compared without case and accents. A name that no product has as an
attribute or option is not ours (`utm_source`) and ignored; a value that no product has finds nothing.
`category` includes all categories below it. Amounts are minor units.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.paging import Limit, decode_cursor, encode_cursor
from shopwright.chassis.validation import invalid

from .commands import Search
from .domain import Ask, FacetValue, Position, Sort, Suggestion
from .schema import RESERVED

#: How long the gateway may keep an anonymous answer: cards are at most as old again (catalogue's shelf).
CACHE: Final = "public, max-age=1"
CACHE_SUGGESTIONS: Final = "public, max-age=30"
NAMES_MAX: Final = 20  # facets chosen from at once; each is counted by itself
VALUES_MAX: Final = 50  # chosen under one name

Currency = Annotated[str | None, Parameter(pattern="^[A-Z]{3}$", description="ISO 4217 code.")]
Amount = Annotated[int | None, Parameter(ge=0, le=10**13)]
Text = Annotated[
    str, Parameter(description="Words, a SKU or a barcode; only the first 200 characters count.")
]


class Results(msgspec.Struct, frozen=True):
    """`items` are cards as in `GET /v1/products`; `total` counts all pages; `facets` by name."""

    items: list[Any]
    total: int
    facets: dict[str, list[FacetValue]]
    next_cursor: str | None
    suggestion: str | None


class Suggestions(msgspec.Struct, frozen=True):
    items: list[Suggestion]


def _told(shape: Any) -> dict[int, ResponseSpec]:
    """What encoded bytes hold, for the API reference."""
    return {200: ResponseSpec(shape, generate_examples=False, description="")}


@get("/v1/search", tags=["search"], responses=_told(Results))
async def find(
    request: Request,
    principal: Principal,
    search: Search,
    q: Text = "",
    category: list[str] | None = None,
    brand: list[str] | None = None,
    in_stock: bool | None = None,
    price_min: Amount = None,
    price_max: Amount = None,
    currency: Currency = None,
    sort: Sort = "relevance",
    limit: Limit = 24,
    cursor: str | None = None,
) -> Response[bytes]:
    """Products by words, facets and prices, with the number of each facet's values among them.

    With `currency` only what is sold in it; without, prices are in the shop's own currency.
    """
    if price_min is not None and price_max is not None and price_min > price_max:
        raise invalid("/query/price_min", f"is above price_max ({price_max})")
    own = {"category": category or [], "brand": brand or []}
    if in_stock is not None:
        own["in_stock"] = ["true" if in_stock else "false"]
    ask = Ask(
        text=q, choices=_choices(request, own), price_min=price_min, price_max=price_max,
        currency=currency, sort=sort, limit=limit, after=decode_cursor(cursor, Position),
    )  # fmt: skip
    items, found = await search.find(ask)
    next_cursor = encode_cursor(found.next) if found.next else None
    results = Results(items, found.total, found.facets, next_cursor, found.suggestion)
    return _answer(results, CACHE, principal)


@get("/v1/search/suggest", tags=["search"], responses=_told(Suggestions))
async def suggest(
    principal: Principal, search: Search, q: Text = "", currency: Currency = None
) -> Response[bytes]:
    """What the buyer may be typing: categories, brands and products."""
    return _answer(Suggestions(await search.suggest(q, currency)), CACHE_SUGGESTIONS, principal)


@post("/v1/search/rebuild", status_code=202, tags=["search"])
async def rebuild(principal: Principal, search: Search) -> None:
    """Have the index built again from the catalogue; the old one answers until the new one is whole."""
    principal.require("catalog:write")
    await search.ask_rebuild()


def _choices(request: Request, own: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    chosen = own | {
        name: request.query_params.getall(name)
        for name in dict.fromkeys(request.query_params)
        if name not in RESERVED
    }
    filled = {name: tuple(value for value in values if value.strip()) for name, values in chosen.items()}
    found = {name: values for name, values in filled.items() if values}
    if len(found) > NAMES_MAX:
        raise invalid("/query", f"chooses from {len(found)} facets; {NAMES_MAX} is the limit")
    for name, values in found.items():
        if len(values) > VALUES_MAX:
            raise invalid(f"/query/{name}", f"has {len(values)} values; {VALUES_MAX} is the limit")
    return found


def _answer(body: msgspec.Struct, cache: str, principal: Principal) -> Response[bytes]:
    kept = cache if principal.user_id is None else "private, no-cache"
    return Response(msgspec.json.encode(body), media_type="application/json", headers={"cache-control": kept})


HANDLERS: list[object] = [find, suggest, rebuild]
