"""The one table of what may be done to an order in which state, and in which states that may leave it.

A pair that is not here is refused as WrongTransition, which names the state and the command. The purchase's
saga decides the states before `confirmed`, staff those after; a paper changes nothing but has its states.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from shopwright.contracts.orders import OrderStatus
from shopwright.contracts.problem import Problem

Command = Literal[
    "await_buyer", "confirm", "refuse", "expire", "cancel", "fulfil", "refund", "return", "exchange", "edit",
    "invoice", "packing_slip",
]  # fmt: skip
States = frozenset[OrderStatus]
COMMANDS: Final[tuple[Command, ...]] = get_args(Command)


class WrongTransition(Problem):
    """An order in this state does not allow that."""

    kind = "conflict"
    order_status: str
    wanted: str


def _to(*states: OrderStatus) -> States:
    return frozenset(states)


def _stays(*states: OrderStatus) -> dict[OrderStatus, States]:
    return {state: _to(state) for state in states}


TABLE: Final[Mapping[Command, Mapping[OrderStatus, States]]] = {
    "await_buyer": {"in_progress": _to("awaiting_buyer")},
    "confirm": {"in_progress": _to("confirmed"), "awaiting_buyer": _to("confirmed")},
    "refuse": {"in_progress": _to("refused"), "awaiting_buyer": _to("refused")},
    "expire": {"in_progress": _to("expired"), "awaiting_buyer": _to("expired")},
    "cancel": {
        "in_progress": _to("cancelled"),
        "awaiting_buyer": _to("cancelled"),
        "confirmed": _to("cancelled"),
        "partially_fulfilled": _to("partially_fulfilled", "fulfilled", "returned"),  # what was not shipped
    },
    "fulfil": {
        "confirmed": _to("partially_fulfilled", "fulfilled"),
        "partially_fulfilled": _to("partially_fulfilled", "fulfilled"),
    },
    "refund": _stays("confirmed", "partially_fulfilled", "fulfilled", "returned", "cancelled"),
    "return": {
        "partially_fulfilled": _to("partially_fulfilled", "returned"),
        "fulfilled": _to("fulfilled", "returned"),
    },
    "exchange": {
        "partially_fulfilled": _to("partially_fulfilled", "returned"),
        "fulfilled": _to("fulfilled", "returned"),
    },
    "edit": _stays("confirmed"),
    "invoice": _stays("confirmed", "partially_fulfilled", "fulfilled", "returned", "cancelled"),
    "packing_slip": _stays("confirmed", "partially_fulfilled", "fulfilled", "returned"),
}


def check_command(before: OrderStatus, command: Command, after: OrderStatus | None = None) -> None:
    """Raises WrongTransition when `command` is not for an order in this state, or may not lead to `after`."""
    allowed = TABLE[command].get(before, frozenset())
    if not allowed or (after is not None and after not in allowed):
        raise WrongTransition(
            detail=f"{command} is not for an order that is {before}{_but(command)}",
            order_status=before,
            wanted=command,
        )


def _but(command: Command) -> str:
    return f"; it is for one that is {' or '.join(TABLE[command])}"
