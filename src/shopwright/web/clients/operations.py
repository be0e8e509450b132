"""Calls to every service alike, in parallel: readiness, dead letters, API description."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import structlog

from shopwright.chassis.deadletters import DeadLetter
from shopwright.chassis.http import Client
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound

from .remote import Remote

log = structlog.get_logger()

SERVICES = ("users", "products", "orders", "payments", "notifications")
READY_S = 2.0
Answer = TypeVar("Answer")


class Replayed(msgspec.Struct):
    replayed: int


class Operations:
    """What operators ask of all services; one that is away is named, never an error of the others."""

    def __init__(self, client: Client) -> None:
        self._remotes = {service: Remote(client, service) for service in SERVICES}

    async def readiness(self) -> dict[str, str]:
        """Each service's state: `ready`, or why not."""

        async def ask(remote: Remote) -> str:
            await remote.call("GET", "/readyz", timeout_s=READY_S)
            return "ready"

        answers, away = await self._all(ask)
        return {name: answers.get(name) or away[name].detail or away[name].title for name in SERVICES}

    async def dead_letters(
        self, after: str | None, limit: int
    ) -> tuple[dict[str, list[DeadLetter]], Mapping[str, Problem]]:
        """Each service's newest dead letters below `after`, and the services that are away."""

        async def ask(remote: Remote) -> list[DeadLetter]:
            query = {"after": after, "limit": limit}
            return await remote.call("GET", "/internal/dead-letters", list[DeadLetter], query=query)

        return await self._all(ask)

    async def replay(self, service: str, letter: str) -> None:
        """Raises NotFound."""
        if service not in self._remotes:
            raise NotFound(detail=f"no service {service}")
        await self._remotes[service].call("POST", f"/internal/dead-letters/{letter}/replay")

    async def replay_all(
        self, service: str | None = None, topic: str | None = None
    ) -> tuple[dict[str, int], Mapping[str, Problem]]:
        """What each service gave up, or one service, or one topic. Raises NotFound for an unknown service."""
        if service is not None and service not in self._remotes:
            raise NotFound(detail=f"no service {service}")
        query = {"topic": topic} if topic else {}

        async def ask(remote: Remote) -> int:
            path = "/internal/dead-letters/replay"
            return (await remote.call("POST", path, Replayed, query=query)).replayed

        return await self._all(ask, [service] if service else SERVICES)

    async def schemas(self) -> tuple[dict[str, dict[str, Any]], Mapping[str, Problem]]:
        """Each service's OpenAPI document."""

        async def ask(remote: Remote) -> dict[str, Any]:
            return await remote.call("GET", "/internal/schema/openapi.json", dict[str, Any])

        return await self._all(ask)

    async def _all(
        self, ask: Callable[[Remote], Awaitable[Answer]], services: Sequence[str] = SERVICES
    ) -> tuple[dict[str, Answer], dict[str, Problem]]:
        async def one(remote: Remote) -> Answer | Problem:
            try:
                return await ask(remote)
            except Problem as problem:
                log.warning("a service did not answer an operator", part=remote.service, problem=problem.slug)
                return problem

        found = await asyncio.gather(*(one(self._remotes[service]) for service in services))
        answers: dict[str, Answer] = {}
        away: dict[str, Problem] = {}
        for service, answer in zip(services, found, strict=True):
            if isinstance(answer, Problem):
                away[service] = answer
            else:
                answers[service] = answer
        return answers, away
