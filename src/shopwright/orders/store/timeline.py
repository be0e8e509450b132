"""What happened to an order: the steps of its sagas and what staff did, as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shopwright.chassis.db import Connection, Transaction
from shopwright.contracts.ids import new_id

from ..domain.timeline import Action, SagaStep


async def note(tx: Transaction, order_id: UUID, command: str, by_user: UUID | None, detail: str = "") -> None:
    """Write down which of the staff did what; no `by_user`: nothing, for it was no one of the staff."""
    if by_user is not None:
        await tx.execute(
            "INSERT INTO order_actions (id, order_id, command, by_user, detail) VALUES ($1, $2, $3, $4, $5)",
            new_id(), order_id, command, by_user, detail,
        )  # fmt: skip


async def at_work(connection: Connection, saga_ids: Sequence[UUID]) -> bool:
    """Whether one of these sagas has not ended."""
    found: bool = await connection.fetchval(_AT_WORK, list(saga_ids))
    return found


async def steps(connection: Connection, saga_ids: Sequence[UUID]) -> list[SagaStep]:
    """Of these sagas, oldest first."""
    rows = await connection.fetch(_STEPS, list(saga_ids))
    return [SagaStep(**row) for row in rows]


async def actions(connection: Connection, order_id: UUID) -> list[Action]:
    rows = await connection.fetch(_ACTIONS, order_id)
    return [Action(**row) for row in rows]


_AT_WORK = "SELECT EXISTS (SELECT FROM sagas WHERE id = ANY($1) AND status IN ('running', 'waiting'))"
_STEPS = """
SELECT saga_id, at, step, direction, outcome, detail FROM saga_log WHERE saga_id = ANY($1) ORDER BY at
"""
_ACTIONS = """
SELECT created_at AS at, command, by_user, detail FROM order_actions WHERE order_id = $1 ORDER BY id
"""
