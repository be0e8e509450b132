"""What was uploaded: a product file, plain, gzipped, or in a zip together with its pictures.

Nothing of an archive is trusted: members are read by their entry and never written to a path of theirs, and
sizes are counted while they are read. Pictures are found by the name that the file gives them.
"""

from __future__ import annotations

import gzip
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from . import formats
from .readers.reading import BadFile, Form

DATA_MAX = 1_073_741_824  # unpacked: twice what may be uploaded
MEMBERS_MAX = 50_000
PICTURE_MAX = 16_777_216  # as one uploaded alone
CHUNK = 1_048_576
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".svg", ".avif"})
_DATA = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".sql"})
_STORED = re.compile(r"_[0-9a-zA-Z]{7,8}$")  # Django adds this to a file's name when it stores it

Recognise = Callable[[Path, str], Form]


def unpack(upload: Path, data: Path, format: str = "") -> Form:  # noqa: A002 - the option's name
    """Put the product file of `upload` at `data` and say how it is to be read.

    Raises:
        BadFile: there is none in it, or more than one, or it is too large.
    """
    with upload.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == b"\x1f\x8b":
        return _gunzip(upload, data, format)
    if magic == b"PK\x03\x04":
        return _unzip(upload, data, format)
    data.unlink(missing_ok=True)
    data.hardlink_to(upload)
    return formats.recognise(data, format)


def _gunzip(upload: Path, data: Path, format: str) -> Form:  # noqa: A002
    try:
        with gzip.open(upload, "rb") as packed:
            _copy(packed, data)
    except (OSError, EOFError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise BadFile(f"the gzip file is damaged: {error}") from error
    return formats.recognise(data, format)


def _unzip(upload: Path, data: Path, format: str) -> Form:  # noqa: A002
    with _archive(upload) as archive:
        members = [info for info in _members(archive) if _suffix(info) in _DATA]
        if any(info.filename == "[Content_Types].xml" for info in archive.infolist()):
            raise BadFile("this is an Excel workbook; save it as “CSV UTF-8”")
        fitting: list[tuple[zipfile.ZipInfo, Form]] = []
        reasons = []
        for info in members[:20]:
            try:
                with archive.open(info) as packed:
                    _copy(packed, data)
                fitting.append((info, formats.recognise(data, format)))
            except BadFile as error:
                reasons.append(f"{info.filename}: {error.detail}")
            except (OSError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
                raise BadFile(f"the zip file is damaged or locked: {error}") from error
        if not fitting:
            raise BadFile(reasons[0] if reasons else "the zip file has no CSV, JSON or SQL file in it")
        if len(fitting) > 1:
            names = ", ".join(info.filename for info, _ in fitting)
            raise BadFile(f"the zip file has more than one product file ({names}); give them one by one")
        with archive.open(fitting[0][0]) as packed:
            _copy(packed, data)
        return fitting[0][1]


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path) -> None:
    size = 0
    with target.open("wb") as file:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > DATA_MAX:
                raise BadFile(f"unpacked it has more than {DATA_MAX:,} bytes; divide it")
            file.write(chunk)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise BadFile(f"the zip file is damaged: {error}") from error
    if len(archive.infolist()) > MEMBERS_MAX:
        archive.close()
        raise BadFile(f"the zip file has more than {MEMBERS_MAX:,} files")
    return archive


def _members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for info in archive.infolist():
        name = PurePosixPath(info.filename)
        if not info.is_dir() and not name.name.startswith(".") and "__MACOSX" not in name.parts:
            yield info


def _suffix(info: zipfile.ZipInfo) -> str:
    return PurePosixPath(info.filename).suffix.casefold()


class Pictures:
    """The pictures of an upload; empty if it is no zip. Any thread may read."""

    def __init__(self, upload: Path) -> None:
        self._archive: zipfile.ZipFile | None = None
        self._paths: dict[str, zipfile.ZipInfo] = {}
        self._names: dict[str, zipfile.ZipInfo] = {}
        self._stems: dict[str, zipfile.ZipInfo] = {}
        if zipfile.is_zipfile(upload):
            self._archive = _archive(upload)
            for info in _members(self._archive):
                if _suffix(info) in PICTURES:
                    path = PurePosixPath(info.filename.casefold())
                    self._paths[str(path)] = self._names[path.name] = self._stems[path.stem] = info

    def __len__(self) -> int:
        return len(self._paths)

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()

    def read(self, name: str) -> bytes | None:
        """The picture that a file calls `name`; None if there is none, or none that may be so large."""
        info = self._find(name)
        if info is None or self._archive is None or info.file_size > PICTURE_MAX:
            return None
        try:
            with self._archive.open(info) as packed:
                content = packed.read(PICTURE_MAX + 1)
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile):
            return None
        return content if len(content) <= PICTURE_MAX else None

    def _find(self, name: str) -> zipfile.ZipInfo | None:
        """By path, else by name, else without its ending and what a shop's storage added to its name, else
        the only one that ends so.
        """
        path = PurePosixPath(name.replace("\\", "/").lstrip("/").casefold())
        stem = _STORED.sub("", path.stem)
        found = (
            self._paths.get(str(path))
            or self._names.get(path.name)
            or self._stems.get(path.stem)
            or self._stems.get(stem)
        )
        if found is not None or not stem:
            return found
        ending = [info for other, info in self._stems.items() if other.endswith((f"-{stem}", f"_{stem}"))]
        return ending[0] if len(ending) == 1 else None


def remove(folder: Path) -> None:
    """Delete a job's files; what is gone already is fine."""
    shutil.rmtree(folder, ignore_errors=True)
