"""A whole platform for a test: a fresh home, free ports, `shopwright up`, and the way to everything in it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

UP_S = 300  # a slow machine may take long
PORTS = (10_000, 32_000)


@dataclass
class Platform:
    home: Path
    url: str
    tls_url: str
    environ: dict[str, str]

    def cli(
        self, *arguments: str, check: bool = True, timeout: float = UP_S
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "shopwright.cli", *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            check=check,
            timeout=timeout,
        )

    @property
    def crashes(self) -> Path:
        """Where a file named for a point of `chassis.crashpoints` kills the process that comes by it."""
        return Path(self.environ["SHOPWRIGHT_CRASH_AT"].removeprefix("@"))

    @property
    def demo(self) -> dict:
        return json.loads((self.home / "demo.json").read_text())

    def pid(self, part: str) -> int:
        """The process id of a running part such as `orders-0`."""
        return next(row["pid"] for row in self.status() if row["name"] == part)

    def status(self) -> list[dict]:
        return json.loads(self.cli("status", "--json", check=False).stdout)["parts"]

    async def database(self, service: str) -> asyncpg.Connection:
        """A connection with all rights, to see what is true."""
        from shopwright.stack.layout import Layout

        password = (self.home / "secrets" / "db-superuser").read_text().strip()
        sockets = Layout.of(self.home).run / "pg"
        return await asyncpg.connect(f"postgresql://postgres:{password}@/{service}?host={sockets}")

    def sells(self, name: str, *, count: int, units: int) -> list[str]:
        """Puts `count` new products into the catalogue, `units` of each in stock; their SKUs."""
        skus = [f"{name.upper()}-{number}" for number in range(count)]
        rows = [f"{sku.lower()},{name} {sku},{sku},4.99,{units}" for sku in skus]
        table = self.home / f"{name}.csv"
        table.write_text("\n".join(["slug,name,sku,price:EUR,stock:main", *rows]))
        self.cli("import", "products", str(table))
        return skus

    def client(self, **options) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=60, transport=Pools(), **options)


class Pools(httpx.AsyncBaseTransport):
    """Many small pools of connections: of a large one httpx looks through all for each request."""

    COUNT, EACH = 12, 8

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=self.EACH)
        self._pools = [httpx.AsyncHTTPTransport(limits=limits) for _ in range(self.COUNT)]
        self._turns = itertools.cycle(self._pools)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await next(self._turns).handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()


def free_port() -> int:
    """One that nobody has, below those that the system gives to outgoing connections meanwhile."""
    while True:
        port = random.randint(*PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def listens(port: int, seconds: float = 60) -> None:
    """Returns when somebody does."""
    async with asyncio.timeout(seconds):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.01)


@contextmanager
def platform(home: Path | None = None, **settings: str) -> Iterator[Platform]:
    """Up, and down at the end; its home is gone then unless it was given."""
    kept = home is not None or "SHOPWRIGHT_TEST_KEEP" in os.environ
    home = home or Path(tempfile.mkdtemp(prefix="sw-home-", dir="/tmp"))
    port, tls_port = free_port(), free_port()
    environ = {
        **os.environ,
        "SHOPWRIGHT_HOME": str(home),
        "SHOPWRIGHT_PORT": str(port),
        "SHOPWRIGHT_TLS_PORT": str(tls_port),
        **settings,
    }
    running = Platform(home, f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}", environ)
    try:
        up = running.cli("up", check=False)
        if up.returncode:
            raise RuntimeError(f"the platform did not come up:\n{up.stdout}\n{up.stderr}")
        yield running
    finally:
        running.cli("down", check=False)
        if kept:
            print(f"kept {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
