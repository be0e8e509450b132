"""Which pictures are stored, and which of them nobody refers to."""

from __future__ import annotations

from datetime import timedelta

from shopwright.chassis.db import Connection

SWEEP_BATCH = 200


async def note(connection: Connection, path: str, width: int, height: int) -> None:
    await connection.execute(_NOTE, path, width, height)


async def forgotten(connection: Connection, age: timedelta) -> list[str]:
    """Stop keeping pictures that nobody refers to and that are older than `age`; returns their paths."""
    return [row["path"] for row in await connection.fetch(_FORGOTTEN, age, SWEEP_BATCH)]


_NOTE = """
INSERT INTO media_files (path, width, height) VALUES ($1, $2, $3)
ON CONFLICT (path) DO UPDATE SET looked_at = now()
"""
_FORGOTTEN = """
WITH due AS (
    SELECT path FROM media_files WHERE looked_at < now() - $1::interval
    ORDER BY looked_at LIMIT $2 FOR UPDATE SKIP LOCKED
), used AS (
    SELECT d.path, EXISTS (SELECT FROM pictures i WHERE i.url = d.path AND i.url LIKE '/media/%')
        OR EXISTS (SELECT FROM categories c WHERE c.picture = d.path) AS yes
    FROM due d
), kept AS (
    UPDATE media_files m SET looked_at = now() FROM used u WHERE m.path = u.path AND u.yes
), gone AS (
    DELETE FROM media_files m USING used u WHERE m.path = u.path AND NOT u.yes RETURNING m.path
)
SELECT path FROM gone
"""
