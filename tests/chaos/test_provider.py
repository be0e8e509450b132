"""A provider that answers late, twice, never, or after its own webhook: every buyer is charged once or not.

Buyers use the cards that behave so on a whole platform, payments dying meanwhile. What no card of the sandbox
does is done at the wire: requests and answers are lost in any mixture, on real books.
"""

import asyncio
import os
import random
import signal
import time
from datetime import timedelta
from uuid import uuid4

import pytest

from chaos.buying import pays, settled, stocked
from shopping import Buyer, log_in
from shopwright.chassis.db import open_database
from shopwright.contracts.problem import Problem
from shopwright.payments.commands import Payments
from shopwright.payments.sandbox import signature
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Wire, an_order

CARDS = ("tok_timeout", "tok_duplicate_webhook", "tok_ok")
PURCHASES = 60


@pytest.mark.stack
@pytest.mark.timeout(600)
async def test_late_and_twice_while_payments_dies_charge_each_buyer_once(unlimited_platform):
    platform = unlimited_platform
    async with platform.client() as client:
        skus = await stocked(client, await log_in(client, platform.demo["admin"]))
        run = uuid4().hex[:8]
        emails = [f"provider-{run}-{number}@example.com" for number in range(PURCHASES)]

        async def one(number):
            buyer = Buyer(client, patience_s=90)
            return await pays(buyer, skus[number % len(skus)], emails[number], CARDS[number % len(CARDS)])

        async def kill():
            await asyncio.sleep(1.5)
            os.kill(platform.pid("payments-0"), signal.SIGKILL)

        outcomes, _ = await asyncio.gather(asyncio.gather(*map(one, range(PURCHASES))), kill())

        assert set(outcomes) <= {"confirmed", "expired"}
        assert outcomes.count("confirmed") >= PURCHASES // 2
        assert await settled(platform, emails) == []


FATES = ("", "lost", "silent")


class Gossip(Wire):
    """A wire on which the webhook comes before the answer."""

    tell = None

    async def authorise(self, order, *, key):
        answer = await super().authorise(order, key=key)
        await asyncio.wait([asyncio.create_task(self.tell(order))], timeout=0.05)
        return answer


@pytest.fixture
async def till(databases):
    """Payments whose provider's calls take at most 0.2 s, a look-out, and the wire between."""
    db = await open_database(await databases.fresh("payments"), application="test", size=12)
    wire = Gossip(SandboxProvider(Books(db), SECRET, Sites((SITE,)), late=timedelta(seconds=0.4)))
    payments = Payments(db, {wire.name: wire}, provider_timeout_s=0.2)
    wire.tell = lambda order: told(db, payments, order)
    stop = asyncio.Event()
    workers = [asyncio.create_task(payments.look_after(stop)), asyncio.create_task(hurry(db, stop))]
    yield db, wire, payments
    stop.set()
    await asyncio.gather(*workers)
    await payments.finish(5)
    await db.close()


async def test_whatever_the_wire_loses_each_payment_is_one_charge(till):
    """200 payments over a wire that loses what it likes; who asks repeats it, as the saga does."""
    db, wire, payments = till
    gate = asyncio.Semaphore(12)

    async def one(number):
        async with gate:
            order = an_order(1_000 + number, token=("tok_ok", "tok_duplicate_webhook")[number % 2])
            wire.faults.append(random.choice(FATES))
            await until(lambda: payments.authorise(order), {"authorised"})
            await told(db, payments, order)
            wire.faults.append(random.choice(FATES))
            await until(lambda: payments.capture(order.id), {"captured"})
            return (await payments.get(order.id)).status

    ends = await asyncio.gather(*map(one, range(200)))

    assert set(ends) == {"captured"}
    rows = await books(db)
    assert [row for row in rows if row["charges"] > 1 or row["taken"] != row["captured"]] == []
    assert sum(row["captured"] == row["amount"] for row in rows) == len(ends)


async def hurry(db, stop):
    """Twenty seconds pass for what is of unknown outcome: then a request that was lost is sent again."""
    while not stop.is_set():
        async with db.read() as connection:
            await connection.execute(
                """UPDATE payments SET open_since = open_since - interval '20 s', look_at = now()
                WHERE open_phase = 'unknown' AND open_since > now() - interval '20 s'"""
            )
        await asyncio.sleep(0.5)


async def until(ask, ends, seconds=60):
    """Ask again, as the saga does, until the payment ends so or is refused."""
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        try:
            if (await ask()).status in ends:
                return
        except Problem:
            pass
        await asyncio.sleep(0.05)
    raise TimeoutError


async def told(db, payments, order):
    """Whatever webhooks there are of a payment, each twice."""
    async with db.read() as connection:
        rows = await connection.fetch(
            "SELECT body FROM sandbox.webhooks WHERE position($1 in convert_from(body, 'UTF8')) > 0",
            str(order.id),
        )
    for row in rows + rows:
        headers = {signature.HEADER: signature.sign(SECRET, row["body"], int(time.time()))}
        await payments.receive("sandbox", headers, row["body"])


async def books(db):
    async with db.read() as connection:
        return await connection.fetch(
            """SELECT p.amount, p.captured, count(c.*) AS charges,
                coalesce(sum(c.captured), 0)::bigint AS taken
            FROM payments p LEFT JOIN sandbox.charges c ON c.reference = p.id::text GROUP BY p.id"""
        )
