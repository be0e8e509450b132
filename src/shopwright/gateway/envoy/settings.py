"""Where the gateway of one installation finds and puts things: ports, sockets, certificates, number of slots.

Pure: nothing here touches the disk. The names of the sockets are those that services listen on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shopwright.gateway.table import SERVICES, TABLE, Table


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """One Envoy.

    Args:
        config: directory that `write` owns (bootstrap.json, xds/, sds/).
        run: the runtime directory of the sockets; its path must be at most 60 bytes.
        tls: directory with ca.crt, gateway.crt, gateway.key and identities/<service>/{cert.pem,key.pem}.
        jwks: the public keys of access tokens; `reload` after they changed.
        slots: service → number of sockets that are listed as endpoints (replicas and the spare).
        access_log: where to write; the default goes to whoever supervises the process and rotates its output.
        access_log_percent: how many of the good answers are logged; refusals and errors always are.
        cache: directory for answers to anonymous catalogue reads (best in memory), or None for no cache.
        otlp_endpoint: OTLP/HTTP collector, e.g. http://127.0.0.1:4318; empty: spans are only propagated.
        trusted_hops: proxies in front whose X-Forwarded-For is believed.
    """

    config: Path
    run: Path
    tls: Path
    jwks: Path
    port: int = 8080
    tls_port: int = 8443
    address: str = "127.0.0.1"
    slots: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(SERVICES, 2))
    rate_limit: bool = True
    access_log: Path = Path("/dev/stdout")
    access_log_percent: float = 100.0
    cache: Path | None = None
    cache_max_bytes: int = 64 * 1024 * 1024
    otlp_endpoint: str = ""
    trusted_hops: int = 0
    concurrency: int = 2
    table: Table = TABLE

    def sockets(self, service: str) -> list[Path]:
        return [self.run / f"{service}-{slot}.sock" for slot in range(self.slots.get(service, 1))]

    def grpc_sockets(self, service: str) -> list[Path]:
        return [self.run / f"{service}-{slot}.grpc.sock" for slot in range(self.slots.get(service, 1))]

    def egress(self, service: str) -> Path:
        return self.run / "mesh" / f"{service}.out.sock"

    def ingress(self, service: str) -> Path:
        return self.run / "mesh" / f"{service}.in.sock"

    @property
    def reads(self) -> Path:
        """Where the cache asks for what it does not have."""
        return self.run / "mesh" / "reads.sock"

    @property
    def admin(self) -> Path:
        return self.run / "envoy-admin.sock"

    @property
    def bootstrap(self) -> Path:
        return self.config / "bootstrap.json"

    @property
    def xds(self) -> Path:
        return self.config / "xds"

    @property
    def sds(self) -> Path:
        return self.config / "sds"
