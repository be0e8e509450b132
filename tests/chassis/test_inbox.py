"""Order per aggregate and no gap: two replicas that die at random, and a bus that loses what it was given."""

import asyncio
import random
from datetime import timedelta

import pytest

from shopwright.chassis.bus import Consumer
from shopwright.chassis.outbox import Relay
from shopwright.contracts.ids import new_id
from shopwright.contracts.users import PasswordChanged, UserRegistered

LEASE = timedelta(seconds=1)


async def until(condition, seconds=60):
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


def registered(user_id, name):
    return UserRegistered(user_id=user_id, email="a@example.com", name=str(name))


def changed(user_id, name):
    return PasswordChanged(user_id=user_id, email="a@example.com", name=str(name))


async def publish(db, *facts):
    async with db.begin() as tx:
        tx.publish(*facts)


class Heard:
    """What a group did: the numbers of each aggregate in the order in which they took effect, each once."""

    def __init__(self, db):
        self.db, self.effects = db, []
        self._open, self._told, self._committed = set(), set(), set()

    async def on_fact(self, fact, once):
        """A reader that died or is late while it commits leaves it in doubt: the next one tells."""
        doubtful = once in self._open
        self._open.add(once)
        async with self.db.begin(once) as tx:
            repeated = tx.repeated
            await asyncio.sleep(0)
        self._open.discard(once)
        twice = not repeated and once in self._committed
        if not repeated:
            self._committed.add(once)
        if twice or (once not in self._told and (doubtful or not repeated)):
            self._told.add(once)
            self.effects.append((fact.user_id, int(fact.name)))

    async def on_facts(self, facts):
        for fact, once in facts:
            await self.on_fact(fact, once)

    def of(self, user):
        return [number for who, number in self.effects if who == user]


class Bus:
    """A relay on one database and the means to start replicas of a group on another."""

    def __init__(self, producer, consumer, valkey):
        self.producer, self.consumer, self.valkey = producer, consumer, valkey
        self.heard = Heard(consumer)
        self.stop, self.tasks = asyncio.Event(), {}

    def relay(self):
        self.tasks["relay"] = asyncio.create_task(Relay(self.producer, self.valkey, "users").run(self.stop))

    def replica(self, name, **more):
        handlers = {UserRegistered: self.heard.on_fact}
        consumer = Consumer(
            self.consumer, self.valkey, group="g", name=name, sources=["users"], handlers=handlers,
            together={PasswordChanged: self.heard.on_facts}, lease=LEASE, **more,
        )  # fmt: skip
        self.tasks[name] = asyncio.create_task(consumer.run(self.stop))

    async def kill(self, name):
        """End a replica wherever it is, as a dead process would: it lets go of nothing.

        A client may lose a cancellation that comes together with its answer, so it is asked for until done.
        """
        task = self.tasks.pop(name)
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=1)
        async with self.consumer.begin() as tx:
            await tx.execute(
                "UPDATE inbox SET held_until = now() + $2::interval WHERE holder = $1", name, LEASE
            )

    async def end(self):
        self.stop.set()
        await asyncio.gather(*self.tasks.values())


@pytest.fixture
async def bus(database, valkey):
    made = Bus(await database("chassis"), await database("chassis"), valkey)
    yield made
    await made.end()


class TestOrder:
    async def test_holds_per_aggregate_with_two_replicas_that_die_at_random(self, bus):
        users, rounds = [new_id() for _ in range(30)], 40
        names = ["one", "two"]
        bus.relay()
        for name in names:
            bus.replica(name)

        for number in range(rounds):
            kind = random.choice([registered, changed])
            await publish(bus.producer, *(kind(user, number) for user in users))
            if number % 8 == 5:
                await bus.kill(victim := random.choice(names))
                names.remove(victim)
                names.append(random.choice([victim, f"{victim}'s successor"]))
                bus.replica(names[-1])

        await until(lambda: len(bus.heard.effects) == len(users) * rounds)
        assert all(bus.heard.of(user) == list(range(rounds)) for user in users)

    async def test_a_reader_that_dies_is_followed_by_the_other_replica(self, bus):
        user = new_id()
        bus.relay()
        bus.replica("one")
        await publish(bus.producer, registered(user, 0))
        await until(lambda: bus.heard.of(user) == [0])
        bus.replica("two")
        await bus.kill("one")

        await publish(bus.producer, registered(user, 1))

        await until(lambda: bus.heard.of(user) == [0, 1])

    async def test_two_kinds_of_handling_do_not_overtake_each_other(self, bus):
        user, other = new_id(), new_id()
        facts = [
            registered(user, 0),
            changed(user, 1),
            changed(other, 0),
            changed(user, 2),
            changed(other, 1),
        ]
        await publish(bus.producer, *facts)
        await Relay(bus.producer, bus.valkey, "users").turn()

        bus.replica("one")

        await until(lambda: len(bus.heard.effects) == len(facts))
        assert (bus.heard.of(user), bus.heard.of(other)) == ([0, 1, 2], [0, 1])


class TestLoss:
    async def sent(self, bus, *facts):
        """Facts on the bus, their entries' ids in order."""
        await publish(bus.producer, *facts)
        await Relay(bus.producer, bus.valkey, "users").turn()
        async with bus.producer.begin() as tx:
            await tx.execute("UPDATE relay SET held_until = '-infinity'")
        return [entry for entry, _ in await bus.valkey.xrange("events:users")]

    @pytest.mark.parametrize("lost", [0, 1, 3], ids=["the first", "one between", "the last"])
    async def test_a_message_that_the_bus_lost_comes_in_its_place(self, bus, lost):
        user = new_id()
        entries = await self.sent(bus, *(registered(user, number) for number in range(4)))
        await bus.valkey.xdel("events:users", entries[lost])

        bus.relay()
        bus.replica("one")

        await until(lambda: len(bus.heard.effects) == 4)
        assert bus.heard.of(user) == [0, 1, 2, 3]

    async def test_one_that_was_taken_by_a_replica_that_died_and_is_lost_then_comes_too(self, bus):
        user = new_id()
        entries = await self.sent(bus, *(registered(user, number) for number in range(4)))
        await bus.valkey.xgroup_create("events:users", "g", id="0")
        await bus.valkey.xreadgroup("g", "gone", {"events:users": ">"})
        await bus.valkey.xdel("events:users", entries[1])

        bus.relay()
        bus.replica("one")

        await until(lambda: len(bus.heard.effects) == 4)
        assert bus.heard.of(user) == [0, 1, 2, 3]

    async def test_losing_everything_loses_nothing_and_keeps_the_order(self, bus):
        user = new_id()
        await self.sent(bus, *(registered(user, number) for number in range(3)))
        await bus.valkey.flushdb()

        bus.relay()
        bus.replica("one")
        await publish(bus.producer, registered(user, 3))

        await until(lambda: len(bus.heard.effects) == 4)
        assert bus.heard.of(user) == [0, 1, 2, 3]


class TestRetention:
    async def test_what_is_old_goes_and_what_is_not_over_stays(self, database, valkey):
        db = await database("chassis")
        async with db.begin() as tx:
            await tx.execute(OLD)
        relay = Relay(db, valkey, "users")

        await relay.prune()

        async with db.read() as connection:
            left = await connection.fetch(LEFT)
        assert [row["what"] for row in left] == [
            "dead new",
            "once new",
            "outbox new",
            "outbox unsent",
            "retrying",
        ]

    async def test_a_stream_is_not_much_longer_than_it_may_be(self, bus):
        bus.replica("one")
        relay = Relay(bus.producer, bus.valkey, "users", length_max=1_000)
        for _ in range(6):
            before = len(bus.heard.effects)
            await publish(bus.producer, *(changed(new_id(), number) for number in range(500)))
            await until_sent(relay)
            await until(lambda before=before: len(bus.heard.effects) == before + 500)

        assert await bus.valkey.xlen("events:users") < 1_300


async def until_sent(relay):
    while not await relay.turn():
        await asyncio.sleep(0.05)


OLD = """
WITH ages (name, age) AS (VALUES ('new', interval '1 day'), ('old', interval '100 days')),
keys AS (INSERT INTO once (key, fingerprint, created_at) SELECT name, ''::bytea, now() - age FROM ages),
letters AS (
    INSERT INTO dead_letters
        (id, topic, subject, envelope, state, attempts, error, first_failed_at, next_attempt_at)
    SELECT uuidv7(), name, '', ''::bytea, state, 1, '', now() - age, now()
    FROM ages, (VALUES ('dead'), ('retrying')) AS s (state) WHERE (state, name) <> ('retrying', 'new')
)
INSERT INTO outbox (id, topic, subject, sequence, data, traceparent, created_at, published_at)
SELECT uuidv7(), name, '', row_number() OVER (), ''::bytea, '', now() - age, now() - age FROM ages
UNION ALL SELECT uuidv7(), 'unsent', '', 9, ''::bytea, '', now() - interval '100 days', NULL
"""
LEFT = """
SELECT 'outbox ' || topic AS what FROM outbox UNION ALL SELECT 'once ' || key FROM once
UNION ALL SELECT CASE state WHEN 'dead' THEN 'dead ' || topic ELSE state END FROM dead_letters ORDER BY 1
"""
