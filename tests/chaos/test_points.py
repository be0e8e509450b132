"""kill -9 at every named point of the sagas, the relays and the consumers, with purchases in flight.

Points are armed in waves, some of each service: the process that first comes by one dies there, and shoppers
shop until all of a wave were hit. `SHOPWRIGHT_CHAOS_ALONE=1` makes a wave of each point.
"""

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress
from itertools import count
from uuid import uuid4

import pytest

from chaos.buying import (
    ENDS,
    KINDS,
    PATIENCE_S,
    assert_each_ended_as_it_may,
    buy,
    one_confirmation,
    settled,
    stocked,
    too_few,
)
from shopping import Buyer, log_in
from shopwright.stack.layout import Layout
from shopwright.stack.supervision import SupervisionFailed, Supervisor

pytestmark = pytest.mark.stack

SHOPPERS, LEAST = 12, 24
PER_WAVE = 21
CALL, COMMIT, SEND = (("before-call", "after-call"), ("before-commit", "after-commit"),
                      ("before-send", "after-send", "after-commit"))  # fmt: skip
ACK, ASK = (*COMMIT, "before-ack", "after-ack"), ("before-commit", *CALL, "after-commit")


def points(whose, names, whens):
    return [f"{whose}.{name}.{when}" for name in names for when in whens]


#: By the service that dies. A saga's start is committed before its first call, what the provider is asked
#: before the call of it.
POINTS = {
    "orders": [
        "place_order.start.before-commit",
        *points("place_order", ("reserve", "authorise", "confirm", "claim", "capture"), CALL),
        *points("place_order", ("void", "release"), CALL),
        *points("place_order", ("authorise", "confirm", "capture", "reserve"), COMMIT),
        "take_back.start.before-commit",
        *points("take_back", ("note", "give_back", "restock"), CALL),
        *points("take_back", ("give_back", "restock"), COMMIT),
        *points("relay", ("orders",), SEND),
        *points("consumer", ("orders",), ACK),
    ],
    "payments": [
        *points("payments", ("authorise", "capture", "void", "refund"), ASK),
        *points("relay", ("payments",), SEND),
    ],
    "products": [
        *points("products", ("reserve", "claim", "release", "restock"), COMMIT),
        *points("relay", ("products",), SEND),
        *points("consumer", ("products",), ACK),
    ],
    "notifications": [
        *points("relay", ("notifications",), SEND),
        *points("consumer", ("notifications",), ACK),
        *points("notifications", ("deliver",), ("before-send", "after-send")),
    ],
}  # fmt: skip


def _waves():
    """All points, those of a service spread evenly over the waves."""
    points = [point for service in POINTS.values() for point in service]
    if os.environ.get("SHOPWRIGHT_CHAOS_ALONE"):
        return [(point,) for point in points]
    number = -(-len(points) // PER_WAVE)
    return [tuple(points[first::number]) for first in range(number)]


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("wave", _waves(), ids=lambda wave: wave[0])
async def test_dying_there_loses_and_doubles_nothing(unlimited_platform, wave):
    platform = unlimited_platform
    async with platform.client() as client:
        staff = await log_in(client, platform.demo["admin"])
        skus = await stocked(client, staff)
        arm(platform.crashes, wave)

        over = asyncio.Event()
        waking = asyncio.create_task(wake(platform, over))
        ended = await shop_until_all_are_hit(client, skus, staff, platform.crashes)
        over.set()
        await waking

        pairs = [(kind, outcome) for _email, kind, outcome in ended]
        deaths_of_payments = sum("payments" in point for point in wave)
        assert_each_ended_as_it_may(pairs, lost=SHOPPERS * deaths_of_payments)
        assert await settled(platform, [email for email, _kind, _outcome in ended]) == []
        bought = [email for email, kind, outcome in ended if (kind, outcome) == ("pays", "confirmed")]
        for email in (bought[0], bought[-1]):
            await one_confirmation(client, email)


def arm(folder, wave):
    for left in folder.iterdir():
        left.unlink()
    for point in wave:
        (folder / point).touch()


async def wake(platform, over):
    """What died soon after its start is tried again at once: supervisord's pauses grow with each death."""
    supervisor = Supervisor(Layout.of(platform.home))
    while not over.is_set():
        with suppress(SupervisionFailed):
            await asyncio.to_thread(supervisor.wake)
        await asyncio.sleep(0.3)


def unhit(folder, until, ended):
    """The points that nobody came by yet; fails if that takes until then, with what `ended` meanwhile."""
    left = [file.name for file in folder.iterdir()]
    assert time.monotonic() < until, f"nobody came by {left}; {ended} ended"
    return left


async def shop_until_all_are_hit(client, skus, staff, folder, seconds=600):
    """(email, kind, outcome) of every purchase that was made while processes died, some of each kind well."""
    run, numbers, ended, well = uuid4().hex[:8], count(), [], Counter()
    until = time.monotonic() + seconds

    async def shopper():
        while (number := next(numbers)) < LEAST or unhit(folder, until, well) or too_few(well):
            email, kind = f"point-{run}-{number}@example.com", KINDS[number % len(KINDS)]
            outcome = await buy(client, skus[number % len(skus)], email, kind=kind, staff=staff)
            ended.append((email, kind, outcome))
            well[kind] += outcome in ENDS[kind]

    async def stock_keeper():
        """Products tells of stock that staff change, and of little else while shoppers shop."""
        buyer = Buyer(client, patience_s=PATIENCE_S)
        while any(folder.iterdir()) and time.monotonic() < until:
            found = {"sku": skus[0], "delta": 1, "reason": "found behind the shelf"}
            await buyer.send("POST", "/v1/inventory/adjustments", headers=staff, json=found)
            await asyncio.sleep(0.3)

    await asyncio.gather(stock_keeper(), *(shopper() for _ in range(SHOPPERS)))
    return ended
