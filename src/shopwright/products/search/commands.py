"""Search as a whole: find products and hand over their cards; suggest; have the index rebuilt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.db import Database

from . import store
from .domain import Ask, Found, Index, Suggestion

#: Ids and a currency → the catalogue's list items as bytes, in order, without products that are gone.
Cards = Callable[[Sequence[UUID], str], Awaitable[list[msgspec.Raw]]]

SUGGESTIONS = 8


class Answer(NamedTuple):
    items: list[msgspec.Raw]
    found: Found


class Search:
    def __init__(self, db: Database, index: Index, cards: Cards, own: str) -> None:
        """`own` is the shop's own currency, in which cards show prices unless another is asked for."""
        self._db, self._index, self._cards, self._own = db, index, cards, own

    async def find(self, ask: Ask) -> Answer:
        """Raises PageTooDeep, InvalidInput for a cursor of another search, Unavailable without an index."""
        found = await self._index.search(ask)
        currency = ask.currency or self._own
        return Answer(await self._cards(found.ids, currency) if found.ids else [], found)

    async def suggest(self, text: str, currency: str | None = None) -> list[Suggestion]:
        return await self._index.suggest(text, currency, SUGGESTIONS)

    async def ask_rebuild(self) -> None:
        """Have the index rebuilt from the catalogue, by whichever process writes it, within seconds."""
        async with self._db.read() as connection:
            await store.ask_rebuild(connection)
