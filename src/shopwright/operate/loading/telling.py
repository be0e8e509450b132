"""How a load is told: each figure with its budget beside it, as a table to read or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """A measured value; `budget` in words, and whether it was met (None: there is no budget for it)."""

    name: str
    value: float
    budget: str = ""
    met: bool | None = None
    parts: Mapping[str, float] = {}


@dataclass
class Told:
    """What a load says at its end; `left` is what it did to the shop."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def as_table(self) -> str:
        lines = [self.title, "", f"{'':30} {'measured':>12}   budget"]
        for figure in self.figures:
            verdict = {True: "met", False: "missed", None: ""}[figure.met]
            budget = f"{figure.budget:20} {verdict}".rstrip()
            lines.append(f"{figure.name:30} {_number(figure.value):>12}   {budget}".rstrip())
            if shown := {name: value for name, value in figure.parts.items() if value >= 0.005}:
                largest = sorted(shown.items(), key=lambda item: -item[1])
                lines.append("    " + " · ".join(f"{name} {value:.2f}" for name, value in largest))
        return "\n".join([*lines, "", *self.left])

    def as_json(self) -> str:
        rows: list[dict[str, Any]] = [
            {
                "name": figure.name,
                "value": round(figure.value, 3),
                "budget": figure.budget or None,
                "met": figure.met,
                "parts": {name: round(value, 3) for name, value in figure.parts.items()},
            }
            for figure in self.figures
        ]
        return json.dumps({"load": self.title, "figures": rows, "left": self.left})


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
