"""What users is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from shopwright.chassis.api import create_asgi
from shopwright.chassis.db import open_database
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.chassis.server import Service, every
from shopwright.chassis.settings import load
from shopwright.chassis.streams import open_valkey

from .api import HANDLERS
from .commands import Users
from .passwords import Passwords
from .settings import UsersSettings
from .tokens import Tokens

PRUNE_S = 600


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(UsersSettings, environ)
    db = await open_database(settings.database_url, application="users", size=settings.database_pool)
    valkey = open_valkey(settings.valkey_url)
    tokens = Tokens(settings.jwt_key, timedelta(minutes=settings.access_minutes))
    users = Users(db, Passwords(settings.password_cost), tokens, timedelta(days=settings.session_days))
    relay = Relay(db, valkey, "users")
    draining = asyncio.Event()

    async def close() -> None:
        await valkey.aclose()
        await db.close()

    asgi = create_asgi(
        "users",
        HANDLERS,
        {"users": users, "tokens": tokens},
        draining=draining,
        ready=[db.ready],
        dead_letters=DeadLetters(db),
    )
    workers = [relay.run, every(PRUNE_S, users.prune)]
    return Service(settings=settings, asgi=asgi, workers=workers, close=close, draining=draining)
