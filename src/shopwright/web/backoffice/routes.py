"""All pages of the back office in one router: the desk of each request, and how refusals look."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router
from litestar.di import Provide

from shopwright.contracts.problems import NotFound

from ..errors import error_pages
from ..site import Site
from . import (
    changes,
    drafts,
    entrance,
    gift_cards,
    imports,
    letters,
    orders,
    overview,
    products,
    promotions,
    reconciliations,
    shipping,
    stock,
    tax,
    variants,
    warehouses,
)
from .desk import STAFF, Desk, desk_of, page
from .refusals import tell


@page("/admin/{rest:path}", STAFF)
async def nowhere(desk: Desk, rest: str) -> Response[bytes]:  # noqa: ARG001 - only staff are told
    raise NotFound(detail="There is no such page in the back office.")


def router(site: Site) -> Router:
    pages: list[Any] = [
        *entrance.HANDLERS, *overview.HANDLERS, *orders.HANDLERS, *changes.HANDLERS, *drafts.HANDLERS,
        *stock.HANDLERS, *warehouses.HANDLERS, *imports.HANDLERS, *letters.HANDLERS, *products.HANDLERS,
        *variants.HANDLERS, *promotions.HANDLERS, *gift_cards.HANDLERS, *reconciliations.HANDLERS,
        *tax.HANDLERS, *shipping.HANDLERS, nowhere,
    ]  # fmt: skip
    return Router(
        "/",
        route_handlers=pages,
        dependencies={"desk": Provide(desk_of)},
        exception_handlers=error_pages(site, Desk, tell),
    )
