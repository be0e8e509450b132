"""The first page of the day: what came in, what needs somebody, what is running out, what is away.

Its parts are asked for at the same time; one that does not answer says so in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from litestar import Response

from ..api import gather_letters
from ..clients.remote import unless_away
from .desk import STAFF, Desk, page, today

LOW = 5  # units: worth looking at
SCARCE: dict[str, Any] = {"low": LOW, "sort": "available", "limit": 6}
LETTERS_MAX = 100  # counted exactly up to here
Part = TypeVar("Part")


@page("/admin", STAFF)
async def overview(desk: Desk) -> Response[bytes]:
    token, site = await desk.token(), desk.site

    sales, low, letters, services = await asyncio.gather(
        _part(desk, "orders:read", lambda: site.orders.summary(token, today())),
        _part(desk, "inventory:read", lambda: site.products.stock_page(token, **SCARCE)),
        _part(desk, "operations:read", lambda: gather_letters(site.operations, None, LETTERS_MAX)),
        _part(desk, "operations:read", site.operations.readiness),
    )
    return await desk.page(
        "admin/overview.html", sales=sales, low=low, low_at=LOW, letters=letters, services=services,
        letters_max=LETTERS_MAX,
    )  # fmt: skip


async def _part(desk: Desk, scope: str, ask: Callable[[], Awaitable[Part]]) -> Part | None:
    """A part of the page; None when its service is away, or when it is not for this account."""
    return await unless_away(ask()) if desk.may(scope) else None


HANDLERS: list[Any] = [overview]
