"""Supervision by supervisord: its configuration, its start, and typed calls over its Unix socket.

A part that crashes is started again; one that keeps crashing at start is tried with pauses that grow by a
second each time, and `status` shows it. Logs are rotated. Protocol: http://supervisord.org/api.html.
"""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
import xmlrpc.client
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil
from supervisor.xmlrpc import SupervisorTransport

from .choices import PREFIX
from .layout import Layout
from .parts import Part

START_S = 60
STOP_S = 60  # longer than any part is given before it is killed
START_SECONDS = 3  # a process that ends sooner has failed to start: imports alone take one
RETRIES = 1_000  # supervisord waits n seconds before try n; a part is never given up silently
LOG_BYTES, LOG_FILES = 10 * 1024 * 1024, 3
ALREADY_STARTED, NOT_RUNNING = 60, 70  # faults that mean: nothing to do


ALIVE = {"RUNNING", "STARTING", "BACKOFF"}  # supervisord cares for it


class SupervisionFailed(RuntimeError):
    """supervisord did not do what was asked; the message says what it said."""


@dataclass(frozen=True)
class State:
    """A part as supervisord sees it."""

    name: str
    state: str  # RUNNING, STARTING, BACKOFF, STOPPING, EXITED, FATAL, STOPPED
    pid: int
    started_at: float
    description: str


class Supervisor:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._conf = layout.config / "supervisord.conf"

    def configure(self, parts: Iterable[Part]) -> None:
        sections = [self._head(), *(self._program(part) for part in parts)]
        text = "\n".join(sections)
        if not self._conf.exists() or self._conf.read_text() != text:
            fresh = self._conf.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(text)
            fresh.rename(self._conf)

    def running(self) -> bool:
        try:
            self._call("getState")
        except SupervisionFailed:
            return False
        return True

    def start_itself(self) -> None:
        """Start supervisord in the background; raises SupervisionFailed with what it printed."""
        self._layout.supervisor_socket.unlink(missing_ok=True)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environ["SHOPWRIGHT_HOME"] = str(self._layout.home)
        started = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(self._conf)],
            capture_output=True,
            text=True,
            env=environ,
            check=False,
        )
        if started.returncode:
            raise SupervisionFailed(
                f"supervisord did not start:\n{(started.stderr or started.stdout).strip()}"
            )
        until = time.monotonic() + START_S
        while not self.running():
            if time.monotonic() > until:
                raise SupervisionFailed(f"supervisord did not answer in {START_S} s; see {self._log}")
            time.sleep(0.02)

    def reread(self) -> None:
        """Take over a changed configuration; running parts that did not change go on."""
        added, changed, removed = cast("Any", self._call("reloadConfig"))[0]
        self.stop_all([*removed, *changed])
        for name in [*removed, *changed]:
            self._call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self._call("addProcessGroup", name)

    def states(self) -> list[State]:
        return [
            State(row["name"], row["statename"], row["pid"], row["start"], row["description"])
            for row in cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        ]

    def start(self, name: str) -> None:
        self._call("startProcess", name, False, forgiven=ALREADY_STARTED)

    def stop(self, name: str, *, wait: bool = True) -> None:
        self._call("stopProcess", name, wait, forgiven=NOT_RUNNING)

    def stop_all(self, names: Collection[str]) -> None:
        """All at once; returns when they have ended."""
        for name in names:
            self.stop(name, wait=False)
        until = time.monotonic() + STOP_S
        while any(state.name in names and state.pid for state in self.states()):
            if time.monotonic() > until:
                raise SupervisionFailed(f"of {', '.join(names)} some did not stop in {STOP_S} s")
            time.sleep(0.03)

    def wake(self) -> None:
        """Try what waits for its next try, or was given up, at once and with short pauses again."""
        for state in self.states():
            if state.state in {"BACKOFF", "FATAL"}:
                self.stop(state.name)
                self.start(state.name)

    def pid(self) -> int:
        """Its own."""
        return int(cast("int", self._call("getPID")))

    def shut_down(self) -> None:
        """Stop all parts and supervisord itself."""
        self._call("shutdown")

    def restarts(self) -> dict[str, int]:
        """How often each part ended without being asked to since supervisord runs (from its log)."""
        try:
            text = self._log.read_text(errors="replace")
        except OSError:
            return {}
        since = text.rfind("supervisord started with pid")
        return dict(Counter(re.findall(r" exited: (\S+) \(", text[max(since, 0) :])))

    @property
    def _log(self) -> Path:
        return Path(self._layout.logs / "supervisord.log")

    def _call(self, method: str, *arguments: object, forgiven: int = -1) -> object:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._layout.supervisor_socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            result: object = getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == forgiven:
                return None
            raise SupervisionFailed(f"{method}{arguments}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisionFailed(f"supervisord cannot be reached: {error}") from error
        finally:
            transport.close()
        return result

    def _head(self) -> str:
        root = "user=root\n" if os.geteuid() == 0 else ""
        return (
            f"[unix_http_server]\nfile={_text(self._layout.supervisor_socket)}\nchmod=0700\n"
            f"[supervisord]\nlogfile={_text(self._log)}\nlogfile_maxbytes={LOG_BYTES}\nlogfile_backups=1\n"
            f"pidfile={_text(self._layout.run / 'supervisord.pid')}\n"
            f"childlogdir={_text(self._layout.logs)}\nstrip_ansi=false\nminfds=1024\numask=077\n{root}"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
        )

    def _program(self, part: Part) -> str:
        environment = ",".join(f'{name}="{_text(value)}"' for name, value in part.environment.items())
        return (
            f"[program:{part.name}]\ncommand={' '.join(_word(item) for item in part.command)}\n"
            f"environment={environment}\nautostart=false\nautorestart=true\nstartsecs={START_SECONDS}\nstartretries={RETRIES}\n"
            f"stopsignal={part.stop_signal}\nstopwaitsecs={part.stop_seconds}\nstopasgroup=false\nkillasgroup=true\n"
            f"redirect_stderr=true\nstdout_logfile={_text(self._layout.logs / f'{part.name}.log')}\n"
            f"stdout_logfile_maxbytes={LOG_BYTES}\nstdout_logfile_backups={LOG_FILES}\n"
        )


def leftovers(layout: Layout) -> list[psutil.Process]:
    """Processes of this installation when its supervisord is gone: each part's first process, not its
    children.
    """
    found = {}
    for process in psutil.process_iter():
        try:
            environ = process.environ()
        except psutil.Error:
            continue
        if environ.get("SHOPWRIGHT_HOME") == str(layout.home) and "SUPERVISOR_PROCESS_NAME" in environ:
            found[process.pid] = process
    return [process for process in found.values() if process.ppid() not in found]


def _text(value: object) -> str:
    return str(value).replace("%", "%%")


def _word(item: str) -> str:
    quoted = item.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _text(quoted) + '"' if re.search(r'[\s"\'\\;]', item) else _text(item)
