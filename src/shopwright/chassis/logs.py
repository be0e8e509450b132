"""Logs: one JSON object a line on stderr, each with the service, the request id and the trace id it belongs
to.

Values under names that hold secrets are masked whatever a caller passes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

from . import telemetry

_SECRET = ("password", "token", "secret", "authorization", "cookie", "otp", "card")


def configure(service: str, level: str = "info") -> None:
    minimum = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            _with_context(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _with_context(service: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields["service"] = service
        context = telemetry.current()
        if context is not None:
            fields["trace_id"] = context.trace_id
            if context.request_id:
                fields["request_id"] = context.request_id
        return fields

    return add


def _mask(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in fields:
        if any(word in name for word in _SECRET):
            fields[name] = "***"
    return fields


def _encode(fields: Any, **_options: Any) -> str:
    return msgspec.json.encode(fields, enc_hook=repr).decode()
