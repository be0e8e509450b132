"""Pictures as files: verified, re-encoded without their metadata, and named for what they show.

A file's name is the hash of its content, so the same picture is stored once and can be cached for ever.
Raster pictures become WebP with a smaller one beside them (`…-480.webp`); drawings are rebuilt from an
allow-list (`drawings`). Nothing a stranger sent is served as it came.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import warnings
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

from shopwright.chassis.db import Database
from shopwright.contracts.ids import new_id

from .domain import PictureRefused
from .drawings import clean_svg
from .store import media

PREFIX = "/media/"
UPLOAD_MAX = 16 * 1_048_576
PIXELS_MAX = 50_000_000  # a camera's 50 megapixels; decoded they take 200 MB, more is taken for a bomb
SIDE_MAX, THUMBNAIL_MAX = 1_200, 480
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
QUALITY = 82
UNUSED = timedelta(days=1)  # an import or a form that stored it may still come to refer to it
TYPES = {".webp": "image/webp", ".svg": "image/svg+xml"}


class StoredPicture(NamedTuple):
    """`path` is where the shop serves it; sizes in pixels."""

    path: str
    width: int
    height: int


class _File(NamedTuple):
    name: str
    content: bytes


class Pictures:
    """The folder of pictures. Each is noted in the database before its file stands there, so that
    housekeeping finds what nobody came to refer to.
    """

    def __init__(self, folder: Path, db: Database) -> None:
        self._folder, self._db = folder, db
        self._busy = asyncio.Semaphore(2)  # a large one takes 200 MB and half a second of a core

    async def store_picture(self, content: bytes, hint: str = "") -> StoredPicture:
        """Keep a picture; a repeat stores nothing twice. `hint` (a file's name) tells a refusal which it was.

        Raises:
            PictureRefused: it is no picture that we show, too large, or a drawing that does more than draw.
        """
        if len(content) > UPLOAD_MAX:
            raise PictureRefused(detail=f"a picture is at most {UPLOAD_MAX // 1_048_576} MiB")
        async with self._busy:
            try:
                stored, files = await asyncio.to_thread(_encoded, content)
            except PictureRefused as refusal:
                if not hint:
                    raise
                raise PictureRefused(detail=f"{hint}: {refusal.detail}") from refusal
            async with self._db.read() as connection:
                await media.note(connection, *stored)
            await asyncio.to_thread(self._write, files)
        return stored

    def find(self, path: str) -> Path | None:
        """The file that is served at `/media/{path}`; None when there is none."""
        file = self._folder / path
        inside = ".." not in path and "\\" not in path and "\0" not in path and not path.startswith("/")
        return file if inside and file.suffix in TYPES and file.is_file() else None

    async def sweep(self) -> int:
        """Delete some pictures that nobody has referred to for `UNUSED`; returns how many."""
        async with self._db.read() as connection:
            gone = await media.forgotten(connection, UNUSED)
        for path in gone:
            await asyncio.to_thread(self._remove, path)
        return len(gone)

    def _remove(self, path: str) -> None:
        """Delete a picture and what was made of it, unless it was stored again just now."""
        name = path.removeprefix(PREFIX)
        file = self._folder / name
        if file.exists() and time.time() - file.stat().st_mtime < UNUSED.total_seconds() / 2:
            return
        for each in {file, self._folder / thumbnail_of(name)}:
            each.unlink(missing_ok=True)

    def _write(self, files: list[_File]) -> None:
        for name, content in files:
            file = self._folder / name
            if file.exists():
                os.utime(file)
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh = file.with_name(f".{new_id().hex}")
            fresh.write_bytes(content)
            fresh.rename(file)


def thumbnail_of(path: str) -> str:
    """The smaller one beside a raster picture; a drawing is its own."""
    return f"{path.removesuffix('.webp')}-{THUMBNAIL_MAX}.webp" if path.endswith(".webp") else path


def _encoded(content: bytes) -> tuple[StoredPicture, list[_File]]:
    if _looks_like_svg(content):
        drawing = clean_svg(content)
        name = _name(drawing.content, "svg")
        return StoredPicture(PREFIX + name, drawing.width, drawing.height), [_File(name, drawing.content)]
    picture = _opened(content)
    large = _webp(picture, SIDE_MAX)
    name = _name(large, "webp")
    with Image.open(BytesIO(large)) as shown:
        width, height = shown.size
    files = [_File(name, large), _File(thumbnail_of(name), _webp(picture, THUMBNAIL_MAX))]
    return StoredPicture(PREFIX + name, width, height), files


def _looks_like_svg(content: bytes) -> bool:
    head = content[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") or head[:2] in {b"\xff\xfe", b"\xfe\xff"}


def _opened(content: bytes) -> Image.Image:
    """The decoded picture, upright, in RGB or RGBA."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is checked next
            with Image.open(BytesIO(content), formats=FORMATS) as opened:
                if opened.width * opened.height > PIXELS_MAX:
                    raise PictureRefused(detail=f"a picture has at most {PIXELS_MAX:,} pixels")
                opened.draft("RGB", (SIDE_MAX * 2, SIDE_MAX * 2))  # a large JPEG is decoded smaller at once
                opened.load()
                upright = ImageOps.exif_transpose(opened)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError,
            EOFError, IndexError, OverflowError) as error:  # fmt: skip
        raise PictureRefused(
            detail="the file is no JPEG, PNG, WebP or GIF picture, or it is broken"
        ) from error
    transparent = upright.has_transparency_data
    return upright.convert("RGBA" if transparent else "RGB")


def _webp(picture: Image.Image, side: int) -> bytes:
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"")
    return out.getvalue()


def _name(content: bytes, kind: str) -> str:
    digest = hashlib.sha256(content).hexdigest()[:32]
    return f"{digest[:2]}/{digest[2:]}.{kind}"
