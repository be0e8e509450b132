"""kill -9 of any one service while 200 purchases are in flight: no order lost, none charged twice."""

import asyncio
import os
import random
import signal
from uuid import uuid4

import httpx
import pytest

from chaos.buying import assert_each_ended_as_it_may, buy, one_confirmation, settled, stocked
from shopping import log_in

pytestmark = pytest.mark.stack

PURCHASES = 200
VICTIMS = ["orders-0", "products-0", "payments-0", "users-0", "notifications-0"]


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.timeout(300)
async def test_every_order_ends_paid_once_or_refused_and_unpaid(unlimited_platform, victim):
    platform = unlimited_platform
    async with platform.client(limits=httpx.Limits(max_connections=48)) as client:
        staff = await log_in(client, platform.demo["admin"])
        skus = await stocked(client, staff)
        run = uuid4().hex[:8]
        emails = [f"kill-{run}-{number}@example.com" for number in range(PURCHASES)]
        tokens = ["tok_declined" if number % 10 == 0 else "tok_ok" for number in range(PURCHASES)]
        gate = asyncio.Semaphore(40)

        async def one(email, token):
            async with gate:
                return await buy(client, random.choice(skus), email, token)

        async def kill():
            await asyncio.sleep(0.6)
            os.kill(platform.pid(victim), signal.SIGKILL)

        outcomes, _ = await asyncio.gather(asyncio.gather(*map(one, emails, tokens)), kill())

        assert_each_ended_as_it_may(outcomes, tokens, lost=victim == "payments-0")
        assert await settled(platform, emails) == []
        bought = [email for email, outcome in zip(emails, outcomes, strict=True) if outcome == "confirmed"]
        for email in (bought[0], bought[-1]):
            await one_confirmation(client, email)
