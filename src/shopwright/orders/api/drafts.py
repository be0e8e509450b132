"""Drafts over HTTP: orders that staff put together for a buyer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, patch, post

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.paging import Limit, Page, decode_cursor, page_of
from shopwright.contracts.money import Currency, Money
from shopwright.contracts.orders import Address

from ..commands.carts import PricedCart
from ..commands.drafts import Drafts
from ..domain import QUANTITY_MAX, UNDECIDED
from ..domain.drafts import Draft, DraftLine, DraftTerms
from ..store.drafts import Place
from .carts import AddressInput, Email, Text
from .orders import LINES, OrderView, PaymentInput, view_of

WRITE = "orders:write"
Note = Annotated[str, msgspec.Meta(max_length=1_000)]
Codes = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=64)]], msgspec.Meta(max_length=20)
]


class DraftLineInput(msgspec.Struct, frozen=True):
    """`unit_price` replaces the catalogue's price on this draft."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)]
    unit_price: Money | None = None


class DraftChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is given replaces what stands; `lines` all of them."""

    email: Email | None = None
    lines: Annotated[list[DraftLineInput], LINES] | None = None
    address: AddressInput | None = None
    shipping_method: Text | None = None
    coupons: Codes | None = None
    note: Note | None = None

    def terms(self) -> DraftTerms:
        return DraftTerms(
            email=self.email,
            lines=[DraftLine(line.sku, line.quantity, line.unit_price) for line in self.lines]
            if self.lines is not None
            else None,
            address=msgspec.convert(self.address, Address, from_attributes=True) if self.address else None,
            shipping_method=self.shipping_method,
            coupons=self.coupons,
            note=self.note,
        )


class NewDraft(DraftChange, frozen=True, kw_only=True):
    """For an account (`user_id`), or for whom `email` reaches."""

    user_id: UUID | None = None
    currency: Currency | None = None


class DraftPlacement(msgspec.Struct, frozen=True):
    payment: PaymentInput


class DraftRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    user_id: UUID | None
    email: str | None
    currency: str
    staff_id: UUID
    note: str
    units: int
    created_at: datetime


class DraftView(DraftRow, frozen=True, kw_only=True):
    """`cart` is what it costs now; `staff_priced` names the lines whose price one of the staff named."""

    cart: PricedCart
    staff_priced: list[UUID]


@post("/v1/drafts", tags=["drafts"])
async def create_draft(data: NewDraft, request: Request, principal: Principal, drafts: Drafts) -> DraftView:
    """Put an order together for a buyer."""
    principal.require(WRITE)
    staff_id = principal.require_user()
    once = await once_of(request, str(staff_id))
    draft_id = await drafts.create(staff_id, data.user_id, data.currency, data.terms(), once)
    return await _view(drafts, draft_id)


@get("/v1/drafts", tags=["drafts"])
async def list_drafts(
    principal: Principal, drafts: Drafts, limit: Limit = 20, cursor: str | None = None
) -> Page[DraftRow]:
    """The drafts that are not placed yet, newest first."""
    principal.require(WRITE)
    found = await drafts.listing(decode_cursor(cursor, Place), limit + 1)
    page = page_of(found, limit, lambda draft: Place(draft.created_at, draft.id))
    return Page([DraftRow(**msgspec.structs.asdict(draft)) for draft in page.items], page.next_cursor)


@get("/v1/drafts/{draft_id:uuid}", tags=["drafts"])
async def read_draft(draft_id: UUID, principal: Principal, drafts: Drafts) -> DraftView:
    """A draft with the prices of the moment."""
    principal.require(WRITE)
    return await _view(drafts, draft_id)


@patch("/v1/drafts/{draft_id:uuid}", tags=["drafts"])
async def change_draft(
    draft_id: UUID, data: DraftChange, request: Request, principal: Principal, drafts: Drafts
) -> DraftView:
    """Change a draft."""
    principal.require(WRITE)
    await drafts.change(draft_id, data.terms(), await once_of(request, str(draft_id)))
    return await _view(drafts, draft_id)


@delete("/v1/drafts/{draft_id:uuid}", tags=["drafts"])
async def delete_draft(draft_id: UUID, request: Request, principal: Principal, drafts: Drafts) -> None:
    """Throw a draft away."""
    principal.require(WRITE)
    await drafts.delete(draft_id, await once_of(request, str(draft_id)))


@post("/v1/drafts/{draft_id:uuid}/place", tags=["drafts"])
async def place_draft(
    draft_id: UUID, data: DraftPlacement, request: Request, principal: Principal, drafts: Drafts
) -> Response[OrderView]:
    """Place a draft for its buyer. 201 confirmed; 202 in progress, or the buyer must act."""
    principal.require(WRITE)
    draft = await drafts.find(draft_id)
    order = await drafts.place(
        draft_id, data.payment.of(draft.user_id), await once_of(request, str(draft_id)), by=principal.user_id
    )
    return Response(
        view_of(order),
        status_code=202 if order.status in UNDECIDED else 201,
        headers={"location": f"/v1/orders/{order.id}"},
    )


@post("/v1/drafts/{draft_id:uuid}/invoice", status_code=202, tags=["drafts"])
async def send_invoice(draft_id: UUID, request: Request, principal: Principal, drafts: Drafts) -> None:
    """Mail the buyer a link to pay the draft."""
    principal.require(WRITE)
    await drafts.invoice(draft_id, await once_of(request, str(draft_id)))


async def _view(drafts: Drafts, draft_id: UUID) -> DraftView:
    draft: Draft = await drafts.find(draft_id)
    return DraftView(
        **msgspec.structs.asdict(draft),
        cart=await drafts.show(draft),
        staff_priced=await drafts.staff_priced(draft_id),
    )


HANDLERS: list[object] = [
    create_draft, list_drafts, read_draft, change_draft, delete_draft, place_draft, send_invoice,
]  # fmt: skip
