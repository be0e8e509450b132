"""What an event makes: one notification, whatever repeats; and nothing of a person whose account is gone."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from notifying import WEB, as_user, until
from shopwright.chassis.deadletters import DeadLetters
from shopwright.contracts.events import Envelope, encode_data
from shopwright.contracts.ids import new_id
from shopwright.contracts.orders import OrderRefused
from shopwright.notifications import domain, store
from shopwright.notifications.store import NewNotification
from shopwright.notifications.testing import (
    cancelled,
    changed_password,
    confirmed,
    drafted,
    erased,
    forgot_password,
    refunded,
    registered,
    shipped,
)

FACTS = [registered, changed_password, forgot_password, confirmed, cancelled, shipped, refunded, drafted]


def after(fact):
    """A fact of the same stream, so that `fact` has been seen once this one has."""
    make = registered if fact.topic.startswith("users.") else cancelled
    return make(email="last@example.com")


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
async def test_an_event_that_is_repeated_makes_one_notification_and_one_mail(running, fact):
    shop = await running()
    made, event_id = fact(), new_id()

    for _ in range(3):
        await shop.tell(made, event_id=event_id)
    await shop.tell(after(made))

    rows = await shop.settled(2)
    assert [row["email"] for row in rows] == ["ada@example.com", "last@example.com"]
    assert rows[0]["source"] == f"event:{event_id}"
    assert len(await shop.mails("ada@example.com")) == 1


async def test_a_wiped_bus_that_sends_everything_again_makes_nothing_new(running):
    shop = await running()
    made, event_id = confirmed(), new_id()
    await shop.tell(made, event_id=event_id)
    await shop.settled(1)

    await shop.valkey.flushdb()
    await shop.tell(made, event_id=event_id)
    await shop.tell(after(made))

    await shop.settled(2)
    assert len(await shop.mails("ada@example.com")) == 1


async def test_a_refused_order_is_no_news(running):
    shop = await running()

    await shop.tell(OrderRefused(order_id=new_id(), number="SW-1", reason="The payment was declined"))
    await shop.tell(cancelled())

    assert [row["kind"] for row in await shop.settled(1)] == ["order_cancelled"]


async def test_an_order_whose_buyer_was_erased_goes_on_without_a_mail(running):
    shop = await running()

    await shop.tell(shipped(email="erased", name="erased"))
    await shop.tell(cancelled(email="last@example.com"))

    assert [row["email"] for row in await shop.settled(1)] == ["last@example.com"]


async def test_what_a_mail_said_is_forgotten_once_it_is_out(running):
    shop = await running()

    await shop.tell(confirmed())

    row = (await shop.settled(1))[0]
    assert (row["state"], row["content"], row["name"]) == ("sent", None, "")
    assert row["sent_at"] is not None


class TestErasure:
    async def test_leaves_nothing_of_the_person(self, running, tmp_path):
        shop = await running()
        user = new_id()
        mine = {"user_id": user, "email": "gone@example.com", "name": "Grace Gone"}
        await shop.tell(registered(**mine))
        await shop.tell(confirmed(**mine, number="SW-77"))
        await shop.tell(confirmed(email="gone@example.com", name="Grace Gone"))
        await shop.tell(confirmed(user_id=user, email="friend@example.com"))
        await shop.tell(registered(email="friend@example.com"))
        await shop.settled(5)
        answer = await shop.client.put(
            "/v1/notification-preferences",
            json={"items": [{"kind": "welcome", "channel": "email", "enabled": False}]},
            headers=as_user(user),
        )
        assert answer.status_code == 200

        await shop.tell(erased(user))

        async def only_the_friend():
            return [row["email"] for row in await shop.rows()] == ["friend@example.com"]

        await until(only_the_friend)
        async with shop.db.read() as connection:
            for table in ("feeds", "preferences"):
                kept = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", user)
                assert kept == 0, table
        await until(lambda: _nothing_in(tmp_path / "mailbox", "gone@example.com"))
        assert len(await shop.mails("friend@example.com")) == 1

    @pytest.mark.parametrize("make", FACTS, ids=lambda make: make.__name__)
    async def test_holds_for_facts_that_come_later(self, running, make):
        shop = await running()
        user = new_id()
        await shop.tell(erased(user))
        await until(lambda: _tombstones(shop))

        fact = make(user_id=user, email="gone@example.com")
        await shop.tell(fact)
        await shop.tell(after(fact))

        assert [row["email"] for row in await shop.settled(1)] == ["last@example.com"]
        async with shop.db.read() as connection:
            assert await connection.fetchval("SELECT count(*) FROM feeds WHERE user_id = $1", user) == 0

    @pytest.mark.parametrize("make", FACTS, ids=lambda make: make.__name__)
    async def test_holds_for_facts_that_came_earlier(self, running, make):
        shop = await running()
        user = new_id()
        await shop.tell(make(user_id=user))
        await shop.settled(1)

        await shop.tell(erased(user))

        await until(lambda: _tombstones(shop))
        assert await shop.rows() == []

    async def test_holds_for_a_fact_that_another_worker_writes_down_meanwhile(self, running):
        shop = await running()
        user, draft = new_id(), domain.order_confirmed(confirmed(email="gone@example.com"))
        draft = msgspec.structs.replace(draft, user_id=user)

        async with shop.db.begin() as erasing:
            await store.erase(erasing, user)
            adding = asyncio.ensure_future(
                store.add(shop.db, [NewNotification(new_id(), "event:1", draft, None)])
            )
            await asyncio.sleep(0.2)
            assert not adding.done()

        assert await adding == [None]
        assert await shop.rows() == []

    async def test_waits_for_a_fact_that_another_worker_is_writing_down(self, running):
        shop = await running()
        user = new_id()

        async with shop.db.begin() as adding:
            await adding.execute(ADD, new_id(), user)
            erasing = asyncio.ensure_future(_erase(shop, user))
            await asyncio.sleep(0.2)
            assert not erasing.done()

        assert len(await erasing) == 1
        assert await shop.rows() == []

    async def test_remembers_nothing_but_the_id_and_only_as_long_as_notifications_are_kept(self, running):
        shop = await running()
        users = [new_id(), new_id()]
        for user in users:
            await _erase(shop, user)

        async with shop.db.read() as connection:
            await connection.execute(
                "UPDATE erased SET erased_at = now() - interval '2 days' WHERE user_id = $1", users[0]
            )
            await store.prune_erased(connection, timedelta(days=1))

        assert [dict(row).keys() for row in await _tombstones(shop)] == [{"user_id", "erased_at"}]
        assert [row["user_id"] for row in await _tombstones(shop)] == users[1:]

    async def test_forgets_messages_that_failed_too(self, running):
        shop = await running()
        user = new_id()
        letters = DeadLetters(shop.db)
        for fact in (changed_password(user_id=user), confirmed(user_id=user), changed_password()):
            envelope = _envelope(fact)
            await letters.park(envelope, "broken", attempts=6)
            await letters.failed(envelope, "broken", attempts=6)

        await shop.tell(erased(user))

        async def one_left():
            return len(await shop.letters()) == 1

        await until(one_left)

    async def test_keeps_a_guests_mail_that_still_waits_for_an_address_nobody_proved(self, running):
        shop = await running(smtp_url="smtp://127.0.0.1:9?starttls=off", mail_from="shop@example.com")
        thief = new_id()
        await shop.tell(confirmed(email="victim@example.com"))
        await shop.tell(registered(user_id=thief, email="victim@example.com"))

        async def both_tried():
            rows = await shop.rows()
            return len(rows) == 2 and all(row["state"] == "retrying" for row in rows)

        await until(both_tried)
        await shop.tell(erased(thief))

        async def one_left():
            return [row["kind"] for row in await shop.rows()] == ["order_confirmed"]

        await until(one_left)


async def test_old_notifications_are_pruned(running):
    shop = await running(retention_days=1)
    await shop.tell(registered())
    await shop.settled(1)
    async with shop.db.read() as connection:
        await connection.execute("UPDATE notifications SET created_at = now() - interval '2 days'")

    async with shop.db.read() as connection:
        assert await store.prune(connection, timedelta(days=1)) == 1
        assert await connection.fetchval("SELECT count(*) FROM event_sequences") == 0
    assert await shop.rows() == []


async def test_traces_go_on_through_the_queue(running):
    shop = await running()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    await shop.tell(confirmed(), traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    await shop.settled(1)

    async def names():
        spans = (await shop.client.get(f"/internal/traces/{trace}", headers=WEB)).json()
        return {span["name"] for span in spans}

    async def delivered():
        return "deliver mail" in await names()

    await until(delivered)
    assert "event orders.order_confirmed.v1" in await names()


ADD = """
SELECT add_notification($1, 'event:1', 'order_confirmed', $2, 'gone@example.com', 'Grace', 'A title', '/',
                        '{}', NULL, 'notifications.notification_queued.v1', '{}', '')
"""


async def _tombstones(shop):
    async with shop.db.read() as connection:
        return await connection.fetch("SELECT * FROM erased")


async def _erase(shop, user):
    async with shop.db.begin() as tx:
        return await store.erase(tx, user)


async def _nothing_in(folder, word):
    await asyncio.sleep(0)
    return not [path for path in folder.iterdir() if word in path.read_text()]


def _envelope(fact):
    return Envelope(
        id=str(new_id()), source="/x", type=fact.topic, subject=fact.subject, time=datetime.now(UTC),
        sequence=1, data=msgspec.Raw(encode_data(fact)),
    )  # fmt: skip
