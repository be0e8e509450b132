"""Envoy as gateway and mesh: the table rendered, validated, put in place, reloaded without dropping anything.

    from shopwright.gateway import envoy

    settings = envoy.GatewaySettings(config=…, run=…, tls=…, jwks=…, port=…, tls_port=…, slots={"web": 2, …})
    envoy.write(settings)       # before the start, and whenever settings changed; idempotent
    envoy.command(settings)     # what the supervisor runs
    envoy.reload(settings)      # write, then wait until the running Envoy has taken it
    envoy.validate(settings)    # render and ask Envoy, change nothing

`write` and `reload` raise `InvalidConfiguration` and leave what was there if Envoy does not accept the new
one. Certificates are watched: whoever renews one renames the new files into place and calls nothing.
"""

from __future__ import annotations

from .clusters import grpc_name
from .files import InvalidConfiguration, NotApplied, command, reload, validate, write
from .health import healthy
from .settings import GatewaySettings

__all__ = [
    "GatewaySettings",
    "InvalidConfiguration",
    "NotApplied",
    "command",
    "grpc_name",
    "healthy",
    "reload",
    "validate",
    "write",
]
