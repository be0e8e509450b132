"""kill -9 of the servers below the services, with purchases in flight; Valkey comes back without memory."""

import asyncio
import os
import shutil
import signal
from uuid import uuid4

import httpx
import pytest

from chaos.buying import KINDS, assert_each_ended_as_it_may, buy, one_confirmation, settled, stocked
from shopping import log_in
from shopwright.stack.layout import Layout
from shopwright.stack.supervision import Supervisor

pytestmark = pytest.mark.stack

PURCHASES, AT_ONCE = 120, 24


async def shop_while(platform, client, disaster):
    """(email, kind, outcome) of purchases, with `disaster` when a third of them is through."""
    staff = await log_in(client, platform.demo["admin"])
    skus = await stocked(client, staff)
    run, gate, ended, soon = uuid4().hex[:8], asyncio.Semaphore(AT_ONCE), [], asyncio.Event()

    async def one(number):
        async with gate:
            email, kind = f"server-{run}-{number}@example.com", KINDS[number % len(KINDS)]
            outcome = await buy(client, skus[number % len(skus)], email, kind=kind, staff=staff)
            ended.append((email, kind, outcome))
            if len(ended) >= PURCHASES // 3:
                soon.set()

    async def strike():
        await soon.wait()
        await asyncio.to_thread(disaster, platform)

    await asyncio.gather(strike(), *map(one, range(PURCHASES)))
    return ended


def kill_postgres(platform):
    os.kill(platform.pid("postgres"), signal.SIGKILL)


def kill_and_wipe_valkey(platform):
    layout = Layout.of(platform.home)
    supervisor = Supervisor(layout)
    os.kill(platform.pid("valkey"), signal.SIGKILL)
    supervisor.stop("valkey")
    shutil.rmtree(layout.data / "valkey" / "appendonlydir")
    supervisor.start("valkey")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("disaster", [kill_postgres, kill_and_wipe_valkey])
async def test_loses_and_doubles_nothing(unlimited_platform, disaster):
    platform = unlimited_platform
    async with platform.client(limits=httpx.Limits(max_connections=32)) as client:
        ended = await shop_while(platform, client, disaster)

        assert len(ended) == PURCHASES
        assert_each_ended_as_it_may(
            [(kind, outcome) for _email, kind, outcome in ended], lost=disaster is kill_postgres
        )
        assert await settled(platform, [email for email, _kind, _outcome in ended]) == []
        bought = [email for email, kind, outcome in ended if (kind, outcome) == ("pays", "confirmed")]
        for email in bought:
            await one_confirmation(client, email)
