"""Sagas: a purchase across services as data, and the pure rule that says what happens next.

A `Saga` is a tuple of steps, one of them the pivot. `advance` takes where a saga stands and a step's reply
and returns where it stands then; no I/O, so every branch is a short test. Before the pivot a refusal turns
the saga round and undoes what was done, the step in doubt included; after it the saga only goes forward and
is retried until it succeeds or an operator helps. `chassis.sagarunner` runs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from shopwright.contracts.events import Event
from shopwright.contracts.problem import Problem

from .db import Change, Transaction

Direction = Literal["forward", "backward"]
Status = Literal["running", "waiting", "completed", "undone"]
Local = Callable[[Transaction], Awaitable[None]]

RETRY_FIRST = timedelta(milliseconds=200)
RETRY_MAX = timedelta(seconds=30)
STUCK_AFTER = 8  # attempts at one step, about half a minute: tell an operator


@dataclass(frozen=True)
class Step:
    """One step; `undo` names what takes it back (empty: nothing to take back)."""

    name: str
    undo: str = ""
    pivot: bool = False


@dataclass(frozen=True)
class Saga:
    kind: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if sum(step.pivot for step in self.steps) != 1:
            raise ValueError(f"saga {self.kind} needs exactly one pivot")

    def index(self, name: str) -> int:
        return next(number for number, step in enumerate(self.steps) if step.name == name)

    def past_pivot(self, name: str) -> bool:
        """Whether standing at step `name` means that the pivot is behind."""
        return self.index(name) > self.index(next(step.name for step in self.steps if step.pivot))


@dataclass(frozen=True)
class Done:
    """The step succeeded. What it changes here commits together with the saga's progress: `changes` and
    `facts` in one statement with it; `local`, where something must be read first, in a transaction.
    """

    local: Local | None = None
    changes: tuple[Change, ...] = ()
    facts: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Refused:
    """The step says no, for good."""

    problem: Problem


@dataclass(frozen=True)
class Waiting:
    """Somebody else must act (a buyer at the provider's page); woken by an event or at the deadline."""

    local: Local | None = None


@dataclass(frozen=True)
class Failed:
    """No answer, or not now: the outcome is unknown."""

    error: str


Reply = Done | Refused | Waiting | Failed


class Place(msgspec.Struct, frozen=True):
    """Where a saga stands: the step it is about to take (or take back), and since how many attempts."""

    step: str
    direction: Direction = "forward"
    status: Status = "running"
    attempts: int = 0
    pause: timedelta = timedelta(0)
    reason: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        return self.status in {"completed", "undone"}


def first(saga: Saga) -> Place:
    return Place(saga.steps[0].name)


def advance(saga: Saga, place: Place, reply: Reply, *, now: datetime, deadline: datetime) -> Place:
    """Where `saga` stands after `reply` of the step (or undo) at `place`."""
    match reply:
        case Done():
            return _onward(saga, place)
        case Waiting():
            if now >= deadline:
                return turn_round(saga, place, {"type": "expired", "title": "The buyer did not act in time"})
            return Place(place.step, place.direction, "waiting", 0, deadline - now, place.reason)
        case Refused(problem) if place.direction == "forward" and not saga.past_pivot(place.step):
            reason = {
                "type": problem.slug,
                "title": problem.title,
                "detail": problem.detail,
            } | problem.members()
            return turn_round(saga, place, reason)
        case Refused() | Failed():
            before_pivot = place.direction == "forward" and not saga.past_pivot(place.step)
            if before_pivot and now >= deadline:
                return turn_round(saga, place, {"type": "expired", "title": "It could not be done in time"})
            pause = min(RETRY_MAX, RETRY_FIRST * int(2 ** min(place.attempts, 10)))
            return Place(place.step, place.direction, "running", place.attempts + 1, pause, place.reason)


def turn_round(saga: Saga, place: Place, reason: dict[str, Any]) -> Place:
    """Go back from `place`, its own step included: its outcome may be unknown and undoing is idempotent."""
    if place.direction == "backward" or saga.past_pivot(place.step):
        return place
    return _undo_from(saga, saga.index(place.step), reason)


def action(saga: Saga, place: Place) -> str:
    """The name of what is to be done at `place`."""
    step = saga.steps[saga.index(place.step)]
    return step.name if place.direction == "forward" else step.undo


def _onward(saga: Saga, place: Place) -> Place:
    index = saga.index(place.step)
    if place.direction == "backward":
        return _undo_from(saga, index - 1, place.reason or {})
    if index + 1 < len(saga.steps):
        return Place(saga.steps[index + 1].name)
    return Place(place.step, "forward", "completed")


def _undo_from(saga: Saga, index: int, reason: dict[str, Any]) -> Place:
    for number in range(index, -1, -1):
        if saga.steps[number].undo:
            return Place(saga.steps[number].name, "backward", reason=reason)
    return Place(saga.steps[0].name, "backward", "undone", reason=reason)
