"""The replay: the catalogue is imported, clients buy, processes are killed meanwhile, books are compared."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

import aiohttp

from platforms import Platform

from .buying import Buyer, Journal
from .purchases import Purchase, catalogue
from .verdict import differences

VICTIMS = ("orders-0", "payments-0", "products-0", "postgres", "notifications-0", "valkey")
TOLD_EVERY_S = 10
SETTLE_S = 300  # for the last mails of a run that was quicker than they are

Tell = Callable[[str], None]


async def replay(
    platform: Platform, purchases: Sequence[Purchase], *, clients: int, kills: int, tell: Tell = print
) -> list[str]:
    """What differs from `purchases` in the end; goes on where an earlier run on this platform was ended."""
    journal = Journal(platform.home / "replay.journal")
    if not journal.carts:
        await asyncio.to_thread(stock_up, platform, purchases)
    todo = deque(purchase for purchase in purchases if purchase.number not in journal.over)
    tell(f"{len(purchases)} orders, {len(journal.over)} of them over before this run")
    started, bought, killed = time.monotonic(), len(todo), Counter()
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        buyer = Buyer(session, platform.url, journal)
        telling = asyncio.create_task(_progress(journal, len(purchases), killed, tell))
        killing = asyncio.create_task(_kill(platform, journal, len(todo), kills, killed))

        async def client() -> None:
            while todo:
                await buyer.buy(todo.popleft())

        try:
            await asyncio.gather(*(client() for _ in range(clients)))
            await killing
        finally:
            telling.cancel()
            killing.cancel()
            journal.close()
    seconds = time.monotonic() - started
    tell(
        f"{seconds:.0f} s, {bought / seconds:.0f} orders/s; killed: {_named(killed)}; "
        f"repeated requests: {_named(buyer.repeats)}; outcomes: {_named(Counter(journal.over.values()))}"
    )
    return await _settled(platform, purchases)


def stock_up(platform: Platform, purchases: Sequence[Purchase]) -> None:
    file = platform.home / "cdnow.csv"
    file.write_text(catalogue(purchases))
    platform.cli("import", "products", str(file), timeout=600)


async def _kill(platform: Platform, journal: Journal, todo: int, kills: int, killed: Counter[str]) -> None:
    """kill -9 of one process after the other, evenly over what is to be bought."""
    before = len(journal.over)
    for number in range(kills):
        while len(journal.over) - before < todo * (number + 1) // (kills + 1):
            await asyncio.sleep(0.05)
        victim = VICTIMS[number % len(VICTIMS)]
        os.kill(await asyncio.to_thread(platform.pid, victim), signal.SIGKILL)
        killed[victim] += 1


async def _progress(journal: Journal, total: int, killed: Counter[str], tell: Tell) -> None:
    before, at = len(journal.over), time.monotonic()
    while True:
        await asyncio.sleep(TOLD_EVERY_S)
        now, done = time.monotonic(), len(journal.over)
        tell(f"{done:6} of {total}  {(done - before) / (now - at):5.0f} orders/s  kills {killed.total()}")
        before, at = done, now


async def _settled(platform: Platform, purchases: Sequence[Purchase]) -> list[str]:
    until = time.monotonic() + SETTLE_S
    while wrong := await differences(platform, purchases):
        if time.monotonic() > until:
            break
        await asyncio.sleep(2)
    return wrong


def _named(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
