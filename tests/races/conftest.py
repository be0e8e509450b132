"""Two replicas of orders on one database, and of payments: what races within one service runs here."""

import asyncpg
import pytest

from shopwright.orders.testing import FakeShop


@pytest.fixture
async def shop(tmp_path):
    running = FakeShop()
    await running.start(tmp_path / "mesh.sock")
    yield running
    await running.stop()


@pytest.fixture
async def orders_database(databases):
    return await databases.fresh("orders")


@pytest.fixture
async def replicas(shop, run_service, orders_database):
    """Clients of two processes' worth of orders: each has its own pool, workers and consumer."""
    environ = {"SHOPWRIGHT_DATABASE_URL": orders_database}
    return [
        await run_service("orders", environ | {"SHOPWRIGHT_SLOT": str(slot)})
        for slot in range(2)
    ]  # fmt: skip


@pytest.fixture
async def rows(orders_database):
    """`await rows("SELECT …")` in the replicas' database."""
    connection = await asyncpg.connect(orders_database)
    yield connection.fetch
    await connection.close()
