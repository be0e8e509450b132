"""What is true of a payment: its events, the status they add up to, and what may be asked of it when.

Pure. A payment is the fold of its events (the database folds the same way and holds the sums by
constraint). At most one operation is open, that is of unknown outcome. Everything the provider says arrives
as a `Report`, its whole truth about one charge; `news` turns a report into the events we do not have yet.
It only ever adds, so late, repeated and reordered reports are harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money
from shopwright.contracts.payments import (
    PaymentAlreadyCaptured,
    PaymentDiffers,
    PaymentNotAuthorised,
    PaymentNotCaptured,
    PaymentStatus,
    RefundTooLarge,
)
from shopwright.contracts.problem import Problem

Kind = Literal["authorise", "capture", "void", "refund"]
Outcome = Literal["requested", "action_required", "unknown", "succeeded", "failed"]
Phase = Literal["in_flight", "action", "unknown"]
Purpose = Literal["order", "top_up"]
ChargeState = Literal["processing", "requires_action", "authorised", "declined", "voided"]

#: A request the provider does not know after this long never reached it: no connection lives that long.
FORGOTTEN: Final = timedelta(seconds=20)
#: Who wants a charge asks for it every half a minute: one that nobody has asked for as long is not wanted.
ABANDONED: Final = timedelta(minutes=10)
#: What was given up is looked for once more, should it have come through after all.
LAST_LOOK: Final = timedelta(minutes=10)
LOOK_FIRST: Final = timedelta(seconds=1)
LOOK_ACTION: Final = timedelta(seconds=60)  # buyers take minutes, and the webhook usually tells


#: Stored value, spent in our own books.
STORED: Final = ("gift_card", "wallet")
#: Received by hand, later than the order is confirmed or before: no provider can be asked to take it.
BY_HAND: Final = ("cash_on_delivery", "bank_transfer")
OURS: Final = (*STORED, *BY_HAND)

#: How an authorisation ends whose provider could not be reached: nothing was sent, another may be asked.
UNREACHABLE: Final = "provider_unreachable"


class PaymentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable fact; `key` is the idempotency key of the operation at the provider."""

    kind: Kind | Literal["chargeback"]
    outcome: Outcome
    key: str
    amount: int = 0
    fee: int = 0
    code: str = ""


class Operation(msgspec.Struct, frozen=True):
    """What was asked of the provider and is not known to have ended."""

    kind: Kind
    key: str
    amount: int
    phase: Phase
    since: datetime


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it stands; amounts are minor units of `currency`.

    `credited` is what of `refunded` went to the buyer's wallet; `group_id` the payment that it is a part of.
    """

    id: UUID
    order_id: UUID | None
    amount: int
    currency: str
    method: str
    provider: str
    provider_ref: str | None = None
    action_url: str | None = None
    decline_code: str | None = None
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    credited: int = 0
    charged_back: int = 0
    voided: bool = False
    purpose: Purpose = "order"
    user_id: UUID | None = None
    group_id: UUID | None = None
    open: Operation | None = None
    look_at: datetime | None = None
    version: int = 1
    status: PaymentStatus = "pending"
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def busy(self, now: datetime) -> bool:
        """Whether somebody is calling the provider for it right now."""
        held = self.look_at is not None and self.look_at > now
        return self.open is not None and self.open.phase == "in_flight" and held

    @property
    def refundable(self) -> int:
        return self.captured - self.refunded

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be authorised; `id` is chosen by the caller and makes a repeat recognisable."""

    id: UUID
    order_id: UUID | None
    amount: Money
    method: str
    token: str
    return_url: str
    description: str
    user_id: UUID | None = None
    purpose: Purpose = "order"
    part_of: UUID | None = None


class Chargeback(msgspec.Struct, frozen=True):
    """What a bank took back of a charge, and what that cost; negative if it gave that back again."""

    amount: int
    fee: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider holds of one charge, in minor units.

    `refunds` maps a refund's idempotency key to its amount, `chargebacks` the provider's name of one to what
    was taken. `refused` is the provider's code for not doing what was just asked of it; it says nothing about
    the charge.
    """

    ref: str
    state: ChargeState
    amount: int
    captured: int = 0
    fee: int = 0
    refunds: Mapping[str, int] = {}
    chargebacks: Mapping[str, Chargeback] = {}
    action_url: str = ""
    decline_code: str = ""
    refused: str = ""


def authorise_key(payment_id: UUID) -> str:
    return f"{payment_id}:authorise"


def key_of(kind: Kind, payment_id: UUID, refund_id: UUID | None = None) -> str:
    """The idempotency key of an operation: the same for every repeat of it."""
    return f"{refund_id}:refund" if kind == "refund" else f"{payment_id}:{kind}"


def status_of(payment: Payment) -> PaymentStatus:
    """The status that amounts and open operation add up to; the database derives the same."""
    if payment.open is not None and payment.open.phase == "unknown":
        return "unknown"
    if payment.captured:
        if not payment.refunded:
            return "captured"
        return "refunded" if payment.refunded == payment.captured else "partially_refunded"
    if payment.decline_code is not None:
        return "declined"
    if payment.voided:
        return "voided"
    if payment.authorised:
        return "authorised"
    waits = payment.open is not None and payment.open.phase == "action"
    return "requires_action" if waits else "pending"


Verdict = Literal["go", "answer", "ask", "not_authorised", "captured", "not_captured"]

#: What to do when `kind` is asked of a payment in a status: go to the provider, answer what is, ask the
#: provider what is (and look here again), or refuse.
TRANSITIONS: Final[Mapping[Kind, Mapping[PaymentStatus, Verdict]]] = {
    "authorise": {
        "pending": "ask", "requires_action": "ask", "unknown": "ask",
        "authorised": "answer", "captured": "answer", "partially_refunded": "answer",
        "refunded": "answer", "voided": "answer", "declined": "answer",
    },
    "capture": {
        "pending": "ask", "requires_action": "ask", "unknown": "ask",
        "authorised": "go", "captured": "answer", "partially_refunded": "answer",
        "refunded": "answer", "voided": "not_authorised", "declined": "not_authorised",
    },
    "void": {
        "pending": "ask", "requires_action": "go", "unknown": "ask",
        "authorised": "go", "captured": "captured", "partially_refunded": "captured",
        "refunded": "captured", "voided": "answer", "declined": "answer",
    },
    "refund": {
        "pending": "not_captured", "requires_action": "not_captured", "unknown": "ask",
        "authorised": "not_captured", "captured": "go", "partially_refunded": "go",
        "refunded": "go", "voided": "not_captured", "declined": "not_captured",
    },
}  # fmt: skip

REFUSALS: Final[Mapping[Verdict, type[Problem]]] = {
    "not_authorised": PaymentNotAuthorised,
    "captured": PaymentAlreadyCaptured,
    "not_captured": PaymentNotCaptured,
}


def decide(payment: Payment, kind: Kind, *, asked: bool) -> Verdict:
    """What `kind` means for `payment`; `asked` is whether the provider was just asked about it.

    Raises:
        PaymentNotAuthorised, PaymentAlreadyCaptured, PaymentNotCaptured: its status forbids that.
    """
    verdict = TRANSITIONS[kind][payment.status]
    if verdict == "go" and payment.open is not None and payment.open.phase == "in_flight":
        verdict = "ask"
    if verdict == "ask" and asked:
        if kind == "capture" and payment.status == "requires_action":
            verdict = "not_authorised"
        else:
            return "answer"
    if verdict in REFUSALS:
        refusal: type[PaymentNotAuthorised] = REFUSALS[verdict]  # type: ignore[assignment]
        raise refusal(detail=f"the payment is {payment.status}", payment_status=payment.status)
    return verdict


def refuse_other_terms(payment: Payment, order: Order) -> None:
    """Raises PaymentDiffers when a repeat of Authorise is not the same request."""
    if payment.amount == 0:  # voided before it came
        return
    asked = (order.order_id, order.amount.minor, order.amount.currency)
    if (payment.order_id, payment.amount, payment.currency) != asked:
        raise PaymentDiffers(detail=f"payment {payment.id} was opened for another order or amount")


def refuse_other_refund(refund_id: UUID, before: int, amount: int) -> None:
    """Raises PaymentDiffers when a repeat of Refund is not the same request."""
    if before != amount:
        raise PaymentDiffers(detail=f"refund {refund_id} was asked for with another amount")


def refuse_too_large(payment: Payment, amount: int) -> None:
    if amount > payment.refundable:
        raise RefundTooLarge(
            detail=f"{payment.money(amount)} of {payment.money(payment.refundable)}",
            refundable=payment.money(payment.refundable),
        )


def news(payment: Payment, report: Report) -> list[PaymentEvent]:
    """The events that `report` tells and `payment` has not seen, in the order they must have happened."""
    events = _authorisation(payment, report)
    if report.captured > payment.captured:
        capture = _event(payment, "capture", "succeeded", report.captured - payment.captured, fee=report.fee)
        events.append(capture)
    if report.state == "voided" and not payment.voided and payment.decline_code is None:
        events.append(_event(payment, "void", "succeeded", payment.authorised))
    if sum(report.refunds.values()) > payment.refunded - payment.credited:
        events += [
            PaymentEvent(kind="refund", outcome="succeeded", key=key, amount=amount)
            for key, amount in report.refunds.items()
        ]
    taken = [chargeback.amount for chargeback in report.chargebacks.values()]
    if sum(taken) != payment.charged_back or any(amount < 0 for amount in taken):  # known ones change nothing
        events += [
            PaymentEvent(kind="chargeback", outcome="succeeded", key=key, amount=moved.amount, fee=moved.fee)
            for key, moved in report.chargebacks.items()
        ]
    moot = _moot(payment, report)
    if moot and payment.open is not None and payment.open.key not in {event.key for event in events}:
        events.append(_end(payment.open, "failed", moot))
    return events


def _moot(payment: Payment, report: Report) -> str:
    """Why the open operation will never happen; empty if it still may."""
    if payment.open is None or payment.open.kind == "refund":
        return report.refused
    if report.state == "voided" or (report.state == "declined" and payment.open.kind != "authorise"):
        return report.state
    return report.refused


def _authorisation(payment: Payment, report: Report) -> list[PaymentEvent]:
    if payment.authorised or payment.voided or payment.decline_code is not None:
        return []
    operation = payment.open
    phase = operation.phase if operation is not None and operation.kind == "authorise" else None
    match report.state:
        case "authorised":
            return [_event(payment, "authorise", "succeeded", report.amount)]
        case "declined":
            return [_event(payment, "authorise", "failed", 0, code=report.decline_code or "declined")]
        case "requires_action" if phase != "action":
            return [_event(payment, "authorise", "action_required", 0)]
        case "processing" if phase != "unknown":
            return [_event(payment, "authorise", "unknown", 0)]
        case _:
            return []


def no_answer(payment: Payment) -> list[PaymentEvent]:
    """The events of a call whose answer did not come: its outcome is unknown."""
    operation = payment.open
    if operation is None or operation.phase == "unknown":
        return []
    return [_end(operation, "unknown", "no_answer")]


def unreachable(payment: Payment) -> list[PaymentEvent]:
    """The events of a call that was not sent: a charge was not made, anything else is open still."""
    operation = payment.open
    if operation is None or operation.kind != "authorise":
        return no_answer(payment)
    return [_end(operation, "failed", UNREACHABLE)]


def never_arrived(payment: Payment, now: datetime, *, unwanted: bool = False) -> list[PaymentEvent]:
    """The events of an operation that the provider, asked, does not know of.

    Young ones may still arrive and stay unknown. A charge that was lost on the way is given up once it is
    `unwanted`, and otherwise waits to be asked for again; what else is `sent_again` waits as well.
    """
    operation = payment.open
    if operation is None:
        return []
    patience = FORGOTTEN if unwanted or payment.purpose == "top_up" else ABANDONED
    if operation.kind == "authorise" and now - operation.since >= patience:
        return [_end(operation, "failed", "never_arrived")]
    return no_answer(payment)


def sent_again(payment: Payment, now: datetime) -> set[Kind]:
    """What is asked for again, under its key, when it never arrived.

    A charge is captured or voided once, and our own books know everything by its key. A charge or refund
    elsewhere waits until it can no longer be on its way.
    """
    operation = payment.open
    old = operation is not None and now - operation.since >= FORGOTTEN
    once: set[Kind] = {"capture", "void"}
    return once | {"authorise", "refund"} if old or payment.provider in OURS else once


def is_stray(payment: Payment, report: Report) -> bool:
    """Whether the provider holds money for a payment that is over: it must be given back."""
    over = payment.voided or payment.decline_code is not None
    return over and report.state == "authorised" and report.captured == 0


def look_after(payment: Payment, events: list[PaymentEvent], lease: timedelta) -> timedelta | None:
    """When the worker shall look at `payment` next, once `events` are appended; None: never."""
    result: timedelta | None = None
    if payment.open is not None:
        result = LOOK_ACTION if payment.open.phase == "action" else LOOK_FIRST
    for event in events:
        match event.outcome:
            case "requested":
                result = lease
            case "action_required":
                result = LOOK_ACTION
            case "unknown":
                result = LOOK_FIRST
            case "failed" if event.code == "never_arrived":
                result = LAST_LOOK
            case _ if payment.open is None or event.key == payment.open.key:
                result = None
    return result


def _event(
    payment: Payment, kind: Kind, outcome: Outcome, amount: int, *, fee: int = 0, code: str = ""
) -> PaymentEvent:
    key = key_of(kind, payment.id)
    if payment.open is not None and payment.open.kind == kind:
        key = payment.open.key
    return PaymentEvent(kind=kind, outcome=outcome, key=key, amount=amount, fee=fee, code=code)


def _end(operation: Operation, outcome: Outcome, code: str) -> PaymentEvent:
    return PaymentEvent(
        kind=operation.kind, outcome=outcome, key=operation.key, amount=operation.amount, code=code
    )
