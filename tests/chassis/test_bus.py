"""From a commit to a handler: at least once on the way, exactly once in effect, in order per aggregate."""

import asyncio

import pytest

from shopwright.chassis.bus import Consumer
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.contracts.ids import new_id
from shopwright.contracts.users import PasswordChanged, UserRegistered


def registered(name="Ada", user_id=None):
    return UserRegistered(user_id=user_id or new_id(), email="a@example.com", name=name)


async def until(condition, seconds=60):
    for _ in range(int(seconds / 0.02)):
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


@pytest.fixture
async def running(database, valkey):
    """Starts a relay on one database and a consumer on another; gives (producer db, consumer db, seen)."""
    stop, tasks = asyncio.Event(), []

    async def start(handler, fact=UserRegistered):
        producer, consumer = await database("chassis"), await database("chassis")
        relay = Relay(producer, valkey, "users")
        listener = Consumer(
            consumer, valkey, group="g", name="one", sources=["users"], handlers={fact: handler}
        )
        tasks.extend([asyncio.create_task(relay.run(stop)), asyncio.create_task(listener.run(stop))])
        return producer, consumer

    yield start
    stop.set()
    await asyncio.gather(*tasks)


class TestDelivery:
    async def test_reaches_the_handler_after_the_commit(self, running):
        seen = []

        async def handler(fact, once):
            seen.append(fact.name)

        producer, _ = await running(handler)

        async with producer.begin() as tx:
            tx.publish(registered("Ada"))

        async def arrived():
            return seen == ["Ada"]

        await until(arrived)

    async def test_acts_once_when_the_bus_is_wiped_and_everything_is_sent_again(self, running, valkey):
        acted = []
        consumer_db = []

        async def handler(fact, once):
            async with consumer_db[0].begin(once) as tx:
                if not tx.repeated:
                    acted.append(fact.name)

        producer, consumer = await running(handler)
        consumer_db.append(consumer)
        async with producer.begin() as tx:
            tx.publish(registered("Ada"))

        async def once_acted():
            return acted == ["Ada"]

        await until(once_acted)
        await valkey.flushdb()
        async with producer.begin() as tx:
            await tx.execute("UPDATE relay SET bus_run = 'another', held_until = now()")
            await tx.execute("UPDATE outbox SET published_at = NULL")
            tx.publish(registered("Bob"))

        async def both():
            return sorted(acted) == ["Ada", "Bob"]

        await until(both)
        assert acted.count("Ada") == 1

    async def test_waits_rather_than_cut_off_what_a_group_has_not_read(self, database, valkey):
        db = await database("chassis")
        async with db.begin() as tx:
            tx.publish(*(registered() for _ in range(1_200)))
        relay = Relay(db, valkey, "users", length_max=600)
        await valkey.xgroup_create("events:users", "g", id="0", mkstream=True)
        assert [await relay.turn() for _ in range(3)] == [500, 0, 0]

        read = await valkey.xreadgroup("g", "one", {"events:users": ">"}, count=500)
        assert await relay.turn() == 0
        await valkey.xack("events:users", "g", *(number for number, _ in read[0][1]))

        assert await relay.turn() == 500

    @pytest.mark.parametrize("run", ["bus_run", "'another'"], ids=["flushed", "lost with its server"])
    async def test_sends_again_what_a_wiped_bus_lost_though_consumers_made_the_stream_anew(
        self, database, valkey, run
    ):
        db = await database("chassis")
        async with db.begin() as tx:
            tx.publish(registered("Ada"))
        await Relay(db, valkey, "users").turn()
        async with db.begin() as tx:
            await tx.execute("UPDATE outbox SET published_at = now() - interval '1 hour'")
            await tx.execute(f"UPDATE relay SET bus_run = {run}, held_until = now()")
        await valkey.flushdb()
        await valkey.xgroup_create("events:users", "g", id="0", mkstream=True)

        relay = Relay(db, valkey, "users")
        assert (await relay.turn(), await relay.turn()) == (1, 0)

        assert await valkey.xlen("events:users") == 1

    async def test_takes_over_what_a_replica_left_that_never_comes_back(self, database, valkey):
        db, seen, stop = await database("chassis"), [], asyncio.Event()

        async def handler(fact, once):
            seen.append(fact.name)

        async with db.begin() as tx:
            tx.publish(registered("Ada"))
        await Relay(db, valkey, "users").turn()
        await valkey.xgroup_create("events:users", "g", id="0")
        assert await valkey.xreadgroup("g", "gone", {"events:users": ">"})
        living = Consumer(
            db, valkey, group="g", name="living", sources=["users"], handlers={UserRegistered: handler},
            claim_idle_ms=700,
        )  # fmt: skip
        task = asyncio.create_task(living.run(stop))

        async def handled():
            return seen == ["Ada"]

        await until(handled)
        stop.set()
        await task


class TestFailure:
    async def test_retries_a_failed_message_until_it_works(self, running):
        tries = []

        async def handler(fact, once):
            tries.append(fact.name)
            if len(tries) < 3:
                raise RuntimeError("not yet")

        producer, consumer = await running(handler)
        async with producer.begin() as tx:
            tx.publish(registered())

        async def worked():
            return len(tries) == 3 and not await DeadLetters(consumer).page()

        await until(worked)

    async def test_goes_on_retrying_after_its_table_was_locked_for_too_long(self, running):
        tries = []

        async def handler(fact, once):
            tries.append(fact.name)
            if len(tries) == 1:
                raise RuntimeError("not yet")

        producer, consumer = await running(handler)
        async with consumer.begin() as tx:
            await tx.execute("LOCK TABLE dead_letters IN SHARE MODE")
            await asyncio.sleep(5.5)
        async with producer.begin() as tx:
            tx.publish(registered())

        async def worked():
            return len(tries) == 2

        await until(worked)

    async def test_keeps_the_order_of_an_aggregate_behind_a_failure(self, running):
        user, seen, failed = new_id(), [], []

        async def handler(fact, once):
            if fact.name == "first" and not failed:
                failed.append(1)
                raise RuntimeError("once")
            seen.append(fact.name)

        producer, _ = await running(handler)
        async with producer.begin() as tx:
            tx.publish(registered("first", user), registered("second", user), registered("other"))

        async def all_seen():
            return len(seen) == 3

        await until(all_seen)
        assert seen.index("first") < seen.index("second")
        assert seen[0] == "other"

    async def test_lets_an_operator_replay_a_dead_letter(self, running):
        works = []

        async def handler(fact, once):
            if not works:
                raise RuntimeError("broken")

        producer, consumer = await running(handler)
        async with producer.begin() as tx:
            tx.publish(registered())
        letters = DeadLetters(consumer)

        async def parked():
            return bool(await letters.page())

        await until(parked)
        async with consumer.begin() as tx:
            await tx.execute("UPDATE dead_letters SET state = 'dead', attempts = 6")
        letter = (await letters.page())[0]
        assert (letter.state, letter.payload["data"]["email"]) == ("dead", "***")
        works.append(1)
        await letters.replay(letter.id)

        async def gone():
            return not await letters.page()

        await until(gone)

    async def test_leaves_unknown_topics_alone(self, running):
        async def handler(fact, once):
            raise AssertionError("not for us")

        producer, consumer = await running(handler, fact=PasswordChanged)
        async with producer.begin() as tx:
            tx.publish(registered())
        await asyncio.sleep(0.5)

        assert await DeadLetters(consumer).page() == []


class TestTogether:
    async def start(self, database, valkey, handler, count):
        producer, consumer = await database("chassis"), await database("chassis")
        async with producer.begin() as tx:
            tx.publish(*(registered(f"n{number}") for number in range(count)))
        stop = asyncio.Event()
        await Relay(producer, valkey, "users").turn()
        listener = Consumer(
            consumer, valkey, group="g", name="one", sources=["users"], handlers={},
            together={UserRegistered: handler},
        )  # fmt: skip
        return stop, asyncio.create_task(listener.run(stop)), DeadLetters(consumer)

    async def test_many_facts_come_in_one_call_and_none_twice(self, database, valkey):
        calls = []

        async def handler(facts):
            calls.append([(fact.name, once) for fact, once in facts])

        stop, running, _ = await self.start(database, valkey, handler, 70)

        async def arrived():
            return sum(map(len, calls)) == 70

        await until(arrived)
        stop.set()
        await running
        assert len(calls) == 1
        assert [name for name, _ in calls[0]] == [f"n{number}" for number in range(70)]
        assert len({once for _, once in calls[0]}) == 70

    async def test_one_that_fails_does_not_hold_up_the_others(self, database, valkey):
        seen = []

        async def handler(facts):
            if any(fact.name == "n3" for fact, _ in facts):
                raise ValueError("no threes")
            seen.extend(fact.name for fact, _ in facts)

        stop, running, letters = await self.start(database, valkey, handler, 5)

        async def arrived():
            return seen == ["n0", "n1", "n2", "n4"] and len(await letters.waiting_subjects()) == 1

        await until(arrived)
        stop.set()
        await running
