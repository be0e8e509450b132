"""What happened to an order, told twice on purpose: to its buyer and to staff. Pure.

The buyer reads plain sentences about outcomes: no attempt, no error, no name of anybody, nothing that was
undone without touching them. Staff read every attempt with its error, and who of them did what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem

from .edits import Edit
from .orders import Fulfilment, Order, Reversal


class NothingToRetry(Problem):
    """Nothing of this order waits for its next step."""

    kind = "conflict"


class SagaStep(msgspec.Struct, frozen=True):
    """One attempt at a step of a saga, as it was written."""

    saga_id: UUID
    at: datetime
    step: str
    direction: str
    outcome: str
    detail: str


class Action(msgspec.Struct, frozen=True):
    """What one of the staff did."""

    at: datetime
    command: str
    by_user: UUID | None
    detail: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a timeline; `text` says it in a sentence, `by` (for staff only) who of them did it."""

    at: datetime
    step: str
    direction: str = "forward"
    outcome: str = "done"
    detail: str = ""
    text: str = ""
    by: str = ""
    link: str = ""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of an order."""

    order: Order
    steps: Sequence[SagaStep]
    parcels: Sequence[Fulfilment]
    reversals: Sequence[Reversal]
    actions: Sequence[Action]
    edits: Sequence[Edit] = ()


#: What the buyer reads of the purchase's steps: (step, outcome) → sentence.
_TOLD: Final[Mapping[tuple[str, str], str]] = {
    ("reserve", "done"): "We set your items aside.",
    ("authorise", "waiting"): "We are waiting for your payment.",
    ("authorise", "done"): "Your payment was authorised.",
    ("confirm", "done"): "Your order was confirmed.",
    ("claim", "done"): "Your items were taken from the shelf.",
    ("capture", "done"): "Your payment was taken.",
    ("void", "done"): "Your payment was given back; you were not charged.",
    ("release", "done"): "Your items were put back on the shelf.",
}
#: What staff read: (step, outcome) → sentence; others are named by their step and outcome.
_OPERATED: Final[Mapping[tuple[str, str], str]] = {
    ("reserve", "done"): "Stock is reserved.",
    ("authorise", "done"): "The provider authorised the payment.",
    ("authorise", "waiting"): "The provider waits for the buyer.",
    ("confirm", "done"): "The order is confirmed.",
    ("claim", "done"): "The stock is taken.",
    ("capture", "done"): "The payment is captured.",
    ("capture", "refused"): "The provider refused the capture for good.",
    ("void", "done"): "The authorisation is given back.",
    ("release", "done"): "The reservation is given back.",
    ("apply", "done"): "The order's lines are changed.",
    ("give_back", "done"): "The money is paid back.",
    ("restock", "done"): "The goods are back in stock.",
}
_DID: Final[Mapping[str, str]] = {
    "fulfil": "Shipped", "refund": "Asked for a refund", "return": "Took goods back", "cancel": "Cancelled",
    "edit": "Changed the order", "draft": "Placed the order for the buyer", "exchange": "Exchanged goods",
    "look_again": "Had the next step tried now", "withdraw": "Withdrew a change",
}  # fmt: skip


def for_buyer(history: History) -> list[Entry]:
    """Outcomes in plain sentences, oldest first."""
    told = [
        *_purchase(history),
        *(_parcel(parcel) for parcel in history.parcels),
        *(_went_back(reversal, history) for reversal in history.reversals if reversal.status != "failed"),
        *(_not_made(edit) for edit in history.edits if edit.due.minor and edit.status != "applied"),
    ]
    return sorted(told, key=lambda entry: entry.at)


def for_staff(history: History, names: Mapping[UUID, str]) -> list[Entry]:
    """Every attempt with its error, and every action with who did it; `names` by account, else its id."""
    reversals = {reversal.id: reversal for reversal in history.reversals}
    told = [
        *(
            _operated(_as_refused(step, history.order))
            for step in history.steps
            if _says_something(step, reversals.get(step.saga_id), history)
        ),
        *(_did(action, names) for action in history.actions),
    ]
    return sorted(told, key=lambda entry: entry.at)


def _purchase(history: History) -> Iterable[Entry]:
    """The steps of the purchase that ended well, or that still wait."""
    steps = [step for step in history.steps if step.saga_id == history.order.id]
    done = {(step.step, step.direction) for step in steps if step.outcome == "done"}
    for step in steps:
        over = step.outcome == "waiting" and (
            (step.step, step.direction) in done or history.order.status != "awaiting_buyer"
        )
        text = _TOLD.get((step.step, _as_refused(step, history.order).outcome))
        if text and not over:
            yield Entry(at=step.at, step=step.step, direction=step.direction, outcome=step.outcome, text=text)


def _parcel(parcel: Fulfilment) -> Entry:
    units = sum(parcel.lines.values())
    how = " ".join(filter(None, (parcel.tracking.carrier, parcel.tracking.number)))
    text = f"A parcel with {_units(units)} was sent{f' with {how}' if how else ''}."
    return Entry(at=parcel.created_at, step="fulfil", text=text, link=parcel.tracking.url)


def _not_made(edit: Edit) -> Entry:
    """A change that waits for its payment, or was never paid."""
    waits = edit.pending
    text = (
        f"A change of the order waits for your payment of {edit.due}."
        if waits
        else "A change of the order was not made; you were not charged for it."
    )
    return Entry(at=edit.created_at, step="edit", outcome="waiting" if waits else "done", text=text)


def _went_back(back: Reversal, history: History) -> Entry:
    """A return, a cancellation, a change or a refund, and its money as far as it is known."""
    money = _money(back.amount, done=back.status == "succeeded") if back.amount.minor else ""
    units = sum(back.lines.values())
    what = {
        "return": f"Your return of {_units(units)} was taken.",
        "cancellation": f"{_units(units)} will not be sent.".capitalize()
        if units
        else "The order was cancelled.",
        "edit": "The order was changed.",
        "refund": "",
    }[back.kind]
    due = next((edit.due for edit in history.edits if edit.id == back.id and edit.due.minor), None)
    paid = f"It cost you {due} more." if due else ""
    text = " ".join(filter(None, (what, money, paid)))
    return Entry(
        at=back.created_at, step=back.kind, outcome="done" if back.status == "succeeded" else "waiting",
        text=text,
    )  # fmt: skip


def _money(amount: Money, *, done: bool) -> str:
    return f"{amount} {'went' if done else 'goes'} back to you."


def _units(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"


def _says_something(step: SagaStep, back: Reversal | None, history: History) -> bool:
    """Not that nothing was put back of a refund of money only, paid back of a return without money, or
    reserved for a change that only takes out.
    """
    adding = {edit.id for edit in history.edits if edit.added.lines}
    paying = {edit.id for edit in history.edits if edit.due.minor}
    if step.step in {"reserve", "release", "claim"} and step.saga_id not in {history.order.id, *adding}:
        return False
    if step.step in {"authorise", "void", "capture"} and step.saga_id not in {history.order.id, *paying}:
        return False
    if step.step == "note":
        return False
    if back is None or step.outcome != "done":
        return True
    if step.step == "restock":
        return bool(back.restock)
    return step.step != "give_back" or bool(back.amount.minor)


def _as_refused(step: SagaStep, order: Order) -> SagaStep:
    """The capture that ended as refused: for the saga that is a step done, for people it is not."""
    captured = (step.saga_id, step.step, step.outcome) == (order.id, "capture", "done")
    if not order.payment_refused or not captured:
        return step
    return msgspec.structs.replace(step, outcome="refused", detail=(order.refusal or {})["detail"])


def _operated(step: SagaStep) -> Entry:
    said = _OPERATED.get((step.step, step.outcome))
    return Entry(
        at=step.at, step=step.step, direction=step.direction, outcome=step.outcome, detail=step.detail,
        text=said or f"{step.step.replace('_', ' ').capitalize()}: {step.outcome}.",
    )  # fmt: skip


def _did(action: Action, names: Mapping[UUID, str]) -> Entry:
    who = action.by_user
    return Entry(
        at=action.at, step=action.command, detail=action.detail,
        text=f"{_DID.get(action.command, action.command.capitalize())}.",
        by=names.get(who, str(who)) if who else "",
    )  # fmt: skip
