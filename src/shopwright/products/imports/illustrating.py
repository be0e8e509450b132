"""The pictures of drafts: those that came with the file are stored, and addresses on the web stay addresses.

Nothing is fetched from anywhere, and no path of the server is read: a name is looked up in the upload only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from shopwright.contracts.problem import Problem
from shopwright.products.catalog.drafts import PictureDraft, ProductDraft

from .bundle import Pictures
from .readers.reading import Note, Read, shortened

StorePicture = Callable[[bytes, str], Awaitable[PictureDraft]]
"""Keeps the bytes of a picture (the second argument is its name) and says where; a Problem refuses it."""

AT_ONCE = 8  # products whose pictures are stored together: most of the time is waiting for the disk
KNOWN_MAX = 50_000  # pictures of one job that several products may share


class Illustrator:
    def __init__(self, pictures: Pictures, store: StorePicture) -> None:
        self._pictures, self._store = pictures, store
        self._known: dict[str, PictureDraft] = {}

    async def all(self, reads: Sequence[Read]) -> list[Read]:
        """`illustrated` for a batch, some at a time."""
        busy = asyncio.Semaphore(AT_ONCE)

        async def one(read: Read) -> Read:
            async with busy:
                return await self.illustrated(read)

        return await asyncio.gather(*(one(read) for read in reads))

    async def illustrated(self, read: Read) -> Read:
        """`read` with its pictures stored; the first that is missing or bad is told, as a warning."""
        if read.draft is None or not any(_local(source) for source in _sources(read.draft)):
            return read
        stored: dict[str, PictureDraft] = {}
        missing: list[str] = []
        for source in _sources(read.draft):
            if not _local(source):
                continue
            found = await self._stored(source)
            if isinstance(found, PictureDraft):
                stored[source] = found
            else:
                missing.append(found)
        notes = read.notes
        if missing:
            more = f" (and {len(missing) - 1} more of this product)" if len(missing) > 1 else ""
            notes = [*notes, Note("warning", read.line, "/pictures", shortened(missing[0] + more))]
        return read._replace(draft=_with(read.draft, stored), notes=notes)

    async def _stored(self, source: str) -> PictureDraft | str:
        """The stored picture, or why there is none."""
        if source in self._known:
            return self._known[source]
        content = await asyncio.to_thread(self._pictures.read, source)
        if content is None:
            where = (
                "no pictures came with the file" if not len(self._pictures) else "it is not among those given"
            )
            return f"the picture {source!r} was left out: {where}"
        try:
            found = await self._store(content, source)
        except Problem as problem:
            return f"the picture {source!r} was left out: {problem}"
        if len(self._known) < KNOWN_MAX:
            self._known[source] = found
        return found


def _local(source: str) -> bool:
    return not source.startswith(("https://", "http://", "/media/"))


def _sources(draft: ProductDraft) -> list[str]:
    named = [picture.source for picture in draft.pictures]
    return [*named, *(variant.picture for variant in draft.variants if variant.picture)]


def _with(draft: ProductDraft, stored: dict[str, PictureDraft]) -> ProductDraft:
    def place(source: str) -> str | None:
        found = stored.get(source)
        return found.source if found else (None if _local(source) else source)

    pictures = [
        picture if not _local(picture.source) else msgspec.structs.replace(
            stored[picture.source], alt=picture.alt
        )
        for picture in draft.pictures
        if not _local(picture.source) or picture.source in stored
    ]  # fmt: skip
    variants = [
        msgspec.structs.replace(variant, picture=place(variant.picture)) if variant.picture else variant
        for variant in draft.variants
    ]
    return msgspec.structs.replace(draft, pictures=pictures, variants=variants)
