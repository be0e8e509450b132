"""An order that staff put together, opened by the link that its buyer was mailed: it becomes the cart of
this browser, to be looked at and paid like any other.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get

from shopwright.contracts.problems import NotFound

from ..visit import Visit


@get("/drafts/{draft_id:uuid}", include_in_schema=False)
async def open_draft(visit: Visit, draft_id: UUID) -> Response[bytes]:
    """One of an account is opened by its buyer only, who may have to log in."""
    try:
        cart = await visit.site.orders.cart(await visit.token(), draft_id)
    except NotFound:
        if visit.identity is None:
            return visit.log_in_first()
        raise
    await visit.site.sessions.set_cart(await visit.start_session(), cart.id, cart.count, cart.currency)
    return visit.go("/cart")


HANDLERS: list[Any] = [open_draft]
