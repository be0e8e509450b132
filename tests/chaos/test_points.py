"""kill -9 at every named point of the purchase, the relays and the consumers, with purchases in flight."""

import asyncio
import time
from uuid import uuid4

import httpx
import pytest

from chaos.buying import assert_each_ended_as_it_may, buy, one_confirmation, settled, stocked
from shopping import log_in

pytestmark = pytest.mark.stack

PURCHASES = 24
STEPS = ("reserve", "authorise", "confirm", "claim", "capture")
CALL, COMMIT, SEND = (("before-call", "after-call"), ("before-commit", "after-commit"),
                      ("before-send", "after-send"))  # fmt: skip
POINTS = [
    *(f"place_order.{step}.{when}" for step in STEPS for when in CALL),
    *(f"place_order.{step}.{when}" for step in ("confirm", "capture") for when in COMMIT),
    *(f"place_order.{undo}.{when}" for undo in ("void", "release") for when in CALL),
    *(f"payments.{kind}.{when}" for kind in ("authorise", "capture") for when in CALL),
    *(f"payments.{kind}.after-commit" for kind in ("authorise", "capture")),
    *(f"relay.{service}.{when}" for service in ("orders", "payments") for when in SEND),
    *(f"consumer.{service}.before-ack" for service in ("orders", "notifications")),
    *(f"notifications.deliver.{when}" for when in SEND),
]  # fmt: skip


@pytest.fixture(scope="module")
def crashing_platform(platform_with, tmp_path_factory):
    """A platform whose services die once at the point that a file names, and that file."""
    file = tmp_path_factory.mktemp("crash") / "point"
    settings = {
        "SHOPWRIGHT_RATE_LIMIT": "off",
        "SHOPWRIGHT_SAGA_LEASE_S": "4",
    }  # recovery need not be slow here
    with platform_with(SHOPWRIGHT_CRASH_AT=f"@{file}", **settings) as running:
        yield running, file


@pytest.fixture
async def shop(crashing_platform, stock):
    """The platform, a client, SKUs with stock, and the file that names the point."""
    platform, file = crashing_platform
    async with platform.client(limits=httpx.Limits(max_connections=30)) as client:
        if not stock:
            stock += await stocked(client, await log_in(client, platform.demo["admin"]))
        yield platform, client, stock, file


@pytest.fixture(scope="module")
def stock():
    """SKUs with a thousand units, once the first test has put them there."""
    return []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("point", POINTS)
async def test_dying_there_loses_and_doubles_nothing(shop, point):
    platform, client, skus, file = shop
    run = uuid4().hex[:8]
    emails = [f"point-{run}-{number}@example.com" for number in range(PURCHASES)]
    tokens = ["tok_declined" if number % 3 == 0 else "tok_ok" for number in range(PURCHASES)]
    file.write_text(point)

    outcomes = await asyncio.gather(
        *(
            buy(client, skus[number % len(skus)], emails[number], tokens[number])
            for number in range(PURCHASES)
        )
    )

    await gone(file)
    assert_each_ended_as_it_may(outcomes, tokens, lost="payments" in point)
    assert await settled(platform, emails) == []
    bought = [email for email, outcome in zip(emails, outcomes, strict=True) if outcome == "confirmed"]
    for email in (bought[0], bought[-1]):
        await one_confirmation(client, email)


async def gone(file, seconds=20):
    """Some process came by the point and died."""
    until = time.monotonic() + seconds
    while file.exists():
        assert time.monotonic() < until, f"nobody came by {file.read_text()}"
        await asyncio.sleep(0.05)
