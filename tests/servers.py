"""Real PostgreSQL and Valkey for tests: started once per session from the wheels, a fresh database per
test.

A database is a clone of its service's migrated template and is dropped with its test. Nothing
here outlives the session, so PostgreSQL need not wait for the disk: its files are in memory where there is
room, and it ends at once. Kills and power cuts are tests of whole platforms, which do wait.
`SHOPWRIGHT_TEST_POSTGRES` (a socket folder, password `test`) and `SHOPWRIGHT_TEST_VALKEY` (a
URL) name servers that run already.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg

from shopwright.chassis.migrate import migrate, rooms_of
from shopwright.contracts.ids import new_id

PASSWORD = "test"
FOR_NOBODY = ["-c", "fsync=off", "-c", "full_page_writes=off"]
MEMORY_LEAST = 4 * 2**30


class Databases:
    """Hands out databases of a running server.

    They are made and dropped by a thread of its own: the next clone of a template is made while a test runs.
    """

    def __init__(self, sockets: Path) -> None:
        self._sockets = sockets
        self._spare: dict[str, Future[str]] = {}
        self._given: list[str] = []
        self._templates: dict[str, str] = {}
        self._worker = ThreadPoolExecutor(1)

    def url(self, database: str) -> str:
        return f"postgresql://postgres:{PASSWORD}@/{database}?host={self._sockets}"

    async def fresh(self, service: str) -> str:
        """The URL of a new, migrated, empty database of `service`."""
        if service not in self._spare:
            self._spare[service] = self._worker.submit(self._clone, service)
        name = await asyncio.wrap_future(self._spare[service])
        self._spare[service] = self._worker.submit(self._clone, service)
        self._given.append(name)
        return self.url(name)

    def drop_given(self) -> None:
        """Drop what `fresh` gave since the last time; who still uses it is cut off."""
        while self._given:
            self._worker.submit(self._admin, f"DROP DATABASE {self._given.pop()} WITH (FORCE)")

    def close(self) -> None:
        for spare in self._spare.values():
            self._given.append(spare.result())
        self.drop_given()
        self._worker.shutdown()

    def _clone(self, service: str) -> str:
        template = self._templates.get(service) or run(self._template(service))
        name = f"t_{new_id().hex}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    async def _template(self, service: str) -> str:
        name = f"template_{service}_{new_id().hex}"
        await self._execute("postgres", f"CREATE DATABASE {name}")
        for extension in ("pg_trgm", "unaccent"):
            await self._execute(name, f"CREATE EXTENSION IF NOT EXISTS {extension}")
        folders = [] if service == "chassis" else rooms_of(service)
        await migrate(self.url(name), folders)
        self._templates[service] = name
        return name

    def _admin(self, sql: str) -> None:
        run(self._execute("postgres", sql))

    async def _execute(self, database: str, sql: str) -> None:
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@contextmanager
def postgres() -> Iterator[Databases]:
    if running := os.environ.get("SHOPWRIGHT_TEST_POSTGRES"):
        with closing(Databases(Path(running))) as databases:
            yield databases
        return
    from shopwright.stack.postgres import Postgres

    home = Path(tempfile.mkdtemp(prefix="sw-pg-", dir=_roomy_folder()))
    server = Postgres(data=home / "data", sockets=home / "run")
    try:
        server.initialise(PASSWORD)
        (home / "data" / "pg_hba.conf").write_text("local all all trust\n")  # each SCRAM takes 5 ms of CPU
        with _running([*server.command(), *FOR_NOBODY], home / "log", stop=signal.SIGQUIT):
            _await(server.ready)
            with closing(Databases(home / "run")) as databases:
                yield databases
    finally:  # memory is not to be left behind
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def valkey() -> Iterator[str]:
    if running := os.environ.get("SHOPWRIGHT_TEST_VALKEY"):
        yield running
        return
    from shopwright.stack.valkey import ValkeyServer

    home = Path(tempfile.mkdtemp(prefix="sw-vk-", dir="/tmp"))
    server = ValkeyServer(data=home / "data", socket=home / "valkey.sock", password=PASSWORD)
    server.prepare()
    with _running(server.command(), home / "log"):
        _await(server.ready)
        yield server.url
    shutil.rmtree(home, ignore_errors=True)


def _roomy_folder() -> str:
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= MEMORY_LEAST
    return str(memory) if roomy else "/tmp"


@contextmanager
def _running(command: list[str], log: Path, stop: int = signal.SIGTERM) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(ready, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise TimeoutError("a test server did not start")
        time.sleep(0.02)


def run(coroutine):
    return asyncio.run(coroutine)
