"""How many reservations a second one SKU takes from 64 clients at once, on a real PostgreSQL that syncs every
commit to disk. Prints figures; no test.

python tests/bench/bench_reservations.py [seconds of each run, 5 without]

`plain`: each reservation is a transaction, as if every client had a process of its own. `together`: as
products reserves, those of one SKU that wait for each other share a transaction. `shards`: plain, over 16
SKUs: the most that a balance split into 16 rows could give. `alone`: one client, who waits for nobody.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

import servers
from shopwright.chassis.db import Database, open_database
from shopwright.contracts.products import Reserve, ReserveLine
from shopwright.products.inventory.commands import Inventory
from shopwright.products.inventory.store import reservations
from shopwright.products.inventory.store.reservations import Asked
from shopwright.stack.postgres import Postgres

CLIENTS = 64
CONNECTIONS = 24
SHARDS = 16
UNITS = 10_000_000


async def plain(db: Database, sku: str) -> None:
    await reservations.reserve(db, [Asked(uuid4(), Reserve([ReserveLine(sku, 1)], 600))], 5)


async def together(inventory: Inventory, sku: str) -> None:
    await inventory.reserve(uuid4(), Reserve([ReserveLine(sku, 1)], 600))


async def measure(name: str, seconds: float, clients: int, act: Callable[[int], Awaitable[None]]) -> float:
    waits: list[float] = []
    stop = time.perf_counter() + seconds

    async def client(number: int) -> None:
        while (start := time.perf_counter()) < stop:
            await act(number)
            waits.append(time.perf_counter() - start)

    await asyncio.gather(*(client(number) for number in range(clients)))
    cuts = statistics.quantiles(waits, n=100)
    rate = len(waits) / seconds
    print(
        f"{name:<12}{rate:>8,.0f}/s   p50 {cuts[49] * 1000:6.1f} ms   p99 {cuts[98] * 1000:6.1f} ms",
        flush=True,
    )
    return rate


async def main(seconds: float, databases: servers.Databases) -> None:
    db = await open_database(await databases.fresh("products"), application="bench", size=CONNECTIONS)
    inventory = Inventory(db, low_stock_at=5)
    shards = [f"shard-{number}" for number in range(SHARDS)]
    for sku in ["plain", "together", "alone", *shards]:
        await inventory.adjust(sku, UNITS, "bench", None, None)
    await measure("alone", seconds, 1, lambda _: together(inventory, "alone"))
    base = await measure("plain", seconds, CLIENTS, lambda _: plain(db, "plain"))
    split = await measure("shards", seconds, CLIENTS, lambda n: plain(db, shards[n % SHARDS]))
    shared = await measure("together", seconds, CLIENTS, lambda _: together(inventory, "together"))
    ratios = f"together {shared / base:.1f} times plain, shards {split / base:.1f} times"
    print(f"one SKU, {CLIENTS} clients: {ratios}")
    await db.close()


@contextmanager
def syncing_postgres() -> Iterator[servers.Databases]:
    """A server as installed, unlike that of the tests, with its data on the disk of the checkout."""
    folder = Path(tempfile.mkdtemp(prefix=".bench-", dir=Path.cwd()))
    server = Postgres(data=folder / "data", sockets=Path(tempfile.mkdtemp(prefix="sw-bench-", dir="/tmp")))
    server.initialise(servers.PASSWORD)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(server.command(), stdout=log, stderr=log)
    try:
        while not server.ready():
            time.sleep(0.1)
        yield servers.Databases(server.sockets)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder)
        shutil.rmtree(server.sockets, ignore_errors=True)


if __name__ == "__main__":
    with syncing_postgres() as running:
        asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0, running))
