"""Orders over HTTP: buyers see their own, guests by the cart's id (`x-cart-id`), staff all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.idempotency import once_of
from shopwright.chassis.paging import Limit, Page, decode_cursor, page_of
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address, OrderStatus, Total
from shopwright.contracts.payments import PaymentMethod, PaymentStatus
from shopwright.contracts.problems import NotAuthenticated, NotFound

from ..commands.after_sale import CAPTURED, AfterSale
from ..commands.orders import Orders, Payment
from ..commands.timelines import Timelines
from ..domain import (
    PAID,
    UNDECIDED,
    Discount,
    FurtherPayment,
    Order,
    OrderLine,
    PaymentPart,
    Tax,
    parts_of,
)
from ..domain.timeline import Entry
from ..store.failed_refunds import FailedRefund
from ..store.orders import Listing
from .carts import Email

Token = Annotated[str, msgspec.Meta(max_length=255)]
GiftCardCode = Annotated[str, msgspec.Meta(min_length=4, max_length=64)]
STAFF = "orders:read"
LINES = msgspec.Meta(min_length=1, max_length=200)


class PaymentInput(msgspec.Struct, frozen=True, kw_only=True):
    """`token` comes from the provider; without one the buyer pays on the provider's page (`action_url`).

    Gift cards are spent first, then the wallet if it is to be used; what is left is paid by `method`.
    """

    method: PaymentMethod = "card"
    token: Token | None = None
    return_url: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None
    gift_cards: Annotated[list[GiftCardCode], msgspec.Meta(max_length=5)] = []
    use_wallet: bool = False

    def of(self, user_id: UUID | None) -> Payment:
        """Raises InvalidInput when a guest wants to spend a wallet."""
        if user_id is None and (self.use_wallet or self.method == "wallet"):
            raise invalid("/payment/use_wallet", "needs an account: log in, or pay otherwise")
        return Payment(
            method=self.method,
            token=self.token or "",
            return_url=self.return_url or "",
            gift_cards=self.gift_cards,
            use_wallet=self.use_wallet,
        )


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`expected_total` is what the buyer saw; a total that differs is refused with the new one."""

    cart_id: UUID
    payment: PaymentInput
    email: Email | None = None
    expected_total: Money | None = None


class OrderPayment(msgspec.Struct, frozen=True):
    """`parts`: the payments that pay the order together; `instructions`: what the buyer does by hand."""

    id: UUID
    status: PaymentStatus
    method: str
    action_url: str | None
    parts: list[PaymentPart]
    instructions: str


class PaymentOfOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One of the payments of an order: the first, or that of a change. `refunded`: what was asked back."""

    id: UUID
    edit_id: UUID | None
    amount: Money
    status: PaymentStatus
    method: str
    parts: list[PaymentPart]
    refunded: Money


class OrderShipping(msgspec.Struct, frozen=True):
    code: str
    name: str


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """`total`: of what is in the order now. `refunded`: all that went back, changes included."""

    id: UUID
    number: str
    status: OrderStatus
    email: str
    name: str
    currency: str
    lines: list[OrderLine]
    totals: list[Total]
    total: Money
    discounts: list[Discount]
    taxes: list[Tax]
    payment: OrderPayment
    payments: list[PaymentOfOrder]
    unpaid: Money
    shipping: OrderShipping
    address: Address | None
    refusal: dict[str, Any] | None
    created_at: datetime
    refunded: Money
    exchange_of: UUID | None = None
    user_id: UUID | None = None


class SummaryView(msgspec.Struct, frozen=True, kw_only=True):
    """Orders bought since a time and their sum by currency; `attention`: the oldest that do not move on,
    `failed_refunds`: what a provider refused to pay back, and where it can be asked to go instead.
    """

    since: datetime
    orders: int
    revenue: list[Money]
    in_progress: int
    awaiting_buyer: int
    attention: list[OrderView]
    failed_refunds: list[FailedRefund]


class Timeline(msgspec.Struct, frozen=True):
    items: Sequence[Entry]


@post("/v1/orders", tags=["orders"])
async def place_order(
    data: PlaceOrder, request: Request, principal: Principal, orders: Orders
) -> Response[OrderView]:
    """Order a cart. 201 confirmed; 202 in progress, or the buyer must act at `payment.action_url`."""
    payment = data.payment.of(principal.user_id)
    order = await orders.place(
        data.cart_id,
        principal.user_id,
        payment,
        email=data.email,
        expected_total=data.expected_total,
        once=await once_of(request, str(data.cart_id)),
    )
    return Response(
        view_of(order),
        status_code=202 if order.status in UNDECIDED else 201,
        headers={"location": f"/v1/orders/{order.id}"},
    )


@get("/v1/orders", tags=["orders"])
async def list_orders(
    principal: Principal,
    orders: Orders,
    limit: Limit = 20,
    cursor: str | None = None,
    status: OrderStatus | None = None,
    q: Annotated[str | None, Parameter(max_length=254)] = None,
    mine: bool = False,
) -> Page[OrderView]:
    """Newest first: a buyer's own; staff see all and may search by number or e-mail (`mine`: own only)."""
    user_id = principal.require_user()
    everyone = principal.may(STAFF) and not mine
    wanted = Listing(
        None if everyone else user_id, status, q if everyone else None, decode_cursor(cursor, UUID)
    )
    found = await orders.listing(wanted, limit + 1)
    page = page_of(found, limit, lambda order: order.id)
    return Page([view_of(order) for order in page.items], page.next_cursor)


@get("/v1/orders/summary", tags=["orders"])
async def read_summary(
    principal: Principal,
    orders: Orders,
    since: Annotated[datetime, Parameter(description="From when on orders are counted, with time zone.")],
) -> SummaryView:
    """For staff: what came in since then, and orders that need somebody's attention."""
    principal.require(STAFF)
    if since.tzinfo is None:
        raise invalid("/query/since", "needs a time zone, such as 2026-01-31T00:00:00Z")
    found = await orders.summary(since)
    return SummaryView(**found._asdict() | {"attention": [view_of(order) for order in found.attention]})


@get("/v1/orders/{order_id:uuid}", tags=["orders"])
async def read_order(order_id: UUID, request: Request, principal: Principal, orders: Orders) -> OrderView:
    """One order; a guest gives the cart's id in `x-cart-id`."""
    return view_of(await seen(order_id, request, principal, orders))


@get("/v1/orders/{order_id:uuid}/timeline", tags=["orders"])
async def read_timeline(
    order_id: UUID, request: Request, principal: Principal, orders: Orders, timelines: Timelines
) -> Timeline:
    """What happened to an order, oldest first. Buyers read outcomes in plain sentences (`text`); staff every
    attempt with its error (`detail`), and who of them did what (`by`).
    """
    await seen(order_id, request, principal, orders)
    if principal.may(STAFF):
        return Timeline(await timelines.for_staff(order_id))
    return Timeline(await timelines.for_buyer(order_id))


@post("/v1/orders/{order_id:uuid}/retry", status_code=202, tags=["orders"])
async def retry(order_id: UUID, request: Request, principal: Principal, timelines: Timelines) -> None:
    """For staff: let the order's sagas try their next steps now instead of waiting for their turn."""
    principal.require("orders:write")
    await timelines.retry(order_id, principal.user_id, await once_of(request, str(order_id)))


class LineCount(msgspec.Struct, frozen=True):
    """How many units of an order's line."""

    id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Cancellation(msgspec.Struct, frozen=True):
    """`lines`: of an order that was shipped in part; without them all that is left to ship."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "cancelled by staff"
    lines: Annotated[list[LineCount], LINES] | None = None


@post("/v1/orders/{order_id:uuid}/cancel", status_code=200, tags=["orders"])
async def cancel_order(
    order_id: UUID,
    request: Request,
    principal: Principal,
    orders: Orders,
    after_sale: AfterSale,
    timelines: Timelines,
    data: Cancellation | None = None,
) -> OrderView:
    """Cancel an order: before it is confirmed buyers and staff; after that staff, what was not shipped yet.

    What was paid for it goes back, and so do the goods.
    """
    order = await seen(order_id, request, principal, orders)
    once = await once_of(request, str(order_id))
    if not _bought_by(order, request, principal):
        principal.require("orders:write")
    if order.status in PAID and principal.user_id is not None and principal.may("orders:write"):
        principal.require("orders:refund")
        wanted = data or Cancellation()
        lines = counts(wanted.lines) if wanted.lines else None
        await after_sale.cancel(order_id, wanted.reason, once, lines=lines, by=principal.user_id)
        return view_of(await orders.find(order_id))
    cancelled = await orders.cancel(order_id, once)
    if not _bought_by(order, request, principal):
        await timelines.note(order_id, "cancel", principal.user_id)
    return view_of(cancelled)


@post("/internal/orders/{order_id:uuid}/look-again", status_code=204, include_in_schema=False)
async def look_again(order_id: UUID, principal: Principal, orders: Orders) -> None:
    """The buyer came back from the provider's page: see how the payment stands."""
    principal.require_caller(("web",))
    await orders.look_again(order_id)


async def seen(order_id: UUID, request: Request, principal: Principal, orders: Orders) -> Order:
    order = await orders.find(order_id)
    if _bought_by(order, request, principal) or principal.may(STAFF):
        return order
    if principal.user_id is None and "x-cart-id" not in request.headers:
        raise NotAuthenticated(detail="log in, or give the cart's id in x-cart-id")
    raise NotFound(detail=f"no order {order_id}")


def counts(lines: Sequence[LineCount], pointer: str = "/lines") -> dict[UUID, int]:
    """By line; raises InvalidInput when one is named twice."""
    found = {line.id: line.quantity for line in lines}
    if len(found) < len(lines):
        raise invalid(pointer, "names a line twice")
    return found


def _bought_by(order: Order, request: Request, principal: Principal) -> bool:
    """Whether it is the caller's own: by the account, or a guest's by the cart."""
    if order.user_id is None:
        return request.headers.get("x-cart-id") == str(order.cart_id)
    return order.user_id == principal.user_id


def view_of(order: Order) -> OrderView:
    return OrderView(
        id=order.id,
        number=order.number,
        status=order.status,
        email=order.email,
        name=order.name,
        currency=order.currency,
        lines=order.lines,
        totals=order.totals,
        total=order.total,
        discounts=order.discounts,
        taxes=order.taxes,
        payment=_payment(order),
        payments=[_first(order), *(_further(payment) for payment in order.further)],
        unpaid=Money(order.unpaid, order.currency),
        shipping=OrderShipping(order.shipping_method, order.shipping_name),
        address=order.address,
        refusal=order.refusal,
        created_at=order.created_at,
        refunded=order.refunded,
        exchange_of=order.exchange_of,
        user_id=order.user_id,
    )


def _payment(order: Order) -> OrderPayment:
    tender = order.tender
    whole = _whole(order)
    return OrderPayment(
        order.payment_id,
        order.payment_status,
        order.payment_method,
        order.action_url,
        tender.parts if tender is not None and tender.parts else whole,
        tender.instructions if tender is not None else "",
    )


def _whole(order: Order) -> list[PaymentPart]:
    return [PaymentPart(order.payment_method, order.first_paid, order.payment_status)]


def _first(order: Order) -> PaymentOfOrder:
    """The payment that the order was placed with."""
    tender = order.tender
    return PaymentOfOrder(
        id=order.payment_id,
        edit_id=None,
        amount=order.first_paid,
        status=_given_back(order.payment_status, order.first_paid, order.first_refunding),
        method=order.payment_method,
        parts=tender.parts if tender is not None and tender.parts else _whole(order),
        refunded=order.first_refunding,
    )


def _given_back(status: PaymentStatus, amount: Money, refunding: Money) -> PaymentStatus:
    """Of one payment that was taken: the order's status is of all of them together."""
    if status not in CAPTURED:
        return status
    if not refunding.minor:
        return "captured"
    return "refunded" if refunding == amount else "partially_refunded"


def _further(payment: FurtherPayment) -> PaymentOfOrder:
    return PaymentOfOrder(
        id=payment.id,
        edit_id=payment.edit_id,
        amount=payment.amount,
        status=_given_back(payment.status, payment.amount, payment.refunding),
        method=payment.method,
        parts=parts_of(payment),
        refunded=payment.refunding,
    )


HANDLERS: list[object] = [
    place_order, list_orders, read_summary, read_order, read_timeline, retry, cancel_order, look_again,
]  # fmt: skip
