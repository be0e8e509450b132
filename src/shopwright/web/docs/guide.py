"""What holds for all of the API, in words: for the reference's pages and the document's description.

The text stands in `guide.md`: chapters, paragraphs with `code` in backticks, and fenced examples in which
`{server}` is where this installation answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from shopwright.chassis.problems import STATUS, TYPE_PREFIX
from shopwright.contracts.problem import REGISTRY, Problem

TEXT: Final = (Path(__file__).parent / "guide.md").read_text(encoding="utf-8")


class Chapter(NamedTuple):
    """`blocks` are paragraphs, or an example (`True`) that is shown as it is."""

    id: str
    title: str
    blocks: list[tuple[bool, str]]


class Refusal(NamedTuple):
    type: str
    status: int
    title: str


def chapters(server: str) -> list[Chapter]:
    return [
        Chapter(
            re.sub(r"[^a-z]+", "-", title.lower()), title, list(_blocks(text.replace("{server}", server)))
        )
        for title, _, text in (part.partition("\n") for part in TEXT.split("## ")[1:])
    ]


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    for place, piece in enumerate(text.split("```")):
        if place % 2:
            yield True, piece.strip("\n")
        else:
            yield from ((False, " ".join(block.split())) for block in piece.split("\n\n") if block.strip())


def refusals() -> list[Refusal]:
    """The problems that every service may answer with; some paths have their own beside them."""
    shared = (cls for cls in REGISTRY.values() if cls.__module__ == "shopwright.contracts.problems")
    return sorted((_refusal(cls) for cls in shared), key=lambda row: (row.status, row.type))


def _refusal(cls: type[Problem]) -> Refusal:
    return Refusal(TYPE_PREFIX + cls.slug, STATUS[cls.kind][0], cls.title)


def description_of(away: Mapping[str, bool], server: str) -> str:
    """The document's own words; `away` names services that do not answer, and whether their part is kept."""
    notes = [
        f"**{service} does not answer right now; its part here is "
        f"{'the last one known' if kept else 'missing'}.**"
        for service, kept in away.items()
    ]
    opening = "A shop's whole API: accounts, catalogue, stock, carts, orders, payments, notifications."
    return "\n\n".join([opening, *notes, TEXT.replace("{server}", server).strip()])
