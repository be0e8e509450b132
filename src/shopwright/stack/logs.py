"""Reads the parts' logs: the last lines, then what is added; rotation is followed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from .layout import Layout

POLL_S = 0.2


class NoSuchLog(RuntimeError):
    """There is no log of that name."""


def read(layout: Layout, part: str | None, lines: int, *, follow: bool) -> Iterator[str]:
    """The last `lines` of one part's log, or of each; prefixed with the part where there are several."""
    paths = _paths(layout, part)
    if not paths:
        known = ", ".join(path.stem for path in _paths(layout, None)) or "none yet"
        raise NoSuchLog(f"no log of {part or 'any part'}; there are: {known}")
    places = {}
    for path in paths:
        with path.open(errors="replace") as file:
            last = deque(file, maxlen=lines)
            places[path] = file.tell()
        yield from (_line(path, text, several=len(paths) > 1) for text in last)
    while follow:
        time.sleep(POLL_S)
        paths = _paths(layout, part)
        for path in paths:
            yield from (_line(path, text, several=len(paths) > 1) for text in _added(path, places))


def _paths(layout: Layout, part: str | None) -> list[Path]:
    """The log of that name, or else of all replicas of that service."""
    if part is None:
        return sorted(layout.logs.glob("*.log"))
    return sorted(layout.logs.glob(f"{part}.log")) or sorted(layout.logs.glob(f"{part}-*.log"))


def _added(path: Path, places: dict[Path, int]) -> list[str]:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return []
    place = places.setdefault(path, 0)  # a part that has just begun
    if size < place:
        place = 0  # rotated
    if size == place:
        return []
    with path.open(errors="replace") as file:
        file.seek(place)
        added = file.readlines()
        places[path] = file.tell()
    return added


def _line(path: Path, text: str, *, several: bool) -> str:
    return f"{path.stem:16} {text.rstrip()}" if several else text.rstrip()
