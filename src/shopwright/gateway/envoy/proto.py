"""How Envoy's messages look as JSON: the few shapes that every other module here is made of.

Field names and types: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/api.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

Json = dict[str, Any]

PREFIX = "type.googleapis.com/"


def typed(message: str, /, **fields: Any) -> Json:
    """`message` as google.protobuf.Any; envoy. is implied."""
    return {"@type": f"{PREFIX}envoy.{message}"} | fields


def http_filter(name: str, message: str, /, **fields: Any) -> Json:
    return {"name": name, "typed_config": typed(f"extensions.filters.http.{message}", **fields)}


def seconds(value: float) -> str:
    return f"{value:g}s"


def milliseconds(value: int) -> str:
    return f"{value / 1000:g}s"


def pipe(path: Path) -> Json:
    """A Unix socket that only our own user may open."""
    return {"pipe": {"path": str(path), "mode": 0o600}}


def tcp(address: str, port: int) -> Json:
    return {"socket_address": {"address": address, "port_value": port}}


def set_header(name: str, value: str) -> Json:
    """HeaderValueOption: one value, whatever was there."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def add_header(name: str, value: str) -> Json:
    """HeaderValueOption: one more value."""
    return {"header": {"key": name, "value": value}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}


def default_header(name: str, value: str) -> Json:
    """HeaderValueOption: unless the service has set it."""
    return {"header": {"key": name, "value": value}, "append_action": "ADD_IF_ABSENT"}


def any_of(name: str, values: tuple[str, ...]) -> Json:
    """HeaderMatcher: the header is one of `values`, which are plain words."""
    return {"name": name, "string_match": {"safe_regex": {"regex": "|".join(values)}}}


def present(name: str) -> Json:
    return {"name": name, "present_match": True}


def absent(name: str) -> Json:
    return {"name": name, "present_match": True, "invert_match": True}
