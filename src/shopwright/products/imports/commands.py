"""What can be asked of imports: take a file in, tell how a job stands, end it, and forget old ones."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO
from uuid import UUID

import msgspec

from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound, RequestTooLarge

from . import bundle, formats, store
from .domain import (
    KEEP,
    KEEP_JOBS,
    UPLOAD_MAX,
    WAITING_MAX,
    ImportOver,
    Job,
    NotAProductFile,
    RowError,
    TooManyImports,
)
from .readers.reading import BadFile, Options

BUFFER = 1_048_576
ORPHAN_S = 3_600  # a folder without a job that is older was left by a process that died while it received
FILENAME_MAX = 200


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender says of a file; empty: found out, or the installation's own."""

    filename: str = ""
    format: str = ""
    currency: str = ""
    warehouse: str = ""
    stock: int | None = None


class Imports:
    """Import jobs; `folder` holds their files until they end; `queued` is set when one waits for a worker."""

    def __init__(self, db: Database, folder: Path, *, currency: str) -> None:
        self._db, self._folder, self._currency = db, folder, currency
        self.queued = asyncio.Event()

    async def receive(self, chunks: AsyncIterator[bytes]) -> UUID:
        """Write an upload to the disk, a megabyte in memory at a time; `start` or `forget` it next.

        Raises:
            RequestTooLarge: above UPLOAD_MAX.
        """
        job_id = new_id()
        folder = self.folder_of(job_id)
        folder.mkdir(parents=True, mode=0o700)
        try:
            with (folder / "upload").open("wb") as file:
                await _write(file, chunks)
        except BaseException:
            await self.forget(job_id)
            raise
        return job_id

    def folder_of(self, job_id: UUID) -> Path:
        return self._folder / str(job_id)

    async def forget(self, job_id: UUID) -> None:
        await asyncio.to_thread(bundle.remove, self.folder_of(job_id))

    async def start(self, job_id: UUID, asked: Asked, user_id: UUID | None) -> Job:
        """Queue an upload that was received.

        Raises:
            NotAProductFile: it is none; says what it seems to be.
            TooManyImports: WAITING_MAX wait already.
            InvalidInput: an option is malformed.
        """
        try:
            return await self._start(job_id, asked, user_id)
        except BaseException:
            await self.forget(job_id)
            raise

    async def _start(self, job_id: UUID, asked: Asked, user_id: UUID | None) -> Job:
        _check(asked)
        folder = self.folder_of(job_id)
        try:
            form = await asyncio.to_thread(bundle.unpack, folder / "upload", folder / "data", asked.format)
        except BadFile as error:
            raise NotAProductFile(detail=error.detail, formats=list(formats.NAMES)) from error
        options = Options(
            currency=asked.currency or self._currency,
            warehouse=asked.warehouse or "main",
            stock=asked.stock,
            today=datetime.now(UTC).date(),
            shop_currency=self._currency,
        )
        size = (folder / "upload").stat().st_size
        job = Job(id=job_id, file=_name(asked.filename), bytes=size, form=form, options=options)
        async with self._db.begin() as tx:
            if not await store.add(tx, job, user_id, WAITING_MAX):
                raise TooManyImports
        self.queued.set()
        return await self.job(job_id)

    async def job(self, job_id: UUID) -> Job:
        async with self._db.read() as connection:
            found = await store.find(connection, job_id)
        if found is None:
            raise NotFound(detail=f"no import {job_id}")
        return found

    async def page(self, before: UUID | None, limit: int) -> list[Job]:
        async with self._db.read() as connection:
            return await store.page(connection, before, limit)

    async def errors(self, job_id: UUID, after: int, limit: int) -> list[tuple[int, RowError]]:
        """Errors with their numbers, in the order of the file."""
        async with self._db.read() as connection:
            return await store.errors(connection, job_id, after, limit)

    async def cancel(self, job_id: UUID) -> Job:
        """End a job; what it imported stays. One that runs ends after its batch at hand.

        Raises:
            ImportOver: it had ended before.
        """
        async with self._db.read() as connection:
            before = await store.find(connection, job_id)
            await store.cancel(connection, job_id)
        if before is None:
            raise NotFound(detail=f"no import {job_id}")
        if before.status not in {"queued", "running"}:
            raise ImportOver(import_status=before.status, detail=f"the import is {before.status}")
        job = await self.job(job_id)
        if job.status == "cancelled":
            await self.forget(job_id)
        return job

    async def prune(self) -> None:
        """Delete reports older than KEEP or beyond KEEP_JOBS, and files that no job needs."""
        async with self._db.read() as connection:
            await store.prune(connection, KEEP, KEEP_JOBS)
            needed = await store.open_jobs(connection)
        await asyncio.to_thread(_sweep, self._folder, {str(job_id) for job_id in needed})


async def _write(file: IO[bytes], chunks: AsyncIterator[bytes]) -> None:
    size, held = 0, bytearray()
    async for chunk in chunks:
        size += len(chunk)
        if size > UPLOAD_MAX:
            raise RequestTooLarge(detail="a file may have 512 MiB; divide it, or gzip it", limit=UPLOAD_MAX)
        held += chunk
        if len(held) >= BUFFER:
            await asyncio.to_thread(file.write, bytes(held))
            held.clear()
    await asyncio.to_thread(_close, file, bytes(held))


def _close(file: IO[bytes], rest: bytes) -> None:
    file.write(rest)
    file.flush()
    os.fsync(file.fileno())


def _check(asked: Asked) -> None:
    if asked.format and asked.format not in formats.NAMES:
        raise invalid("/query/format", f"must be one of {', '.join(formats.NAMES)}")
    if asked.currency and not re.fullmatch(r"[A-Z]{3}", asked.currency):
        raise invalid("/query/currency", "must be an ISO 4217 code such as EUR")
    if asked.warehouse and not re.fullmatch(r"[a-z0-9-]{1,40}", asked.warehouse):
        raise invalid("/query/warehouse", "must be 1 to 40 small letters, digits and hyphens")


def _name(filename: str) -> str:
    name = PurePosixPath(filename.replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[:FILENAME_MAX] or "products"


def _sweep(folder: Path, needed: set[str]) -> None:
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name not in needed and time.time() - entry.stat().st_mtime > ORPHAN_S:
            bundle.remove(entry)
