"""The tail: tells this process' shelf what changed, from the events of every replica.

It reads the stream of products without a consumer group, because every replica must hear everything. While
the bus is away the shelf is not watched and keeps nothing for longer than a moment; after a gap it starts
empty.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import structlog

from shopwright.chassis.streams import BUS_ERRORS, Valkey, stream_of
from shopwright.contracts.events import Envelope
from shopwright.contracts.products import CategoryChanged, ProductChanged, ProductDeleted, StockChanged

from .shelf import Shelf

log = structlog.get_logger()

BLOCK_MS = 500
BATCH = 1_000


class Tail:
    def __init__(self, valkey: Valkey, shelf: Shelf, source: str = "products") -> None:
        self._valkey, self._shelf, self._stream = valkey, shelf, stream_of(source)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the stream until `stop`."""
        last: bytes | None = None
        while not stop.is_set():
            try:
                if last is None:
                    last = await self._end()
                    self._shelf.clear()
                    self._shelf.watched = True
                last = await self._turn(last)
            except BUS_ERRORS as error:
                log.warning("shelf is not watched", error=str(error))
                self._shelf.watched = False
                last = None
                await asyncio.sleep(0.5)
        self._shelf.watched = False

    async def _end(self) -> bytes:
        newest = await self._valkey.xrevrange(self._stream, count=1)
        return bytes(newest[0][0]) if newest else b"0-0"

    async def _turn(self, last: bytes) -> bytes:
        wanted: Any = {self._stream: last}
        found: Any = await self._valkey.xread(wanted, count=BATCH, block=BLOCK_MS)
        for _stream, messages in found or []:
            for number, fields in messages:
                self.hear(msgspec.json.decode(fields[b"e"], type=Envelope))
                last = number
        return last

    def hear(self, envelope: Envelope) -> None:
        """Drop what an event tells of."""
        topic = envelope.type
        if topic in {ProductChanged.topic, ProductDeleted.topic}:
            self._shelf.drop([envelope.event().product_id])  # type: ignore[attr-defined]
        elif topic == StockChanged.topic:
            self._shelf.recount(envelope.subject)
        elif topic == CategoryChanged.topic:
            self._shelf.clear()
