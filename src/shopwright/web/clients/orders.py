"""Calls to orders: carts, checkout, orders and their timelines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client
from shopwright.contracts.money import Money

from .remote import WRITE_S, Remote
from .sales import CouponProblem, Discount, PaymentPart, Tax

PLACE_S = 14.0  # the saga answers within 8; the gateway gives a page 15


class Total(msgspec.Struct, frozen=True):
    type: str
    amount: Money


class Address(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    line1: str = ""
    line2: str | None = None
    city: str = ""
    region: str | None = None
    postal_code: str = ""
    country: str = ""
    phone: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    sku: str
    quantity: int
    unit_price: Money
    total: Money
    discount: Money | None = None
    name: str = ""
    slug: str = ""
    options: dict[str, str] = {}
    picture: str | None = None
    available: bool = True
    fulfilled: int = 0
    returned: int = 0
    cancelled: int = 0
    preorder_from: date | None = None


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    currency: str
    total: Money
    lines: list[Line] = []
    totals: list[Total] = []
    status: str = "open"
    email: str | None = None
    address: Address | None = None
    shipping_method: str | None = None
    stale: bool = False
    coupons: list[str] = []
    coupon_problems: list[CouponProblem] = []
    discounts: list[Discount] = []
    taxes: list[Tax] = []

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)


class ShippingMethod(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    name: str
    price: Money
    days_min: int | None = None
    days_max: int | None = None
    needs_address: bool = True


class _Methods(msgspec.Struct):
    methods: list[ShippingMethod] = []


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    id: str = ""
    status: str = "pending"
    method: str = ""
    action_url: str | None = None
    instructions: str = ""
    parts: list[PaymentPart] = []


class Shipping(msgspec.Struct, frozen=True):
    code: str = ""
    name: str = ""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    number: str
    status: str
    total: Money
    created_at: datetime
    email: str = ""
    name: str = ""
    lines: list[Line] = []
    totals: list[Total] = []
    payment: Payment = Payment()
    shipping: Shipping = Shipping()
    address: Address | None = None
    refusal: dict[str, Any] | None = None
    refunded: Money | None = None
    exchange_of: UUID | None = None
    user_id: UUID | None = None
    discounts: list[Discount] = []
    taxes: list[Tax] = []

    @property
    def in_progress(self) -> bool:
        return self.status in {"in_progress", "awaiting_buyer"}

    @property
    def has_invoice(self) -> bool:
        return not self.in_progress and not self.lost

    @property
    def awaits_transfer(self) -> bool:
        """Whether it is placed, and waits for money that the buyer sends by themselves."""
        return self.status == "awaiting_buyer" and self.payment.method == "bank_transfer"

    @property
    def payment_due(self) -> Money:
        """What the buyer is to pay by the method: what gift cards and the wallet left."""
        method = self.payment.method
        return next((part.amount for part in self.payment.parts if part.method == method), self.total)

    @property
    def lost(self) -> bool:
        return self.status in {"refused", "cancelled", "expired"}


class OrderPage(msgspec.Struct):
    items: list[Order] = []
    next_cursor: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a timeline."""

    at: datetime
    step: str
    direction: str = "forward"
    outcome: str = "done"
    detail: str = ""
    text: str = ""
    by: str = ""
    link: str = ""


class _Timeline(msgspec.Struct):
    items: list[Step] = []


class LineCount(msgspec.Struct, frozen=True):
    """How many units of an order's line."""

    id: UUID
    quantity: int


class Tracking(msgspec.Struct, frozen=True):
    carrier: str = ""
    number: str = ""
    url: str = ""


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True):
    """What was shipped at once."""

    id: UUID
    created_at: datetime
    lines: list[LineCount] = []
    tracking: Tracking = Tracking()


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that went back, or is asked to; `failure` says why it did not."""

    id: UUID
    amount: Money
    created_at: datetime
    kind: str = "refund"
    reason: str = ""
    status: str = "requested"
    failure: str = ""


class _Fulfilments(msgspec.Struct):
    items: list[Fulfilment] = []


class _Refunds(msgspec.Struct):
    items: list[Refund] = []


class FailedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that a provider refused to pay back; `ways`: where it can be asked to go."""

    order_id: UUID
    number: str
    amount: Money
    failure: str
    ways: list[str] = []


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What came in since a time; `attention` holds orders that do not move on by themselves."""

    since: datetime
    orders: int = 0
    revenue: list[Money] = []
    in_progress: int = 0
    awaiting_buyer: int = 0
    attention: list[Order] = []
    failed_refunds: list[FailedRefund] = []


class Orders:
    def __init__(self, client: Client) -> None:
        self._orders = Remote(client, "orders")

    async def create_cart(self, token: str, currency: str) -> Cart:
        body = {"currency": currency} if currency else {}
        return await self._orders.call("POST", "/v1/carts", Cart, token=token, body=body, timeout_s=WRITE_S)

    async def current_cart(self, token: str) -> Cart:
        """The account's newest open cart; raises NotFound."""
        return await self._orders.call("GET", "/v1/carts/current", Cart, token=token)

    async def merge_cart(self, token: str, cart_id: UUID) -> Cart:
        """Put a guest's cart into the account's open one; the cart to go on with."""
        return await self._orders.call(
            "POST", f"/v1/carts/{cart_id}/merge", Cart, token=token, timeout_s=WRITE_S
        )  # fmt: skip

    async def cart(self, token: str, cart_id: UUID) -> Cart:
        return await self._orders.call("GET", f"/v1/carts/{cart_id}", Cart, token=token)

    async def add_line(
        self, token: str, cart_id: UUID, sku: str, quantity: int, *, shown_in: str, key: str
    ) -> Cart:
        """`shown_in` is the currency of the price that the buyer saw, empty if none was shown.

        Raises the problem `currency-differs` if the cart is in another one.
        """
        shown = {"currency": shown_in} if shown_in else {}
        return await self._orders.call(
            "POST", f"/v1/carts/{cart_id}/lines", Cart, token=token, key=key, timeout_s=WRITE_S,
            body={"sku": sku, "quantity": quantity} | shown,
        )  # fmt: skip

    async def set_quantity(self, token: str, cart_id: UUID, line_id: UUID, quantity: int) -> Cart:
        return await self._orders.call(
            "PATCH", f"/v1/carts/{cart_id}/lines/{line_id}", Cart, token=token, timeout_s=WRITE_S,
            body={"quantity": quantity},
        )  # fmt: skip

    async def remove_line(self, token: str, cart_id: UUID, line_id: UUID) -> Cart:
        path = f"/v1/carts/{cart_id}/lines/{line_id}"
        return await self._orders.call("DELETE", path, Cart, token=token, timeout_s=WRITE_S)

    async def set_address(self, token: str, cart_id: UUID, email: str, address: dict[str, Any]) -> Cart:
        return await self._orders.call(
            "PUT", f"/v1/carts/{cart_id}/address", Cart, token=token, timeout_s=WRITE_S,
            body={"email": email, "address": address},
        )  # fmt: skip

    async def shipping_methods(self, token: str, cart_id: UUID) -> list[ShippingMethod]:
        path = f"/v1/carts/{cart_id}/shipping"
        return (await self._orders.call("GET", path, _Methods, token=token)).methods

    async def set_shipping(self, token: str, cart_id: UUID, method: str) -> Cart:
        return await self._orders.call(
            "PUT", f"/v1/carts/{cart_id}/shipping", Cart, token=token, body={"method": method},
            timeout_s=WRITE_S,
        )  # fmt: skip

    async def set_coupons(self, token: str, cart_id: UUID, codes: list[str]) -> Cart:
        """Replace the coupons; raises the problem `coupon-not-valid` with its `reason`."""
        return await self._orders.call(
            "PUT", f"/v1/carts/{cart_id}/coupons", Cart, token=token, body={"codes": codes},
            timeout_s=WRITE_S,
        )  # fmt: skip

    async def place(
        self, token: str, cart_id: UUID, *, expected_total: Money, payment: dict[str, Any], key: str
    ) -> Order:
        """Order the cart; a card is paid on the provider's page, which sends back to `return_url` of
        `payment`.

        Raises:
            Problem: TotalChanged, OutOfStock, PaymentDeclined, cart-already-ordered, as orders says.
            DeadlineExceeded: the outcome is unknown; the same key asks again without a second order.
        """
        return await self._orders.call(
            "POST", "/v1/orders", Order, token=token, key=key, timeout_s=PLACE_S,
            body={
                "cart_id": cart_id,
                "payment": payment,
                "expected_total": expected_total,
            },
        )  # fmt: skip

    async def order(self, token: str, order_id: UUID, cart_id: UUID | None = None) -> Order:
        """An order of this account, or a guest's by the cart it came from."""
        headers = {"x-cart-id": str(cart_id)} if cart_id else {}
        return await self._orders.call("GET", f"/v1/orders/{order_id}", Order, token=token, headers=headers)

    async def timeline(self, token: str, order_id: UUID, cart_id: UUID | None = None) -> list[Step]:
        headers = {"x-cart-id": str(cart_id)} if cart_id else {}
        path = f"/v1/orders/{order_id}/timeline"
        return (await self._orders.call("GET", path, _Timeline, token=token, headers=headers)).items

    async def cancel(self, token: str, order_id: UUID, cart_id: UUID | None = None) -> Order:
        headers = {"x-cart-id": str(cart_id)} if cart_id else {}
        return await self._orders.call(
            "POST", f"/v1/orders/{order_id}/cancel", Order, token=token, headers=headers, timeout_s=WRITE_S
        )

    async def own_orders(self, token: str, cursor: str | None) -> OrderPage:
        query = {"limit": 20, "cursor": cursor, "mine": "true"}
        return await self._orders.call("GET", "/v1/orders", OrderPage, token=token, query=query)

    async def orders(
        self, token: str, *, status: str = "", q: str = "", cursor: str = "", limit: int = 50
    ) -> OrderPage:
        """Everybody's orders; needs orders:read."""
        query = {"limit": limit, "cursor": cursor, "status": status, "q": q}
        return await self._orders.call("GET", "/v1/orders", OrderPage, token=token, query=query)

    async def fulfilments(self, token: str, order_id: UUID, cart_id: UUID | None = None) -> list[Fulfilment]:
        headers = {"x-cart-id": str(cart_id)} if cart_id else {}
        path = f"/v1/orders/{order_id}/fulfilments"
        return (await self._orders.call("GET", path, _Fulfilments, token=token, headers=headers)).items

    async def refunds(self, token: str, order_id: UUID, cart_id: UUID | None = None) -> list[Refund]:
        headers = {"x-cart-id": str(cart_id)} if cart_id else {}
        path = f"/v1/orders/{order_id}/refunds"
        return (await self._orders.call("GET", path, _Refunds, token=token, headers=headers)).items

    async def invoice(self, token: str, order_id: UUID, cart_id: UUID | None = None) -> bytes:
        """The invoice as PDF; there is none before the order is confirmed."""
        headers = {"x-cart-id": str(cart_id)} if cart_id else {}
        path = f"/v1/orders/{order_id}/invoice.pdf"
        return await self._orders.call("GET", path, token=token, headers=headers)

    async def ship(self, token: str, order_id: UUID, tracking: Tracking, *, key: str) -> Fulfilment:
        """All that is left to ship; needs orders:write."""
        return await self._orders.call(
            "POST", f"/v1/orders/{order_id}/fulfilments", Fulfilment, token=token, key=key,
            body={"tracking": tracking}, timeout_s=WRITE_S,
        )  # fmt: skip

    async def refund(
        self, token: str, order_id: UUID, reason: str, amount: Money | None, *, key: str, to: str = ""
    ) -> Refund:
        """`amount` of the order's payment, or all that is left, to the `to` wallet or where it came
        from; needs orders:refund.
        """
        body = {"reason": reason} | ({"amount": amount} if amount else {})
        body |= {"to": "wallet"} if to == "wallet" else {}
        return await self._orders.call(
            "POST", f"/v1/orders/{order_id}/refunds", Refund, token=token, key=key, body=body,
            timeout_s=WRITE_S,
        )  # fmt: skip

    async def summary(self, token: str, since: datetime) -> Summary:
        """Needs orders:read."""
        query = {"since": since.isoformat()}
        return await self._orders.call("GET", "/v1/orders/summary", Summary, token=token, query=query)

    async def look_again(self, order_id: UUID) -> None:
        """The buyer is back from the provider: ask it how the payment stands."""
        await self._orders.call("POST", f"/internal/orders/{order_id}/look-again")
