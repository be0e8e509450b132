"""Runs sagas: a row with a lease, driven inline by the request that began it or by any worker after its
lease ended.

Guarantees: one driver at a time per saga (lease and version); progress commits together with what the step
changed locally; a step whose progress was not yet written is simply done again, for steps are idempotent by
the saga's id. So only a local change, a turn, a wait and the end cost a commit, and that one statement if
nothing has to be read for it. `wake` and `look_again` never get lost: a driver that parks sees them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import (
    DeadlineExceeded,
    InternalError,
    NotFound,
    RequestInFlight,
    TooManyRequests,
    Unavailable,
)

from . import crashpoints, deadline, telemetry
from .db import Change, Database, Overtaken, Row, Transaction
from .saga import (
    STUCK_AFTER,
    Done,
    Failed,
    Place,
    Refused,
    Reply,
    Saga,
    Status,
    Waiting,
    action,
    advance,
    first,
    turn_round,
)

log = structlog.get_logger()

Act = Callable[[UUID], Awaitable[Reply]]
Ended = Callable[[Transaction, UUID, Place], Awaitable[None]]

LEASE = timedelta(seconds=15)  # longer than any step's time limit
POLL_S = 0.25
BATCH = 20
OVER_MAX = 10_000  # sagas that ended here lately: news about them is no work

#: Refusals of the moment, a lock that was not to be had among them: the step is tried again.
_SAYS_NOTHING = (Unavailable, DeadlineExceeded, InternalError, TooManyRequests, RequestInFlight)


class Lost(Exception):
    """Another driver has taken the saga over."""


class LogEntry(msgspec.Struct, frozen=True):
    """One line of a saga's timeline."""

    at: datetime
    step: str
    direction: str
    outcome: str
    detail: str


class Drive:
    """One driver's hold on a saga."""

    def __init__(self, saga_id: UUID, place: Place, until: datetime, version: int, wakes: int) -> None:
        self.id, self.place, self.deadline, self.version, self.wakes = saga_id, place, until, version, wakes
        self.entries: list[LogEntry] = []
        self.woken = False
        self.lost = False

    @property
    def completed(self) -> bool:
        """Whether this driver brought it to its end, and that is committed."""
        return self.place.status == "completed" and not self.lost


class SagaRunner:
    """Runs one kind of saga.

    Args:
        acts: what to do for each step and undo name; gets the saga's id.
        ended: called in the transaction that ends the saga, for the ends of `tells`.
        lease: how long a driver that died keeps others from going on.
    """

    def __init__(
        self,
        db: Database,
        saga: Saga,
        acts: Mapping[str, Act],
        ended: Ended,
        lease: timedelta = LEASE,
        *,
        tells: tuple[Status, ...] = ("completed", "undone"),
    ) -> None:
        missing = {step.name for step in saga.steps} | {step.undo for step in saga.steps if step.undo}
        if missing - acts.keys():
            raise ValueError(f"saga {saga.kind} has no act for {sorted(missing - acts.keys())}")
        self._db, self._saga, self._acts, self._ended, self._lease = db, saga, acts, ended, lease
        self._tells = frozenset(tells)
        self._driving: dict[UUID, Drive] = {}
        self._over: OrderedDict[UUID, None] = OrderedDict()

    async def start(self, tx: Transaction, saga_id: UUID, until: datetime) -> Drive:
        """Make the saga's row in the command's transaction; drive the result once that has committed."""
        row, held = self.begun(saga_id, until)
        tx.also(row.sql, *row.values)
        return held

    def begun(self, saga_id: UUID, until: datetime) -> tuple[Change, Drive]:
        """The same for a command that is one statement: the row, and what to drive once it has committed."""
        place = first(self._saga)
        values = (saga_id, self._saga.kind, place.step, until, self._lease, telemetry.traceparent())
        crashpoints.reach(f"{self._saga.kind}.start.before-commit")
        return Change(_START, values), Drive(saga_id, place, until, 1, 0)

    async def take(self, saga_id: UUID) -> Drive | None:
        """Take the lease of a saga that nobody drives; None if somebody does or it has ended."""
        async with self._db.read() as connection:
            row = await connection.fetchrow(_TAKE, saga_id, self._lease)
        return self._driven(row) if row else None

    async def wake(self, tx: Transaction, saga_id: UUID, *, cancel: bool = False) -> bool:
        """Have a saga look again (commits with `tx`), or turn round if it is still before its pivot."""
        return bool(await tx.execute(_WAKE, saga_id, cancel))

    async def look_again(self, saga_ids: Iterable[UUID]) -> None:
        """Something happened that these sagas may wait for: drive on those that nobody drives.

        Costs nothing for a saga that this process drives or saw end, one statement for all others.
        """
        others = []
        for saga_id in dict.fromkeys(saga_ids):
            if saga_id in self._driving:
                self._driving[saga_id].woken = True
            elif saga_id not in self._over:
                others.append(saga_id)
        if not others:
            return
        async with self._db.read() as connection:
            rows = await connection.fetch(_LOOK_AGAIN, others, self._lease, self._saga.kind)
        await asyncio.gather(*(self.drive(self._driven(row)) for row in rows if row["taken"]))

    async def drive(self, held: Drive) -> Place:
        """Run a held saga until it ends, waits, or must be tried later; returns where it stands then."""
        self._driving[held.id] = held
        try:
            await self._drive(held)
        finally:
            if self._driving.get(held.id) is held:
                del self._driving[held.id]
        if held.place.ended:
            self._over[held.id] = None
            while len(self._over) > OVER_MAX:
                self._over.popitem(last=False)
        elif held.woken:
            await self.look_again([held.id])
        return held.place

    async def _drive(self, held: Drive) -> None:
        while not held.place.ended:
            reply = await self._act(held)
            before = held.place
            held.place = advance(
                self._saga, before, reply, now=datetime.now(UTC), deadline=held.deadline
            )  # fmt: skip
            held.entries.append(_entry(before, action(self._saga, before), reply))
            parks = held.place.ended or held.place.pause
            done = reply if isinstance(reply, Done) else Done(getattr(reply, "local", None))
            if done != Done() or parks or held.place.direction != before.direction:
                crashpoints.reach(f"{self._saga.kind}.{before.step}.before-commit")
                try:
                    await self._save(held, done)
                except Lost:
                    held.lost = True
                    return
                crashpoints.reach(f"{self._saga.kind}.{before.step}.after-commit")
            if parks:
                break

    async def _act(self, held: Drive) -> Reply:
        name = action(self._saga, held.place)
        crashpoints.reach(f"{self._saga.kind}.{name}.before-call")
        with telemetry.span(f"saga {self._saga.kind} {name}", saga=str(held.id)):
            try:
                reply = await self._acts[name](held.id)
            except _SAYS_NOTHING as problem:
                reply = Failed(str(problem))
            except Problem as problem:
                reply = Refused(problem)
            except Exception as bug:
                log.exception("a saga's step failed", saga=str(held.id), step=name)
                reply = Failed(f"{type(bug).__name__}: {bug}")
        crashpoints.reach(f"{self._saga.kind}.{name}.after-call")
        return reply

    async def _save(self, held: Drive, done: Done) -> None:
        """Raises Lost."""
        progress, place = self._progress(held), held.place
        try:
            if done.local is None and not (place.ended and place.status in self._tells):
                saved = await self._db.commit_together(done.changes, done.facts, asking=progress)
            else:
                async with self._db.begin() as tx:
                    saved = await tx.fetchrow(progress.sql, *progress.values)
                    for change in done.changes:
                        tx.also(change.sql, *change.values)
                    tx.publish(*done.facts)
                    if done.local is not None:
                        await done.local(tx)
                    if place.ended and place.status in self._tells:
                        await self._ended(tx, held.id, place)
        except Overtaken:
            raise Lost from None
        assert saved is not None, "a function returns its row"
        held.entries.clear()
        held.version, held.wakes = saved["version"], saved["wakes"]

    def _progress(self, held: Drive) -> Change:
        place = held.place
        lease = self._lease if place.status == "running" and not place.pause else timedelta(0)
        return Change(
            _SAVE,
            (
                held.id, held.version, place.step, place.direction, place.status, place.attempts,
                place.pause, lease, place.reason, held.wakes, [e.at for e in held.entries],
                [e.step for e in held.entries], [e.direction for e in held.entries],
                [e.outcome for e in held.entries], [e.detail for e in held.entries],
            ),
        )  # fmt: skip

    async def run(self, stop: asyncio.Event) -> None:
        """Worker: take over sagas whose lease or pause is over."""
        deadline.clear()
        while not stop.is_set():
            try:
                taken = await self._take_due()
            except Unavailable:
                taken = []
            if taken:
                await asyncio.gather(*(self._resume(row) for row in taken))
            if len(taken) < BATCH:
                try:
                    await asyncio.wait_for(stop.wait(), POLL_S)
                except TimeoutError:
                    continue

    async def _take_due(self) -> list[Row]:
        async with self._db.read() as connection:
            return await connection.fetch(_TAKE_DUE, self._lease, BATCH, self._saga.kind)

    async def _resume(self, row: Row) -> None:
        held = self._driven(row)
        with telemetry.span(f"saga {self._saga.kind} resumed", remote=row["traceparent"]):
            try:
                await self.drive(held)
            except Unavailable as problem:
                log.warning("saga waits", saga=str(held.id), error=str(problem))
            except Exception:
                log.exception("saga waits", saga=str(held.id))

    def _driven(self, row: Row) -> Drive:
        place = Place(row["step"], row["direction"], "running", row["attempts"], reason=row["reason"])
        if row["cancel"]:
            place = turn_round(self._saga, place, {"type": "cancelled", "title": "It was cancelled"})
        return Drive(row["id"], place, row["deadline"], row["version"], row["wakes"])

    async def log_of(self, *saga_ids: UUID) -> list[LogEntry]:
        """The timeline of sagas that belong together, oldest first; raises NotFound."""
        async with self._db.read() as connection:
            rows = await connection.fetch(_READ_LOG, list(saga_ids))
        if not rows:
            raise NotFound(detail=f"no timeline of {saga_ids[0]}")
        return [LogEntry(**row) for row in rows]

    async def measure(self) -> int:
        """How many sagas need an operator (also the metric `shopwright_sagas_stuck`)."""
        async with self._db.read() as connection:
            stuck: int = await connection.fetchval(_STUCK, STUCK_AFTER)
        telemetry.SAGAS.set(stuck)
        return stuck


def _entry(place: Place, name: str, reply: Reply) -> LogEntry:
    outcome, detail = "done", ""
    if isinstance(reply, Refused):
        outcome, detail = "refused", f"{reply.problem.title} {reply.problem.detail}".strip()
    elif isinstance(reply, Failed):
        outcome, detail = "failed", reply.error
    elif isinstance(reply, Waiting):
        outcome = "waiting"
    return LogEntry(datetime.now(UTC), name, place.direction, outcome, detail[:500])


_START = """
INSERT INTO sagas (id, kind, step, direction, status, deadline, lease_until, traceparent)
VALUES ($1, $2, $3, 'forward', 'running', $4, now() + $5::interval, $6)
"""
_COLUMNS = "id, step, direction, status, attempts, version, wakes, cancel, reason, deadline, traceparent"
_TAKE = f"""
UPDATE sagas SET lease_until = now() + $2::interval, version = version + 1
WHERE id = $1 AND status IN ('running', 'waiting') AND lease_until <= now()
RETURNING {_COLUMNS}
"""
_TAKE_DUE = f"""
UPDATE sagas SET lease_until = now() + $1::interval, version = version + 1
WHERE id IN (SELECT id FROM sagas WHERE status IN ('running', 'waiting') AND kind = $3
             AND run_at <= now() AND lease_until <= now()
             ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}
"""
_WAKE = """
UPDATE sagas SET wakes = wakes + 1, run_at = now(), cancel = cancel OR $2
WHERE id = $1 AND status IN ('running', 'waiting')
"""
_LOOK_AGAIN = f"""
WITH found AS (
    SELECT id, lease_until <= now() AS taken FROM sagas
    WHERE id = ANY($1) AND status IN ('running', 'waiting') AND kind = $3 ORDER BY id FOR UPDATE
)
UPDATE sagas s SET wakes = wakes + 1, run_at = now(), version = version + found.taken::integer,
    lease_until = CASE WHEN found.taken THEN now() + $2::interval ELSE lease_until END
FROM found WHERE s.id = found.id RETURNING s.{_COLUMNS.replace(", ", ", s.")}, found.taken
"""
_SAVE = """
SELECT version, wakes
FROM save_saga($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
_READ_LOG = "SELECT at, step, direction, outcome, detail FROM saga_log WHERE saga_id = ANY($1) ORDER BY at"
_STUCK = "SELECT count(*) FROM sagas WHERE status = 'running' AND attempts >= $1"
