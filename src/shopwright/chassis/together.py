"""Several changes as one statement: what commits together need not travel one by one.

A round trip costs more CPU than most statements do. PostgreSQL runs the parts of one WITH in one transaction
and on one snapshot, so no part may read what another part writes; the first part runs first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from shopwright.contracts.events import Event, encode_data
from shopwright.contracts.ids import new_id

from . import telemetry

STATEMENTS_MAX = 256  # distinct compositions that are remembered; the code has about ten

_PARAMETER = re.compile(r"\$(\d+)")


class Change(NamedTuple):
    """An INSERT, UPDATE or DELETE; values are parameters."""

    sql: str
    values: tuple[Any, ...] = ()


def composed(
    changes: Sequence[Change], facts: Sequence[Event] = (), *, asking: Change | None = None
) -> Change:
    """All of `changes` and the outbox rows of `facts` as one statement.

    `asking`: a query, such as the call of a function that changes things, whose row the statement returns.
    """
    parts = [*([asking] if asking else []), *changes]
    values = [value for part in parts for value in part.values]
    counts = tuple(len(part.values) for part in parts)
    sql = _text(tuple(part.sql for part in parts), counts, asks=asking is not None, tells=bool(facts))
    return Change(sql, (*values, *(_told(facts) if facts else ())))


def _told(facts: Sequence[Event]) -> tuple[Any, ...]:
    return (
        [new_id() for _ in facts],
        [fact.topic for fact in facts],
        [fact.subject for fact in facts],
        [encode_data(fact) for fact in facts],
        telemetry.traceparent(),
    )


@lru_cache(STATEMENTS_MAX)
def _text(statements: tuple[str, ...], counts: tuple[int, ...], *, asks: bool, tells: bool) -> str:
    if len(statements) == 1 and not tells:
        return statements[0]
    parts, offset = [], 0
    for number, (sql, count) in enumerate(zip(statements, counts, strict=True)):
        parts.append(f"part_{number} AS ({_moved(sql, offset)})")
        offset += count
    if tells:
        parts.append(_moved(_PUBLISH, offset))
    return f"WITH {', '.join(parts)} SELECT {'* FROM part_0' if asks else ''}"


def _moved(sql: str, offset: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + offset}", sql)


#: Each fact with the next sequence of its aggregate; counters are locked in key order.
_PUBLISH = """
facts AS (
    SELECT f.*,
        row_number() OVER (PARTITION BY subject ORDER BY n) AS nth,
        count(*) OVER (PARTITION BY subject) AS of
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[])
        WITH ORDINALITY AS f (id, topic, subject, data, n)
), counted AS (
    INSERT INTO event_sequences AS s (subject, last)
    SELECT subject, count(*) FROM facts GROUP BY subject ORDER BY subject
    ON CONFLICT (subject) DO UPDATE SET last = s.last + excluded.last
    RETURNING subject, last
), told AS (
    INSERT INTO outbox (id, topic, subject, sequence, data, traceparent)
    SELECT id, topic, subject, last - of + nth, data, $5::text
    FROM facts JOIN counted USING (subject) ORDER BY n
)
"""
