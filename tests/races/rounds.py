"""How a race is run: many rounds, a few at a time, each with two (or more) who start together."""

import asyncio
import random
from collections import Counter

ROUNDS = 200
AT_ONCE = 8
APART_S = 0.01  # so that sometimes the one and sometimes the other is first


async def rounds(one_round, *, at_once=AT_ONCE):
    """What `one_round(number)` returned, counted over all rounds."""
    gate = asyncio.Semaphore(at_once)

    async def run(number):
        async with gate:
            return await one_round(number)

    return Counter(await asyncio.gather(*map(run, range(ROUNDS))))


async def together(*calls, number=None):
    """The results of `calls`, all begun at nearly the same moment, in any order.

    With the round's `number` each call is once well ahead of the others, in the first rounds: every end
    that depends on who comes first is then seen on any machine.
    """
    calls = list(calls)
    if number is not None and number < len(calls):
        calls[number] = asyncio.ensure_future(calls[number])
        await calls[number]

    async def begin(call):
        await asyncio.sleep(random.random() * APART_S)
        return await call

    return await asyncio.gather(*map(begin, calls))
