"""All SQL of reconciliation; the comparison itself is the function `reconcile` of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from shopwright.chassis.db import Database, Row

from ..provider import ReportRow
from .domain import Difference, Run, Total


async def queue(db: Database, provider: str, day: date) -> Run:
    """The run of that day, to be done (again) soon; one that is being done stays as it is."""
    async with db.read() as connection:
        return _run(await connection.fetchrow(_QUEUE, provider, day))


async def queue_daily(db: Database, provider: str, day: date, over_at: datetime) -> None:
    """The run of a day that is over, unless it was done after that."""
    async with db.read() as connection:
        await connection.execute(_QUEUE_DAILY, provider, day, over_at)


async def take(db: Database, lease: timedelta) -> Run | None:
    """A run that is due, leased to the caller."""
    async with db.read() as connection:  # nothing is published: a look each second must not wake the relay
        row = await connection.fetchrow(_TAKE, lease)
    return None if row is None else _run(row)


async def begin(db: Database, run: Run) -> None:
    """Forget rows of an attempt that broke off."""
    async with db.read() as connection:
        await connection.execute("DELETE FROM provider_rows WHERE reconciliation_id = $1", run.id)


async def stage(db: Database, run: Run, rows: Sequence[ReportRow], lease: timedelta) -> None:
    """Write rows of the report down, and keep the run for longer."""
    columns = ("reconciliation_id", "provider", "day", *ReportRow.__struct_fields__)
    values = [
        (run.id, run.provider, run.day, *(getattr(row, name) for name in ReportRow.__struct_fields__))
        for row in rows
    ]
    async with db.read() as connection:
        await connection.copy("provider_rows", columns, values)
        await connection.execute(
            "UPDATE reconciliations SET look_at = now() + $2::interval WHERE id = $1", run.id, lease
        )


async def compare(db: Database, run: Run) -> int:
    """The number of differences, which are listed from now on."""
    async with db.begin() as tx:
        await tx.execute("SET LOCAL statement_timeout = '5min'")  # 100,000 rows took 5 s on a busy machine
        return int(await tx.fetchval("SELECT reconcile($1)", run.id))


async def put_off(db: Database, run: Run, error: str, pause: timedelta, attempts_max: int) -> None:
    async with db.read() as connection:
        await connection.execute(_PUT_OFF, run.id, error, pause, attempts_max)


async def forget_rows(db: Database, before: date) -> None:
    async with db.read() as connection:
        await connection.execute("DELETE FROM provider_rows WHERE day < $1", before)


async def find(db: Database, run_id: UUID) -> Run | None:
    async with db.read() as connection:
        row = await connection.fetchrow("SELECT * FROM reconciliations WHERE id = $1", run_id)
    return None if row is None else _run(row)


async def latest(
    db: Database, provider: str | None, before: tuple[date, UUID] | None, limit: int
) -> list[Run]:
    day, run_id = before or (None, None)
    async with db.read() as connection:
        rows = await connection.fetch(_LATEST, provider, day, run_id, limit)
    return [_run(row) for row in rows]


async def totals(db: Database, run_ids: Sequence[UUID]) -> dict[UUID, list[Total]]:
    async with db.read() as connection:
        rows = await connection.fetch(_TOTALS, list(run_ids))
    result: dict[UUID, list[Total]] = {run_id: [] for run_id in run_ids}
    for row in rows:
        result[row["reconciliation_id"]].append(
            Total(**{name: row[name] for name in Total.__struct_fields__})
        )
    return result


async def differences(db: Database, run_id: UUID, after: int, limit: int) -> list[Difference]:
    async with db.read() as connection:
        rows = await connection.fetch(_DIFFERENCES, run_id, after, limit)
    return [Difference(**{name: row[name] for name in Difference.__struct_fields__}) for row in rows]


def _run(row: Row | None) -> Run:
    assert row is not None, "it was just written or found"
    return Run(**{name: row[name] for name in Run.__struct_fields__})


_QUEUE = """
INSERT INTO reconciliations AS r (provider, day) VALUES ($1, $2)
ON CONFLICT (provider, day) DO UPDATE SET asked_at = now(), error = '',
    status = CASE WHEN r.status = 'running' AND r.look_at > now() THEN 'running' ELSE 'queued' END,
    look_at = CASE WHEN r.status = 'running' AND r.look_at > now() THEN r.look_at ELSE now() END,
    attempts = CASE WHEN r.status = 'running' AND r.look_at > now() THEN r.attempts ELSE 0 END
RETURNING *
"""
_QUEUE_DAILY = """
INSERT INTO reconciliations AS r (provider, day) VALUES ($1, $2)
ON CONFLICT (provider, day) DO UPDATE SET asked_at = now(), status = 'queued', look_at = now(), attempts = 0
WHERE r.status = 'done' AND r.finished_at < $3
"""
_TAKE = """
UPDATE reconciliations SET status = 'running', look_at = now() + $1::interval, attempts = attempts + 1
WHERE id = (SELECT id FROM reconciliations WHERE status IN ('queued', 'running') AND look_at <= now()
            ORDER BY look_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *
"""
_PUT_OFF = """
UPDATE reconciliations SET error = $2, look_at = now() + $3::interval,
    status = CASE WHEN attempts >= $4 THEN 'failed' ELSE 'queued' END
WHERE id = $1
"""
_LATEST = """
SELECT * FROM reconciliations
WHERE ($1::text IS NULL OR provider = $1) AND ($2::date IS NULL OR (day, id) < ($2, $3))
ORDER BY day DESC, id DESC LIMIT $4
"""
_TOTALS = """
SELECT * FROM reconciliation_totals WHERE reconciliation_id = ANY($1) ORDER BY reconciliation_id, currency
"""
_DIFFERENCES = """
SELECT * FROM reconciliation_differences WHERE reconciliation_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""
