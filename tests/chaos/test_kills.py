"""kill -9 of any service or server with 200 purchases in flight: no order lost, none charged or told twice.

Valkey comes back without its memory: what the services' outboxes hold is sent again, and known.
"""

import asyncio
import os
import signal
from uuid import uuid4

import pytest

from chaos.buying import KINDS, assert_each_ended_as_it_may, buy, one_confirmation, settled, stocked
from shopping import log_in
from shopwright.stack.layout import Layout

pytestmark = pytest.mark.stack

PURCHASES, AT_ONCE = 200, 40
VICTIMS = ["orders-0", "products-0", "payments-0", "users-0", "notifications-0", "postgres", "valkey"]
PAYMENTS_NEED = {"payments-0", "postgres"}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.timeout(900)
async def test_every_order_ends_paid_once_or_refused_and_unpaid(unlimited_platform, victim):
    platform = unlimited_platform
    async with platform.client() as client:
        ended = await shop_while(platform, client, victim)

        assert len(ended) == PURCHASES
        pairs = [(kind, outcome) for _email, kind, outcome in ended]
        assert_each_ended_as_it_may(pairs, lost=AT_ONCE if victim in PAYMENTS_NEED else 0)
        assert await settled(platform, [email for email, _kind, _outcome in ended]) == []
        bought = [email for email, kind, outcome in ended if (kind, outcome) == ("pays", "confirmed")]
        for email in (bought[0], bought[-1]):
            await one_confirmation(client, email)


async def shop_while(platform, client, victim):
    """(email, kind, outcome) of every purchase; `victim` dies when a fifth of them is through."""
    staff = await log_in(client, platform.demo["admin"])
    skus = await stocked(client, staff)
    run, gate, ended, soon = uuid4().hex[:8], asyncio.Semaphore(AT_ONCE), [], asyncio.Event()

    async def one(number):
        async with gate:
            email, kind = f"kill-{run}-{number}@example.com", KINDS[number % len(KINDS)]
            outcome = await buy(client, skus[number % len(skus)], email, kind=kind, staff=staff)
            ended.append((email, kind, outcome))
            if len(ended) >= PURCHASES // 5:
                soon.set()

    async def strike():
        await soon.wait()
        await asyncio.to_thread(kill, platform, victim)

    await asyncio.gather(strike(), *map(one, range(PURCHASES)))
    return ended


def kill(platform, victim):
    if victim == "valkey":
        aside = platform.home / "forgotten"
        (Layout.of(platform.home).data / "valkey" / "appendonlydir").rename(aside)
    os.kill(platform.pid(victim), signal.SIGKILL)
