"""The database: one transaction per command, and what must commit with it (inbox row, outbox rows).

`begin(once=...)` opens the only kind of transaction that writes. Guarantees: the block commits before it is
left normally and rolls back otherwise; facts given to `publish` commit with it; a repeat under the same
`once` key sees `repeated` and the stored outcome, waits for one in flight, and is refused with another
body. No call over the network may be made inside (`in_transaction` lets clients refuse it). Connections
carry no session state.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import asyncpg
import msgspec
from asyncpg import CheckViolationError as CheckViolation
from asyncpg import ForeignKeyViolationError as ForeignKeyViolation
from asyncpg import SerializationError as Overtaken
from asyncpg import UniqueViolationError as UniqueViolation

from shopwright.contracts.events import Event
from shopwright.contracts.problems import IdempotencyKeyReused, InvalidInput, RequestInFlight, Unavailable

from .together import Change, composed

__all__ = [
    "Change", "CheckViolation", "Connection", "Database", "ForeignKeyViolation", "Once", "Overtaken", "Row",
    "Transaction", "UniqueViolation", "in_transaction", "open_database",
]  # fmt: skip

Row = Mapping[str, Any]
ACQUIRE_S = 5.0  # a pool that has no connection for this long is overloaded: say so

#: Server settings of every connection: a forgotten lock or a runaway query must not hold the shop up.
SESSION = {
    "statement_timeout": "15s",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "20s",
    "timezone": "UTC",
}

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server died between the parts of a statement
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # its disk is full, or it has no connection left
    ConnectionError,
    TimeoutError,
    FileNotFoundError,
)

#: What it cannot hold, whoever said it.
_TOO_MUCH = {
    asyncpg.CharacterNotInRepertoireError: "text cannot hold the character U+0000",
    asyncpg.UntranslatableCharacterError: "text cannot hold the character U+0000",
    asyncpg.NumericValueOutOfRangeError: "a number is larger than can be kept",
}

_open: ContextVar[bool] = ContextVar("in_transaction", default=False)


def in_transaction() -> bool:
    """Whether the running task holds a transaction open."""
    return _open.get()


class Once(NamedTuple):
    """What makes a repeat recognisable: a key, and a fingerprint of the request that first used it."""

    key: str
    fingerprint: bytes = b""


class Connection:
    """Statements on one connection; values are always parameters."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        rows: list[Row] = await self._raw.fetch(sql, *values)
        return rows

    async def fetchrow(self, sql: str, *values: Any) -> Row | None:
        row: Row | None = await self._raw.fetchrow(sql, *values)
        return row

    async def fetchval(self, sql: str, *values: Any) -> Any:
        return await self._raw.fetchval(sql, *values)

    async def execute(self, sql: str, *values: Any) -> int:
        """Run a statement; returns the number of rows it touched."""
        status: str = await self._raw.execute(sql, *values)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._raw.executemany(sql, rows)

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        await self._raw.copy_records_to_table(table, columns=list(columns), records=rows)


class Transaction(Connection):
    """An open transaction; `stored` is the outcome an earlier run under the same key remembered."""

    __slots__ = ("_facts", "_later", "_once", "_outcome", "repeated", "stored")

    def __init__(self, raw: Any, once: Once | None) -> None:
        super().__init__(raw)
        self._once = once
        self._facts: list[Event] = []
        self._later: list[Change] = []
        self._outcome: bytes | None = None
        self.repeated = False
        self.stored: bytes | None = None

    def publish(self, *facts: Event) -> None:
        """Commit `facts` to the outbox with this transaction."""
        self._facts.extend(facts)

    def also(self, sql: str, *values: Any) -> None:
        """Have a change made that nothing in here reads: they travel together, at the end."""
        self._later.append(Change(sql, values))

    def remember(self, outcome: bytes) -> None:
        """Keep the answer that a repeat under the same key shall get."""
        self._outcome = outcome

    async def claim(self) -> None:
        if self._once is None:
            return
        key, fingerprint = self._once
        if await self.fetchval(_CLAIM, key, fingerprint):
            return
        row = await self.fetchrow("SELECT fingerprint, outcome FROM once WHERE key = $1", key)
        if row is None:  # pruned between the two statements: a day-old key in use again
            raise RequestInFlight
        if row["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused
        self.repeated, self.stored = True, row["outcome"]

    async def flush(self) -> bool:
        """Write what must commit with the transaction; true if events were written."""
        if self._outcome is not None and self._once is not None:
            self.also("UPDATE once SET outcome = $2 WHERE key = $1", self._once.key, self._outcome)
        if self._later or self._facts:
            sql, values = composed(self._later, self._facts)
            await self.execute(sql, *values)
        return bool(self._facts)


_CLAIM = "INSERT INTO once (key, fingerprint) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true"


class Database:
    """A service's database; made by `open_database`."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._listeners: list[Callable[[], None]] = []

    def on_published(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each commit that wrote events (the relay's alarm clock)."""
        self._listeners.append(wake)

    @asynccontextmanager
    async def begin(self, once: Once | str | None = None) -> AsyncIterator[Transaction]:
        """One command's transaction.

        Raises:
            IdempotencyKeyReused: `once` was used with another fingerprint.
            RequestInFlight: the first use is still running, or a lock was not to be had in time.
            Unavailable: the database cannot be reached.
        """
        key = Once(once) if isinstance(once, str) else once
        async with self._connection() as raw:
            reset = _open.set(True)
            try:
                async with raw.transaction():
                    transaction = Transaction(raw, key)
                    await transaction.claim()
                    yield transaction
                    wrote = await transaction.flush()
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
                raise RequestInFlight(detail="another request holds what this one needs") from error
            finally:
                _open.reset(reset)
        if wrote:
            self._published()

    async def commit(self, sql: str, *values: Any, publishes: bool = True) -> Row | None:
        """One statement that is a whole transaction: a function that decides, writes and publishes
        (`publish_event`), in one round trip instead of four. For the hottest commands only.

        Raises:
            RequestInFlight: a lock was not to be had in time.
            Unavailable: the database cannot be reached.
        """
        rows = await self.commit_rows(sql, *values, publishes=publishes)
        return rows[0] if rows else None

    async def commit_rows(self, sql: str, *values: Any, publishes: bool = True) -> list[Row]:
        """The same for a statement that answers many rows."""
        async with self._connection() as raw:
            try:
                rows: list[Row] = await raw.fetch(sql, *values)
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
                raise RequestInFlight(detail="another request holds what this one needs") from error
        if publishes:
            self._published()
        return rows

    async def commit_together(
        self, changes: Sequence[Change], facts: Sequence[Event] = (), *, asking: Change | None = None
    ) -> Row | None:
        """Changes and facts as one statement that is a whole transaction; returns the row of `asking`.

        Raises:
            Overtaken: `asking` calls a function that found its row moved on; nothing was changed.
            RequestInFlight, Unavailable: as `commit`.
        """
        sql, values = composed(changes, facts, asking=asking)
        return await self.commit(sql, *values, publishes=bool(facts))

    def _published(self) -> None:
        for wake in self._listeners:
            wake()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection for single statements outside a transaction."""
        async with self._connection() as raw:
            yield Connection(raw)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with self._pool.acquire(timeout=ACQUIRE_S) as raw:
                yield raw
        except _LOST as error:
            raise Unavailable(detail="the database cannot be reached", part="database") from error
        except tuple(_TOO_MUCH) as error:
            raise InvalidInput(detail=_TOO_MUCH[type(error)], errors=[]) from error

    async def ready(self) -> bool:
        try:
            async with self.read() as connection:
                return bool(await connection.fetchval("SELECT true"))
        except Unavailable:
            return False

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()


async def open_database(url: str, *, application: str, size: int = 12) -> Database:
    """Connect; the first connections are made at once so that a wrong URL is told at start."""
    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_no_reset,
        statement_cache_size=512,
        server_settings=SESSION | {"application_name": application},
    )
    return Database(pool)


async def _prepare(raw: Any) -> None:
    await raw.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )


async def _no_reset(_raw: Any) -> None:
    """Connections carry no session state, so the round trip of a reset is saved (`0.125 → 0.111 CPU ms`)."""
