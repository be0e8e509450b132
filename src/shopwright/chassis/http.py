"""Calls to other services: HTTP with msgspec bodies through the node's Envoy, which adds identity and mTLS.

A remote call looks remote: service, path, time limit and idempotency key stand at the call. Guarantees:
never inside a transaction; at most the time the caller has left, passed on; a refusal is raised as its own
class; an answer that did not come is `DeadlineExceeded` or `Unavailable`, never silently nothing. Repeats
are Envoy's and the saga's.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

import aiohttp
import msgspec

from shopwright.contracts.problems import DeadlineExceeded, Unavailable

from . import deadline, telemetry
from .db import in_transaction
from .problems import from_response

Answer = TypeVar("Answer")

CONNECTIONS = 100
ENCODER = msgspec.json.Encoder()


class Client:
    """One service's way to the others; make it inside the running loop and close it at the end."""

    def __init__(self, mesh_socket: Path) -> None:
        connector = aiohttp.UnixConnector(path=str(mesh_socket), limit=CONNECTIONS, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=True, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        await self._session.close()

    @overload
    async def call(
        self, service: str, method: str, path: str, *, timeout_s: float, answer: type[Answer],
        body: Any = None, idempotency_key: str = "", query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer: ...  # fmt: skip

    @overload
    async def call(
        self, service: str, method: str, path: str, *, timeout_s: float, answer: None = None,
        body: Any = None, idempotency_key: str = "", query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes: ...  # fmt: skip

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        *,
        timeout_s: float,
        answer: Any = None,
        body: Any = None,
        idempotency_key: str = "",
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call `service` and decode its answer into `answer` (None: the raw bytes).

        Args:
            timeout_s: the most this call may take; less if the caller has less left.
            body: bytes and async iterables of bytes as they are, anything else as JSON.
            idempotency_key: sent as Idempotency-Key; give one wherever a repeat must not act twice.

        Raises:
            Problem: what the service refused with, as its own class.
            DeadlineExceeded: no answer in time; the outcome is unknown.
            Unavailable: the service cannot be reached; nothing happened.
        """
        if in_transaction():
            raise RuntimeError(f"{method} {service}{path} was called inside a database transaction")
        limit_s = deadline.remaining_s(timeout_s)
        if limit_s <= 0:
            raise DeadlineExceeded(detail=f"no time left to call {service}", part=service)
        with telemetry.span(f"call {service}", method=method, path=path):
            status, content = await self._send(
                service, method, path, limit_s, body, _headers(limit_s, idempotency_key, headers), query
            )
        if status >= 400:
            raise from_response(status, content, service)
        return content if answer is None else msgspec.json.decode(content, type=answer)

    async def _send(
        self,
        service: str,
        method: str,
        path: str,
        limit_s: float,
        body: Any,
        headers: dict[str, str],
        query: Mapping[str, Any] | None,
    ) -> tuple[int, bytes]:
        data = body if isinstance(body, bytes | AsyncIterable | None) else ENCODER.encode(body)
        try:
            async with self._session.request(
                method,
                f"http://{service}{path}",
                data=data,
                params=query,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=limit_s),
            ) as response:
                return response.status, await response.read()
        except TimeoutError as error:
            raise DeadlineExceeded(
                detail=f"{service} did not answer in {limit_s:.1f} s", part=service
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(detail=f"{service} cannot be reached", part=service) from error
        except aiohttp.ClientError as error:
            raise DeadlineExceeded(detail=f"{service} broke off: {error}", part=service) from error


def _headers(limit_s: float, idempotency_key: str, extra: Mapping[str, str] | None) -> dict[str, str]:
    headers = {"content-type": "application/json", deadline.HEADER: str(int(limit_s * 1_000))}
    context = telemetry.current()
    if context is not None:
        headers["traceparent"] = context.traceparent
        if context.request_id:
            headers["x-request-id"] = context.request_id
    if idempotency_key:
        headers["idempotency-key"] = idempotency_key
    if extra:
        headers.update(extra)
    return headers
