"""Looks before `up` leaps: room on the disk, free ports, and settings that every service will take."""

from __future__ import annotations

import difflib
import errno
import importlib
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec
import psutil

from shopwright.chassis.settings import BadSetting, ServiceSettings, load

from .choices import PLATFORM_ONLY, PREFIX, BadPlan, chosen
from .layout import BadHome, Layout, ports
from .parts import Plan

MIB = 2**20
FIRST_START_BYTES = 512 * MIB  # an empty cluster, its first write-ahead log, six databases, the demo shop
LATER_BYTES = 64 * MIB


class PortBusy(RuntimeError):
    """Somebody else listens on the gateway's port."""


class NoRoom(RuntimeError):
    """The disk is full, or as good as full."""


def room(layout: Layout, needed: int | None = None) -> None:
    """Raises NoRoom where a start would only end in the middle."""
    if needed is None:
        needed = LATER_BYTES if (layout.data / "postgres").exists() else FIRST_START_BYTES
    free = shutil.disk_usage(layout.home).free
    if free < needed:
        raise NoRoom(
            f"only {free // MIB} MiB are free on the disk of {layout.home}, a start needs {needed // MIB}. "
            "Make room, or put the installation elsewhere with SHOPWRIGHT_HOME=…"
        )


@contextmanager
def plain_words(layout: Layout) -> Iterator[None]:
    """Tells a disk that fills up, or refuses, in the middle of a start without a trace."""
    try:
        yield
    except OSError as error:
        place = error.filename or layout.home
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoRoom(
                f"the disk is full: {place} could not be written. Make room and start again; "
                "nothing that was there is lost."
            ) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise BadHome(
                f"cannot write to {place}: {error.strerror}. Was it made by another user? Give it back, "
                "or choose a folder of your own with SHOPWRIGHT_HOME=…"
            ) from error
        raise


def free_ports(environ: Mapping[str, str], held: tuple[int, ...] = ()) -> None:
    """Raises PortBusy, naming who holds the port where the system tells; `held` are our own already."""
    for name, port in zip(("SHOPWRIGHT_PORT", "SHOPWRIGHT_TLS_PORT"), ports(environ), strict=True):
        if port in held:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except PermissionError as error:
                raise BadHome(f"port {port} needs root; choose one above 1023 with {name}=…") from error
            except OSError as error:
                raise PortBusy(
                    f"port {port} is in use{_holder(port)}. Stop that, or choose another with {name}=…"
                ) from error


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and tuple(connection.laddr)[1:] == (port,)
                and connection.pid
            ):
                process = psutil.Process(connection.pid)
                environ = process.environ()
                ours = "SUPERVISOR_PROCESS_NAME" in environ and "SHOPWRIGHT_HOME" in environ
                whose = f" of the installation in {environ['SHOPWRIGHT_HOME']}" if ours else ""
                return f" by {process.name()} (pid {connection.pid}){whose}"
    except psutil.Error:
        pass
    return " by a process of somebody else"


def settings(plan: Plan, tell: Callable[[str], None]) -> None:
    """Read every service's settings as it will do; tell of variables that nobody reads.

    Raises:
        BadPlan: names the variable and what would be right.
    """
    known = {name.removeprefix(PREFIX) for name in PLATFORM_ONLY} | {"CRASH_AT"}
    for part in plan.rest():
        if not part.service:
            continue
        cls = _class_of(part.service)
        known |= {field.name.upper() for field in msgspec.structs.fields(cls)}
        try:
            load(cls, {**plan.environ, **part.environment})
        except BadSetting as error:
            raise BadPlan(f"{error} (a setting of {part.service})") from error
    for line in _unread(plan.environ, known):
        tell(line)


def _class_of(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"shopwright.{service}.settings")
    return next(
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, ServiceSettings) and item is not ServiceSettings
    )


def _unread(environ: Mapping[str, str], known: set[str]) -> Iterator[str]:
    for name in chosen(environ):
        word = name.removeprefix(PREFIX)
        if word.removesuffix("_FILE") in known:
            continue
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
        yield f"{name} is not a setting{hint}"
