"""Papers of an order over HTTP, as PDF: the invoice for its buyer and staff, packing slips for staff."""

from __future__ import annotations

from uuid import UUID

from litestar import Request, Response, get

from shopwright.chassis.auth import Principal

from ..commands.documents import Documents
from ..commands.orders import Orders
from .orders import STAFF, seen

PDF = "application/pdf"


@get("/v1/orders/{order_id:uuid}/invoice.pdf", media_type=PDF, tags=["orders"])
async def read_invoice(
    order_id: UUID, request: Request, principal: Principal, orders: Orders, papers: Documents
) -> Response[bytes]:
    """The invoice as PDF, with what was paid back since; there is none before the order is confirmed."""
    order = await seen(order_id, request, principal, orders)
    return _pdf(await papers.invoice(order_id), f"invoice-{order.number}.pdf")


@get("/v1/orders/{order_id:uuid}/packing-slip.pdf", media_type=PDF, tags=["orders"])
async def read_packing_slip(
    order_id: UUID, principal: Principal, orders: Orders, papers: Documents, fulfilment: UUID | None = None
) -> Response[bytes]:
    """For staff: the slip of one parcel as PDF; without `fulfilment` of what is left to ship."""
    principal.require(STAFF)
    order = await orders.find(order_id)
    return _pdf(await papers.packing_slip(order_id, fulfilment), f"packing-slip-{order.number}.pdf")


def _pdf(content: bytes, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'inline; filename="{name}"', "cache-control": "private, no-store"}
    return Response(content, media_type=PDF, headers=headers)


HANDLERS: list[object] = [read_invoice, read_packing_slip]
