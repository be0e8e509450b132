"""What notifications is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict

from shopwright.chassis.api import create_asgi
from shopwright.chassis.bus import Consumer, Handler, Together
from shopwright.chassis.db import Database, open_database
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.chassis.server import Service, every
from shopwright.chassis.settings import BadSetting, load
from shopwright.chassis.streams import BUS_ERRORS, Valkey, open_valkey, stream_of
from shopwright.contracts.events import Event
from shopwright.contracts.orders import (
    OrderCancelled,
    OrderConfirmed,
    OrderDrafted,
    OrderRefunded,
    OrderShipped,
    PaymentRequested,
    TransferAwaited,
)
from shopwright.contracts.users import PasswordChanged, PasswordResetRequested, UserErased, UserRegistered

from .api import mailbox as mailbox_api
from .api import notifications as notifications_api
from .api import preferences as preferences_api
from .clients.mailbox import Mailbox
from .clients.smtp import Smtp
from .commands import Notifications
from .domain import NotificationQueued
from .feed import Feed
from .mail import address_of
from .pool import Pool, Work
from .rendering import Shop
from .settings import NotificationsSettings
from .subscribers import Subscribers

GROUP = "notifications"
QUEUE = "notifications"  # our own stream: the queue of mails
LOCAL_SENDER = "shop@shopwright.localhost"  # of mails that never leave
PRUNE_S = 600
REQUEUE_S = 60


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(NotificationsSettings, environ)
    transport = _transport(settings)
    db = await open_database(settings.database_url, application="notifications", size=settings.database_pool)
    valkey = open_valkey(settings.valkey_url)
    draining = asyncio.Event()
    feed = Feed(db, valkey, draining)
    name = f"notifications-{settings.slot}"
    notifications = Notifications(
        db,
        transport,
        Shop(settings.shop_name, settings.public_url.rstrip("/")),
        holder=name,
        sender=settings.mail_from or LOCAL_SENDER,
        announce=feed.announce,
    )
    subscribers = Subscribers(notifications)
    consumer = Consumer(
        db, valkey, group=GROUP, name=name, sources=["users", "orders"], **_heard(subscribers)
    )
    pool = _pool(db, valkey, notifications, subscribers, settings, at_once=transport.at_once)
    retention = timedelta(days=settings.retention_days)

    async def prune() -> None:
        await notifications.prune(retention)

    async def close() -> None:
        await valkey.aclose()
        await db.close()

    local = [*mailbox_api.HANDLERS] if isinstance(transport, Mailbox) else []
    asgi = create_asgi(
        "notifications",
        [*notifications_api.HANDLERS, *preferences_api.HANDLERS, *local],
        {"notifications": notifications, "db": db, "feed": feed, "mailbox": transport},
        draining=draining,
        ready=[db.ready],
        dead_letters=DeadLetters(db),
    )
    workers = [
        Relay(db, valkey, QUEUE).run,
        consumer.run,
        pool.run,
        feed.run,
        every(REQUEUE_S, notifications.requeue_lost),
        every(PRUNE_S, prune),
    ]
    return Service(settings=settings, asgi=asgi, workers=workers, close=close, draining=draining)


def _transport(settings: NotificationsSettings) -> Mailbox | Smtp:
    """Raises BadSetting."""
    if not settings.smtp_url:
        return Mailbox(settings.mailbox or settings.home / "mailbox", settings.mailbox_keep)
    try:
        address_of(settings.shop_name, settings.mail_from)
    except ValueError:
        raise BadSetting(
            "SHOPWRIGHT_MAIL_FROM: give the address that mails come from, e.g. shop@example.com"
        ) from None
    return Smtp(settings.smtp_url, settings.smtp_ca)


class _Heard(TypedDict):
    handlers: dict[type[Event], Handler]
    together: dict[type[Event], Together]


def _heard(subscribers: Subscribers) -> _Heard:
    """All of them for every consumer: whichever finds a parked message due must be able to try it again."""
    return {
        "handlers": {
            UserRegistered: subscribers.on_user_registered,
            PasswordChanged: subscribers.on_password_changed,
            PasswordResetRequested: subscribers.on_password_reset_requested,
            UserErased: subscribers.on_user_erased,
            OrderCancelled: subscribers.on_order_cancelled,
            OrderShipped: subscribers.on_order_shipped,
            OrderRefunded: subscribers.on_order_refunded,
            OrderDrafted: subscribers.on_order_drafted,
            PaymentRequested: subscribers.on_payment_requested,
            TransferAwaited: subscribers.on_transfer_awaited,
        },
        "together": {
            OrderConfirmed: subscribers.on_orders_confirmed,
            NotificationQueued: subscribers.on_notifications_queued,
        },
    }


def _pool(
    db: Database,
    valkey: Valkey,
    notifications: Notifications,
    subscribers: Subscribers,
    settings: NotificationsSettings,
    *,
    at_once: int,
) -> Pool:
    def name(number: int) -> str:
        return f"delivery-{settings.slot}-{number}"

    def work(number: int) -> Work:
        return Consumer(
            db, valkey, group=GROUP, name=name(number), sources=[QUEUE], ordered=False, batch=at_once,
            **_heard(subscribers),
        ).run  # fmt: skip

    async def in_hand(number: int) -> bool:
        try:
            left: list[Any] = await valkey.xpending_range(
                stream_of(QUEUE), GROUP, "-", "+", 1, consumername=name(number)
            )
        except BUS_ERRORS:
            return True
        return bool(left)

    workers = settings.delivery_workers if at_once == 1 else 1  # one that takes many is enough
    return Pool(work, notifications.depth, in_hand, workers_max=workers)
