"""Dead letters: messages that a service gave up on, of all services in one list, read and replayed here."""

from __future__ import annotations

from typing import Any

from litestar import Response

from shopwright.contracts.problem import Problem

from ..api import gather_letters, replay_letter
from ..clients.remote import is_away
from .desk import Desk, action, page

LIMIT = 50
PATH = "/admin/letters"


@page(PATH, "operations:read")
async def list_letters(desk: Desk) -> Response[bytes]:
    cursor = desk.query.get("cursor", "")
    found = await gather_letters(desk.site.operations, cursor, LIMIT)
    return await desk.page(
        "admin/letters.html", letters=found.items, away=found.away, next_cursor=found.next_cursor,
        first=not cursor,
    )  # fmt: skip


@action(f"{PATH}/replay-all", "operations:write")
async def replay_all(desk: Desk) -> Response[bytes]:
    """Every message that was given up, or those of one service and topic; those that are still being retried
    keep their pace.
    """
    form = desk.form
    replayed, away = await desk.site.operations.replay_all(form["service"] or None, form["topic"] or None)
    count = sum(replayed.values())
    notice = f"{count} {'message is' if count == 1 else 'messages are'} being tried again."
    if away:
        notice += f" Not asked, because away: {', '.join(away)}."
    return await desk.done(notice, PATH)


@action(f"{PATH}/{{letter:str}}/replay", "operations:write")
async def replay_one(desk: Desk, letter: str) -> Response[bytes]:
    try:
        await replay_letter(desk.site.operations, letter)
    except Problem as problem:
        if problem.kind == "not_found":
            return await desk.done("This message is no longer among the dead letters: it was handled.", PATH)
        if is_away(problem):
            service = letter.partition(".")[0]
            return await desk.not_done(f"Not replayed: {service} does not answer right now.", PATH)
        raise
    return await desk.done("The message is being tried again.", PATH)


HANDLERS: list[Any] = [list_letters, replay_all, replay_one]
