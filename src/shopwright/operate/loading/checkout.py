"""`shopwright load checkout`: paid, confirmed, durable orders per second, and what each costs inside.

A closed loop of N guests who fill a cart and order one product by card, through the gateway and the whole
saga, for T seconds after a warm-up; the generator runs beside the platform on the same cores. Latency is
that of the order alone, CPU and counters are those of the whole visit and of what follows it (mail,
bestsellers). Stock is topped up before and put back after.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter

import aiohttp
import uvloop

from shopwright.operate.gateway import Gateway

from . import counting, stock
from .buying import Answer, Guests, connected
from .counting import Count, Servers
from .telling import Figure, Told, percentile

ORDERS_PER_S = 500  # the budget, on 2 cores with the generator
CORES = 2
WARM_UP_S = 3.0
SETTLE_S = 3.0  # for what follows an order: it belongs to its cost
SECONDS_MAX = 600.0
CLIENTS_MAX = 512


def run(url: str, gateway: Gateway, servers: Servers, *, clients: int, seconds: float) -> Told:
    seconds, clients = min(seconds, SECONDS_MAX), min(clients, CLIENTS_MAX)
    skus = stock.buyable(gateway)
    before = stock.top_up(gateway, skus, int((seconds + WARM_UP_S) * ORDERS_PER_S))
    try:
        return uvloop.run(_measure(url, skus, servers, clients, seconds))
    finally:
        stock.put_back(gateway, before)


async def _measure(url: str, skus: list[str], servers: Servers, clients: int, seconds: float) -> Told:
    own = Servers({**servers.parts, "generator": os.getpid()}, servers.postgres_url, servers.valkey_url)
    await counting.prepare(own)
    async with connected(clients) as session:
        guests = Guests(url, session, skus)
        warm = await _loop(guests, clients, WARM_UP_S)
        await asyncio.sleep(SETTLE_S)
        before, began = await counting.count(own), time.perf_counter()
        answers = await _loop(guests, clients, seconds)
        elapsed = time.perf_counter() - began
        await asyncio.sleep(SETTLE_S)
        spent = (await counting.count(own)).since(before)
    made = [answer for answer in [*warm, *answers] if answer.status == 201]
    told = Told(
        f"checkout: {clients} guests for {elapsed:.1f} s after {WARM_UP_S:g} s of warm-up; one product, "
        "by card, from an empty cart to confirmed and captured",
        _figures(answers, elapsed, spent),
        [f"Left behind: {len(made)} orders of load-…@example.com, paid at the sandbox. Stock is as it was."],
    )
    if any(answer.status == 429 for answer in answers):
        told.left.append("The gateway's rate limit was hit: start with SHOPWRIGHT_RATE_LIMIT=off.")
    return told


async def _loop(guests: Guests, clients: int, seconds: float) -> list[Answer]:
    until = time.perf_counter() + seconds
    answers: list[Answer] = []

    async def visit() -> None:
        while time.perf_counter() < until:
            try:
                ready = await guests.fill()
            except (aiohttp.ClientError, TimeoutError):
                ready = None
            answers.append(await guests.order(ready) if ready else Answer(0, None, 0.0))

    await asyncio.gather(*(visit() for _ in range(clients)))
    return answers


def _figures(answers: list[Answer], elapsed: float, spent: Count) -> list[Figure]:
    took = [answer.ms for answer in answers if answer.bought]
    each, rate = spent.per(len(took)), len(took) / elapsed
    cpu, cpu_budget = sum(each.cpu_s.values()), CORES * 1_000 / ORDERS_PER_S
    return [
        Figure("orders/s", rate, f"{ORDERS_PER_S}", rate >= ORDERS_PER_S),
        Figure("orders", len(took)),
        Figure("not bought", len(answers) - len(took), "0", len(answers) == len(took), _why(answers)),
        Figure("order p50 ms", percentile(took, 0.5)),
        Figure("order p95 ms", percentile(took, 0.95)),
        Figure("order p99 ms", percentile(took, 0.99)),
        Figure("CPU ms per order", cpu, f"{cpu_budget:g}", cpu <= cpu_budget, each.cpu_s),
        Figure("statements per order", sum(each.statements.values()), parts=each.statements),
        Figure("transactions per order", sum(each.transactions.values()), parts=each.transactions),
        *(Figure(f"{name} per order", value) for name, value in each.server.items()),
    ]


def _why(answers: list[Answer]) -> dict[str, float]:
    """How many orders were not bought, by what was said to them."""
    return dict(Counter(answer.words for answer in answers if not answer.bought))
