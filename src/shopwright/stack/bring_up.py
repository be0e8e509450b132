"""`shopwright up` and `down`: from an empty folder to a shop that answers, and back, keeping the data.

Each stage tells what it does; a second `up` finds everything done. Only one runs at a time per
installation. What fails says why and what would help.
"""

from __future__ import annotations

import asyncio
import fcntl
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from shopwright.chassis.migrate import migrate, rooms_of
from shopwright.gateway import envoy

from . import certificates, secrets
from .layout import BadHome, Layout, ports
from .parts import SERVICES, Part, Plan
from .postgres import ensure_services
from .supervision import SupervisionFailed, Supervisor, leftovers

READY_S = 60
POLL_S = 0.03
CRASHES_MAX = 3  # a part that fails this often while the platform starts will not come up by itself

Tell = Callable[[str], None]


class DidNotComeUp(RuntimeError):
    """A part did not become ready; the message holds its last words."""


class PortBusy(RuntimeError):
    """Somebody else listens on the gateway's port."""


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """One `up` or `down` at a time; the second waits for the first."""
    with layout.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def up(layout: Layout, tell: Tell) -> bool:
    """Bring the platform up; false if it was up already.

    Raises:
        BadHome, PortBusy, DidNotComeUp, SupervisionFailed, PostgresFailed: with a way out in the message.
    """
    layout.make()
    with alone(layout):
        plan = Plan.of(layout)
        supervisor = Supervisor(layout)
        supervised = supervisor.running()
        if supervised and _all_up(plan, supervisor) and ready():
            return False
        if not supervised:
            _end_leftovers(layout, tell)
        _check_ports(supervised)
        tell("secrets and certificates")
        secrets.ensure(layout)
        certificates.ensure(layout)
        _start_servers(plan, supervisor, supervised, tell)
        tell("databases and migrations")
        asyncio.run(migrate_all(plan))
        tell("gateway and services")
        envoy.write(plan.gateway)
        for part in plan.rest():
            if part.autostart and not _slot_taken(part, supervisor):
                supervisor.start(part.name)
        _await(ready, supervisor, layout)
    return True


def _start_servers(plan: Plan, supervisor: Supervisor, supervised: bool, tell: Tell) -> None:
    superuser = secrets.read(plan.layout, "db-superuser")
    tell("PostgreSQL and Valkey")
    plan.postgres.initialise(superuser)
    plan.valkey.prepare()
    plan.write_secrets_of_services()
    supervisor.configure(plan.parts())
    if supervised:
        supervisor.reread()
    else:
        supervisor.start_itself()
    for part in plan.servers():
        supervisor.start(part.name)
    _await(lambda: plan.postgres.ready() and plan.valkey.ready(), supervisor, plan.layout)


async def migrate_all(plan: Plan) -> None:
    superuser = secrets.read(plan.layout, "db-superuser")
    passwords = {service: secrets.read(plan.layout, f"db-{service}") for service in SERVICES}
    await ensure_services(plan.postgres, superuser, passwords)
    await asyncio.gather(
        *(
            migrate(plan.postgres.url(service, service, passwords[service]), rooms_of(service))
            for service in SERVICES
        )
    )


def ready() -> bool:
    """Whether the gateway says that all services can serve."""
    port, _ = ports()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def down(layout: Layout, tell: Tell) -> bool:
    """Stop everything that `up` started; false if nothing ran. Data stays."""
    if not layout.home.exists():
        return False
    layout.make()
    with alone(layout):
        supervisor = Supervisor(layout)
        if not supervisor.running():
            return _end_leftovers(layout, tell)
        tell("draining services")
        names = [state.name for state in supervisor.states()]
        last = ["gateway", "valkey", "postgres"]
        for name in names:
            if name not in last:
                supervisor.stop(name, wait=False)
        _await_stopped(supervisor, set(names) - set(last))
        tell("stopping servers")
        supervisor.shut_down()
        pid_file = layout.run / "supervisord.pid"
        until = time.monotonic() + READY_S
        while (supervisor.running() or pid_file.exists()) and time.monotonic() < until:
            time.sleep(POLL_S)
        _end_leftovers(layout, tell)
    return True


def restart(layout: Layout, service: str, tell: Tell) -> None:
    """Replace the processes of a service one by one: the new one serves before the old one drains."""
    plan, supervisor = Plan.of(layout), Supervisor(layout)
    running = {state.name for state in supervisor.states() if state.state in {"RUNNING", "STARTING"}}
    for name in sorted(name for name in running if name.rpartition("-")[0] == service):
        spare = next(
            f"{service}-{slot}" for slot in plan.slots(service) if f"{service}-{slot}" not in running
        )
        tell(f"{spare} takes over from {name}")
        supervisor.start(spare)
        address = str(layout.run / f"{spare}.sock")
        _await(lambda path=address: path in envoy.healthy(plan.gateway, service), supervisor, layout)  # type: ignore[misc]
        supervisor.stop(name)
        running = (running - {name}) | {spare}


def _all_up(plan: Plan, supervisor: Supervisor) -> bool:
    running = [state.name for state in supervisor.states() if state.state in {"RUNNING", "STARTING"}]
    services = all(
        sum(name.rpartition("-")[0] == service for name in running) >= count
        for service, count in plan.replicas.items()
    )
    return services and {"postgres", "valkey", "gateway", "keeper"} <= set(running)


def _slot_taken(part: Part, supervisor: Supervisor) -> bool:
    """After a rolling restart the spare slot serves; its like must not be started beside it."""
    if not part.service:
        return False
    running = {s.name for s in supervisor.states() if s.state in {"RUNNING", "STARTING", "BACKOFF"}}
    return any(name.rpartition("-")[0] == part.service and name != part.name for name in running)


def _await(condition: Callable[[], bool], supervisor: Supervisor, layout: Layout) -> None:
    until = time.monotonic() + READY_S
    look_at = time.monotonic() + 1
    while not condition():
        if time.monotonic() > look_at:
            look_at = time.monotonic() + 1
            _raise_if_crashing(supervisor, layout)
        if time.monotonic() > until:
            late = [s.name for s in supervisor.states() if s.state not in {"RUNNING", "STOPPED"}]
            raise DidNotComeUp(
                f"the platform was not ready after {READY_S} s; not running: {', '.join(late) or 'none'}. "
                "`shopwright status` and `shopwright logs` tell more."
            )
        time.sleep(POLL_S)


def _raise_if_crashing(supervisor: Supervisor, layout: Layout) -> None:
    restarts = supervisor.restarts()
    for state in supervisor.states():
        if state.state != "STOPPED" and restarts.get(state.name, 0) >= CRASHES_MAX:
            words = last_words(layout, state.name)
            raise DidNotComeUp(f"{state.name} keeps crashing at start. Its last words:\n{words}")


def last_words(layout: Layout, part: str, lines: int = 12) -> str:
    try:
        text = (layout.logs / f"{part}.log").read_text(errors="replace")
    except OSError:
        return "(it wrote no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(it wrote no log)"


def _await_stopped(supervisor: Supervisor, names: set[str]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        busy = [s for s in supervisor.states() if s.name in names and s.pid and s.state != "STOPPED"]
        if not busy:
            return
        time.sleep(POLL_S)


def _end_leftovers(layout: Layout, tell: Tell) -> bool:
    processes = leftovers(layout)
    if not processes:
        return False
    tell(f"ending {len(processes)} processes that nobody supervises")
    for process in processes:
        try:
            process.send_signal(signal.SIGINT if "postgres" in process.name() else signal.SIGTERM)
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(processes, timeout=20)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)
    return True


def _check_ports(supervised: bool) -> None:
    """Raises PortBusy, naming who holds the port where the system tells."""
    import socket

    if supervised:
        return
    for name, port in zip(("SHOPWRIGHT_PORT", "SHOPWRIGHT_TLS_PORT"), ports(), strict=True):
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
            if connection.laddr and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        return ""
    return ""


__all__ = ["DidNotComeUp", "PortBusy", "SupervisionFailed", "down", "last_words", "ready", "restart", "up"]
