"""The one page that says what runs: every part, its command, its environment, and after what it starts.

Servers first (postgres, valkey), then the gateway, the keeper of certificates and the services. A service
has as many slots as replicas and a spare one, empty until a rolling restart; the gateway lists them all and
asks who is healthy.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shopwright.gateway import envoy

from . import certificates, choices, secrets
from .choices import BadPlan
from .layout import Layout, ports
from .postgres import Postgres
from .valkey import ValkeyServer

SERVICES = secrets.SERVICES
REPLICAS_MAX = 8
DEMO_ACCOUNT = "IBAN DE02 1203 0000 0000 2020 51 (an example: set SHOPWRIGHT_BANK_ACCOUNT)"
SHARED_MEMORY_LEAST = 256 * 2**20  # the cache takes 64 MiB, a container may have no more


@dataclass(frozen=True)
class Part:
    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 30
    autostart: bool = True
    service: str = ""


@dataclass(frozen=True)
class Plan:
    """What runs in one installation."""

    layout: Layout
    replicas: Mapping[str, int]
    environ: Mapping[str, str]

    @classmethod
    def of(cls, layout: Layout, environ: Mapping[str, str] = os.environ) -> Plan:
        """Raises BadPlan, or BadHome for a port, where a setting of the platform itself is wrong."""
        replicas = dict.fromkeys(SERVICES, 1)
        for item in filter(None, environ.get("SHOPWRIGHT_REPLICAS", "").split(",")):
            name, _, count = item.partition("=")
            if name not in replicas or not count.isdigit() or not 1 <= int(count) <= REPLICAS_MAX:
                raise BadPlan(
                    f"SHOPWRIGHT_REPLICAS: {item!r} is not <service>=<1 to {REPLICAS_MAX}>; services are "
                    + ", ".join(SERVICES)
                )
            replicas[name] = int(count)
        choices.address(environ, "SHOPWRIGHT_PUBLIC_URL")
        certificates.identity_life(environ)
        plan = cls(layout, replicas, environ)
        _ = plan.gateway
        return plan

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.layout.data / "postgres", self.layout.pg_sockets)

    @property
    def valkey(self) -> ValkeyServer:
        password = secrets.read(self.layout, "valkey")
        return ValkeyServer(self.layout.data / "valkey", self.layout.valkey_socket, password)

    @property
    def cache(self) -> Path:
        """Where the gateway keeps public answers: in memory, if there is enough for files in it."""
        memory = Path("/dev/shm")  # noqa: S108 - a directory of our own in it, emptied at start and end
        try:
            roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).total >= SHARED_MEMORY_LEAST
        except OSError:
            roomy = False
        return memory / self.layout.label if roomy else self.layout.run / "cache"

    @property
    def gateway(self) -> envoy.GatewaySettings:
        port, tls_port = ports(self.environ)
        return envoy.GatewaySettings(
            config=self.layout.config / "envoy",
            run=self.layout.run,
            tls=self.layout.tls,
            jwks=self.layout.secret("jwks.json"),
            port=port,
            tls_port=tls_port,
            slots={service: count + 1 for service, count in self.replicas.items()},
            rate_limit=choices.switch(self.environ, "SHOPWRIGHT_RATE_LIMIT", default=True),
            cache=self.cache,
            access_log_percent=choices.number(
                self.environ, "SHOPWRIGHT_ACCESS_LOG_PERCENT", 100, least=0, most=100
            ),
            otlp_endpoint=choices.address(self.environ, "SHOPWRIGHT_OTLP_ENDPOINT"),
        )

    def slots(self, service: str) -> range:
        """All slots of a service, the spare one last."""
        return range(self.replicas[service] + 1)

    def servers(self) -> list[Part]:
        return [
            Part("postgres", self.postgres.command(), stop_signal="INT"),
            Part("valkey", self.valkey.command()),
        ]

    def rest(self) -> list[Part]:
        python = [sys.executable, "-m", "shopwright.cli"]
        return [
            Part("gateway", envoy.command(self.gateway), stop_seconds=15),
            Part("keeper", [*python, "keep"], self._keeper(), stop_seconds=5),
            *(
                Part(
                    f"{service}-{slot}",
                    [*python, "serve", service],
                    self._environment(service, slot),
                    autostart=slot < self.replicas[service],
                    service=service,
                )
                for service in SERVICES
                for slot in self.slots(service)
            ),
        ]

    def parts(self) -> list[Part]:
        return [*self.servers(), *self.rest()]

    def write_secrets_of_services(self) -> None:
        """The URLs with passwords that services read from files."""
        for service in SERVICES:
            password = secrets.read(self.layout, f"db-{service}")
            url = self.postgres.url(service, service, password)
            secrets.put(self.layout.secret(f"url-{service}"), url)
        secrets.put(self.layout.secret("url-valkey"), self.valkey.url)

    def _environment(self, service: str, slot: int) -> dict[str, str]:
        layout = self.layout
        port, tls_port = ports(self.environ)
        own = {
            "SHOPWRIGHT_SERVICE": service,
            "SHOPWRIGHT_SLOT": str(slot),
            "SHOPWRIGHT_HOME": str(layout.home),
            "SHOPWRIGHT_SOCKET": str(layout.run / f"{service}-{slot}.sock"),
            "SHOPWRIGHT_DATABASE_URL_FILE": str(layout.secret(f"url-{service}")),
            "SHOPWRIGHT_VALKEY_URL_FILE": str(layout.secret("url-valkey")),
            "SHOPWRIGHT_MESH_SOCKET": str(layout.run / "mesh" / f"{service}.out.sock"),
            "SHOPWRIGHT_PUBLIC_URL": self.environ.get("SHOPWRIGHT_PUBLIC_URL", f"http://127.0.0.1:{port}"),
            "SHOPWRIGHT_TLS_URL": f"https://localhost:{tls_port}",
            "SHOPWRIGHT_CHOICES": choices.digest(self.environ),  # so that a new choice is a new part
            "MALLOC_ARENA_MAX": "2",
        }
        return own | self._only_of(service, slot)

    def _keeper(self) -> dict[str, str]:
        return {"SHOPWRIGHT_IDENTITY_LIFE_S": f"{certificates.identity_life(self.environ).total_seconds():g}"}

    def _only_of(self, service: str, slot: int) -> dict[str, str]:
        """What one service knows and the others do not."""
        layout = self.layout
        return {
            "users": {"SHOPWRIGHT_JWT_KEY_FILE": str(layout.secret("jwt-es256.pem"))},
            "products": {
                "SHOPWRIGHT_MEDIA": str(layout.data / "media"),
                "SHOPWRIGHT_SEARCH_INDEX": str(layout.data / "search"),
            },
            "payments": {
                "SHOPWRIGHT_GRPC_SOCKET": str(layout.run / f"payments-{slot}.grpc.sock"),
                "SHOPWRIGHT_SANDBOX_WEBHOOK_SECRET_FILE": str(layout.secret("sandbox-webhook")),
                "SHOPWRIGHT_GIFT_CARD_KEY_FILE": str(layout.secret("gift-card-key")),
                "SHOPWRIGHT_BANK_ACCOUNT": self.environ.get("SHOPWRIGHT_BANK_ACCOUNT", DEMO_ACCOUNT),
            },
            "notifications": {"SHOPWRIGHT_MAILBOX": str(layout.mailbox)},
            "web": {"SHOPWRIGHT_SESSION_KEY_FILE": str(layout.secret("session-key"))},
        }.get(service, {})
