"""What pays an order: one payment, or several parts, each a payment of its own; and how they add up.

Pure. Stored value comes first and a provider last, so that what only the provider can refuse is asked for
last and, when money goes back, given back first. The status of the whole is never better than its parts:
nothing is authorised until every part is, and nothing is over while a part still holds money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID, uuid5

import msgspec

from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentDiffers, PaymentStatus, RefundTooLarge

from .payments import BY_HAND, STORED, UNREACHABLE, Order, Payment

PAID: Final = ("captured", "partially_refunded", "refunded")
OVER: Final = ("declined", "voided")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer wants to pay an order with: gift cards first, then the wallet, the rest by its method."""

    order: Order
    gift_cards: tuple[str, ...] = ()
    use_wallet: bool = False
    country: str = ""

    @property
    def plain(self) -> bool:
        """Whether one payment at one provider is all that is asked for."""
        return not self.gift_cards and not self.use_wallet and self.order.method not in STORED


class Source(msgspec.Struct, frozen=True):
    """Stored value that may be spent, in minor units of the order's currency."""

    method: str
    account_id: UUID
    available: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """`payment` is None until it is begun; `replaces`: the part whose provider could not be reached."""

    number: int
    payment_id: UUID
    method: str
    provider: str
    amount: int
    account_id: UUID | None = None
    replaces: int | None = None
    payment: Payment | None = None

    @property
    def status(self) -> PaymentStatus:
        return self.payment.status if self.payment is not None else "pending"

    @property
    def captured(self) -> int:
        return self.payment.captured if self.payment is not None else 0


class Tender(msgspec.Struct, frozen=True, kw_only=True):
    """`refused`: why nothing was begun at all, such as a gift card that is not valid.

    `gift_card_left`: what is still on one that had too little when it was to pay.
    """

    id: UUID
    order_id: UUID | None
    amount: int
    currency: str
    parts: tuple[Part, ...]
    voided: bool = False
    version: int = 1
    refused: str = ""
    gift_card_left: int | None = None

    @staticmethod
    def of(payment: Payment) -> Tender:
        """The tender that one payment is."""
        part = Part(
            number=0, payment_id=payment.id, method=payment.method, provider=payment.provider,
            amount=payment.amount, payment=payment,
        )  # fmt: skip
        return Tender(
            id=payment.id, order_id=payment.order_id, amount=payment.amount, currency=payment.currency,
            parts=(part,),
        )  # fmt: skip

    @property
    def live(self) -> list[Part]:
        """The parts that count: not those that another provider has taken over."""
        replaced = {part.replaces for part in self.parts}
        return [part for part in self.parts if part.number not in replaced]

    @property
    def in_parts(self) -> bool:
        return any(part.payment_id != self.id for part in self.parts)

    @property
    def status(self) -> PaymentStatus:
        statuses = {part.status for part in self.live if part.payment is not None}
        if self.refused:
            return "declined"
        if "unknown" in statuses:
            return "unknown"
        if self.captured:
            return self._settled(statuses)
        if statuses & set(OVER) or not statuses:
            if statuses - set(OVER):
                return "pending"  # a part still holds what must be given back
            over: PaymentStatus = "declined" if "declined" in statuses else "voided"
            return over if statuses or self.voided else "pending"
        if "requires_action" in statuses:
            return "requires_action"
        whole = all(part.status == "authorised" for part in self.live)
        return "authorised" if whole else "pending"

    def _settled(self, statuses: set[PaymentStatus]) -> PaymentStatus:
        if statuses & {"authorised", "pending", "requires_action"}:
            return "authorised"  # half taken: the rest is still to be taken
        if not self.refunded:
            return "captured"
        return "refunded" if self.refunded == self.captured else "partially_refunded"

    @property
    def captured(self) -> int:
        return sum(part.captured for part in self.parts)

    @property
    def refunded(self) -> int:
        return sum(part.payment.refunded for part in self.parts if part.payment is not None)

    @property
    def action_url(self) -> str:
        waits = [part.payment for part in self.live if part.payment and part.status == "requires_action"]
        return next((payment.action_url for payment in waits if payment.action_url), "")

    @property
    def decline_code(self) -> str:
        codes = [part.payment.decline_code for part in self.live if part.payment is not None]
        return self.refused or next((code for code in codes if code), "")

    @property
    def spent_gift_card(self) -> UUID | None:
        """The gift card that had too little once it was to pay: another order was first."""
        spent = (
            part.account_id
            for part in self.live
            if part.method == "gift_card" and part.payment and part.payment.decline_code
        )
        return next(spent, None)

    @property
    def by_hand(self) -> Part | None:
        """The part that somebody will receive by hand, if there is one."""
        return next((part for part in self.live if part.method in BY_HAND), None)

    def having(self, payment: Payment) -> Tender:
        """The tender with `payment` as its part now stands."""
        parts = tuple(
            msgspec.structs.replace(part, payment=payment) if part.payment_id == payment.id else part
            for part in self.parts
        )
        return msgspec.structs.replace(self, parts=parts)

    def order_of(self, part: Part, order: Order) -> Order:
        """What is to be authorised of `order` by `part`; stored value is named by its account."""
        return msgspec.structs.replace(
            order,
            id=part.payment_id,
            amount=Money(part.amount, self.currency),
            method=part.method,
            token=str(part.account_id) if part.account_id else order.token,
            part_of=self.id if part.payment_id != self.id else None,
        )


class Share(msgspec.Struct, frozen=True):
    """What of a refund one part gives back."""

    payment_id: UUID
    amount: int

    def refund_id(self, refund_id: UUID) -> UUID:
        """The id of the part's own refund: the same for every repeat."""
        return uuid5(refund_id, str(self.payment_id))


def part_id(tender_id: UUID, number: int) -> UUID:
    return uuid5(tender_id, f"part:{number}")


def plan(order: Order, sources: Sequence[Source], provider: str) -> list[Part] | None:
    """The parts that pay `order`; None when stored value is all there is, and does not suffice."""
    parts: list[Part] = []
    rest = order.amount.minor
    for source in sources:
        taken = min(source.available, rest)
        if taken > 0:
            parts.append(_part(order.id, len(parts), source.method, source.method, taken, source.account_id))
            rest -= taken
    if rest:
        if order.method in STORED:
            return None
        parts.append(_part(order.id, len(parts), order.method, provider, rest))
    return parts


def _part(
    tender_id: UUID, number: int, method: str, provider: str, amount: int, account_id: UUID | None = None
) -> Part:
    return Part(
        number=number, payment_id=part_id(tender_id, number), method=method, provider=provider,
        amount=amount, account_id=account_id,
    )  # fmt: skip


def replacement(tender: Tender, part: Part, provider: str) -> Part:
    """The part that another `provider` takes over from one that could not be reached."""
    number = max(known.number for known in tender.parts) + 1
    made = _part(tender.id, number, part.method, provider, part.amount)
    return msgspec.structs.replace(made, replaces=part.number)


def lost_to_the_network(part: Part) -> bool:
    return part.payment is not None and part.payment.decline_code == UNREACHABLE


def refuse_other_tender(tender: Tender, order: Order) -> None:
    """Raises PaymentDiffers when a repeat of Authorise is not the same request."""
    if (tender.order_id, tender.amount, tender.currency) != (
        order.order_id, order.amount.minor, order.amount.currency,
    ):  # fmt: skip
        raise PaymentDiffers(detail=f"payment {tender.id} was opened for another order or amount")


def share_out(tender: Tender, amount: int, promised: Mapping[UUID, int]) -> list[Share]:
    """Which part gives how much of `amount` back: the provider first, stored value after it.

    Args:
        promised: what each part has given or promised to give back.

    Raises:
        RefundTooLarge: more than what all parts have left.
    """
    shares: list[Share] = []
    rest = amount
    for part in reversed(tender.live):
        left = min(rest, part.captured - promised.get(part.payment_id, 0))
        if left > 0:
            shares.append(Share(part.payment_id, left))
            rest -= left
    if rest:
        refundable = Money(amount - rest, tender.currency)
        raise RefundTooLarge(
            detail=f"{Money(amount, tender.currency)} of {refundable}", refundable=refundable
        )
    return shares
