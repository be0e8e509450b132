"""`shopwright load`: measures a running platform through its gateway and prints what a reader can run
again.

A closed loop of N clients for T seconds, after a warm-up; latency as clients see it, CPU per request by
process (the figure that noise on a shared machine moves least). The load generator runs beside the
platform, so requests/s here are those of both together. Bounded in time; only ever aimed at this
installation's own gateway on loopback.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvloop

from .loading.buying import Guests
from .loading.counting import cpu_of

WARM_UP_S = 1.0
SECONDS_MAX = 120


@dataclass
class Shop:
    """What the scenarios act on: learnt from the shop itself before the clock runs."""

    url: str
    session: aiohttp.ClientSession
    slugs: list[str] = field(default_factory=list)
    skus: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    async def learn(self) -> None:
        listing = await self.get("/v1/products?limit=100")
        self.slugs = [item["slug"] for item in listing["items"]]
        self.words = [item["name"].split()[-1] for item in listing["items"]]
        for slug in self.slugs[:40]:
            product = await self.get(f"/v1/products/{slug}")
            self.skus += [v["sku"] for v in product["variants"] if v["available"] > 50]
        if not self.skus:
            raise LookupError("no SKU has more than 50 units; import the demo shop or adjust stock first")

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url + path) as response:
            response.raise_for_status()
            return await response.json()

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        async with self.session.post(self.url + path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)


@dataclass
class Result:
    name: str
    seconds: float
    latencies_ms: list[float]
    errors: int
    cpu_ms: dict[str, float]

    @property
    def rate(self) -> float:
        return len(self.latencies_ms) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


Scenario = Callable[[Shop], Awaitable[bool]]


async def detail(shop: Shop) -> bool:
    await shop.get(f"/v1/products/{random.choice(shop.slugs)}")  # noqa: S311 - a load, not a secret
    return True


async def listing(shop: Shop) -> bool:
    await shop.get("/v1/products?limit=24")
    return True


async def search(shop: Shop) -> bool:
    await shop.get(f"/v1/search?q={random.choice(shop.words)}&limit=24")  # noqa: S311
    return True


async def cart(shop: Shop) -> bool:
    """The first add to cart: make the cart, add a line."""
    return bool(await _cart(shop))


async def order(shop: Shop) -> bool:
    """A whole guest purchase: cart, line, address, paid order."""
    guests = Guests(shop.url, shop.session, shop.skus)
    ready = await guests.fill()
    return ready is not None and (await guests.order(ready)).bought


async def _cart(shop: Shop) -> Any:
    status, made = await shop.post("/v1/carts", {})
    if status != 201:
        return None
    line = {"sku": random.choice(shop.skus), "quantity": 1}  # noqa: S311
    status, made = await shop.post(f"/v1/carts/{made['id']}/lines", line)
    return made if status == 200 else None


SCENARIOS: dict[str, Scenario] = {
    "detail": detail,
    "list": listing,
    "search": search,
    "cart": cart,
    "order": order,
}


def run(url: str, names: list[str], *, clients: int, seconds: float, parts: dict[str, int]) -> list[Result]:
    """Run the named scenarios one after the other; `parts` maps a part's name to its process id."""
    return uvloop.run(_run(url, names, clients, min(seconds, SECONDS_MAX), parts))


async def _run(
    url: str, names: list[str], clients: int, seconds: float, parts: dict[str, int]
) -> list[Result]:
    connector = aiohttp.TCPConnector(limit=clients)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        shop = Shop(url, session)
        await shop.learn()
        return [await _measure(shop, name, clients, seconds, parts) for name in names]


async def _measure(shop: Shop, name: str, clients: int, seconds: float, parts: dict[str, int]) -> Result:
    scenario = SCENARIOS[name]
    await _loop(shop, scenario, clients, WARM_UP_S)
    before, began = cpu_of(parts), time.perf_counter()
    latencies, errors = await _loop(shop, scenario, clients, seconds)
    elapsed, after = time.perf_counter() - began, cpu_of(parts)
    count = max(1, len(latencies))
    spent = {part: (after[part] - before[part]) * 1_000 / count for part in after if part in before}
    return Result(name, elapsed, latencies, errors, spent)


async def _loop(shop: Shop, scenario: Scenario, clients: int, seconds: float) -> tuple[list[float], int]:
    until = time.perf_counter() + seconds
    latencies: list[float] = []
    errors = 0

    async def client() -> None:
        nonlocal errors
        while (began := time.perf_counter()) < until:
            try:
                good = await scenario(shop)
            except (aiohttp.ClientError, TimeoutError):
                good = False
            if good:
                latencies.append((time.perf_counter() - began) * 1_000)
            else:
                errors += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return latencies, errors


def as_table(results: list[Result], clients: int) -> str:
    head = f"{'req/s':>8} {'p50':>8} {'p95':>8} {'p99':>8} ms  errors   CPU ms/request ({clients} clients)"
    lines = [" " * 8 + head]
    for r in results:
        spent = {part: value for part, value in r.cpu_ms.items() if value >= 0.005}
        parts = " ".join(
            f"{part} {value:.2f}" for part, value in sorted(spent.items(), key=lambda item: -item[1])
        )
        lines.append(
            f"{r.name:8} {r.rate:8.0f} {r.percentile(0.5):8.1f} {r.percentile(0.95):8.1f} "
            f"{r.percentile(0.99):8.1f}"
            f"    {r.errors:6}   {sum(r.cpu_ms.values()):.2f} = {parts}"
        )
    return "\n".join(lines)


def as_json(results: list[Result]) -> str:
    rows = [
        {
            "scenario": r.name,
            "requests_per_s": round(r.rate, 1),
            "p50_ms": round(r.percentile(0.5), 2),
            "p95_ms": round(r.percentile(0.95), 2),
            "p99_ms": round(r.percentile(0.99), 2),
            "errors": r.errors,
            "cpu_ms": {part: round(value, 3) for part, value in r.cpu_ms.items()},
        }
        for r in results
    ]
    return json.dumps(rows)
