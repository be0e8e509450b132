"""kill -9 of any one service while 200 purchases are in flight: no order lost, none charged twice."""

import asyncio
import os
import random
import signal
from uuid import uuid4

import httpx
import pytest

from shopping import Buyer, log_in, set_stock
from truth import disagreements

pytestmark = pytest.mark.stack

PURCHASES = 200
VICTIMS = ["orders-0", "products-0", "payments-0", "users-0", "notifications-0"]


async def buy(client, sku, email, token):
    """One purchase by a client that repeats what got no answer; the outcome as the API tells it."""
    buyer = Buyer(client, patience_s=90)
    cart = await buyer.address(await buyer.cart_with(sku), email)
    answer = await buyer.order(cart, token=token, key=uuid4().hex)
    if answer.status_code in {201, 202}:
        return (await buyer.outcome(answer.json(), cart, seconds=90))["status"]
    assert answer.status_code in {402, 409}, answer.text
    return "refused"


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

        assert outcomes.count("confirmed") == PURCHASES - PURCHASES // 10
        assert await settled(platform, emails) == []
        for email in (emails[1], emails[-1]):
            await one_confirmation(client, email)


async def stocked(client, staff):
    items = (await client.get("/v1/products?limit=5")).json()["items"]
    skus = []
    for item in items:
        product = (await client.get(f"/v1/products/{item['slug']}")).json()
        skus.append(product["variants"][0]["sku"])
        await set_stock(client, staff, skus[-1], 1_000)
    await asyncio.sleep(2.1)
    return skus


async def settled(platform, emails, seconds=45):
    """What still disagrees once recovery had its time."""
    for _ in range(seconds):
        wrong = await disagreements(platform, emails)
        if not wrong:
            return []
        await asyncio.sleep(1)
    return wrong


async def one_confirmation(client, email):
    for _ in range(300):
        mails = (await client.get("/mailbox.json", params={"to": email})).json()
        if mails:
            break
        await asyncio.sleep(0.1)
    assert len(mails) == 1, f"{len(mails)} confirmations to {email}"
