"""The bus: Valkey Streams, one stream per producing service, and the client that every user of it shares.

Losing the whole of Valkey loses nothing: outboxes keep what they published and `chassis.outbox` sends it
again.
"""

from __future__ import annotations

from valkey.asyncio import Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import ExponentialBackoff
from valkey.exceptions import ConnectionError as BusConnectionError
from valkey.exceptions import TimeoutError as BusTimeoutError
from valkey.exceptions import ValkeyError

__all__ = ["BUS_ERRORS", "LENGTH_MAX", "Valkey", "open_valkey", "stream_of"]

BUS_ERRORS = (ValkeyError, BusConnectionError, BusTimeoutError, OSError)
LENGTH_MAX = 200_000  # about 200 MiB at 1 KiB an event; a relay waits for a consumer that is further behind


def open_valkey(url: str) -> Valkey:
    client: Valkey = Valkey.from_url(
        url,
        socket_timeout=10,
        socket_connect_timeout=2,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        health_check_interval=30,
    )
    return client


def stream_of(source: str) -> str:
    return f"events:{source}"
