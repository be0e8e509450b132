"""The one way out of web: a call through the mesh with the user's own token; and what counts as away."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar, overload

import structlog

from shopwright.chassis.http import Client
from shopwright.contracts.problem import Problem

log = structlog.get_logger()

Answer = TypeVar("Answer")

READ_S = 4.0  # a page waits no longer for a part of itself
WRITE_S = 8.0

#: Kinds of problem that say nothing about what was asked: the part that should answer cannot now.
AWAY = frozenset({"unavailable", "timeout", "internal", "rate_limited"})


def is_away(problem: Problem) -> bool:
    return problem.kind in AWAY


async def unless_away(answer: Awaitable[Answer]) -> Answer | None:
    """`answer`, or None when the part that should give it cannot: the page does without it and says so."""
    try:
        return await answer
    except Problem as problem:
        if not is_away(problem):
            raise
        log.warning("a part of the page is away", problem=problem.slug, detail=problem.detail)
        return None


class Remote:
    """Calls to one service."""

    def __init__(self, client: Client, service: str) -> None:
        self._client, self.service = client, service

    @overload
    async def call(
        self, method: str, path: str, answer: type[Answer], *, token: str = "", body: Any = None,
        query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None,
        key: str = "", timeout_s: float = READ_S,
    ) -> Answer: ...  # fmt: skip

    @overload
    async def call(
        self, method: str, path: str, answer: None = None, *, token: str = "", body: Any = None,
        query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None,
        key: str = "", timeout_s: float = READ_S,
    ) -> bytes: ...  # fmt: skip

    async def call(
        self,
        method: str,
        path: str,
        answer: Any = None,
        *,
        token: str = "",
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str = "",
        timeout_s: float = READ_S,
    ) -> Any:
        """`token` speaks for the user (empty: a guest); `key` makes a repeat of a write harmless."""
        sent = {"authorization": f"Bearer {token}"} if token else {}
        given = {name: value for name, value in (query or {}).items() if value is not None and value != ""}
        return await self._client.call(
            self.service,
            method,
            path,
            timeout_s=timeout_s,
            answer=answer,
            body=body,
            idempotency_key=key,
            query=given,
            headers=sent | dict(headers or {}),
        )
