"""`shopwright up` and `down`: from an empty folder to a shop that answers, and back, keeping the data.

Each stage tells what it does; a second `up` finds everything done. Only one runs at a time per
installation. What fails says why and what would help.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import psutil

from shopwright.chassis.migrate import migrate, rooms_of
from shopwright.gateway import envoy

from . import certificates, choices, preflight, secrets
from .layout import Layout, ports
from .parts import SERVICES, Plan
from .postgres import ensure_services
from .supervision import ALIVE, Supervisor, leftovers

READY_S = 120  # a busy machine with two cores starts in a tenth of it
POLL_S = 0.03
NOISE = ("[backtrace]", "[envoy_bug]")  # where in its memory Envoy was; the reason stands above
CRASHES_MAX = 3  # a part that fails this often while the platform starts will not come up by itself

Tell = Callable[[str], None]


class DidNotComeUp(RuntimeError):
    """A part did not become ready; the message holds its last words."""


class NotUp(RuntimeError):
    """Nothing runs that could be asked."""


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """One `up` or `down` at a time; the second waits for the first."""
    with layout.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def up(layout: Layout, tell: Tell, fill: Callable[[], None] = lambda: None) -> bool:
    """Bring the platform up, then `fill` the shop; false if it was up already.

    Raises:
        BadHome, BadPlan, NoRoom, PortBusy, DidNotComeUp, SupervisionFailed, PostgresFailed: with a way out
        in the message.
    """
    layout.make()
    with preflight.plain_words(layout), alone(layout):
        supervisor = Supervisor(layout)
        supervised = supervisor.running()
        if supervised:
            choices.recall(layout)
        plan = Plan.of(layout)
        if supervised and choices.remembered(layout) == choices.chosen() and _all_up(plan, supervisor):
            if layout.demo.exists():
                return False
            fill()  # what an earlier start did not get to
            return True
        _check(plan, supervised, tell)
        tell("secrets and certificates")
        secrets.ensure(layout)
        certificates.ensure(layout, certificates.identity_life(plan.environ))
        _start_servers(plan, supervisor, supervised, tell)
        tell("databases and migrations")
        asyncio.run(migrate_all(plan))
        tell("gateway and services")
        _start_the_rest(plan, supervisor)
        _await(ready, supervisor, layout)
        fill()
    return True


def _check(plan: Plan, supervised: bool, tell: Tell) -> None:
    layout = plan.layout
    preflight.room(layout)
    if not supervised:
        _end_leftovers(layout, tell)
        shutil.rmtree(plan.cache, ignore_errors=True)
        plan.postgres.forget_dead()
    preflight.free_ports(plan.environ, held=ports(choices.remembered(layout)) if supervised else ())


def _start_servers(plan: Plan, supervisor: Supervisor, supervised: bool, tell: Tell) -> None:
    superuser = secrets.read(plan.layout, "db-superuser")
    tell("PostgreSQL and Valkey")
    plan.postgres.initialise(superuser)
    plan.valkey.prepare()
    plan.write_secrets_of_services()
    preflight.settings(plan, tell)
    choices.remember(plan.layout)
    supervisor.configure(plan.parts())
    if supervised:
        supervisor.reread()
    else:
        supervisor.start_itself()
    supervisor.wake()
    for part in plan.servers():
        supervisor.start(part.name)
    _await(lambda: plan.postgres.ready() and plan.valkey.ready(), supervisor, plan.layout)


def _start_the_rest(plan: Plan, supervisor: Supervisor) -> None:
    alive = {state.name for state in supervisor.states() if state.state in ALIVE}
    put_in_place = envoy.reload if "gateway" in alive else envoy.write
    put_in_place(plan.gateway)
    for part in plan.rest():
        if not part.service:
            supervisor.start(part.name)
    for service, wanted in plan.replicas.items():
        slots = [f"{service}-{slot}" for slot in plan.slots(service)]
        # after a rolling restart the spare slot serves; its like must not be started beside it
        running = [name for name in slots if name in alive]
        idle = [name for name in slots if name not in alive]
        for name in idle[: max(0, wanted - len(running))]:
            supervisor.start(name)
        for name in running[wanted:]:
            supervisor.stop(name)


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
            ended = _end_leftovers(layout, tell)
            _leave(layout)
            return ended
        tell("draining services")
        names = [state.name for state in supervisor.states()]
        last = ["gateway", "valkey", "postgres"]
        supervisor.stop_all([name for name in names if name not in last])
        tell("stopping servers")
        supervisor.shut_down()
        pid_file = layout.run / "supervisord.pid"
        until = time.monotonic() + READY_S
        while (supervisor.running() or pid_file.exists()) and time.monotonic() < until:
            time.sleep(POLL_S)
        _end_leftovers(layout, tell)
        _leave(layout)
    return True


def _leave(layout: Layout) -> None:
    """Nothing stays outside the home."""
    shutil.rmtree(Plan.of(layout, {}).cache, ignore_errors=True)
    choices.forget(layout)
    if not layout.run.is_relative_to(layout.home):
        shutil.rmtree(layout.run, ignore_errors=True)


def restart(layout: Layout, services: Iterable[str], tell: Tell) -> None:
    """Replace the processes of services one by one: the new one serves before the old one drains.

    Raises:
        NotUp: nothing runs that could be replaced.
        DidNotComeUp: the new process does not serve; the old one goes on.
    """
    supervisor = Supervisor(layout)
    if not supervisor.running():
        raise NotUp("the platform is not up; `shopwright up` first")
    with alone(layout):
        plan = Plan.of(layout)
        for service in services:
            running = sorted(
                state.name
                for state in supervisor.states()
                if state.state in ALIVE and state.name.rpartition("-")[0] == service
            )
            for name in running:
                taken = {state.name for state in supervisor.states() if state.state in ALIVE}
                names = (f"{service}-{slot}" for slot in plan.slots(service))
                spare = next(free for free in names if free not in taken)
                tell(f"{spare} takes over from {name}")
                _take_over(plan, supervisor, service, spare)
                supervisor.stop(name)


def _take_over(plan: Plan, supervisor: Supervisor, service: str, spare: str) -> None:
    wanted = [(service, f"{spare}.sock")]
    if any(call.grpc for call in plan.gateway.table.callers_of(service)):
        wanted.append((envoy.grpc_name(service), f"{spare}.grpc.sock"))

    def serves() -> bool:
        return all(
            str(plan.layout.run / socket) in envoy.healthy(plan.gateway, cluster)
            for cluster, socket in wanted
        )

    supervisor.start(spare)
    try:
        _await(serves, supervisor, plan.layout)
    except DidNotComeUp:
        supervisor.stop(spare)
        raise


def _all_up(plan: Plan, supervisor: Supervisor) -> bool:
    alive = [state.name for state in supervisor.states() if state.state in ALIVE]
    services = all(
        sum(name.rpartition("-")[0] == service for name in alive) == count
        for service, count in plan.replicas.items()
    )
    return services and {"postgres", "valkey", "gateway", "keeper"} <= set(alive) and ready()


def _await(condition: Callable[[], bool], supervisor: Supervisor, layout: Layout) -> None:
    until = time.monotonic() + READY_S
    look_at = time.monotonic() + 1
    before = supervisor.restarts()
    while not condition():
        if time.monotonic() > look_at:
            look_at = time.monotonic() + 1
            _raise_if_crashing(supervisor, layout, before)
        if time.monotonic() > until:
            late = [s.name for s in supervisor.states() if s.state not in {"RUNNING", "STOPPED"}]
            raise DidNotComeUp(
                f"the platform was not ready after {READY_S} s; not running: {', '.join(late) or 'none'}. "
                "`shopwright status` and `shopwright logs` tell more. What runs goes on; `shopwright down` "
                "stops it."
            )
        time.sleep(POLL_S)


def _raise_if_crashing(supervisor: Supervisor, layout: Layout, before: Mapping[str, int]) -> None:
    now = supervisor.restarts()
    for state in supervisor.states():
        if state.state != "STOPPED" and now.get(state.name, 0) - before.get(state.name, 0) >= CRASHES_MAX:
            words = last_words(layout, state.name)
            raise DidNotComeUp(
                f"{state.name} keeps crashing at start. Its last words:\n{words}\n\n"
                f"{way_out(layout, state.name)}"
            )


def way_out(layout: Layout, part: str) -> str:
    """What to do about a part that does not start."""
    general = (
        f"`shopwright logs {part}` tells more. It is tried again with growing pauses; when the cause is "
        "gone, run `shopwright up` again. `shopwright down` stops the rest."
    )
    if part == "postgres":
        return (
            f"{general} If its data in {layout.data / 'postgres'} is damaged, run `shopwright down` and "
            "restore a backup, or move that folder away to begin with an empty shop."
        )
    return general


def last_words(layout: Layout, part: str, lines: int = 12) -> str:
    try:
        text = (layout.logs / f"{part}.log").read_text(errors="replace")
    except OSError:
        return "(it wrote no log)"
    told = [line for line in text.splitlines() if not any(noise in line for noise in NOISE)]
    return "\n".join(told[-lines:]) or "(it wrote no log)"


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
