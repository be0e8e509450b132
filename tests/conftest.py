"""Fixtures: real servers, fresh databases, and a service in process with its workers running."""

from __future__ import annotations

import asyncio
import gc
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack
from functools import cache
from pathlib import Path

import httpx
import pytest

import platforms
import servers
from shopwright.chassis.db import Database, open_database
from shopwright.chassis.streams import Valkey, open_valkey


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One process ends with the files that need whole platforms, so that none idles beside other tests; two
    begin with them, as one of the two is busy with them to the end.
    """
    first = hasattr(config, "workerinput")
    items.sort(key=lambda item: _needs_platforms(item.path) != first)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """A file's tests stay together, and all that need platforms: those are shared, and heavy."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return "platforms" if _needs_platforms(config.rootpath / path) else path

    return Scheduling(config, log)


@cache
def _needs_platforms(file: Path) -> bool:
    return "mark.stack" in file.read_text()


def pytest_collection_finish() -> None:
    """What was imported stays; to look for garbage less often saves a fifth of the processor time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def database_server() -> Iterator[servers.Databases]:
    with servers.postgres() as running:
        yield running


@pytest.fixture
async def databases(database_server: servers.Databases) -> AsyncIterator[servers.Databases]:
    """Gives fresh databases; they are gone after the test."""
    yield database_server
    database_server.drop_given()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    with servers.valkey() as url:
        yield url


@pytest.fixture
async def valkey(valkey_server: str) -> AsyncIterator[Valkey]:
    client = open_valkey(valkey_server)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
def valkey_url(valkey: Valkey, valkey_server: str) -> str:
    return valkey_server


@pytest.fixture
def database_url(databases: servers.Databases) -> Callable[[str], Awaitable[str]]:
    return databases.fresh


@pytest.fixture
async def database(databases: servers.Databases) -> AsyncIterator[Callable[..., Awaitable[Database]]]:
    async with AsyncExitStack() as stack:

        async def make(service: str, size: int = 12) -> Database:
            opened = await open_database(await databases.fresh(service), application="test", size=size)
            stack.push_async_callback(opened.close)
            return opened

        yield make


@pytest.fixture
async def run_service(
    databases: servers.Databases, valkey_url: str, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[httpx.AsyncClient]]]:
    """`await run_service("users", extra_env={...})` gives a client of the service, its workers running."""
    async with AsyncExitStack() as stack:

        async def start(name: str, extra_env: dict[str, str] | None = None) -> httpx.AsyncClient:
            environ = {
                "SHOPWRIGHT_SERVICE": name,
                "SHOPWRIGHT_SOCKET": str(tmp_path / f"{name}.sock"),
                "SHOPWRIGHT_DATABASE_URL": await databases.fresh(name),
                "SHOPWRIGHT_VALKEY_URL": valkey_url,
                "SHOPWRIGHT_MESH_SOCKET": str(tmp_path / "mesh.sock"),
                "SHOPWRIGHT_PUBLIC_URL": "http://127.0.0.1:8080",
                "SHOPWRIGHT_HOME": str(tmp_path),
                **(extra_env or {}),
            }
            service = await importlib.import_module(f"shopwright.{name}.app").build(environ)
            if service.close is not None:
                stack.push_async_callback(service.close)
            stop = asyncio.Event()
            workers = [asyncio.create_task(worker(stop)) for worker in service.workers]

            async def end() -> None:
                stop.set()
                await asyncio.gather(*workers)

            stack.push_async_callback(end)
            transport = httpx.ASGITransport(app=service.asgi)
            client = httpx.AsyncClient(transport=transport, base_url="http://service")
            return await stack.enter_async_context(client)

        yield start


@pytest.fixture(scope="session")
def platform() -> Iterator[platforms.Platform]:
    """A whole platform as `make up` gives it."""
    with platforms.platform() as running:
        yield running


@pytest.fixture(scope="session")
def platform_with() -> Callable[..., AbstractContextManager[platforms.Platform]]:
    """`platform_with(SHOPWRIGHT_…=…)`: a platform of its own, with these settings."""
    return platforms.platform


@pytest.fixture(scope="session")
def unlimited_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[platforms.Platform]:
    """A whole platform for races and kills: it does not limit the rate of its clients, takes over what a dead
    process drove after two seconds, and dies at the points of which `crashes` holds a file.
    """
    crashes = tmp_path_factory.mktemp("crashes")
    with platforms.platform(
        SHOPWRIGHT_RATE_LIMIT="off", SHOPWRIGHT_SAGA_LEASE_S="2", SHOPWRIGHT_CRASH_AT=f"@{crashes}"
    ) as running:
        yield running
