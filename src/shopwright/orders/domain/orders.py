"""What is true of carts and orders: shapes, totals, who may see one, and the problems that refuse.

Pure; time and ids come in as arguments. Totals are computed here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Address, OrderStatus, Total
from shopwright.contracts.payments import PaymentStatus
from shopwright.contracts.problem import Problem
from shopwright.contracts.products import Quote, ReserveLine

from .payments import FurtherPayment, Share
from .promotions import Discount
from .taxes import Tax
from .tenders import Tender

LINES_MAX = 200  # one quote request; a longer list is a spreadsheet, not a cart
QUANTITY_MAX = 999  # per line; above it a shop wants to hear from the buyer
UNDONE: Mapping[str, OrderStatus] = {"expired": "expired", "cancelled": "cancelled"}

BOUGHT = frozenset[OrderStatus]({"confirmed", "partially_fulfilled", "fulfilled", "returned"})
PAID = BOUGHT | {"cancelled"}
UNDECIDED = frozenset[OrderStatus]({"in_progress", "awaiting_buyer"})
DECIDED = frozenset[OrderStatus](get_args(OrderStatus)) - UNDECIDED
SETTLED = DECIDED | frozenset[OrderStatus]({"awaiting_buyer"})  # the buyer has an outcome, or must act


class CartAlreadyOrdered(Problem):
    """This cart was ordered already."""

    kind = "conflict"
    order_id: UUID | None = None


class CartChanged(Problem):
    """The cart changed while the order was being placed; look at it again."""

    kind = "conflict"


class CartMerged(Problem):
    """What was in this cart is in the account's now."""

    kind = "conflict"
    cart_id: UUID


class CartEmpty(Problem):
    """The cart is empty."""

    kind = "conflict"


class CartFull(Problem):
    """The cart holds as many different products as it can."""

    kind = "conflict"
    lines_max: int = LINES_MAX


class CurrencyDiffers(Problem):
    """The price that was shown is in another currency than the cart."""

    kind = "conflict"
    sku: str
    cart_currency: str


class NotForSale(Problem):
    """Some products in the cart are no longer for sale."""

    kind = "conflict"
    skus: list[str]


class EmailMissing(Problem):
    """An order needs an e-mail address to send the confirmation to."""

    kind = "invalid"


class OrderNotPlaced(Problem):
    """The order ended without being placed."""

    kind = "conflict"
    order_id: UUID | None = None


class NotPaidYet(Problem):
    """The payment of this order is not finished; try again in a moment."""

    kind = "conflict"
    payment_status: str


class PaymentRefused(Problem):
    """The payment of this order was refused for good."""

    kind = "conflict"
    payment_status: str


class MoreThanOrdered(Problem):
    """That is more than is left of a line."""

    kind = "conflict"
    line_id: UUID
    left: int


class MoreThanPaid(Problem):
    """That is more than is left to pay back."""

    kind = "conflict"
    refundable: Money


class OrderNotCancellable(Problem):
    """An order in this state can no longer be cancelled here."""

    kind = "conflict"
    order_status: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the buyer last saw of a SKU."""

    name: str
    slug: str
    unit_price: Money
    options: dict[str, str] = {}
    picture: str | None = None


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """`staff_price`: what one of the staff named for a unit, in minor units, instead of the catalogue."""

    id: UUID
    sku: str
    quantity: int
    seen: Seen
    staff_price: int | None = None


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    user_id: UUID | None
    currency: str
    status: str
    email: str | None
    address: Address | None
    shipping_method: str | None
    version: int
    lines: list[CartLine]
    coupons: list[str] = []
    merged_into: UUID | None = None

    @property
    def skus(self) -> list[str]:
        return [line.sku for line in self.lines]


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is unit price × quantity, `discount` what is off it, `tax` its share, included or not."""

    id: UUID
    sku: str
    name: str
    slug: str
    quantity: int
    unit_price: Money
    total: Money
    discount: Money
    tax: Money
    options: dict[str, str] = {}
    picture: str | None = None
    fulfilled: int = 0
    returned: int = 0
    cancelled: int = 0


class Tracking(msgspec.Struct, frozen=True):
    carrier: str = ""
    number: str = ""
    url: str = ""


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True):
    """Goods that left together; `lines`: how many of each order line."""

    id: UUID
    tracking: Tracking
    lines: dict[str, int]
    created_at: datetime


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """Money, goods or both that go back. A failed one gave nothing back and can be asked for again."""

    id: UUID
    order_id: UUID
    kind: Literal["refund", "return", "cancellation", "edit"]
    amount: Money
    restock: list[ReserveLine]
    reason: str
    lines: dict[str, int] = {}
    status: Literal["requested", "succeeded", "failed"] = "requested"
    failure: str = ""
    destination: Literal["source", "wallet"] = "source"
    shares: list[Share] = []
    created_at: datetime


class Order(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    number: str
    cart_id: UUID
    user_id: UUID | None
    email: str
    name: str
    currency: str
    status: OrderStatus
    payment_id: UUID
    payment_status: PaymentStatus
    payment_method: str
    payment_token: str
    return_url: str
    action_url: str | None
    totals: list[Total]
    total: Money
    address: Address | None
    shipping_method: str
    shipping_name: str
    refusal: dict[str, Any] | None
    created_at: datetime
    lines: list[OrderLine]
    refunding: Money
    refunded: Money
    discounts: list[Discount] = []
    taxes: list[Tax] = []
    taken_off: int = 0
    exchange_of: UUID | None = None
    tender: Tender | None = None
    further: list[FurtherPayment] = []
    unpaid: int = 0

    @property
    def paid(self) -> Money:
        """What its payments took: the total before edits made it smaller, without what is not taken yet."""
        return Money(self.total.minor + self.taken_off - self.unpaid, self.currency)

    @property
    def first_paid(self) -> Money:
        """What its first payment was for."""
        further = sum(payment.amount.minor for payment in self.further)
        return Money(self.total.minor + self.taken_off - further, self.currency)

    @property
    def first_refunding(self) -> Money:
        """What was asked back of its first payment."""
        return self.refunding - total((payment.refunding for payment in self.further), self.currency)

    @property
    def refundable(self) -> Money:
        """What can still be asked to be paid back."""
        return Money(0, self.currency) if self.payment_refused else self.paid - self.refunding

    @property
    def to_be_collected(self) -> bool:
        """Whether its cash is received when the goods are: they may leave before."""
        return self.payment_method == "cash_on_delivery" and self.payment_status == "authorised"

    @property
    def payment_refused(self) -> bool:
        """Whether the provider refused, for good, to pay for the order once it was confirmed."""
        return self.refusal is not None and self.refusal["type"] == PaymentRefused.slug

    @property
    def being_captured(self) -> bool:
        """Whether the payment of a change is authorised and on its way to be taken."""
        return any(payment.status == "authorised" and not payment.collected_later for payment in self.further)


def seen_of(quote: Quote) -> Seen:
    return Seen(
        name=quote.name,
        slug=quote.slug,
        unit_price=quote.unit_price,
        options=quote.options,
        picture=quote.picture,
    )


def left_to_ship(order: Order) -> dict[UUID, int]:
    left = {line.id: line.quantity - line.fulfilled - line.cancelled for line in order.lines}
    return {line_id: count for line_id, count in left.items() if count}


def left_to_return(order: Order) -> dict[UUID, int]:
    return {line.id: line.fulfilled - line.returned for line in order.lines if line.fulfilled > line.returned}


def after_reversal(order: Order, kind: str, units: Mapping[UUID, int]) -> OrderStatus:
    """What the order is once `units` came back or are not sent any more."""
    count = sum(units.values())
    returned = sum(line.returned for line in order.lines) + (count if kind == "return" else 0)
    cancelled = sum(line.cancelled for line in order.lines) + (count if kind == "cancellation" else 0)
    sent = sum(line.fulfilled for line in order.lines)
    if not count or sent + cancelled < sum(line.quantity for line in order.lines):
        return order.status
    return "returned" if returned == sent else "fulfilled"


def check_quantities(wanted: Mapping[UUID, int], left: Mapping[UUID, int]) -> None:
    """Raises MoreThanOrdered naming the first line that is passed (an unknown line has nothing left)."""
    for line_id, quantity in wanted.items():
        if quantity > left.get(line_id, 0):
            raise MoreThanOrdered(line_id=line_id, left=left.get(line_id, 0))


def paid_for(order: Order, line: OrderLine) -> Money:
    """What the buyer paid for all of a line: discounts off, and tax on it where prices do not include it."""
    reduced = line.total - line.discount
    return reduced if all(tax.included for tax in order.taxes) else reduced + line.tax


def value_of(order: Order, quantities: Mapping[UUID, int]) -> Money:
    """What the buyer paid for these units, which come after those that went back already.

    Exact over any number of returns and cancellations: all together they are what was paid for the line.
    """
    lines = {line.id: line for line in order.lines}
    values = []
    for line_id, count in quantities.items():
        line = lines[line_id]
        paid, before = paid_for(order, line).minor, line.returned + line.cancelled
        values.append(Money(_part(paid, before + count, line) - _part(paid, before, line), order.currency))
    return total(values, order.currency)


def _part(paid: int, units: int, line: OrderLine) -> int:
    return paid * units // line.quantity
