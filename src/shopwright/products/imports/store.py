"""All SQL of imports: jobs with their leases, and the errors of reports."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Row, Transaction

from .domain import ERRORS_KEPT, Job, RowError, Status, Step
from .readers.reading import Form, Options


async def add(tx: Transaction, job: Job, user_id: UUID | None, waiting_max: int) -> bool:
    """Queue `job`; false if `waiting_max` wait already."""
    return bool(
        await tx.execute(
            _ADD, job.id, job.file, job.bytes, msgspec.to_builtins(job.form),
            msgspec.to_builtins(job.options), user_id, waiting_max,
        )
    )  # fmt: skip


async def find(connection: Connection, job_id: UUID) -> Job | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM import_jobs WHERE id = $1", job_id)
    return _job(row) if row else None


async def page(connection: Connection, before: UUID | None, limit: int) -> list[Job]:
    """Newest first."""
    return [_job(row) for row in await connection.fetch(_PAGE, before, limit)]


async def errors(connection: Connection, job_id: UUID, after: int, limit: int) -> list[tuple[int, RowError]]:
    rows = await connection.fetch(_ERRORS, job_id, after, limit)
    return [
        (row["number"], RowError(**{name: row[name] for name in RowError.__struct_fields__})) for row in rows
    ]


async def cancel(connection: Connection, job_id: UUID) -> Status | None:
    """Ask a job to end; the status it has now, None if there is none."""
    status: Status | None = await connection.fetchval(_CANCEL, job_id)
    return status


async def claim(connection: Connection, holder: str, lease: timedelta) -> Job | None:
    """The job to work on: one that nobody holds any more, else the one that waits longest."""
    row = await connection.fetchrow(_CLAIM, holder, lease)
    return _job(row) if row else None


async def hold(connection: Connection, job_id: UUID, holder: str, lease: timedelta) -> bool | None:
    """Prolong the lease; whether the job shall be cancelled, None if it is not ours any more."""
    cancel_wanted: bool | None = await connection.fetchval(_HOLD, job_id, holder, lease)
    return cancel_wanted


async def measured(connection: Connection, job_id: UUID, holder: str, rows: int, products: int) -> None:
    await connection.execute(
        "UPDATE import_jobs SET total = $3, products = $4 WHERE id = $1 AND holder = $2",
        job_id,
        holder,
        rows,
        products,
    )


async def step(tx: Transaction, job_id: UUID, holder: str, done: Step) -> bool:
    """Count a batch; false if the job is not ours or stands elsewhere, and then nothing may commit."""
    row = await tx.fetchrow(
        _STEP, job_id, holder, done.before, done.products, done.rows, done.created, done.changed,
        done.unchanged, done.skipped, done.refused, len(done.errors), done.lacks.unstocked,
        done.lacks.untracked, done.lacks.unpriced, list(done.lacks.currencies),
    )  # fmt: skip
    if row is None:
        return False
    kept = done.errors[: max(0, ERRORS_KEPT - row["errors"])]
    if kept:
        await tx.execute(
            _NOTE, job_id, row["errors"], [e.line for e in kept], [_text(e.identifier) for e in kept],
            [e.outcome for e in kept], [_text(e.pointer) for e in kept], [_text(e.detail) for e in kept],
        )  # fmt: skip
    return True


async def finish(connection: Connection, job_id: UUID, holder: str, status: Status, detail: str) -> None:
    await connection.execute(_FINISH, job_id, holder, status, detail)


async def release(connection: Connection, job_id: UUID, holder: str) -> None:
    """Let another worker go on at once."""
    await connection.execute(
        "UPDATE import_jobs SET lease_until = '-infinity', attempts = 0 WHERE id = $1 AND holder = $2",
        job_id,
        holder,
    )


async def prune(connection: Connection, keep: timedelta, jobs: int) -> None:
    await connection.execute(_PRUNE, keep, jobs)


async def open_jobs(connection: Connection) -> set[UUID]:
    """Jobs that still need their file."""
    rows = await connection.fetch("SELECT id FROM import_jobs WHERE status IN ('queued', 'running')")
    return {row["id"] for row in rows}


def _text(text: str) -> str:
    """PostgreSQL has no text with NUL in it."""
    return text.replace("\0", "")


def _job(row: Row) -> Job:
    names = [name for name in Job.__struct_fields__ if name not in {"form", "options"}]
    return Job(
        form=msgspec.convert(row["form"], Form),
        options=msgspec.convert(row["options"], Options),
        **{name: row[name] for name in names},
    )


_COLUMNS = ", ".join(Job.__struct_fields__)
_ADD = """
INSERT INTO import_jobs (id, file, bytes, form, options, user_id)
SELECT $1, $2, $3, $4, $5, $6
WHERE (SELECT count(*) FROM import_jobs WHERE status IN ('queued', 'running')) < $7
"""
_PAGE = f"""
SELECT {_COLUMNS} FROM import_jobs WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
"""
_ERRORS = """
SELECT number, line, identifier, outcome, pointer, detail FROM import_errors
WHERE job_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""
_CANCEL = """
UPDATE import_jobs SET
    cancel = cancel OR status IN ('queued', 'running'),
    finished_at = CASE WHEN status = 'queued' THEN now() ELSE finished_at END,
    status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END
WHERE id = $1 RETURNING status
"""
_CLAIM = f"""
UPDATE import_jobs SET status = 'running', holder = $1, lease_until = now() + $2::interval,
    attempts = attempts + 1, started_at = coalesce(started_at, now())
WHERE id = (
    SELECT id FROM import_jobs
    WHERE status = 'running' AND (holder = $1 OR lease_until < now())
       OR status = 'queued' AND NOT EXISTS (SELECT FROM import_jobs WHERE status = 'running')
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}
"""
_HOLD = """
UPDATE import_jobs SET lease_until = now() + $3::interval
WHERE id = $1 AND holder = $2 AND status = 'running' RETURNING cancel
"""
_STEP = """
UPDATE import_jobs SET position = position + $4, rows = rows + $5, created = created + $6,
    changed = changed + $7, unchanged = unchanged + $8, skipped = skipped + $9, refused = refused + $10,
    errors = errors + $11, unstocked = unstocked + $12, untracked = untracked + $13,
    unpriced = unpriced + $14, attempts = 0,
    currencies = ARRAY(SELECT DISTINCT unnest(currencies || $15::text[]) ORDER BY 1)
WHERE id = $1 AND holder = $2 AND status = 'running' AND position = $3 RETURNING errors - $11 AS errors
"""
_NOTE = """
INSERT INTO import_errors (job_id, number, line, identifier, outcome, pointer, detail)
SELECT $1, $2 + n, line, identifier, outcome, pointer, detail
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
    WITH ORDINALITY AS e (line, identifier, outcome, pointer, detail, n)
"""
_FINISH = """
UPDATE import_jobs SET status = $3, detail = $4, finished_at = now(), lease_until = '-infinity'
WHERE id = $1 AND holder = $2 AND status = 'running'
"""
_PRUNE = """
DELETE FROM import_jobs WHERE status NOT IN ('queued', 'running') AND (
    created_at < now() - $1::interval
    OR id IN (SELECT id FROM import_jobs ORDER BY id DESC OFFSET $2))
"""
