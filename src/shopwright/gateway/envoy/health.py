"""Which endpoints the running Envoy holds for healthy: what a rolling restart waits for."""

from __future__ import annotations

import http.client
import re

from .files import AdminConnection
from .settings import GatewaySettings


def healthy(settings: GatewaySettings, service: str) -> set[str]:
    """The socket paths of `service` that Envoy would send requests to now; empty if it does not answer."""
    connection = AdminConnection(settings.admin)
    try:
        connection.request("GET", "/clusters")
        text = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return set()
    finally:
        connection.close()
    return set(re.findall(rf"^{re.escape(service)}::([^:]+)::health_flags::healthy$", text, re.MULTILINE))
