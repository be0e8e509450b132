"""What staff read of steps, payments and scopes, in plain words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from ..clients.orders import Step

#: (step, direction) → what it does
STEPS: Final[Mapping[str, str]] = {
    "reserve": "Reserve the items in stock",
    "authorise": "Ask the payment provider to authorise",
    "confirm": "Confirm the order",
    "claim": "Take the items from stock",
    "capture": "Capture the payment",
    "release": "Put the items back into stock",
    "void": "Give the authorised money back",
    "apply": "Change the order’s lines",
    "give_back": "Pay money back",
    "restock": "Put the items back into stock",
    "place": "Place the order",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "done": "Done",
    "waiting": "Waits for the buyer",
    "refused": "Refused",
    "failed": "No answer",
}
TONES: Final[Mapping[str, str]] = {"done": "good", "waiting": "wait", "refused": "bad", "failed": "bad"}

PAYMENT_KINDS: Final[Mapping[str, str]] = {
    "authorise": "Authorisation",
    "capture": "Capture",
    "void": "Void",
    "refund": "Refund",
}
PAYMENT_OUTCOMES: Final[Mapping[str, str]] = {
    "requested": "asked for",
    "action_required": "waits for the buyer",
    "unknown": "outcome unknown, being looked up",
    "succeeded": "succeeded",
    "failed": "failed",
}

AREA_OF_SCOPE: Final[Mapping[str, str]] = {
    "orders:read": "see orders",
    "orders:write": "change orders",
    "catalog:read": "see products that are not for sale",
    "catalog:write": "change products and import",
    "inventory:read": "see stock",
    "inventory:write": "adjust stock",
    "payments:read": "see payments",
    "payments:write": "book payments, issue gift cards and reconcile",
    "promotions:read": "see promotions",
    "promotions:write": "change promotions",
    "settings:read": "see tax and shipping",
    "settings:write": "change tax and shipping",
    "operations:read": "see dead letters",
    "operations:write": "replay dead letters",
}

MOVEMENTS: Final[Mapping[str, str]] = {
    "reserved": "Reserved for an order",
    "sold": "Sold",
    "released": "Reservation given back",
    "expired": "Reservation ran out",
    "import": "Set by an import",
    "backorder sent": "Sent to who waited for it",
    "backorder filled": "Kept for who waits for it",
    "adjusted": "Adjusted",
}

IMPORT_STATUS: Final[Mapping[str, str]] = {
    "": "Starting",
    "queued": "Waiting for its turn",
    "running": "Being read",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Stopped",
}


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a saga as staff read it: repeated attempts with the same outcome are one."""

    name: str
    back: bool
    outcome: str
    tone: str
    attempts: int
    began: datetime
    ended: datetime
    details: list[str]
    by: str = ""

    @property
    def took(self) -> str:
        """How long its attempts went on."""
        seconds = (self.ended - self.began).total_seconds()
        if seconds < 1:
            return ""
        if seconds < 120:
            return f"over {seconds:.0f} seconds"
        return f"over {seconds / 60:.0f} minutes" if seconds < 7_200 else f"over {seconds / 3_600:.0f} hours"


def happenings(steps: Iterable[Step]) -> list[Happening]:
    """The timeline with attempts gathered: five failures of one step in a row are told once."""
    runs: list[list[Step]] = []
    for step in steps:
        last = runs[-1][-1] if runs else None
        if last and not step.by and _same(last, step):
            runs[-1].append(step)
        else:
            runs.append([step])
    return [_happening(run) for run in runs]


def _named(step: Step) -> str:
    return STEPS.get(step.step, step.step.replace("_", " ").capitalize())


def _same(one: Step, other: Step) -> bool:
    return (one.step, one.direction, one.outcome) == (other.step, other.direction, other.outcome)


def _happening(run: Sequence[Step]) -> Happening:
    first = run[0]
    return Happening(
        name=first.text.rstrip(".") if first.by else _named(first),
        back=first.direction != "forward",
        outcome=OUTCOMES.get(first.outcome, first.outcome.capitalize()),
        tone=TONES.get(first.outcome, "wait"),
        attempts=len(run),
        began=first.at,
        ended=run[-1].at,
        by=first.by,
        details=list(dict.fromkeys(step.detail for step in run if step.detail)),
    )
