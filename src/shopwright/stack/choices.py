"""What the user chose by SHOPWRIGHT_… variables: a wrong value is named, and the choice of a running platform
is remembered.

The services read their settings from there, whatever characters are in them; `status`, `restart` or a
second `up` in another shell mean the same installation.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, MutableMapping
from urllib.parse import urlsplit

from .layout import Layout

PREFIX = "SHOPWRIGHT_"
NOT_REMEMBERED = (
    "SHOPWRIGHT_CHOICES",
    "SHOPWRIGHT_HOME",
    "SHOPWRIGHT_TEST_",
    "SHOPWRIGHT_TOKEN",
    "SHOPWRIGHT_TRACE",
)

#: What no service reads: a new value of these is no reason to replace the services.
PLATFORM_ONLY = {
    f"{PREFIX}{word}"
    for word in (
        "ACCESS_LOG_PERCENT", "DEMO", "ENVOY_BIN", "IDENTITY_LIFE_S", "PORT", "POSTGRES_BIN", "PUBLIC_URL",
        "RATE_LIMIT", "REPLICAS", "TLS_PORT",
    )
}  # fmt: skip


class BadPlan(RuntimeError):
    """What was asked to run makes no sense; the message names the setting."""


def chosen(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The settings among the variables of `environ`."""
    return {
        name: value
        for name, value in sorted(environ.items())
        if name.startswith(PREFIX) and not name.startswith(NOT_REMEMBERED)
    }


def digest(environ: Mapping[str, str]) -> str:
    """Of what services may read."""
    read = [item for item in chosen(environ).items() if item[0] not in PLATFORM_ONLY]
    return hashlib.sha256(json.dumps(read).encode()).hexdigest()[:16]


def remember(layout: Layout, environ: Mapping[str, str] = os.environ) -> None:
    fresh = layout.choices.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(chosen(environ), indent=1) + "\n")
    fresh.rename(layout.choices)


def remembered(layout: Layout) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(layout.choices.read_text())
    except (OSError, ValueError):
        return {}
    return known


def forget(layout: Layout) -> None:
    layout.choices.unlink(missing_ok=True)


def recall(layout: Layout, environ: MutableMapping[str, str] = os.environ) -> None:
    """Where `environ` says nothing, let what the platform was started with stand."""
    for name, value in remembered(layout).items():
        environ.setdefault(name, value)


def switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "on" if default else "off")
    if value not in {"on", "off"}:
        raise BadPlan(f"{name}={value} is neither on nor off")
    return value == "on"


def number(environ: Mapping[str, str], name: str, default: float, *, least: float, most: float) -> float:
    value = environ.get(name, str(default))
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if not least <= found <= most:
        raise BadPlan(f"{name}={value} is not a number from {least:g} to {most:g}")
    return found


def address(environ: Mapping[str, str], name: str) -> str:
    """An http(s) URL, or an empty string."""
    value = environ.get(name, "")
    try:
        parts = urlsplit(value)
        good = not value or (parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise BadPlan(f"{name}={value} is not an address such as http://127.0.0.1:4318")
    return value
