"""The index on disk: generations, one of which answers.

    <folder>/current            the name of the generation that answers, replaced atomically
    <folder>/<generation>/      a tantivy index, and `shopwright.json`: schema version and currency slots

A generation is built beside the current one and switched to when it is whole, so a process that dies at any
point leaves the old one answering. The one before the current is kept for readers that are just opening it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Final

import msgspec
import tantivy

from shopwright.contracts.ids import new_id

from .domain import IndexFailed
from .schema import SLOTS, VERSION, build
from .words import analyzer

_ABOUT: Final = "shopwright.json"
_META: Final = "meta.json"  # tantivy's: replaced by each commit


class About(msgspec.Struct, frozen=True):
    version: int
    own: str  # the shop's own currency
    slots: dict[str, int]  # of each currency's price fields


class Generation:
    """One index on disk, opened."""

    def __init__(self, path: Path, own: str) -> None:
        """Raises IndexFailed if it is missing, broken, of another schema version or own currency."""
        self.path = path
        try:
            self.about = msgspec.json.decode((path / _ABOUT).read_bytes(), type=About)
            if (self.about.version, self.about.own) != (VERSION, own):
                raise IndexFailed(f"{path.name} has schema {self.about.version} in {self.about.own}")
            self.engine: Any = tantivy.Index.open(str(path))
        except (OSError, ValueError) as error:
            raise IndexFailed(f"{path.name} does not open: {error}") from error
        self.engine.register_tokenizer("words", analyzer())
        self.engine.config_reader("manual")

    @property
    def schema(self) -> Any:
        return self.engine.schema

    def stamp(self) -> tuple[int, int]:
        """Another one after each commit; raises IndexFailed if the files are gone."""
        try:
            found = (self.path / _META).stat()
        except OSError as error:
            raise IndexFailed(f"{self.path.name} is gone: {error.strerror}") from error
        return found.st_mtime_ns, found.st_ino

    def reload(self) -> Any:
        """A searcher over the last commit."""
        try:
            self.about = msgspec.json.decode((self.path / _ABOUT).read_bytes(), type=About)
            self.engine.reload()
            return self.engine.searcher()
        except (OSError, ValueError) as error:
            raise IndexFailed(f"{self.path.name} does not load: {error}") from error

    def give_slots(self, currencies: set[str]) -> None:
        """Give each new currency a slot, durably, before anything is written into it. Beyond `SLOTS` none
        is left: those prices are not searchable.
        """
        slots = dict(self.about.slots)
        for currency in sorted(currencies - slots.keys())[: SLOTS - len(slots)]:
            slots[currency] = len(slots)
        if slots != self.about.slots:
            self.about = About(VERSION, self.about.own, slots)
            _replace(self.path / _ABOUT, msgspec.json.encode(self.about))


class Folder:
    def __init__(self, root: Path, own: str) -> None:
        self._root, self._own = root, own

    def current(self) -> str:
        """The name of the generation that answers; empty if there is none."""
        try:
            return (self._root / "current").read_text(encoding="utf-8").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return ""

    def open(self) -> Generation:
        """Raises IndexFailed."""
        if not (name := self.current()):
            raise IndexFailed("there is no index yet")
        return Generation(self._root / Path(name).name, self._own)

    def create(self) -> Generation:
        """A new, empty generation that does not answer yet."""
        path = self._root / f"g-{new_id().hex}"
        try:
            path.mkdir(parents=True, mode=0o700)
            _replace(path / _ABOUT, msgspec.json.encode(About(VERSION, self._own, {})))
            tantivy.Index(build(), str(path))
        except (OSError, ValueError) as error:
            raise IndexFailed(f"no new index in {self._root}: {error}") from error
        return Generation(path, self._own)

    def switch(self, generation: Generation) -> None:
        """Let `generation` answer, and forget all but the one before it."""
        before = self.current()
        try:
            _replace(self._root / "current", generation.path.name.encode())
        except OSError as error:
            raise IndexFailed(f"cannot switch in {self._root}: {error}") from error
        self.forget_all_but({before, generation.path.name})

    def forget_all_but(self, names: set[str]) -> None:
        """Only for the process that writes: what others left half built goes too."""
        for path in self._root.glob("g-*"):
            if path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    def forget(self, generation: Generation) -> None:
        shutil.rmtree(generation.path, ignore_errors=True)


def _replace(path: Path, content: bytes) -> None:
    """Write whole or not at all, and durably."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
