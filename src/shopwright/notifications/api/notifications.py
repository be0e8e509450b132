"""Notifications over HTTP: a person's own, live or by the page; staff see what became of the mails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter
from litestar.response import Stream

from shopwright.chassis.auth import Principal
from shopwright.chassis.db import Database
from shopwright.chassis.paging import Limit, Page, decode_cursor, encode_cursor, page_of
from shopwright.chassis.validation import invalid

from .. import store
from ..commands import Notifications
from ..domain import Kind, Notice, State, masked
from ..feed import Feed

RETRY_MS = 3_000  # how long a client waits before it follows again


class NoticeView(msgspec.Struct, frozen=True):
    """`link` is a path of the shop's pages."""

    id: UUID
    kind: Kind
    title: str
    link: str
    created_at: datetime
    read_at: datetime | None


class Notices(msgspec.Struct, frozen=True):
    """`unread` counts all unread notifications, not only this page's."""

    items: list[NoticeView]
    next_cursor: str | None
    unread: int


class DeliveryView(msgspec.Struct, frozen=True):
    """`to` is masked; `dead`: tried as often as it may be, waits among the dead letters."""

    id: UUID
    kind: Kind
    to: str
    user_id: UUID | None
    state: State
    dead: bool
    attempts: int
    error: str
    created_at: datetime
    sent_at: datetime | None


@get("/v1/notifications", tags=["notifications"])
async def list_own(
    principal: Principal, db: Database, limit: Limit = 20, cursor: str | None = None, unread: bool = False
) -> Notices:
    """Own notifications, newest first; `unread` leaves out those that were read."""
    user_id = principal.require_user()
    before = decode_cursor(cursor, int)
    async with db.read() as connection:
        rows = await store.feed(connection, user_id, before=before, unread=unread, limit=limit + 1)
        _, count = await store.standing(connection, user_id)
    items = rows[:limit]
    more = encode_cursor(items[-1].position) if len(rows) > limit else None
    return Notices([_view(item) for item in items], more, count)


@post("/v1/notifications/{notification_id:uuid}/read", status_code=204, tags=["notifications"])
async def mark_read(notification_id: UUID, principal: Principal, notifications: Notifications) -> None:
    """Mark an own notification as read; again is fine."""
    await notifications.mark_read(principal.require_user(), notification_id)


@get("/v1/notifications/stream", tags=["notifications"], media_type="text/event-stream")
async def follow(request: Request, principal: Principal, db: Database, feed: Feed) -> Stream:
    """New notifications as server-sent events; `Last-Event-ID` resumes without a gap.

    `ready` comes first, with the number of unread ones; then `notification` for each. A stream ends now and
    then: follow again with the last id.
    """
    user_id = principal.require_user()
    wanted = _last_event_id(request)
    feed.admit(user_id)
    async with db.read() as connection:
        last, unread = await store.standing(connection, user_id)
    after = last if wanted is None else min(wanted, last)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Stream(_events(feed, user_id, after, unread), media_type="text/event-stream", headers=headers)


@get("/v1/notifications/deliveries", tags=["notifications"])
async def list_deliveries(
    principal: Principal,
    db: Database,
    limit: Limit = 50,
    cursor: str | None = None,
    to: Annotated[str | None, Parameter(max_length=254, description="One e-mail address, whole.")] = None,
) -> Page[DeliveryView]:
    """What became of all notifications, newest first; for staff."""
    principal.require("notifications:read")
    before = decode_cursor(cursor, UUID)
    async with db.read() as connection:
        rows = await store.deliveries(connection, to=to, before=before, limit=limit + 1)
    page = page_of(rows, limit, lambda row: row.id)
    return Page([_delivery_view(row) for row in page.items], page.next_cursor)


HANDLERS: list[Any] = [list_own, mark_read, follow, list_deliveries]


def _last_event_id(request: Request) -> int | None:
    given = request.headers.get("last-event-id", "").strip()
    if not given:
        return None
    if not given.isdigit() or len(given) > 18:
        raise invalid("/headers/last-event-id", "must be the id of an event of this stream, a whole number")
    return int(given)


async def _events(feed: Feed, user_id: UUID, after: int, unread: int) -> AsyncIterator[bytes]:
    yield f'retry: {RETRY_MS}\nid: {after}\nevent: ready\ndata: {{"unread":{unread}}}\n\n'.encode()
    async with aclosing(feed.follow(user_id, after)) as arrivals:
        async for items in arrivals:
            yield b"".join(_event(item) for item in items) or b": still here\n\n"


def _event(item: Notice) -> bytes:
    """JSON has no line break in it, so one `data:` line holds it."""
    data = msgspec.json.encode(_view(item))
    return b"id: %d\nevent: notification\ndata: %s\n\n" % (item.position, data)


def _view(item: Notice) -> NoticeView:
    return NoticeView(item.id, item.kind, item.title, item.link, item.created_at, item.read_at)


def _delivery_view(row: store.Delivery) -> DeliveryView:
    return DeliveryView(
        row.id, row.kind, masked(row.email), row.user_id, row.state, row.dead, row.attempts, row.error,
        row.created_at, row.sent_at,
    )  # fmt: skip
