"""Accounts that an installation makes for itself: the demo's staff and buyer. Not reachable over any
network.
"""

from __future__ import annotations

from datetime import UTC, datetime

from shopwright.chassis.db import open_database
from shopwright.contracts.ids import new_id

from . import domain, store
from .domain import Role, User
from .passwords import Passwords


async def ensure(database_url: str, email: str, password: str, name: str, role: Role) -> None:
    """Make the account, or give the existing one this password and role."""
    db = await open_database(database_url, application="accounts", size=2)
    try:
        hashed = await Passwords().hash(password)
        user = User(
            id=new_id(), email=domain.clean_email(email), name=name, role=role, created_at=datetime.now(UTC)
        )
        async with db.begin() as tx:
            await store.upsert(tx, user, hashed)
    finally:
        await db.close()
