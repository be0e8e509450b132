"""kill -9 at every named point of the sagas, the relays and the consumers, with purchases in flight.

Points are armed in waves, some of each service: the process that first comes by one dies there, and shoppers
shop until all of a wave were hit. `SHOPWRIGHT_CHAOS_ALONE=1` makes a wave of each point.
"""

import asyncio
import os
import time
from itertools import count
from uuid import uuid4

import httpx
import pytest

from chaos.buying import KINDS, assert_each_ended_as_it_may, buy, one_confirmation, settled, stocked
from shopping import Buyer, log_in

pytestmark = pytest.mark.stack

SHOPPERS, LEAST = 12, 24
PER_WAVE = 8
CALL, COMMIT, SEND = (("before-call", "after-call"), ("before-commit", "after-commit"),
                      ("before-send", "after-send", "after-commit"))  # fmt: skip
ACK, ASK = (*COMMIT, "before-ack", "after-ack"), ("before-commit", *CALL, "after-commit")


def _points(whose, names, whens):
    return [f"{whose}.{name}.{when}" for name in names for when in whens]


#: By the service that dies. A saga's start is committed before its first call, what the provider is asked
#: before the call of it.
POINTS = {
    "orders": [
        "place_order.start.before-commit",
        *_points("place_order", ("reserve", "authorise", "confirm", "claim", "capture"), CALL),
        *_points("place_order", ("void", "release"), CALL),
        *_points("place_order", ("authorise", "confirm", "capture", "reserve"), COMMIT),
        "take_back.start.before-commit",
        *_points("take_back", ("note", "give_back", "restock"), CALL),
        *_points("take_back", ("give_back", "restock"), COMMIT),
        *_points("relay", ("orders",), SEND),
        *_points("consumer", ("orders",), ACK),
    ],
    "payments": [
        *_points("payments", ("authorise", "capture", "void", "refund"), ASK),
        *_points("relay", ("payments",), SEND),
    ],
    "products": [
        *_points("products", ("reserve", "claim", "release", "restock"), COMMIT),
        *_points("relay", ("products",), SEND),
        *_points("consumer", ("products",), ACK),
    ],
    "notifications": [
        *_points("relay", ("notifications",), SEND),
        *_points("consumer", ("notifications",), ACK),
        *_points("notifications", ("deliver",), ("before-send", "after-send")),
    ],
}  # fmt: skip


def _waves():
    """All points, those of a service spread evenly over the waves."""
    points = [point for service in POINTS.values() for point in service]
    if os.environ.get("SHOPWRIGHT_CHAOS_ALONE"):
        return [(point,) for point in points]
    number = -(-len(points) // PER_WAVE)
    return [tuple(points[first::number]) for first in range(number)]


@pytest.mark.timeout(360)
@pytest.mark.parametrize("wave", _waves(), ids=lambda wave: wave[0])
async def test_dying_there_loses_and_doubles_nothing(unlimited_platform, wave):
    platform = unlimited_platform
    async with platform.client(limits=httpx.Limits(max_connections=30)) as client:
        staff = await log_in(client, platform.demo["admin"])
        skus = await stocked(client, staff)
        arm(platform.crashes, wave)

        ended = await shop_until_all_are_hit(client, skus, staff, platform.crashes)

        pairs = [(kind, outcome) for _email, kind, outcome in ended]
        assert_each_ended_as_it_may(pairs, lost=any("payments" in point for point in wave))
        assert await settled(platform, [email for email, _kind, _outcome in ended]) == []
        bought = [email for email, kind, outcome in ended if (kind, outcome) == ("pays", "confirmed")]
        for email in (bought[0], bought[-1]):
            await one_confirmation(client, email)


def arm(folder, wave):
    for left in folder.iterdir():
        left.unlink()
    for point in wave:
        (folder / point).touch()


async def shop_until_all_are_hit(client, skus, staff, folder, seconds=150):
    """(email, kind, outcome) of every purchase that was made while processes died."""
    run, numbers, ended = uuid4().hex[:8], count(), []
    until = time.monotonic() + seconds

    async def shopper():
        while (number := next(numbers)) < LEAST or any(folder.iterdir()):
            assert time.monotonic() < until, f"nobody came by {[file.name for file in folder.iterdir()]}"
            email, kind = f"point-{run}-{number}@example.com", KINDS[number % len(KINDS)]
            outcome = await buy(client, skus[number % len(skus)], email, kind=kind, staff=staff)
            ended.append((email, kind, outcome))

    async def stock_keeper():
        """Products tells of stock that staff change, and of little else while shoppers shop."""
        buyer = Buyer(client, patience_s=90)
        while any(folder.iterdir()) and time.monotonic() < until:
            found = {"sku": skus[0], "delta": 1, "reason": "found behind the shelf"}
            await buyer.send("POST", "/v1/inventory/adjustments", headers=staff, json=found)
            await asyncio.sleep(0.3)

    await asyncio.gather(stock_keeper(), *(shopper() for _ in range(SHOPPERS)))
    return ended
