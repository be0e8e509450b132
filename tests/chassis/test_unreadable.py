"""What is no event of ours, wherever it came from, holds nothing up and is shown to an operator."""

import asyncio

import pytest

from shopwright.chassis.bus import Consumer
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.contracts.ids import new_id
from shopwright.contracts.users import UserRegistered

PATIENCE_S = 60


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.02)


@pytest.fixture
async def read_through(database, valkey):
    """Puts an entry before an event and another behind it; gives the names handled and the letters left."""

    async def read(entry, together):
        producer, consumer = await database("chassis"), await database("chassis")
        seen, stop = [], asyncio.Event()

        async def one(fact, once):
            seen.append(fact.name)

        async def many(facts):
            seen.extend(fact.name for fact, _ in facts)

        async with producer.begin() as tx:
            tx.publish(*(UserRegistered(user_id=new_id(), email="a@b.c", name=name) for name in "ab"))
        await valkey.xadd("events:users", entry)
        await Relay(producer, valkey, "users").turn()
        handlers = {"handlers": {}, "together": {UserRegistered: many}}
        handlers = handlers if together else {"handlers": {UserRegistered: one}}
        listener = Consumer(consumer, valkey, group="g", name="one", sources=["users"], **handlers)
        task = asyncio.create_task(listener.run(stop))

        async def all_seen():
            return seen == ["a", "b"]

        await until(all_seen)
        stop.set()
        await task
        return await DeadLetters(consumer).page()

    return read


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
class TestUnreadable:
    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            (b"\xff not JSON", {"base64": "/yBub3QgSlNPTg=="}),
            (b'{"id": 5, "email": "ada@example.com"}', {"id": 5, "email": "***"}),
        ],
        ids=["no JSON", "no envelope"],
    )
    async def test_is_kept_for_an_operator_and_holds_up_nothing(self, read_through, body, shown, together):
        letters = await read_through({"e": body}, together)

        assert [(letter.topic, letter.state) for letter in letters] == [("unreadable", "dead")]
        assert letters[0].payload["data"] == shown

    async def test_an_id_that_is_none_is_unreadable_too(self, read_through, together):
        body = (
            b'{"id":"x","source":"/users","type":"users.user_registered.v1","subject":"s",'
            b'"time":"2026-01-01T00:00:00Z","sequence":1,"data":{}}'
        )

        letters = await read_through({"e": body}, together)

        assert [letter.topic for letter in letters] == ["unreadable"]

    async def test_a_number_that_is_none_does_not_count(self, read_through, together):
        assert await read_through({"z": b"nothing", "n": b"many"}, together) == []
