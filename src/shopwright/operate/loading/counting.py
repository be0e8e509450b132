"""What a load cost inside: CPU seconds by process, statements and transactions by database, WAL, commands.

Read from the servers' own counters before and after, as the superuser of this installation: statements by
`pg_stat_statements` (what clients sent, BEGIN and COMMIT among them), transactions by `pg_stat_database`,
writing ones by the transaction ids that were given out, WAL by `pg_stat_wal`, its fsyncs by `pg_stat_io`.
Counters of the whole server: nobody else may use the installation meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg
import psutil
from valkey.asyncio import Valkey

SETTLE_S = 1.5  # a backend reports its counters a second after it fell idle


@dataclass(frozen=True)
class Servers:
    """Where the counters are read; without one of them its figures are left out."""

    parts: Mapping[str, int]
    postgres_url: str = ""
    valkey_url: str = ""


@dataclass
class Count:
    """Counters at one moment, or what they moved by between two."""

    cpu_s: dict[str, float] = field(default_factory=dict)
    statements: dict[str, float] = field(default_factory=dict)
    transactions: dict[str, float] = field(default_factory=dict)
    server: dict[str, float] = field(default_factory=dict)

    def since(self, before: Count) -> Count:
        def moved(now: dict[str, float], then: dict[str, float]) -> dict[str, float]:
            return {name: value - then[name] for name, value in now.items() if name in then}

        return Count(
            moved(self.cpu_s, before.cpu_s),
            moved(self.statements, before.statements),
            moved(self.transactions, before.transactions),
            moved(self.server, before.server),
        )

    def per(self, orders: int) -> Count:
        """The same for one of `orders`; CPU in milliseconds then."""

        def share(total: dict[str, float], factor: float = 1.0) -> dict[str, float]:
            return {name: value * factor / max(1, orders) for name, value in total.items()}

        return Count(
            share(self.cpu_s, 1_000), share(self.statements), share(self.transactions), share(self.server)
        )


async def prepare(servers: Servers) -> None:
    """Have statements counted, if this PostgreSQL can; what was counted before stays."""
    if servers.postgres_url:
        connection = await asyncpg.connect(servers.postgres_url)
        try:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        finally:
            await connection.close()


async def count(servers: Servers) -> Count:
    """The counters now; waits until the backends have told theirs."""
    found = Count(cpu_s=cpu_of(servers.parts))
    if servers.postgres_url:
        await asyncio.sleep(SETTLE_S)
        await _count_postgres(servers.postgres_url, found)
    if servers.valkey_url:
        valkey: Valkey = Valkey.from_url(servers.valkey_url)
        try:
            told = await valkey.info("stats")
        finally:
            await valkey.aclose()
        found.server["Valkey commands"] = float(told["total_commands_processed"])
    return found


async def _count_postgres(url: str, into: Count) -> None:
    connection = await asyncpg.connect(url)
    try:
        for row in await connection.fetch(_STATEMENTS):
            into.statements[row["datname"]] = float(row["calls"])
        for row in await connection.fetch(_TRANSACTIONS):
            into.transactions[row["datname"]] = float(row["commits"])
        for name, sql in _SERVER.items():
            into.server[name] = float(await connection.fetchval(sql))
    finally:
        await connection.close()


def cpu_of(parts: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of each part's process and its children."""
    spent: dict[str, float] = {}
    for part, pid in parts.items():
        try:
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            spent[part] = sum(t.user + t.system for t in (member.cpu_times() for member in family))
        except psutil.Error:
            continue
    return spent


_STATEMENTS = """
SELECT d.datname, sum(s.calls) AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname <> 'postgres' GROUP BY d.datname
"""
_TRANSACTIONS = """
SELECT datname, xact_commit + xact_rollback AS commits FROM pg_stat_database
WHERE datname NOT IN ('postgres', 'template0', 'template1')
"""
_SERVER = {
    "transactions that wrote": "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
    "WAL KiB": "SELECT wal_bytes / 1024 FROM pg_stat_wal",
    "WAL fsyncs": "SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal'",
}
