"""One service, one process: its HTTP server, its gRPC server if it has one, and its background workers.

Granian's embedded server speaks HTTP/2 on a Unix socket (one process, 38 MB, against two and 72 with its
own supervisor). SIGTERM drains: `/readyz` turns 503, the listener closes, requests in flight get `drain_ms`
to finish (HTTP/2 GOAWAY lets Envoy move on), then workers stop after the unit at hand.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from shopwright.contracts.problems import Unavailable

from . import logs, telemetry
from .settings import ServiceSettings

log = structlog.get_logger()

Worker = Callable[[asyncio.Event], Awaitable[None]]
BACKLOG = 2_048
WORKERS_STOP_S = 10
COLLECT_AFTER = 20_000  # new objects; 700 by default, which is several times a request


class RpcServer(Protocol):
    async def start(self) -> None: ...

    async def stop(self, grace_s: float) -> None: ...


@dataclass
class Service:
    """What a service's `app.build` composes."""

    settings: ServiceSettings
    asgi: Any
    workers: Sequence[Worker] = ()
    close: Callable[[], Awaitable[None]] | None = None
    rpc: RpcServer | None = None
    draining: asyncio.Event = field(default_factory=asyncio.Event)


def run(
    service: str, environ: Mapping[str, str] | None = None, *, serve: bool = True, work: bool = True
) -> None:
    """Run `service` until SIGTERM or SIGINT; `serve` answers requests, `work` runs the background workers."""
    environ = os.environ if environ is None else environ
    logs.configure(service, environ.get("SHOPWRIGHT_LOG_LEVEL", "info"))
    uvloop.run(_run(service, environ, serve=serve, work=work))


async def _run(name: str, environ: Mapping[str, str], *, serve: bool, work: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    build = importlib.import_module(f"shopwright.{name}.app").build
    service: Service = await build(environ)
    _spare_the_collector()
    workers_stop = asyncio.Event()
    tasks = [
        asyncio.create_task(_guarded(worker, workers_stop)) for worker in (service.workers if work else ())
    ]
    if service.settings.otlp_endpoint:
        export = telemetry.export(service.settings.otlp_endpoint, name, workers_stop)
        tasks.append(asyncio.create_task(export))
    try:
        await (_serve(service, stop) if serve else stop.wait())
    finally:
        workers_stop.set()
        await _finish(tasks)
        if service.close is not None:
            await service.close()
    log.info("stopped")


def _spare_the_collector() -> None:
    """What was made at start lives as long as the process: never look through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


async def _serve(service: Service, stop: asyncio.Event) -> None:
    settings = service.settings
    settings.socket.unlink(missing_ok=True)
    server = Server(
        service.asgi,
        uds=settings.socket,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http2,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        log_enabled=False,
    )
    if service.rpc is not None:
        await service.rpc.start()
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    log.info("serving", socket=str(settings.socket))
    done, _ = await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if serving in done:
        stopping.cancel()
        await serving
        raise RuntimeError("the HTTP server ended by itself")
    log.info("draining")
    service.draining.set()
    grace_s = settings.drain_ms / 1_000
    server.stop()  # type: ignore[no-untyped-call]
    if service.rpc is not None:
        await service.rpc.stop(grace_s)
    try:
        await asyncio.wait_for(serving, grace_s)
    except TimeoutError:
        log.warning("requests were still running after the grace period", grace_s=grace_s)


async def _guarded(worker: Worker, stop: asyncio.Event) -> None:
    """A worker that dies of a bug is started again; the bug is in the log."""
    while not stop.is_set():
        try:
            await worker(stop)
        except Exception:
            log.exception("worker failed; it starts again")
            await asyncio.sleep(1)


async def _finish(tasks: list[asyncio.Task[None]]) -> None:
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=WORKERS_STOP_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


def every(seconds: float, task: Callable[[], Awaitable[Any]]) -> Worker:
    """A worker that runs `task` now and then; a database that is away is tried again next time."""

    async def work(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await task()
            except Unavailable as problem:
                log.warning("a periodic task waits", task=task.__qualname__, error=str(problem))
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                continue

    return work
