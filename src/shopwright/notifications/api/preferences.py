"""What people want to be told, over HTTP; and the way to say no from a mail, without logging in."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post, put

from shopwright.chassis.auth import Principal
from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid

from .. import domain, pages, store
from ..commands import Notifications
from ..domain import Channel, Kind, LinkTooOld, Preference


class PreferenceView(msgspec.Struct, frozen=True):
    """`optional`: whether it can be switched off."""

    kind: Kind
    channel: Channel
    enabled: bool
    optional: bool


class Preferences(msgspec.Struct, frozen=True):
    items: list[PreferenceView]


class Choice(msgspec.Struct, frozen=True):
    kind: Kind
    channel: Channel
    enabled: bool


class Choices(msgspec.Struct, frozen=True):
    items: Annotated[list[Choice], msgspec.Meta(max_length=len(domain.KINDS) * len(domain.CHANNELS))]


@get("/v1/notification-preferences", tags=["notifications"])
async def read_preferences(principal: Principal, db: Database) -> Preferences:
    """What the account is told by which channel."""
    return await _preferences(db, principal.require_user())


@put("/v1/notification-preferences", tags=["notifications"])
async def change_preferences(
    data: Choices, principal: Principal, db: Database, notifications: Notifications
) -> Preferences:
    """Replace all choices: what is left out is on. Mails about security and orders are always sent."""
    user_id = principal.require_user()
    seen: set[tuple[Kind, Channel]] = set()
    for index, item in enumerate(data.items):
        if (item.kind, item.channel) in seen:
            raise invalid(f"/items/{index}", f"{item.kind} by {item.channel} stands there twice")
        seen.add((item.kind, item.channel))
    wanted = [Preference(kind=item.kind, channel=item.channel, enabled=item.enabled) for item in data.items]
    await notifications.choose(user_id, wanted)
    return await _preferences(db, user_id)


@get("/unsubscribe/{token:str}", include_in_schema=False)
async def ask(token: str, db: Database) -> Response[bytes]:
    """Only asks: programs that look at the links of a mail must not unsubscribe anybody."""
    async with db.read() as connection:
        found = await store.of_token(connection, token)
    return pages.unsubscribe("too_old" if found is None else "ask", token)


@post("/unsubscribe/{token:str}", include_in_schema=False, status_code=200)
async def unsubscribe(token: str, notifications: Notifications) -> Response[bytes]:
    """The button of that page, and the one click of RFC 8058."""
    try:
        await notifications.unsubscribe(token)
    except LinkTooOld:
        return pages.unsubscribe("too_old", token)
    return pages.unsubscribe("done", token)


HANDLERS: list[Any] = [read_preferences, change_preferences, ask, unsubscribe]


async def _preferences(db: Database, user_id: UUID) -> Preferences:
    async with db.read() as connection:
        chosen = await store.choices(connection, user_id)
    return Preferences(
        [
            PreferenceView(item.kind, item.channel, item.enabled, domain.optional(item.kind, item.channel))
            for item in domain.preferences(chosen)
        ]
    )
