"""The local mailbox: mails as files in a folder, for a shop that sends none and for everybody who tries one.

One file per mail, named by its notification and by a digest of its address, so that a mail stored twice is
there once and one person's mails are found without reading the others. Written whole or not at all. The
oldest go when there are more than `keep`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from shopwright.notifications.domain import MailNotSent
from shopwright.notifications.mail import Mail

log = structlog.get_logger()

PRUNE_EVERY = 50  # mails; a look through the folder for each would be dear


class StoredMail(msgspec.Struct, frozen=True):
    id: UUID
    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    sent_at: datetime


class Mailbox:
    at_once = 50

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._keep = folder, keep
        self._stored = 0

    async def send(self, mail: Mail) -> None:
        """Store a mail; one that is there already stays as it is. Raises MailNotSent (a full disk)."""
        try:
            await asyncio.to_thread(self._store, mail)
        except OSError as error:
            raise MailNotSent(detail=f"the mailbox cannot be written: {error.strerror}") from error

    async def forget(self, mails: Sequence[UUID]) -> None:
        await asyncio.to_thread(self._remove, {str(mail) for mail in mails})

    async def newest(self, to: str | None, limit: int) -> list[StoredMail]:
        """Newest first, of everybody or to one address whatever its case."""
        return await asyncio.to_thread(self._newest, to, limit)

    async def find(self, mail_id: UUID) -> StoredMail | None:
        return await asyncio.to_thread(self._find, mail_id)

    def _store(self, mail: Mail) -> None:
        path = self._folder / f"{mail.id}-{_digest(mail.recipient)}.json"
        if path.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(_stored(mail)))
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._stored += 1
        if self._stored % PRUNE_EVERY == 1:
            self._prune()

    def _prune(self) -> None:
        for name in self._names()[self._keep :]:
            (self._folder / name).unlink(missing_ok=True)

    def _remove(self, mails: set[str]) -> None:
        for name in self._names():
            if name[:36] in mails:
                (self._folder / name).unlink(missing_ok=True)

    def _names(self) -> list[str]:
        """Newest first: ids begin with their time."""
        try:
            return sorted((path.name for path in self._folder.glob("*.json")), reverse=True)
        except FileNotFoundError:
            return []

    def _newest(self, to: str | None, limit: int) -> list[StoredMail]:
        ending = f"-{_digest(to)}.json" if to else ".json"
        found: list[StoredMail] = []
        for mail in self._read(name for name in self._names() if name.endswith(ending)):
            found.append(mail)
            if len(found) == limit:
                break
        return found

    def _find(self, mail_id: UUID) -> StoredMail | None:
        wanted = f"{mail_id}-"
        return next(self._read(name for name in self._names() if name.startswith(wanted)), None)

    def _read(self, names: Iterator[str]) -> Iterator[StoredMail]:
        for name in names:
            try:
                yield msgspec.json.decode((self._folder / name).read_bytes(), type=StoredMail)
            except FileNotFoundError:
                continue  # it was the oldest a moment ago
            except msgspec.DecodeError:
                log.warning("a file in the mailbox is no mail", file=name)


def _stored(mail: Mail) -> StoredMail:
    message = mail.message
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return StoredMail(
        id=mail.id,
        to=mail.recipient,
        subject=str(message["Subject"]),
        text=text.get_content() if text is not None else "",
        html=html.get_content() if html is not None else "",
        headers={name: str(value) for name, value in message.items()},
        sent_at=mail.sent_at,
    )


def _digest(address: str) -> str:
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:16]
