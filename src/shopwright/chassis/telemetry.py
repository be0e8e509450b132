"""Traces and metrics, light enough for every request: W3C Trace Context in, spans in a ring, Prometheus
out.

A span costs a few microseconds; the last `RING` are kept for the operators' page, and sampled ones are sent
as OTLP/HTTP JSON where an endpoint is set. Context follows a task through `contextvars`, a call through
`traceparent`, and an event through its envelope. Losing a span is allowed, slowing a request is not.
Protocol: https://www.w3.org/TR/trace-context/, https://opentelemetry.io/docs/specs/otlp/.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp
import msgspec
from prometheus_client import Counter, Gauge, Histogram

RING = 2_048
SAMPLE_ONE_IN = 20  # of the traces that start here; a caller's decision is kept

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")

REQUESTS = Histogram(
    "shopwright_request_seconds",
    "Time to answer a request, by route template and status.",
    ["route", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10),
)
EVENTS = Counter("shopwright_events_total", "Events by topic and outcome.", ["topic", "outcome"])
EVENTS_LOST = Counter(
    "shopwright_events_lost_total", "Events that the bus lost, by what became of them.", ["stream", "outcome"]
)
DEAD_LETTERS = Gauge("shopwright_dead_letters", "Messages that wait for an operator.")
OUTBOX_LAG = Gauge("shopwright_outbox_unpublished", "Events committed and not yet on the bus.")
SAGAS = Gauge("shopwright_sagas_stuck", "Sagas past their pivot that need an operator.")


class Context(msgspec.Struct):
    """Where the running task stands in a trace."""

    trace_id: str
    span_id: str
    sampled: bool
    request_id: str = ""

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


class Span(msgspec.Struct):
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    sampled: bool
    attributes: dict[str, Any]
    error: str = ""


_context: ContextVar[Context | None] = ContextVar("trace", default=None)
spans: deque[Span] = deque(maxlen=RING)


def current() -> Context | None:
    return _context.get()


def traceparent() -> str:
    context = _context.get()
    return context.traceparent if context else ""


@contextmanager
def span(name: str, *, remote: str = "", request_id: str = "", **attributes: Any) -> Iterator[Span]:
    """Time the block as a child of the running span, or of `remote` (a traceparent), or as a new trace."""
    parent = _context.get()
    trace_id, parent_id, sampled = _inherit(parent, remote)
    own = Context(
        trace_id, secrets.token_hex(8), sampled, request_id or (parent.request_id if parent else "")
    )
    record = Span(name, trace_id, own.span_id, parent_id, time.time_ns(), 0, sampled, attributes)
    reset = _context.set(own)
    try:
        yield record
    except BaseException as error:
        record.error = type(error).__name__
        raise
    finally:
        _context.reset(reset)
        record.end_ns = time.time_ns()
        spans.append(record)


def _inherit(parent: Context | None, remote: str) -> tuple[str, str, bool]:
    if remote and (match := _TRACEPARENT.match(remote)):
        return match[1], match[2], bool(int(match[3], 16) & 1)
    if parent is not None:
        return parent.trace_id, parent.span_id, parent.sampled
    return secrets.token_hex(16), "", secrets.randbelow(SAMPLE_ONE_IN) == 0


async def export(endpoint: str, service: str, stop: asyncio.Event, every_s: float = 2.0) -> None:
    """Send new sampled spans to an OTLP/HTTP collector until `stop`; a collector that is away costs
    nothing.
    """
    seen_ns = time.time_ns()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), every_s)
            except TimeoutError:
                pass
            fresh = [item for item in list(spans) if item.sampled and item.end_ns > seen_ns]
            if not fresh:
                continue
            seen_ns = max(item.end_ns for item in fresh)
            try:
                async with session.post(
                    f"{endpoint.rstrip('/')}/v1/traces",
                    data=msgspec.json.encode(otlp(service, fresh)),
                    headers={"content-type": "application/json"},
                ):
                    pass
            except (aiohttp.ClientError, TimeoutError):
                continue


def otlp(service: str, batch: list[Span]) -> dict[str, Any]:
    """`batch` as an OTLP ExportTraceServiceRequest in its JSON mapping."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [_attribute("service.name", service)]},
                "scopeSpans": [
                    {"scope": {"name": "shopwright"}, "spans": [_otlp_span(item) for item in batch]}
                ],
            }
        ]
    }


def _otlp_span(item: Span) -> dict[str, Any]:
    return {
        "traceId": item.trace_id,
        "spanId": item.span_id,
        "parentSpanId": item.parent_id,
        "name": item.name,
        "kind": 2 if item.name.startswith("http ") else 1,
        "startTimeUnixNano": str(item.start_ns),
        "endTimeUnixNano": str(item.end_ns),
        "attributes": [_attribute(name, value) for name, value in item.attributes.items()],
        "status": {"code": 2, "message": item.error} if item.error else {},
    }


def _attribute(name: str, value: object) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": str(value)}}
