"""`shopwright load flash`: many buyers, few units, one SKU; exactly the units are sold and everybody is told.

Every buyer is a guest with a cart filled beforehand, while all units are there. Then all order at once over
a bounded number of connections: latency is from sending to answer. What it did to the shop it says; it
restores nothing.
"""

from __future__ import annotations

import asyncio
import time

import aiohttp
import uvloop

from shopwright.operate.gateway import Gateway

from . import stock
from .buying import Answer, Guests, Ready, connected
from .telling import Figure, Told, percentile

P95_MS = 200  # the budget, for everyone: who buys and who comes too late
BUYERS_MAX = 100_000
CONNECTIONS_MAX = 512


def run(url: str, gateway: Gateway, *, buyers: int, units: int, connections: int = 256) -> Told:
    buyers, connections = min(buyers, BUYERS_MAX), min(connections, CONNECTIONS_MAX)
    sku = stock.buyable(gateway, 1)[0]
    before = stock.make_scarce(gateway, sku, units)
    filled_s, rush_s, answers = uvloop.run(_rush(url, sku, buyers, connections))
    told = Told(
        f"flash: {buyers:,} buyers of {units} units of {sku} over {connections} connections; "
        f"{filled_s:.0f} s to fill the carts, all answered in {rush_s:.1f} s"
    )
    told.figures = _figures(answers, buyers, units, stock.available(gateway, sku))
    sold, now = told.figures[0].value, told.figures[1].value
    told.left.append(
        f"Left behind: of {sku} {before} could be bought before, {now:.0f} now; {sold:.0f} orders and "
        f"{len(answers)} carts of load-…@example.com."
    )
    if any(answer.status == 429 for answer in answers):
        told.left.append("The gateway's rate limit was hit: start with SHOPWRIGHT_RATE_LIMIT=off.")
    return told


async def _rush(url: str, sku: str, buyers: int, connections: int) -> tuple[float, float, list[Answer]]:
    async with connected(connections) as session:
        guests = Guests(url, session, [sku])
        began = time.perf_counter()
        carts = await _filled(guests, buyers, connections)
        ready = time.perf_counter()
        answers = await _ordered(guests, carts, connections)
    return ready - began, time.perf_counter() - ready, answers


async def _filled(guests: Guests, buyers: int, at_once: int) -> list[Ready]:
    carts: list[Ready] = []
    left = buyers

    async def fill() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            try:
                cart = await guests.fill()
            except (aiohttp.ClientError, TimeoutError):
                cart = None
            if cart is not None:
                carts.append(cart)

    await asyncio.gather(*(fill() for _ in range(at_once)))
    return carts


async def _ordered(guests: Guests, carts: list[Ready], at_once: int) -> list[Answer]:
    waiting, answers = iter(carts), list[Answer]()

    async def buy() -> None:
        for cart in waiting:
            answers.append(await guests.order(cart))

    await asyncio.gather(*(buy() for _ in range(at_once)))
    return answers


def _figures(answers: list[Answer], buyers: int, units: int, available: int) -> list[Figure]:
    took = [answer.ms for answer in answers]
    sold = sum(answer.bought for answer in answers)
    late = sum(answer.status == 409 for answer in answers)
    other = buyers - sold - late
    wanted = min(units, buyers)
    p95 = percentile(took, 0.95)
    return [
        Figure("sold", sold, f"exactly {wanted}", sold == wanted),
        Figure("still to be bought", available, f"{units - wanted}", available == units - wanted),
        Figure("told that it is sold out", late, f"{buyers - wanted:,}", late == buyers - wanted),
        Figure("other answers, or none", other, "0", other == 0),
        Figure("answer p50 ms", percentile(took, 0.5)),
        Figure("answer p95 ms", p95, f"< {P95_MS}", p95 < P95_MS),
        Figure("answer p99 ms", percentile(took, 0.99)),
    ]
