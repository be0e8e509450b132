"""A saga's row, lease and recovery on a real database: one driver at a time, nothing lost, nothing done
twice.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shopwright.chassis.db import Change
from shopwright.chassis.saga import Done, Failed, Refused, Saga, Step, Waiting
from shopwright.chassis.sagarunner import SagaRunner
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import PaymentDeclined, RequestInFlight
from shopwright.contracts.users import PasswordChanged

SAGA = Saga(
    "buy", (Step("hold", undo="free"), Step("pay", undo="void"), Step("confirm", pivot=True), Step("take"))
)


class Script:
    """Acts that reply from a script and note what was done."""

    def __init__(self, **replies):
        self.replies = {name: list(given) for name, given in replies.items()}
        self.done = []
        self.ended = []

    def runner(self, db):
        names = {step.name for step in SAGA.steps} | {step.undo for step in SAGA.steps if step.undo}
        return SagaRunner(db, SAGA, {name: self._act(name) for name in names}, self._ended)

    def _act(self, name):
        async def act(saga_id):
            self.done.append(name)
            reply = self.replies[name].pop(0) if self.replies.get(name) else Done()
            return await reply() if callable(reply) else reply

        return act

    async def _ended(self, tx, saga_id, place):
        self.ended.append(place.status)


async def start(db, runner, seconds=60):
    saga_id = new_id()
    async with db.begin() as tx:
        held = await runner.start(tx, saga_id, datetime.now(UTC) + timedelta(seconds=seconds))
    return saga_id, held


async def row(db, saga_id):
    async with db.read() as connection:
        return await connection.fetchrow("SELECT * FROM sagas WHERE id = $1", saga_id)


async def age_lease(db, saga_id):
    async with db.read() as connection:
        await connection.execute(
            "UPDATE sagas SET lease_until = now(), run_at = now() WHERE id = $1", saga_id
        )


@pytest.fixture
async def working(database):
    """Runs a runner's worker until the test ends."""
    stop, tasks = asyncio.Event(), []
    yield lambda runner: tasks.append(asyncio.create_task(runner.run(stop)))
    stop.set()
    await asyncio.gather(*tasks)


async def until_ended(script, seconds=60):
    async with asyncio.timeout(seconds):
        while not script.ended:
            await asyncio.sleep(0.02)


class TestDrive:
    async def test_runs_to_the_end_and_tells_its_timeline(self, database):
        db, script = await database("chassis"), Script()
        runner = script.runner(db)
        saga_id, held = await start(db, runner)

        place = await runner.drive(held)

        assert (place.status, script.done, script.ended) == (
            "completed",
            ["hold", "pay", "confirm", "take"],
            ["completed"],
        )
        assert [entry.step for entry in await runner.log_of(saga_id)] == script.done

    async def test_commits_changes_and_facts_with_its_progress_or_not_at_all(self, database):
        db, mark = await database("chassis"), "INSERT INTO once (key, fingerprint) VALUES ($1, '')"
        user = new_id()
        fact = PasswordChanged(user_id=user, email="a@example.com", name="Ada")

        async def overtaken():
            async with db.read() as connection:
                await connection.execute("UPDATE sagas SET version = version + 1")
            return Done(changes=(Change(mark, ("late",)),), facts=(fact,))

        changing = Done(changes=(Change(mark, ("first",)), Change(mark, ("second",))), facts=(fact, fact))
        script = Script(hold=[changing], confirm=[overtaken])
        runner = script.runner(db)
        saga_id, held = await start(db, runner)

        await runner.drive(held)

        async with db.read() as connection:
            keys = [r["key"] for r in await connection.fetch("SELECT key FROM once ORDER BY key")]
            told = await connection.fetch("SELECT subject, sequence FROM outbox ORDER BY position")
        assert keys == ["first", "second"]
        assert [tuple(r) for r in told] == [(str(user), 1), (str(user), 2)]
        assert (await row(db, saga_id))["step"] == "pay"

    async def test_commits_a_local_change_with_its_progress(self, database):
        db = await database("chassis")

        async def local(tx):
            await tx.execute("INSERT INTO once (key, fingerprint) VALUES ('mark', '')")

        script = Script(confirm=[Done(local)])
        runner = script.runner(db)
        _, held = await start(db, runner)

        await runner.drive(held)

        async with db.read() as connection:
            assert await connection.fetchval("SELECT count(*) FROM once WHERE key = 'mark'") == 1

    async def test_undoes_what_was_done_when_the_payment_is_declined(self, database):
        db, script = await database("chassis"), Script(pay=[Refused(PaymentDeclined(code="no"))])
        runner = script.runner(db)
        saga_id, held = await start(db, runner)

        place = await runner.drive(held)

        assert (place.status, script.done) == ("undone", ["hold", "pay", "void", "free"])
        assert (await row(db, saga_id))["reason"]["code"] == "no"

    async def test_a_driver_whose_saga_was_taken_over_changes_nothing(self, database):
        db, script = await database("chassis"), Script()
        runner = script.runner(db)
        saga_id, slow = await start(db, runner)
        await age_lease(db, saga_id)
        quick = await runner.take(saga_id)

        await runner.drive(quick)
        place = await runner.drive(slow)

        assert script.ended == ["completed"]
        assert place.step == "take"
        assert (await row(db, saga_id))["status"] == "completed"


class TestRecovery:
    async def test_a_worker_finishes_what_a_dead_process_began(self, database, working):
        db, script = await database("chassis"), Script()
        runner = script.runner(db)
        saga_id, _ = await start(db, runner)
        await age_lease(db, saga_id)

        working(runner)
        await until_ended(script)

        assert script.ended == ["completed"]

    async def test_a_failed_step_is_tried_again_later(self, database, working):
        db, script = await database("chassis"), Script(take=[Failed("away"), Failed("away")])
        runner = script.runner(db)
        _, held = await start(db, runner)

        place = await runner.drive(held)
        working(runner)
        await until_ended(script)

        assert (place.status, place.attempts) == ("running", 1)
        assert script.done.count("take") == 3
        assert script.done.count("confirm") == 1

    @pytest.mark.parametrize("error", [RequestInFlight(), ValueError("a bug")])
    async def test_what_says_nothing_about_the_purchase_does_not_end_it(self, database, working, error):
        db = await database("chassis")

        async def fail():
            raise error

        script = Script(pay=[fail])
        runner = script.runner(db)
        _, held = await start(db, runner)

        await runner.drive(held)
        working(runner)
        await until_ended(script)

        assert (script.ended, script.done.count("pay")) == (["completed"], 2)

    async def test_two_workers_never_drive_the_same_saga(self, database, working):
        db, script = await database("chassis"), Script()
        runner = script.runner(db)
        sagas = [await start(db, runner) for _ in range(30)]
        for saga_id, _ in sagas:
            await age_lease(db, saga_id)

        working(runner)
        working(script.runner(db))
        async with asyncio.timeout(60):
            while len(script.ended) < 30:
                await asyncio.sleep(0.02)

        assert script.done.count("pay") == 30


class TestWaiting:
    async def test_a_wake_up_lets_it_look_again(self, database, working):
        db, script = await database("chassis"), Script(pay=[Waiting()])
        runner = script.runner(db)
        saga_id, held = await start(db, runner)
        assert (await runner.drive(held)).status == "waiting"

        async with db.begin() as tx:
            assert await runner.wake(tx, saga_id)
        working(runner)
        await until_ended(script)

        assert script.done.count("pay") == 2

    async def test_a_wake_up_that_comes_before_it_parks_is_not_lost(self, database, working):
        db = await database("chassis")
        woken = []

        async def wait_but_be_woken():
            async with db.begin() as tx:
                woken.append(await runner.wake(tx, saga_id))
            return Waiting()

        script = Script(pay=[wait_but_be_woken])
        runner = script.runner(db)
        saga_id, held = await start(db, runner)

        await runner.drive(held)
        working(runner)
        await until_ended(script)

        assert woken == [True]

    @pytest.mark.parametrize("replica", ["its own", "another"])
    async def test_news_that_comes_while_it_is_driven_is_not_lost(self, database, working, replica):
        db = await database("chassis")

        async def wait_while_news_come():
            await (runner if replica == "its own" else Script().runner(db)).look_again([saga_id])
            return Waiting()

        script = Script(pay=[wait_while_news_come])
        runner = script.runner(db)
        saga_id, held = await start(db, runner)

        await runner.drive(held)
        working(runner)
        await until_ended(script)

        assert script.done.count("pay") == 2

    async def test_news_drives_on_what_waits_and_leaves_the_rest_alone(self, database):
        db, script = await database("chassis"), Script(pay=[Waiting(), Waiting()])
        runner = script.runner(db)
        waiting = [await start(db, runner) for _ in range(2)]
        for _, held in waiting:
            await runner.drive(held)
        ended, held = await start(db, runner)
        await runner.drive(held)

        await Script().runner(db).look_again([waiting[0][0], ended, new_id()])

        states = [(await row(db, saga_id))["status"] for saga_id in (waiting[0][0], waiting[1][0], ended)]
        assert states == ["completed", "waiting", "completed"]

    async def test_cancel_turns_a_waiting_saga_round(self, database, working):
        db, script = await database("chassis"), Script(pay=[Waiting()])
        runner = script.runner(db)
        saga_id, held = await start(db, runner)
        await runner.drive(held)

        async with db.begin() as tx:
            await runner.wake(tx, saga_id, cancel=True)
        working(runner)
        await until_ended(script)

        assert script.ended == ["undone"]
        assert (await row(db, saga_id))["reason"]["type"] == "cancelled"

    async def test_the_deadline_ends_the_wait(self, database, working):
        db, script = await database("chassis"), Script(pay=[Waiting(), Waiting()])
        runner = script.runner(db)
        _, held = await start(db, runner, seconds=1)
        await runner.drive(held)

        working(runner)
        await until_ended(script)

        assert script.ended == ["undone"]
        assert "free" in script.done
