"""One installation from start to end: what `up`, `status`, `logs`, `restart` and `down` promise."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from platforms import Platform
from shopwright.gateway.table import SERVICES
from shopwright.stack.layout import Layout

pytestmark = pytest.mark.stack

SERVERS = {"postgres", "valkey", "gateway", "keeper", "supervisor"}


def pids(installation: Platform) -> dict[str, int]:
    return {row["name"]: row["pid"] for row in installation.status()}


def eventually(holds: Callable[[], object], seconds: float = 120) -> object:
    until = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.2)
    return held


def register(installation: Platform) -> dict[str, str]:
    account = {"email": f"{uuid4().hex}@example.com", "password": uuid4().hex}
    answer = httpx.post(f"{installation.url}/v1/users", json=account | {"name": "Ada"}, timeout=60)
    assert answer.status_code == 201, answer.text
    return account


def log_in(installation: Platform, account: dict[str, str]) -> int:
    return httpx.post(f"{installation.url}/v1/sessions", json=account, timeout=60).status_code


class TestUp:
    def test_a_second_time_changes_nothing(self, installation: Platform):
        before, told = pids(installation), (installation.home / "demo.json").stat().st_mtime_ns

        again = installation.cli("up")

        assert "is up already" in again.stdout
        assert pids(installation) == before
        assert (installation.home / "demo.json").stat().st_mtime_ns == told

    def test_prints_where_it_is_and_how_to_get_in(self, installation: Platform):
        printed = installation.cli("up").stdout

        demo = installation.demo
        for told in (installation.url, "/admin", "/docs", "/mailbox", demo["admin"]["password"]):
            assert told in printed
        assert log_in(installation, demo["buyer"]) == 200

    def test_is_really_ready(self, installation: Platform):
        ready = httpx.get(f"{installation.url}/readyz", timeout=60)

        assert ready.status_code == 200
        assert set(ready.json()["services"]) == set(SERVICES)

    def test_tls_works_with_the_authority_that_it_names(self, installation: Platform):
        import ssl

        context = ssl.create_default_context(cafile=installation.demo["ca"])

        with httpx.Client(verify=context, http2=True, timeout=60) as client:
            assert client.get(f"{installation.demo['gateway_tls']}/healthz").http_version == "HTTP/2"

    def test_listens_on_loopback_only(self, installation: Platform):
        ours = set(pids(installation).values())

        addresses = {
            connection.laddr.ip
            for connection in psutil.net_connections("inet")
            if connection.pid in ours and connection.status == psutil.CONN_LISTEN
        }

        assert addresses == {"127.0.0.1"}

    def test_a_busy_port_is_told_with_its_holder(self, installation: Platform, tmp_path):
        environ = installation.environ | {"SHOPWRIGHT_HOME": str(tmp_path / "other")}

        refused = Platform(tmp_path / "other", "", "", environ).cli("up", check=False)

        assert refused.returncode == 1
        assert "is in use by envoy" in refused.stderr
        assert str(installation.home) in refused.stderr
        assert "Traceback" not in refused.stderr

    def test_a_new_choice_is_taken_over(self, installation: Platform):
        lifted = Platform(
            installation.home, installation.url, "", installation.environ | {"SHOPWRIGHT_RATE_LIMIT": "off"}
        )

        before = pids(installation)
        lifted.cli("up")

        assert "rate limits OFF" in installation.cli("status").stdout
        assert "ratelimit" not in httpx.get(f"{installation.url}/v1/carts/x", timeout=60).headers
        assert pids(installation) == before
        back = installation.environ | {"SHOPWRIGHT_RATE_LIMIT": "on"}
        Platform(installation.home, installation.url, "", back).cli("up")
        assert "ratelimit" in httpx.get(f"{installation.url}/v1/carts/x", timeout=60).headers


class TestStatus:
    def test_tells_each_part(self, installation: Platform):
        parts = {row["name"]: row for row in installation.status()}

        assert {name.rpartition("-")[0] or name for name in parts} == SERVERS | set(SERVICES)
        for part in parts.values():
            assert part["state"] in {"RUNNING", "STARTING"}
            assert psutil.pid_exists(part["pid"])
            assert part["memory_mb"] > 1
            assert re.match(r"\d+\.\d+", part["version"]), part
        port = installation.url.rpartition(":")[2]
        assert port in parts["gateway"]["address"]

    def test_means_the_same_installation_in_another_shell(self, installation: Platform):
        bare = {name: value for name, value in os.environ.items() if not name.startswith("SHOPWRIGHT_")} | {
            "SHOPWRIGHT_HOME": str(installation.home)
        }

        seen = Platform(installation.home, "", "", bare).cli("status", "--json")

        assert json.loads(seen.stdout)["url"] == installation.url

    def test_is_whole_where_there_is_no_terminal(self, installation: Platform):
        printed = installation.cli("status").stdout

        assert "…" not in printed
        assert re.search(r"\d+ MiB [PR]SS in all", printed)


def _hear_interrupts() -> None:
    """A shell that runs the tests in the background has them ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class TestLogs:
    def test_of_a_part(self, installation: Platform):
        assert "serving" in installation.cli("logs", "users", "-n", "1000").stdout

    def test_follow(self, installation: Platform):
        command = [sys.executable, "-m", "shopwright.cli", "logs", "gateway", "-n", "0", "-f"]
        mark, seen = uuid4().hex, threading.Event()

        def ask_until_seen():
            while not seen.wait(0.3):
                httpx.get(f"{installation.url}/v1/{mark}", timeout=60)

        following = subprocess.Popen(
            command, env=installation.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=_hear_interrupts,  # noqa: PLW1509 - no thread of ours runs yet
        )  # fmt: skip
        asking = threading.Thread(target=ask_until_seen)
        asking.start()
        try:
            assert following.stdout is not None
            line = next(line for line in following.stdout if mark.encode() in line)
            following.send_signal(signal.SIGINT)
            _, error = following.communicate(timeout=60)
        finally:
            seen.set()
            following.kill()
            following.communicate()
            asking.join()

        assert b'"status":404' in line
        assert b"Traceback" not in error

    def test_an_unknown_part_is_told(self, installation: Platform):
        refused = installation.cli("logs", "wbe", check=False)

        assert refused.returncode == 1
        assert "web-0" in refused.stderr


class TestCrashes:
    def test_a_killed_service_is_back_and_status_counts_it(self, installation: Platform):
        before = pids(installation)["users-0"]

        os.kill(before, signal.SIGKILL)

        assert eventually(lambda: pids(installation)["users-0"] not in {0, before})
        assert eventually(lambda: httpx.get(f"{installation.url}/readyz", timeout=60).status_code == 200)
        users = next(row for row in installation.status() if row["name"] == "users-0")
        assert users["restarts"] >= 1

    def test_orphans_are_told_and_ended(self, installation: Platform):
        orphans = pids(installation)
        os.kill(orphans.pop("supervisor"), signal.SIGKILL)
        eventually(lambda: "UNSUPERVISED" in installation.cli("status", check=False).stdout)

        seen = installation.status()
        installation.cli("down")

        assert {row["name"]: row["pid"] for row in seen} == orphans
        assert {row["state"] for row in seen} == {"UNSUPERVISED"}
        assert [pid for pid in orphans.values() if alive(pid)] == []

    def test_after_a_power_cut_it_starts_again_with_all_its_data(self, installation: Platform):
        account = register(installation)
        for pid in pids(installation).values():
            os.kill(pid, signal.SIGKILL)

        installation.cli("up")

        assert log_in(installation, account) == 200

    def test_a_part_that_cannot_start_is_told_with_its_last_words_and_a_way_out(self, installation: Platform):
        account = register(installation)
        installation.cli("down")
        control = installation.home / "data" / "postgres" / "global" / "pg_control"
        whole = control.read_bytes()
        control.write_bytes(b"\0" * len(whole))

        refused = installation.cli("up", check=False)
        seen = installation.cli("status", check=False)
        control.write_bytes(whole)
        installation.cli("up")

        assert refused.returncode == 1
        assert "postgres keeps crashing at start" in refused.stderr
        assert "FATAL:  database files are incompatible" in refused.stderr
        assert "restore a backup" in refused.stderr
        assert seen.returncode == 3
        assert "BACKOFF" in seen.stdout
        assert log_in(installation, account) == 200


class TestDown:
    def test_stops_everything_and_nothing_else_and_keeps_the_data(
        self, installation: Platform, unlimited_platform: Platform
    ):
        account, started = register(installation), pids(installation)
        layout = Layout.of(installation.home)

        installation.cli("down")

        assert [name for name, pid in started.items() if alive(pid)] == []
        assert [folder for folder in ("/dev/shm", "/tmp") if Path(folder, layout.label).exists()] == []
        assert "is down" in installation.cli("status", check=False).stdout
        assert "Nothing was running" in installation.cli("down").stdout
        assert httpx.get(f"{unlimited_platform.url}/readyz", timeout=60).status_code == 200
        installation.cli("up")
        assert log_in(installation, account) == 200


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
