"""The units of a file beside it in a SQLite file, so that those of one product come together however far
apart they stand, and a job that was killed goes on at a product without reading the file again.

A spool is built once, in a file of its own that is renamed when it is whole; it knows how many rows and
products there are. It is scratch: losing it costs the time to build it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from shopwright.products.catalog.drafts import ProductDraft

from . import formats
from .readers import values
from .readers.reading import PROBLEM, Form, Note, Options, Read, Reader, Unit

CHUNK = 2_000
ROWS_MAX = 5_000_000  # a file of 512 MiB whose rows are 100 bytes


class Stopped(Exception):
    """The process is to end; the spool is not whole."""


class Item(NamedTuple):
    """One product of the file: its place, its rows, and what they read as."""

    position: int
    rows: int
    key: str
    read: Read


class Spool:
    """A whole spool, opened for reading by one thread at a time."""

    def __init__(self, path: Path, reader: Reader, options: Options) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._reader, self._options = reader, options
        self._db.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY")
        self.rows: int = self._db.execute("SELECT count(*) FROM units").fetchone()[0]
        self.products: int = self._db.execute("SELECT count(*) FROM products").fetchone()[0]

    def close(self) -> None:
        self._db.close()

    def batch(self, after: int, size: int, bytes_max: int) -> list[Item]:
        """The next products after place `after`: at most `size`, and about `bytes_max` bytes of them."""
        items: list[Item] = []
        taken = 0
        self._db.execute("BEGIN")
        for position, key, units, length in self._groups(after, size):
            items.append(Item(position, len(units), key, self._read(key, units)))
            taken += length
            if taken >= bytes_max:
                break
        self._db.execute("COMMIT")
        return items

    def _groups(self, after: int, size: int) -> Iterator[tuple[int, str, list[Unit], int]]:
        rows = self._db.execute(_GROUPS, (after, after + size))
        position, key, length = 0, "", 0
        units: list[Unit] = []
        for place, name, line, cells in rows:
            if place != position and units:
                yield position, key, units, length
                units, length = [], 0
            position, key = place, name
            length += len(cells)
            units.append(Unit(line, name, msgspec.json.decode(cells)))
        if units:
            yield position, key, units, length

    def _read(self, key: str, units: Sequence[Unit]) -> Read:
        broken = [
            Note("refused", unit.line, "", unit.cells[PROBLEM]) for unit in units if PROBLEM in unit.cells
        ]
        if broken:
            return Read(units[0].line, key.strip("\0"), None, broken)
        result = self._reader.product(units, self._options)
        return result if result.draft is None else self._own_slug(key, result, result.draft)

    def _own_slug(self, key: str, result: Read, draft: ProductDraft) -> Read:
        """Two products of the file with one slug would overwrite each other."""
        owner = self._claim(draft.slug, key)
        if owner == key:
            return result
        if formats.derives_slugs(self._reader):
            other = values.slug(f"{draft.slug} {result.identifier or result.line}")
            if self._claim(other, key) == key:
                return result._replace(draft=msgspec.structs.replace(draft, slug=other))
        note = Note(
            "refused", result.line, "/slug", f"{draft.slug!r} is the slug of another product of this file too"
        )
        return result._replace(draft=None, notes=[*result.notes, note])

    def _claim(self, slug: str, key: str) -> str:
        if self._db.execute("INSERT OR IGNORE INTO slugs VALUES (?, ?)", (slug, key)).rowcount:
            return key
        owner: str = self._db.execute("SELECT key FROM slugs WHERE slug = ?", (slug,)).fetchone()[0]
        return owner


def build(file: Path, form: Form, path: Path, stopping: Callable[[], bool]) -> None:
    """Make the spool of `file` at `path` unless it is there.

    Raises:
        BadFile: the file cannot be read to its end.
        Stopped: `stopping` said so.
    """
    if path.exists():
        return
    fresh = path.with_suffix(".building")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh, isolation_level=None)) as db:
        db.executescript(_SCHEMA)
        db.execute("BEGIN")
        _fill(db, formats.named(form.format).units(file, form), stopping)
        db.execute("COMMIT")
        db.executescript(_ORDER)
    fresh.rename(path)


def _fill(db: sqlite3.Connection, units: Iterator[Unit], stopping: Callable[[], bool]) -> None:
    encode = msgspec.json.Encoder().encode
    rows: list[tuple[str, int, bytes]] = []
    names: list[tuple[str, str]] = []
    for unit in units:
        rows.append((unit.key, unit.line, encode(unit.cells)))
        names += [(name, unit.key) for name in unit.also]
        if len(rows) >= CHUNK:
            _write(db, rows, names)
            if stopping():
                raise Stopped
    _write(db, rows, names)


def _write(db: sqlite3.Connection, rows: list[tuple[str, int, bytes]], names: list[tuple[str, str]]) -> None:
    db.executemany("INSERT INTO units (key, line, cells) VALUES (?, ?, ?)", rows)
    db.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", names)
    rows.clear()
    names.clear()


_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE units (n INTEGER PRIMARY KEY, key TEXT NOT NULL, line INTEGER NOT NULL, cells BLOB NOT NULL);
CREATE TABLE names (name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE slugs (slug TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE products (place INTEGER PRIMARY KEY, key TEXT NOT NULL);
"""
_ORDER = """
UPDATE units SET key = (SELECT names.key FROM names WHERE names.name = units.key)
WHERE key IN (SELECT name FROM names) AND key NOT IN (SELECT key FROM names);
CREATE INDEX units_of ON units (key, n);
INSERT INTO products (key) SELECT key FROM units GROUP BY key ORDER BY min(n);
"""
_GROUPS = """
SELECT p.place, p.key, u.line, u.cells FROM products p JOIN units u ON u.key = p.key
WHERE p.place > ? AND p.place <= ? ORDER BY p.place, u.n
"""
