"""What happened to an order, for its buyer and for staff; and the push that staff give an order which waits.

Names of staff are asked of users when they are read, and never stored here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from shopwright.chassis.db import Database, Once
from shopwright.chassis.sagarunner import SagaRunner
from shopwright.contracts.problems import NotFound, Unavailable

from ..clients import Users
from ..domain import timeline
from ..domain.timeline import Entry, History
from ..store import after_sale, edits
from ..store import orders as order_store
from ..store import timeline as store


class Timelines:
    """`runners`: those of every kind of saga that an order can have."""

    def __init__(self, db: Database, users: Users, runners: Sequence[SagaRunner]) -> None:
        self._db, self._users, self._runners = db, users, runners

    async def for_buyer(self, order_id: UUID) -> list[Entry]:
        """Outcomes in plain sentences, oldest first."""
        return timeline.for_buyer(await self._history(order_id))

    async def for_staff(self, order_id: UUID) -> list[Entry]:
        """Every attempt with its error and every action with who did it, oldest first."""
        history = await self._history(order_id)
        who = {action.by_user for action in history.actions if action.by_user}
        names = await asyncio.gather(*(self._name(user_id) for user_id in who))
        return timeline.for_staff(history, dict(zip(who, names, strict=True)))

    async def note(self, order_id: UUID, command: str, by: UUID | None) -> None:
        """Write down what one of the staff did; for commands that write nothing else of theirs here."""
        async with self._db.begin() as tx:
            await store.note(tx, order_id, command, by)

    async def retry(self, order_id: UUID, by: UUID | None, once: Once | None) -> None:
        """Have every saga of the order try its next step now instead of waiting for its turn.

        Raises:
            NothingToRetry: all of them have ended.
        """
        async with self._db.begin(once) as tx:
            if await after_sale.lock(tx, order_id) is None:
                raise NotFound(detail=f"no order {order_id}")
            if tx.repeated:
                return
            sagas = [order_id, *await after_sale.ids_of(tx, order_id)]
            if not await store.at_work(tx, sagas):
                raise timeline.NothingToRetry
            await store.note(tx, order_id, "look_again", by)
        for runner in self._runners:
            await runner.look_again(sagas)

    async def _history(self, order_id: UUID) -> History:
        async with self._db.read() as connection:
            order = await order_store.find(connection, order_id)
            if order is None:
                raise NotFound(detail=f"no order {order_id}")
            parcels, reversals = await after_sale.of_order(connection, order_id)
            sagas = [order_id, *await after_sale.ids_of(connection, order_id)]
            return History(
                order=order,
                steps=await store.steps(connection, sagas),
                parcels=parcels,
                reversals=reversals,
                actions=await store.actions(connection, order_id),
                edits=await edits.of_order(connection, order_id),
            )

    async def _name(self, user_id: UUID) -> str:
        """The e-mail address of one of the staff; the account's id when users is away or knows it no more."""
        try:
            found = await self._users.buyer(user_id)
        except Unavailable:
            found = None
        return found.email if found else str(user_id)
