"""Payments on a real database with the sandbox behind a wire that a test can break."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from shopwright.chassis.db import Database
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Shop, Wire, a_shop


@pytest.fixture
async def shop(database: Callable[..., Awaitable[Database]]) -> AsyncIterator[Shop]:
    """A shop whose provider calls take at most 0.3 s."""
    db = await database("payments")
    books = Books(db)
    wire = Wire(SandboxProvider(books, SECRET, Sites((SITE,)), late=timedelta(seconds=0.6)))
    made = a_shop(db, books, wire)
    yield made
    await made.tenders.finish(5)
    await made.payments.finish(5)
