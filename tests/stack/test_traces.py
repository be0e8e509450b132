"""One trace runs from the gateway through services and the queue to the worker at its end."""

from __future__ import annotations

import secrets
import time
from uuid import uuid4

import httpx
import pytest

from collector import Collector
from platforms import Platform

pytestmark = pytest.mark.stack


def test_one_trace_from_the_gateway_to_the_worker(installation: Platform, collector: Collector):
    trace = secrets.token_hex(16)
    account = {"email": f"{uuid4().hex}@example.com", "password": uuid4().hex, "name": "Ada"}

    answer = httpx.post(
        f"{installation.url}/v1/users",
        json=account,
        headers={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"},
        timeout=60,
    )

    assert answer.status_code == 201, answer.text
    # registering publishes a fact, and notifications welcomes whoever registered
    expected = {"gateway", "users", "notifications"}
    until = time.monotonic() + 90
    while seen(collector, trace, expected) != expected and time.monotonic() < until:
        time.sleep(0.2)
    assert seen(collector, trace, expected) == expected
    assert any(b"event users.user_registered.v1" in body for body in told(collector, trace))


def test_what_was_not_sampled_is_not_sent(installation: Platform, collector: Collector):
    trace, marker = secrets.token_hex(16), secrets.token_hex(16)
    for trace_id, flag in ((trace, "00"), (marker, "01")):
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-{flag}"}
        httpx.get(f"{installation.url}/v1/carts/{uuid4()}", headers=headers, timeout=60)

    until = time.monotonic() + 90
    while not collector.knows(marker, of="orders") and time.monotonic() < until:
        time.sleep(0.2)

    assert collector.knows(marker, of="orders")
    assert told(collector, trace) == []


def seen(collector: Collector, trace: str, services: set[str]) -> set[str]:
    return {service for service in services if collector.knows(trace, of=service)}


def told(collector: Collector, trace: str) -> list[bytes]:
    return [
        body for body in list(collector.received) if bytes.fromhex(trace) in body or trace.encode() in body
    ]
