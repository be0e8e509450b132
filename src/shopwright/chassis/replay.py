"""What the bus lost, asked for again: a reader who misses numbers of a stream asks the relay that sent them.

The question is a field of the hash `replay:<source>`, one for each group; the answer a key that passes away
by itself. The relay answers from its outbox, in the order of the numbers, also while the stream is full.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from shopwright.contracts.ids import new_id

from .streams import Valkey

AT_ONCE = 500  # numbers of one question
ANSWER_S = 5.0  # then it is asked again: the relay may be starting
LOOK_S = 0.1
KEEP_ANSWER_S = 60


class Question(msgspec.Struct, frozen=True):
    """The events that were sent with numbers above `after`, up to `until`."""

    after: int
    until: int
    answer: str


class Numbered(msgspec.Struct, frozen=True):
    number: int
    event: msgspec.Raw


Find = Callable[[int, int], Awaitable[list[Numbered]]]


def count_of(source: str) -> str:
    """The key that holds the number of the last entry that was sent to a stream."""
    return f"sent:{source}"


async def ask(
    valkey: Valkey, source: str, group: str, *, after: int, until: int, stop: asyncio.Event
) -> list[Numbered] | None:
    """What was sent with those numbers and is still kept; None if `stop` came before an answer."""
    client: Any = valkey  # its hash commands are typed as either kind
    while not stop.is_set():
        question = Question(after, until, f"replayed:{new_id()}")
        await client.hset(f"replay:{source}", group, msgspec.json.encode(question))
        for _ in range(int(ANSWER_S / LOOK_S)):
            if (answer := await valkey.get(question.answer)) is not None:
                return msgspec.json.decode(answer, type=list[Numbered])
            if stop.is_set():
                break
            await asyncio.sleep(LOOK_S)
    return None


async def answer_all(valkey: Valkey, source: str, find: Find) -> None:
    """Answer every question that waits for the relay of `source`."""
    client: Any = valkey
    asked: dict[bytes, bytes] = await client.hgetall(f"replay:{source}")
    for group, raw in asked.items():
        question = msgspec.json.decode(raw, type=Question)
        found = await find(question.after, min(question.until, question.after + AT_ONCE))
        await valkey.set(question.answer, msgspec.json.encode(found), ex=KEEP_ANSWER_S)
        await client.hdel(f"replay:{source}", group)
