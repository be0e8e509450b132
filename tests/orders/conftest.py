"""Orders in process, its workers running, with a fake shop at the other end of the mesh."""

import pytest

from shopwright.orders.testing import FakeShop


@pytest.fixture
async def shop(tmp_path):
    running = FakeShop()
    await running.start(tmp_path / "mesh.sock")
    yield running
    await running.stop()


@pytest.fixture
async def orders_url(database_url):
    return await database_url("orders")


@pytest.fixture
async def client(shop, run_service, orders_url):
    return await run_service("orders", {"SHOPWRIGHT_DATABASE_URL": orders_url})
