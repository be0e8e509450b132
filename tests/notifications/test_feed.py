"""The live feed over a real connection: at once, on every replica, without a gap, and ended when asked."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from h2.exceptions import ProtocolError

from notifying import as_user, until
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import Unavailable
from shopwright.notifications import domain, store
from shopwright.notifications.feed import STREAMS_PER_USER, Feed
from shopwright.notifications.store import NewNotification
from shopwright.notifications.testing import confirmed, tell


def noted(event, fact):
    return NewNotification(new_id(), event, domain.order_confirmed(fact), None)


class Events:
    """What a browser's EventSource makes of the lines."""

    def __init__(self, response):
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, seconds=60):
        event = {}
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                if not line and "event" in event:
                    return event["event"], int(event["id"]), json.loads(event["data"])
                name, _, value = line.partition(": ")
                event[name] = value
        raise EOFError


@asynccontextmanager
async def following(process, user, **headers):
    async with (
        process.client() as client,
        client.stream("GET", "/v1/notifications/stream", headers=as_user(user) | headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield Events(response)


async def told(valkey, process, user, number):
    """Have something happen, and wait until it stands in the feed."""
    await tell(valkey, confirmed(user_id=user, number=number))

    async def listed():
        async with process.client() as client:
            items = (await client.get("/v1/notifications", headers=as_user(user))).json()["items"]
            return [item for item in items if item["title"] == f"Order {number} is confirmed"]

    await until(listed)


class TestStream:
    async def test_brings_what_happens_and_nothing_of_others(self, process, valkey):
        one = await process().ready()
        user = new_id()

        async with following(one, user) as events:
            ready = await events.next()
            await tell(valkey, confirmed(user_id=new_id(), number="SW-9"))
            await tell(valkey, confirmed(user_id=user, number="SW-1"))
            kind, position, item = await events.next()

        assert ready == ("ready", 0, {"unread": 0})
        assert events.response.headers["content-type"].startswith("text/event-stream")
        assert events.response.headers["cache-control"] == "no-store"
        assert (kind, position, item["title"]) == ("notification", 1, "Order SW-1 is confirmed")

    async def test_resumes_after_the_last_event_without_a_gap(self, process, valkey):
        one = await process().ready()
        user = new_id()
        for number in ("SW-1", "SW-2", "SW-3"):
            await told(valkey, one, user, number)

        async with following(one, user, **{"last-event-id": "1"}) as events:
            ready, second, third = [await events.next() for _ in range(3)]

        assert ready == ("ready", 1, {"unread": 3})
        assert [(position, item["title"]) for _, position, item in (second, third)] == [
            (2, "Order SW-2 is confirmed"),
            (3, "Order SW-3 is confirmed"),
        ]

    async def test_hears_what_another_replica_did(self, process, valkey):
        reader = await process(slot=0).ready()
        user = new_id()

        async with following(reader, user) as events:
            await events.next()
            await process(slot=1).ready()
            for number in range(8):
                await tell(valkey, confirmed(user_id=user, number=f"SW-{number}"))
            positions = [(await events.next(5))[1] for _ in range(8)]

        assert positions == list(range(1, 9))

    async def test_a_process_with_open_streams_stops_at_once(self, process):
        one = await process().ready()

        with suppress(ProtocolError):  # h2 takes the ping after GOAWAY for an error
            async with following(one, new_id()) as events:
                await events.next()
                one.terminate()
                with suppress(EOFError):
                    await events.next()

        assert await one.died(10) == 0
        assert "requests were still running" not in one.log.read_text()

    async def test_is_bounded_per_account_and_frees_its_place(self, process):
        one = await process().ready()
        user = new_id()

        async with AsyncExitStack() as opened:
            for _ in range(STREAMS_PER_USER):
                await (await opened.enter_async_context(following(one, user))).next()
            async with one.client() as client:
                refused = await client.get("/v1/notifications/stream", headers=as_user(user))
                other = following(one, new_id())
                assert (await (await opened.enter_async_context(other)).next())[0] == "ready"

        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")

        async def admitted():
            async with (
                one.client() as client,
                client.stream("GET", "/v1/notifications/stream", headers=as_user(user)) as again,
            ):
                return again.status_code == 200

        await until(admitted)

    @pytest.mark.parametrize("given", ["abc", "-1", "9" * 30])
    async def test_an_id_that_is_none_is_refused(self, running, given):
        shop = await running()

        answer = await shop.client.get(
            "/v1/notifications/stream", headers=as_user(new_id()) | {"last-event-id": given}
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/headers/last-event-id"


class TestFeed:
    async def test_ends_streams_and_admits_none_when_the_process_drains(self, database, valkey):
        draining = asyncio.Event()
        feed = Feed(await database("notifications"), valkey, draining)
        user = new_id()
        feed.admit(user)
        waiting = asyncio.ensure_future(anext(feed.follow(user, 0), "ended"))
        await asyncio.sleep(0.1)

        draining.set()

        assert await asyncio.wait_for(waiting, 60) == "ended"
        with pytest.raises(Unavailable):
            feed.admit(user)

    async def test_a_word_from_another_replica_wakes_a_stream(self, database, valkey):
        db, draining, stop = await database("notifications"), asyncio.Event(), asyncio.Event()
        here, there = Feed(db, valkey, draining), Feed(db, valkey, draining)
        user = new_id()
        hearing = asyncio.create_task(here.run(stop))
        waiting = asyncio.ensure_future(anext(here.follow(user, 0)))
        await asyncio.sleep(0.3)
        await store.add(db, [noted("event:1", confirmed(user_id=user))])

        while not waiting.done():  # it may not hear yet
            await there.announce(user)
            await asyncio.sleep(0.05)

        assert [item.position for item in await asyncio.wait_for(waiting, 60)] == [1]
        stop.set()
        await hearing

    async def test_positions_have_no_gap_whoever_writes_at_the_same_time(self, database):
        db, user = await database("notifications"), new_id()

        async def write(number):
            fact = confirmed(user_id=user, number=f"SW-{number}")
            await store.add(db, [noted(f"event:{number}", fact)])

        await asyncio.gather(*(write(number) for number in range(20)))

        async with db.read() as connection:
            found = await store.since(connection, user, 0, 100)
        assert [item.position for item in found] == list(range(1, 21))
