"""`shopwright import` and `export`: a product file into a running shop, watched until it is in, and out.

Pictures go with the file in one zip, so the shop never reads a path that a client names, and a job that is
resumed has all it needs.
"""

from __future__ import annotations

import csv
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from .gateway import Gateway, Refused

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".svg", ".avif"})
UPLOAD_MAX = 536_870_912  # what the gateway lets through
POLL_S = 0.3
OVER = frozenset({"done", "failed", "cancelled"})


class BadImport(RuntimeError):
    """The import cannot be made; the message says why and what would help."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A file to import; what is empty the shop finds out or has of its own."""

    file: Path
    pictures: Path | None = None
    format: str = ""
    currency: str = ""
    warehouse: str = ""
    stock: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop tells of a job."""

    id: str
    status: str
    file: str = ""
    format: str = ""
    rows: int = 0
    total: int | None = None
    products: int | None = None
    progress: float = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    errors_total: int = 0
    errors: list[dict[str, Any]] = []
    hints: list[str] = []
    detail: str = ""

    @property
    def good(self) -> bool:
        return self.status == "done" and self.refused == 0


Sent = Callable[[int, int], None]
"""Told the bytes that are on their way, of how many."""


def start(gateway: Gateway, wanted: Wanted, sent: Sent | None = None) -> Report:
    """Send a file; returns as soon as the shop has it.

    Raises:
        BadImport: there is no such file, or it is too large.
        Refused: the shop does not take it, with its reasons.
    """
    if wanted.file.is_dir():
        raise BadImport(f"{wanted.file} is a folder; name the product file in it")
    if not wanted.file.is_file():
        raise BadImport(f"there is no file {wanted.file}")
    gateway.call("GET", "/v1/imports", query={"limit": 1})  # refused now, not after half of the file
    with _packed(wanted) as file:
        file.seek(0, 2)
        size = file.tell()
        file.seek(0)
        if size > UPLOAD_MAX:
            raise BadImport(
                f"{wanted.file} has {size // 1_048_576} MiB with its pictures, and 512 are the most; divide "
                "it, or gzip the file and give the pictures as https:// addresses"
            )
        answer = gateway.upload(
            "/v1/imports",
            _Counted(file, size, sent),  # type: ignore[arg-type]
            size,
            {
                "filename": wanted.file.name,
                "format": wanted.format,
                "currency": wanted.currency,
                "warehouse": wanted.warehouse,
                "stock": wanted.stock,
            },
        )
    return msgspec.convert(answer, Report)


def watch(gateway: Gateway, job_id: str, seen: Callable[[Report], None] | None = None) -> Report:
    """Wait until a job is over."""
    while True:
        report = msgspec.convert(gateway.call("GET", f"/v1/imports/{job_id}"), Report)
        if seen is not None:
            seen(report)
        if report.status in OVER:
            return report
        time.sleep(POLL_S)


def run(gateway: Gateway, wanted: Wanted) -> Report:
    """Send a file and wait until it is in; raises BadImport if it failed."""
    report = watch(gateway, start(gateway, wanted).id)
    if report.status != "done":
        raise BadImport(f"the import of {wanted.file} is {report.status}: {report.detail}")
    return report


def cancel(gateway: Gateway, job_id: str) -> Report:
    return msgspec.convert(gateway.call("POST", f"/v1/imports/{job_id}/cancel"), Report)


def errors(gateway: Gateway, job_id: str) -> Iterator[dict[str, Any]]:
    """All errors of a report, page by page."""
    cursor = ""
    while True:
        page = gateway.call("GET", f"/v1/imports/{job_id}/errors", query={"limit": 1_000, "cursor": cursor})
        yield from page["items"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return


def write_errors(gateway: Gateway, job_id: str, target: Path) -> int:
    """All errors as a CSV file; returns how many."""
    columns = ["line", "outcome", "identifier", "pointer", "detail"]
    count = 0
    with target.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        for error in errors(gateway, job_id):
            table.writerow(error)
            count += 1
    return count


def export(gateway: Gateway, format: str, target: IO[bytes]) -> int:  # noqa: A002 - the option's name
    """Write all products to `target`; returns the bytes."""
    size = 0
    for chunk in gateway.download("/v1/exports/products", {"format": format}):
        target.write(chunk)
        size += len(chunk)
    return size


@contextmanager
def _packed(wanted: Wanted) -> Iterator[IO[bytes]]:
    """The file, or a zip of it and the pictures."""
    if wanted.pictures is None:
        with wanted.file.open("rb") as plain:
            yield plain
        return
    if not wanted.pictures.is_dir():
        raise BadImport(f"there is no folder {wanted.pictures}")
    with tempfile.TemporaryFile() as packed:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(wanted.file, wanted.file.name, zipfile.ZIP_DEFLATED)
            for picture in sorted(wanted.pictures.rglob("*")):
                if picture.suffix.casefold() in PICTURES and picture.is_file():
                    archive.write(picture, picture.relative_to(wanted.pictures), zipfile.ZIP_STORED)
        yield packed


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], size: int, sent: Sent | None) -> None:
        self._file, self._size, self._sent, self._done = file, size, sent, 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(max(size, 262_144) if size >= 0 else size)
        self._done += len(chunk)
        if self._sent is not None:
            self._sent(self._done, self._size)
        return chunk


__all__ = [
    "BadImport", "Refused", "Report", "Wanted", "cancel", "errors", "export", "run", "start", "watch",
    "write_errors",
]  # fmt: skip
