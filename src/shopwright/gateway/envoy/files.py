"""The configuration on disk and the running Envoy: write, validate, reload, and the start command."""

from __future__ import annotations

from .settings import GatewaySettings


class InvalidConfiguration(RuntimeError):
    """Envoy does not accept the rendered configuration; nothing was changed."""


class NotApplied(RuntimeError):
    """The running Envoy did not take the new configuration in time."""


def write(settings: GatewaySettings) -> None:
    """Put the rendered configuration in place if it differs."""
    raise NotImplementedError


def validate(settings: GatewaySettings) -> None:
    raise NotImplementedError


def reload(settings: GatewaySettings, timeout_s: float = 5.0) -> None:
    raise NotImplementedError


def command(settings: GatewaySettings, *, log_level: str = "warning") -> list[str]:
    raise NotImplementedError
