"""The documents of the moment: asked of the services now and then, kept when one of them is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from shopwright.contracts.problem import Problem

from ..clients.operations import Operations
from .guide import description_of
from .merging import Document, merge

KEEP_S: Final = 60.0
RETRY_S: Final = 5.0  # while a service is away, or was never heard

VERSION: Final = "1"


class Reference:
    """The merged document; what is made of it (`kept`) is kept as long as it is."""

    def __init__(self, operations: Operations, servers: list[str]) -> None:
        self._operations, self._servers = operations, servers
        self._parts: dict[str, Document] = {}
        self._away: Mapping[str, Problem] = {}
        self._until = 0.0
        self._asking: asyncio.Task[None] | None = None
        self.document: Document = {}
        self.encoded = b""
        self.kept: dict[str, Any] = {}

    @property
    def away(self) -> list[str]:
        """Services that did not answer, in order."""
        return sorted(self._away)

    async def refresh(self, own: Callable[[], Document]) -> None:
        """Ask anew if it is time; however many requests wait, the services are asked once.

        `own` gives the description of this service.
        """
        if time.monotonic() < self._until and self.document:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(own))
        await asyncio.shield(self._asking)

    async def _ask(self, own: Callable[[], Document]) -> None:
        found, self._away = await self._operations.schemas()
        self._parts |= found
        self._until = time.monotonic() + (RETRY_S if self._away else KEEP_S)
        merged = merge({**self._parts, "web": own()}, self._info(), self._servers)
        encoded = msgspec.json.encode(merged)
        if encoded != self.encoded:
            self.document, self.encoded, self.kept = merged, encoded, {}

    def _info(self) -> dict[str, Any]:
        kept = {service: service in self._parts for service in self.away}
        return {
            "title": "Shopwright API",
            "version": VERSION,
            "description": description_of(kept, self._servers[0]),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        }
