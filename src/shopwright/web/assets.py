"""Static files: read once at start, served under a name that holds their hash, compressed beforehand.

A file's content never changes under its name, so browsers keep it for ever. Only files of this package's
folder can be asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "static"
HASH_CHARS = 12


class Asset(msgspec.Struct, frozen=True):
    content: bytes
    compressed: bytes | None
    media_type: str


class Assets:
    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_path: dict[str, Asset] = {}
        self._names: dict[str, str] = {}
        for path in sorted(folder.iterdir()):
            self._add(path.name, path.read_bytes())

    def url(self, name: str) -> str:
        """The address of the file `name`; raises KeyError for a file that is not there."""
        return f"/static/{self._names[name]}"

    def find(self, hashed_name: str) -> Asset | None:
        return self._by_path.get(hashed_name)

    def plain(self, name: str) -> Asset:
        return self._by_path[self._names[name]]

    def _add(self, name: str, content: bytes) -> None:
        stem, _, extension = name.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:HASH_CHARS]}.{extension}"
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if media_type.startswith("text/"):
            media_type += "; charset=utf-8"
        small = gzip.compress(content, 9, mtime=0)
        self._by_path[hashed] = Asset(content, small if len(small) < len(content) else None, media_type)
        self._names[name] = hashed
