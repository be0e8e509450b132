"""Payments on a real database with the sandbox behind a wire that a test can break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from shopwright.chassis.api import create_asgi
from shopwright.chassis.db import Database
from shopwright.payments import api
from shopwright.payments.manual import api as manual_api
from shopwright.payments.sandbox import pages
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.stored import api as stored_api
from shopwright.payments.stored.commands import GiftCards, Wallets
from shopwright.payments.testing import SECRET, SITE, Shop, Wire, a_shop


@pytest.fixture
async def shop(database: Callable[..., Awaitable[Database]]) -> AsyncIterator[Shop]:
    """A shop whose provider's slow cards are slower than any test."""
    db = await database("payments")
    books = Books(db)
    wire = Wire(SandboxProvider(books, SECRET, Sites((SITE,)), late=timedelta(minutes=5)))
    made = a_shop(db, books, wire)
    yield made
    await made.tenders.finish(5)
    await made.payments.finish(5)


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """All that payments answers over HTTP; `staff` and `buyer` say who asks."""
    asgi = create_asgi(
        "payments",
        [*api.HANDLERS, *stored_api.HANDLERS, *manual_api.HANDLERS, *pages.HANDLERS],
        {
            "payments": shop.payments, "db": shop.db, "books": shop.books, "routing": shop.routing,
            "by_hand": shop.by_hand, "stored": shop.stored,
            "wallets": Wallets(shop.payments, shop.routing, shop.stored),
            "gift_cards": GiftCards(shop.stored, shop.codes),
        },
        draining=asyncio.Event(),
    )  # fmt: skip
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=asgi), base_url=SITE) as client:
        yield client
