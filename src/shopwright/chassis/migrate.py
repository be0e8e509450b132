"""Migrations: numbered, forward-only SQL files, each applied once in its own transaction under a lock.

Files `NNNN_what.sql` of the chassis come first, then each room's. A file that changed after it was applied
is an error, as is a number used twice. `lock_timeout` keeps a migration from queueing behind a long query
and stopping the shop; it fails instead and can be run again. Statements in functions are planned once per
connection: by default many would be planned anew at every call, which costs more than running them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

CHASSIS = Path(__file__).parent / "migrations"
_LOCK = 7_305_281_001  # any constant: one migrator at a time per database

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    room text NOT NULL, number integer NOT NULL, name text NOT NULL, checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (room, number))
"""


_PLAN_ONCE = """
DO $$
DECLARE f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
             WHERE l.lanname = 'plpgsql' AND p.proowner = current_user::regrole AND p.proconfig IS NULL LOOP
        EXECUTE format('ALTER FUNCTION %s SET plan_cache_mode = force_generic_plan', f);
    END LOOP;
END $$
"""


class BadMigration(RuntimeError):
    """The files and the database disagree; the message names the file."""


class Migration(NamedTuple):
    room: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def rooms_of(service: str) -> list[tuple[str, Path]]:
    """The folders of a service's migrations: its own, and those of its rooms."""
    package = Path(__file__).parents[1] / service
    found = [(service, package / "migrations")] if (package / "migrations").is_dir() else []
    return found + [(folder.parent.name, folder) for folder in sorted(package.glob("*/migrations"))]


def collect(folders: Sequence[tuple[str, Path]]) -> list[Migration]:
    """The migrations of `folders` (room name, folder) in order."""
    found: list[Migration] = []
    for room, folder in folders:
        numbers: set[int] = set()
        for path in sorted(folder.glob("*.sql")):
            match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
            if match is None:
                raise BadMigration(f"{path}: a migration is called NNNN_what.sql")
            number = int(match[1])
            if number in numbers:
                raise BadMigration(f"{path}: number {number} is used twice")
            numbers.add(number)
            found.append(Migration(room, number, match[2], path.read_text(encoding="utf-8")))
    return found


async def migrate(url: str, folders: Sequence[tuple[str, Path]]) -> list[Migration]:
    """Bring the database at `url` up to date; returns what was applied (empty when nothing was to do).

    Raises:
        BadMigration: an applied file changed, or one fails (its transaction is rolled back).
    """
    wanted = collect([("chassis", CHASSIS), *folders])
    connection = await asyncpg.connect(url, server_settings={"lock_timeout": "4s"})
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_TABLE)
        applied = {
            (row["room"], row["number"]): row["checksum"]
            for row in await connection.fetch("SELECT room, number, checksum FROM schema_migrations")
        }
        done: list[Migration] = []
        for migration in wanted:
            before = applied.get((migration.room, migration.number))
            if before is None:
                await _apply(connection, migration)
                done.append(migration)
            elif before != migration.checksum:
                raise BadMigration(
                    f"{migration.room}/{migration.number:04}_{migration.name} changed after it ran"
                )
        if done:
            await connection.execute(_PLAN_ONCE)
        return done
    finally:
        await connection.close()


async def _apply(connection: Any, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (room, number, name, checksum) VALUES ($1, $2, $3, $4)",
                migration.room,
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        raise BadMigration(f"{migration.room}/{migration.number:04}_{migration.name}: {error}") from error
