"""What Stripe tells, as types, and what it means to us: a PaymentIntent with its charge and refunds is a
`Report`, a line of the balance is a row to reconcile.

Pure. Only the members that are read stand here; Stripe adds others at will.
https://docs.stripe.com/payments/paymentintents/lifecycle
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from ..domain import Report
from ..domain.payments import Chargeback, ChargeState
from ..provider import ReportRow, RowKind
from .amounts import from_stripe

#: Under these names our ids stand in the metadata of what we make at Stripe.
PAYMENT: Final = "shopwright_payment"
KEY: Final = "shopwright_key"

_STATES: Final[Mapping[str, ChargeState]] = {
    "requires_capture": "authorised",
    "succeeded": "authorised",
    "canceled": "voided",
    "requires_action": "requires_action",
    "requires_payment_method": "declined",
    "requires_confirmation": "processing",
    "processing": "processing",
}
#: Of a dispute whose money was withdrawn; a warning has taken none, and what was won came back.
TAKEN_BACK: Final = {"needs_response", "under_review", "lost", "won"}
RETURNED: Final = "adjustment"  # the type of the balance's line by which it comes back
GIVEN_BACK: Final = {"succeeded", "pending", "requires_action"}  # the others have failed or were cancelled


class Balance(msgspec.Struct, frozen=True):
    """A balance transaction: what one movement cost, in the currency in which Stripe pays us out."""

    fee: int
    currency: str
    amount: int = 0


class Charge(msgspec.Struct, frozen=True):
    amount: int
    currency: str
    captured: bool = False
    amount_captured: int | None = None
    amount_refunded: int = 0
    disputed: bool = False
    balance_transaction: Balance | str | None = None

    @property
    def taken(self) -> int:
        whole = self.amount if self.captured else 0
        return whole if self.amount_captured is None else self.amount_captured


class Redirect(msgspec.Struct, frozen=True):
    url: str | None = None


class NextAction(msgspec.Struct, frozen=True):
    redirect_to_url: Redirect | None = None


class Failure(msgspec.Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None


class Intent(msgspec.Struct, frozen=True):
    id: str
    status: str
    amount: int
    currency: str
    metadata: dict[str, str] = {}
    latest_charge: Charge | str | None = None
    next_action: NextAction | None = None
    last_payment_error: Failure | None = None

    @property
    def given_back(self) -> bool:
        """Whether there are refunds to ask for."""
        return isinstance(self.latest_charge, Charge) and self.latest_charge.amount_refunded > 0

    @property
    def disputed(self) -> bool:
        return isinstance(self.latest_charge, Charge) and self.latest_charge.disputed


class Dispute(msgspec.Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str
    balance_transactions: list[Balance] = []

    @property
    def chargebacks(self) -> dict[str, Chargeback]:
        """What was withdrawn and, under the name that the balance gives it, what came back."""
        if self.status not in TAKEN_BACK:
            return {}
        amount = from_stripe(self.amount, self.currency)
        returns = [moved for moved in self.balance_transactions if moved.amount > 0]
        fees = [_fee(moved, self.currency) for moved in self.balance_transactions if moved.amount <= 0]
        moves = {f"stripe:{self.id}": Chargeback(amount, sum(fees))}
        if returns or self.status == "won":
            cost = sum(_fee(moved, self.currency) for moved in returns)
            moves[f"stripe:{self.id}:{RETURNED}"] = Chargeback(-amount, cost)
        return moves


class Refund(msgspec.Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str | None = None
    metadata: dict[str, str] | None = None

    @property
    def key(self) -> str:
        """Our idempotency key, or a name for a refund that somebody made at Stripe's desk."""
        return (self.metadata or {}).get(KEY) or f"stripe:{self.id}"


def report(intent: Intent, refunds: Iterable[Refund] = (), disputes: Iterable[Dispute] = ()) -> Report:
    """The whole truth about one charge."""
    charge = intent.latest_charge if isinstance(intent.latest_charge, Charge) else None
    action = intent.next_action.redirect_to_url if intent.next_action else None
    state = _STATES.get(intent.status, "processing")
    return Report(
        ref=intent.id,
        state=state,
        amount=from_stripe(intent.amount, intent.currency),
        captured=from_stripe(charge.taken, intent.currency) if charge and intent.status == "succeeded" else 0,
        fee=_fee(charge.balance_transaction, intent.currency) if charge else 0,
        refunds={
            refund.key: from_stripe(refund.amount, refund.currency)
            for refund in refunds
            if (refund.status or "succeeded") in GIVEN_BACK
        },
        chargebacks={key: moved for dispute in disputes for key, moved in dispute.chargebacks.items()},
        action_url=(action.url or "") if action and state == "requires_action" else "",
        decline_code=_why(intent.last_payment_error) if state == "declined" else "",
    )


def _why(failure: Failure | None) -> str:
    if failure is None:
        return "requires_payment_method"
    return failure.decline_code or failure.code or "card_declined"


def _fee(balance: Balance | str | None, currency: str) -> int:
    """What it cost, as far as Stripe tells and pays out in the currency of the charge."""
    if not isinstance(balance, Balance) or balance.currency.lower() != currency.lower():
        return 0
    return from_stripe(balance.fee, balance.currency)


class Source(msgspec.Struct, frozen=True):
    """What a line of the balance is about: a charge, a refund or a dispute."""

    id: str
    object: str
    amount: int
    currency: str
    payment_intent: str | None = None
    charge: str | None = None
    metadata: dict[str, str] | None = None
    captured: bool = True
    amount_captured: int | None = None


class BalanceLine(msgspec.Struct, frozen=True):
    id: str
    created: int
    amount: int
    fee: int
    currency: str
    type: str
    source: Source | str | None = None


_KINDS: Final[Mapping[tuple[str, str], tuple[RowKind, int]]] = {
    ("charge", "charge"): ("capture", 1),
    ("payment", "charge"): ("capture", 1),
    ("refund", "refund"): ("refund", 1),
    ("payment_refund", "refund"): ("refund", 1),
    ("refund_failure", "refund"): ("refund", -1),
    ("payment_failure_refund", "refund"): ("refund", -1),
    ("adjustment", "dispute"): ("chargeback", 1),
}


def row(line: BalanceLine) -> ReportRow | None:
    """A line of the balance as a row to reconcile; None for payouts, bills and whatever is not a payment."""
    source = line.source
    if not isinstance(source, Source) or (line.type, source.object) not in _KINDS:
        return None
    kind, sign = _KINDS[line.type, source.object]
    if kind == "chargeback" and line.amount > 0:  # won: the money comes back
        sign = -1
    metadata = source.metadata or {}
    amount = source.amount if source.amount_captured is None else source.amount_captured
    key = metadata.get(KEY) or f"stripe:{source.id}"
    return ReportRow(
        ref=source.payment_intent or source.charge or source.id,
        reference=_uuid(metadata.get(PAYMENT, "")),
        kind=kind,
        key=key if sign > 0 else f"{key}:{line.type}",
        amount=sign * from_stripe(amount, source.currency),
        fee=_fee(Balance(line.fee, line.currency), source.currency),
        currency=source.currency.upper(),
        at=datetime.fromtimestamp(line.created, UTC),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
