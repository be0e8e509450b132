"""What web answers to programs: dead letters of every service in one list, and readiness of the platform."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.deadletters import DeadLetter
from shopwright.chassis.paging import decode_cursor, encode_cursor
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound

from .clients.operations import SERVICES, Operations


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a service could not handle. `id` is the service's name and the event's id."""

    id: str
    service: str
    event_id: UUID
    topic: str
    subject: str
    state: str
    attempts: int
    error: str
    first_failed_at: datetime
    next_attempt_at: datetime
    payload: Any


class Letters(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first over all services; `away` names services that could not be asked, with the reason."""

    items: list[Letter]
    next_cursor: str | None = None
    away: dict[str, str] = {}


class ReplayWanted(msgspec.Struct, frozen=True):
    service: str | None = None
    topic: str | None = None


class ReplayMade(msgspec.Struct, frozen=True):
    """How many messages of each service are tried again; `away`: services that could not be asked."""

    replayed: dict[str, int]
    away: dict[str, str]


class Readiness(msgspec.Struct, frozen=True):
    status: str
    services: dict[str, str]


@get("/v1/dead-letters", tags=["operations"])
async def list_dead_letters(
    principal: Principal,
    operations: Operations,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 50,
    cursor: str | None = None,
) -> Letters:
    """Messages that failed, of every service."""
    principal.require("operations:read")
    return await gather_letters(operations, cursor, limit)


@post("/v1/dead-letters/{letter:str}/replay", status_code=204, tags=["operations"])
async def replay_dead_letter(letter: str, principal: Principal, operations: Operations) -> None:
    """Let the service try the message again now. `letter` is an id of the list, or an event's id."""
    principal.require("operations:write")
    await replay_letter(operations, letter)


@post("/v1/dead-letters/replay", status_code=200, tags=["operations"])
async def replay_dead_letters(
    principal: Principal, operations: Operations, data: ReplayWanted | None = None
) -> ReplayMade:
    """Let every message that was given up be tried again now; or those of one service, or of one topic."""
    principal.require("operations:write")
    wanted = data or ReplayWanted()
    replayed, away = await operations.replay_all(wanted.service, wanted.topic)
    return ReplayMade(
        replayed, {service: problem.detail or problem.title for service, problem in away.items()}
    )


@get("/-/ready", include_in_schema=False)
async def platform_ready(operations: Operations) -> Response[Readiness]:
    services = await operations.readiness()
    ready = all(state == "ready" for state in services.values())
    return Response(
        Readiness("ready" if ready else "not ready", services | {"web": "ready"}),
        status_code=200 if ready else 503,
        headers={"cache-control": "no-store"},
    )


async def gather_letters(operations: Operations, cursor: str | None, limit: int) -> Letters:
    """One page over all services: their lists are sorted by the same ids, so one position serves all."""
    after = decode_cursor(cursor, str)
    found, away = await operations.dead_letters(after, limit + 1)
    letters = [_letter(service, item) for service, items in found.items() for item in items]
    letters.sort(key=lambda letter: (letter.event_id, letter.service), reverse=True)
    page = letters[:limit]
    while len(letters) > len(page) and letters[len(page)].event_id == page[-1].event_id:
        page.append(letters[len(page)])  # one event that failed in two services is not torn apart
    more = len(letters) > len(page)
    return Letters(
        items=page,
        next_cursor=encode_cursor(str(page[-1].event_id)) if more else None,
        away={service: problem.detail or problem.title for service, problem in away.items()},
    )


async def replay_letter(operations: Operations, letter: str) -> None:
    """Raises NotFound when no service that answers has it."""
    service, _, event_id = letter.rpartition(".")
    try:
        UUID(event_id)
    except ValueError:
        raise NotFound(detail=f"{letter} is not the id of a dead letter") from None
    refusals: list[Problem] = []
    for name in [service] if service else SERVICES:
        try:
            await operations.replay(name, event_id)
        except Problem as problem:
            refusals.append(problem)
        else:
            return
    away = [problem for problem in refusals if problem.kind != "not_found"]
    raise (away or refusals)[0]


def _letter(service: str, item: DeadLetter) -> Letter:
    shared = {name: getattr(item, name) for name in DeadLetter.__struct_fields__ if name != "id"}
    return Letter(id=f"{service}.{item.id}", service=service, event_id=item.id, **shared)


HANDLERS: list[Any] = [list_dead_letters, replay_dead_letter, replay_dead_letters, platform_ready]
