"""Rows of a CSV file, one at a time, whatever spreadsheet wrote it.

Bounded: a line is at most LINE_MAX characters, a field FIELD_MAX, a header COLUMNS_MAX columns. NUL
characters are dropped; quoted fields may span lines; `sep=;` on the first line is Excel's and is passed over.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from .reading import PROBLEM, BadFile, Form, Unit, lonely

LINE_MAX = 4_194_304
FIELD_MAX = 1_048_576  # a description of a megabyte is a quotation mark that nobody closed
COLUMNS_MAX = 2_000
DELIMITERS = (",", ";", "\t", "|")


def rows(
    path: Path, form: Form, named: Callable[[str], str] = str.casefold
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row's first line and its cells that are not empty, by the column's name as `named` makes it.

    Raises:
        BadFile: the table cannot be read on; what stands before has been yielded.
    """
    csv.field_size_limit(FIELD_MAX)
    with path.open(encoding=form.encoding, errors="replace", newline="") as file:
        reader = csv.reader(_lines(file), delimiter=form.delimiter, strict=False)
        columns: list[str] | None = None
        line = 1
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise BadFile(
                    f"the field that begins on line {line} does not end within {FIELD_MAX:,} characters; a "
                    f'quotation mark (") is probably not closed ({error})',
                    line,
                ) from error
            if columns is None:
                columns = header(row, named) if any(row) else None
            elif any(row):
                yield line, _cells(columns, row)
            line = reader.line_num + 1


def header(row: Iterable[str], named: Callable[[str], str] = str.casefold) -> list[str]:
    """Names of columns as readers look them up; raises BadFile for more than anybody needs."""
    columns = [named(" ".join(name.replace("\ufeff", "").split())) for name in row]
    if len(columns) > COLUMNS_MAX:
        raise BadFile(f"the header has {len(columns):,} columns; {COLUMNS_MAX:,} are the most", 1)
    return columns


def split_header(text: str) -> tuple[str, list[str]]:
    """The delimiter that makes most columns of the first line of a table, and these columns."""
    lines = text.splitlines(keepends=True)
    if lines and lines[0].strip().casefold().startswith("sep=") and len(lines[0].strip()) <= 5:
        lines = lines[1:]
    best: tuple[str, list[str]] = (",", [])
    for delimiter in DELIMITERS:
        try:
            row = next(csv.reader(lines, delimiter=delimiter), [])
        except csv.Error:
            continue
        if len(row) > len(best[1]):
            best = (delimiter, row)
    return best[0], header(best[1])


def _cells(columns: list[str], row: list[str]) -> dict[str, str]:
    if len(row) > len(columns) and any(row[len(columns) :]):
        words = (
            f"the line has {len(row)} fields and the header {len(columns)} columns; a field with the "
            "delimiter in it must stand in quotation marks"
        )
        return {PROBLEM: words}
    return {name: text for name, value in zip(columns, row, strict=False) if name and (text := value.strip())}


def _lines(file: TextIO) -> Iterator[str]:
    """Lines without NUL; raises BadFile for one that is too long."""
    first = True
    number = 0
    while line := file.readline(LINE_MAX):
        number += 1
        if len(line) == LINE_MAX and not line.endswith(("\n", "\r")):
            raise BadFile(f"line {number} is longer than {LINE_MAX:,} characters; this is no table", number)
        if first:
            first = False
            if line.strip().casefold().startswith("sep=") and len(line.strip()) <= 5:
                yield "\n"
                continue
        yield line.replace("\0", "") if "\0" in line else line


def units_of(path: Path, form: Form, *key_columns: str) -> Iterator[Unit]:
    """Rows as units whose product is named by the first of `key_columns` that is not empty."""
    names = [column.casefold() for column in key_columns]
    for line, cells in rows(path, form):
        key = next((value for name in names if (value := cells.get(name))), "")
        yield Unit(line, key.casefold() or lonely(line), cells)
