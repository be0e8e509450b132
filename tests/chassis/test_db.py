"""One command, one transaction: what commits with it, and what a repeat sees."""

import asyncio

import pytest

from shopwright.chassis.db import Once, in_transaction
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import IdempotencyKeyReused, Unavailable
from shopwright.contracts.users import UserRegistered


def registered():
    return UserRegistered(user_id=new_id(), email="a@example.com", name="Ada")


async def outbox(db):
    async with db.read() as connection:
        return await connection.fetch("SELECT topic, subject, sequence FROM outbox ORDER BY position")


class TestBegin:
    async def test_commits_published_facts_with_the_transaction(self, database):
        db = await database("chassis")
        fact = registered()

        async with db.begin() as tx:
            tx.publish(fact)

        rows = await outbox(db)
        assert [(row["topic"], row["subject"], row["sequence"]) for row in rows] == [
            ("users.user_registered.v1", str(fact.user_id), 1)
        ]

    async def test_publishes_nothing_when_the_block_fails(self, database):
        db = await database("chassis")

        with pytest.raises(ZeroDivisionError):
            async with db.begin() as tx:
                tx.publish(registered())
                raise ZeroDivisionError

        assert await outbox(db) == []

    async def test_counts_the_events_of_an_aggregate_without_gaps(self, database):
        db = await database("chassis")
        fact, other = registered(), registered()

        async with db.begin() as tx:
            tx.publish(fact, other, fact)
        async with db.begin() as tx:
            tx.publish(fact)

        rows = await outbox(db)
        assert [row["sequence"] for row in rows if row["subject"] == str(fact.user_id)] == [1, 2, 3]
        assert [row["sequence"] for row in rows if row["subject"] == str(other.user_id)] == [1]

    async def test_knows_that_a_transaction_is_open(self, database):
        db = await database("chassis")

        async with db.begin():
            inside = in_transaction()

        assert inside
        assert not in_transaction()


class TestOnce:
    async def test_gives_a_repeat_the_first_outcome(self, database):
        db = await database("chassis")
        async with db.begin("key") as tx:
            tx.remember(b"first")

        async with db.begin("key") as tx:
            repeated, stored = tx.repeated, tx.stored

        assert (repeated, stored) == (True, b"first")

    async def test_refuses_the_key_with_another_request(self, database):
        db = await database("chassis")
        async with db.begin(Once("key", b"one")):
            pass

        with pytest.raises(IdempotencyKeyReused):
            async with db.begin(Once("key", b"two")):
                pass

    async def test_forgets_a_key_whose_transaction_failed(self, database):
        db = await database("chassis")
        with pytest.raises(ZeroDivisionError):
            async with db.begin("key"):
                raise ZeroDivisionError

        async with db.begin("key") as tx:
            repeated = tx.repeated

        assert not repeated

    async def test_runs_once_when_twenty_come_at_the_same_time(self, database):
        db = await database("chassis")
        ran = []

        async def command():
            async with db.begin("key") as tx:
                if not tx.repeated:
                    await asyncio.sleep(0.05)
                    ran.append(1)
                    tx.remember(b"done")
                    return b"done"
                return tx.stored

        outcomes = await asyncio.gather(*(command() for _ in range(20)))

        assert len(ran) == 1
        assert set(outcomes) == {b"done"}


class TestUnavailable:
    async def test_a_full_disk_is_a_state_to_wait_out_and_no_bug(self, database):
        db = await database("chassis")

        with pytest.raises(Unavailable) as refused:
            async with db.begin() as tx:
                await tx.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$")

        assert refused.value.part == "database"


class TestFunctions:
    async def test_of_migrations_are_planned_once_per_connection(self, database):
        db = await database("products")

        async with db.read() as connection:
            rows = await connection.fetch(
                "SELECT proname, proconfig FROM pg_proc WHERE proowner = current_user::regrole AND prolang ="
                " (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')"
            )

        assert len(rows) > 5
        assert all(row["proconfig"] == ["plan_cache_mode=force_generic_plan"] for row in rows)
