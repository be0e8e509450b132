"""What every reader speaks: units of a file, what to read them with, and what was read or refused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from shopwright.products.catalog.drafts import ProductDraft

Value = TypeVar("Value")
Outcome = Literal["refused", "warning", "skipped"]

NOTES_MAX = 50  # of one product; a product that is wrong in more places has one cause
TEXT_MAX = 300  # of a quoted value or reason in a report
PROBLEM = "\0"  # a unit with this cell could not be split up; the cell says why


class Note(msgspec.Struct, frozen=True):
    """Why a product, or a value of it, was left out: the line, a JSON Pointer, and what would be right."""

    outcome: Outcome
    line: int
    pointer: str
    detail: str


class Read(NamedTuple):
    """One product as it was read: a draft, or None with the notes that say why."""

    line: int
    identifier: str
    draft: ProductDraft | None
    notes: list[Note]
    untracked: int = 0  # variants whose shop does not count their stock, and which got `UNTRACKED_STOCK`


class Unit(NamedTuple):
    """A row or object of the file. Units of one `key` are one product; `also` are other names of that key.

    `line` counts from 1; in JSON it is the number of the object.
    """

    line: int
    key: str
    cells: dict[str, Any]
    also: tuple[str, ...] = ()


def lonely(line: int) -> str:
    """The key of a unit that names no product."""
    return f"\0{line}"


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """How the bytes of a file are to be taken."""

    format: str
    encoding: str = "utf-8"
    delimiter: str = ","


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a file does not say itself.

    currency: of prices that name none. warehouse: of stock that names none. stock: units on hand of variants
    whose stock the file does not tell; None leaves it as it is. today: decides whether a sale is on.
    shop_currency: what the shop sells in, whatever the file says.
    """

    currency: str = "EUR"
    warehouse: str = "main"
    stock: int | None = None
    today: date = date.min
    shop_currency: str = ""


class BadFile(Exception):
    """The file as a whole cannot be read; the message says where and what would be right."""

    def __init__(self, detail: str, line: int = 0) -> None:
        super().__init__(detail)
        self.detail, self.line = detail, line


class Reader(Protocol):
    """What a module of this package offers."""

    NAME: str
    TITLE: str

    def fits(self, text: str, columns: frozenset[str], /) -> bool: ...

    def units(self, path: Path, form: Form) -> Iterator[Unit]: ...

    def product(self, units: Sequence[Unit], options: Options) -> Read: ...


class Cells:
    """The cells of a unit by their column's name, whatever its case, and the notes made while reading."""

    def __init__(self, unit: Unit, notes: list[Note]) -> None:
        self.line, self._cells, self.notes = unit.line, unit.cells, notes

    def text(self, *columns: str) -> str:
        """The first of `columns` that is not empty."""
        for column in columns:
            if value := self._cells.get(column.casefold()):
                return str(value)
        return ""

    def names(self) -> Mapping[str, Any]:
        return self._cells

    def value(self, column: str, parse: Callable[[str], Value], *more: str) -> Value | None:
        """The parsed cell; None when it is empty, or wrong, which is noted and refuses the product."""
        for name in (column, *more):
            if text := self.text(name):
                try:
                    return parse(text)
                except ValueError as error:
                    self.refuse(name, str(error))
                return None
        return None

    def refuse(self, column: str, detail: str) -> None:
        self._note("refused", column, detail)

    def warn(self, column: str, detail: str) -> None:
        self._note("warning", column, detail)

    def skip(self, column: str, detail: str) -> None:
        self._note("skipped", column, detail)

    def refuse_at(self, place: str, detail: str) -> None:
        """As `refuse`, with a JSON Pointer."""
        self._add("refused", place, detail)

    def _note(self, outcome: Outcome, column: str, detail: str) -> None:
        self._add(outcome, pointer(column), detail)

    def _add(self, outcome: Outcome, place: str, detail: str) -> None:
        if len(self.notes) < NOTES_MAX:
            self.notes.append(Note(outcome, self.line, place, shortened(detail)))


def pointer(*parts: str) -> str:
    """A JSON Pointer of column names or members."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts if part)


def shortened(text: str, limit: int = TEXT_MAX) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def read(unit: Unit, identifier: str, draft: ProductDraft | None, notes: list[Note]) -> Read:
    """The reading of a product: no draft if anything refuses or skips it."""
    out = any(note.outcome != "warning" for note in notes)
    return Read(unit.line, shortened(identifier, 200), None if out else draft, notes)
