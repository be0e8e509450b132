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
    paths = sorted(layout.logs.glob(f"{part}.log" if part else "*.log"))
    if part and not paths:
        paths = sorted(layout.logs.glob(f"{part}-*.log"))
    if not paths:
        known = ", ".join(sorted(path.stem for path in layout.logs.glob("*.log"))) or "none yet"
        raise NoSuchLog(f"no log of {part or 'any part'}; there are: {known}")
    places = {}
    for path in paths:
        with path.open(errors="replace") as file:
            last = deque(file, maxlen=lines)
            places[path] = file.tell()
        yield from (_line(path, text, several=len(paths) > 1) for text in last)
    while follow:
        time.sleep(POLL_S)
        for path in paths:
            yield from (_line(path, text, several=len(paths) > 1) for text in _added(path, places))


def _added(path: Path, places: dict[Path, int]) -> list[str]:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return []
    if size < places[path]:
        places[path] = 0  # rotated
    if size == places[path]:
        return []
    with path.open(errors="replace") as file:
        file.seek(places[path])
        added = file.readlines()
        places[path] = file.tell()
    return added


def _line(path: Path, text: str, *, several: bool) -> str:
    return f"{path.stem:16} {text.rstrip()}" if several else text.rstrip()
