"""From a queued mail to one that is out: retries, dead letters, replays, and a process that dies."""

import asyncio
import signal
from datetime import timedelta

import pytest

from notifying import STAFF, WEB, until
from shopwright.chassis.db import open_database
from shopwright.chassis.deadletters import ATTEMPTS
from shopwright.chassis.streams import stream_of
from shopwright.contracts.ids import new_id
from shopwright.notifications import domain, store
from shopwright.notifications.commands import Notifications
from shopwright.notifications.rendering import Shop
from shopwright.notifications.store import NewNotification
from shopwright.notifications.testing import confirmed, registered, tell


async def failing(running, post_office):
    """A shop whose post office refuses every mail for the moment."""
    office = await post_office()
    office.refusal = "451 4.3.0 mail for ada@example.com is not taken now"
    url = f"smtp://127.0.0.1:{office.port}?starttls=off"
    return await running(smtp_url=url, mail_from="shop@example.com"), office


async def parked(shop, state):
    async def there():
        letters = await shop.letters()
        return [letter for letter in letters if letter["state"] == state]

    return await until(there)


async def given_up(shop):
    """The dead letter, once all its tries are used up, without waiting for the pauses between them."""

    async def dead():
        await shop.hasten()
        return [letter for letter in await shop.letters() if letter["state"] == "dead"]

    return (await until(dead))[0]


class TestRetries:
    async def test_a_mail_that_is_not_taken_is_tried_again(self, running, post_office):
        shop, office = await failing(running, post_office)
        await shop.tell(registered())
        letter = (await parked(shop, "retrying"))[0]

        office.refusal = ""

        row = (await shop.settled(1))[0]
        assert (row["state"], row["attempts"], row["error"]) == ("sent", 2, "")
        assert letter["topic"] == "notifications.notification_queued.v1"
        assert len(office.accepted) == 1

        async def gone():
            return await shop.letters() == []

        await until(gone)

    async def test_a_mail_that_is_never_taken_waits_for_an_operator_who_replays_it(
        self, running, post_office
    ):
        shop, office = await failing(running, post_office)
        await shop.tell(registered())
        letter = await given_up(shop)
        seen = (await shop.client.get("/v1/notifications/deliveries", headers=STAFF)).json()["items"][0]

        office.refusal = ""
        await asyncio.sleep(1.5)
        assert office.accepted == []
        path = f"/internal/dead-letters/{letter['id']}/replay"
        answer = await shop.client.post(path, headers=WEB)

        assert answer.status_code == 204
        assert (seen["dead"], seen["state"]) == (True, "retrying")
        assert seen["attempts"] >= ATTEMPTS
        assert (await shop.settled(1))[0]["state"] == "sent"
        assert len(office.accepted) == 1

    async def test_an_operator_replays_all_at_once(self, running, post_office):
        shop, office = await failing(running, post_office)
        await shop.tell(registered(email="a@example.com"))
        await shop.tell(registered(email="b@example.com"))

        async def both_dead():
            await shop.hasten()
            return len([one for one in await shop.letters() if one["state"] == "dead"]) == 2

        await until(both_dead)
        office.refusal = ""
        answer = await shop.client.post("/internal/dead-letters/replay", headers=WEB)

        assert answer.json() == {"replayed": 2}
        await shop.settled(2)
        assert sorted(office.recipients) == ["a@example.com", "b@example.com"]

    async def test_what_operators_read_names_nobody(self, running, post_office):
        shop, _ = await failing(running, post_office)

        await shop.tell(registered())
        letter = (await parked(shop, "retrying"))[0]

        assert "451 4.3.0 mail for *** is not taken now" in letter["error"]
        assert "ada" not in str(letter).lower()


class TestQueue:
    async def test_two_messages_for_one_mail_send_it_once(self, running):
        shop = await running()
        await shop.tell(registered())
        await shop.settled(1)

        for _, fields in await shop.valkey.xrange(stream_of("notifications")):
            await shop.valkey.xadd(stream_of("notifications"), fields)
        await shop.tell(registered(email="last@example.com"))

        await shop.settled(2)
        assert [row["attempts"] for row in await shop.rows()] == [1, 1]

    async def test_a_mail_that_the_bus_forgot_is_queued_again(self, database):
        db = await database("notifications")
        sent = []
        notifications = Notifications(
            db, _Wire(sent), Shop("Shopwright", "http://shop"), holder="one", sender="shop@example.com",
            announce=_nobody,
        )  # fmt: skip
        await notifications.notify(domain.welcome(registered(), "Shopwright"), "event:1")
        assert await notifications.requeue_lost() == 0
        async with db.begin() as tx:
            await tx.execute("DELETE FROM outbox")
            await tx.execute("UPDATE notifications SET queued_at = now() - interval '10 minutes'")

        assert await notifications.requeue_lost() == 1
        assert await notifications.requeue_lost() == 0
        assert await notifications.depth() == 1

    async def test_one_that_is_not_taken_does_not_hold_up_those_that_came_with_it(self, database):
        db, sent = await database("notifications"), []
        notifications = Notifications(
            db, _Wire(sent, refuses="b@example.com"), Shop("Shopwright", "http://shop"), holder="one",
            sender="shop@example.com", announce=_nobody,
        )  # fmt: skip
        people = [registered(email=f"{letter}@example.com") for letter in "abc"]
        await notifications.notify_all(
            [(domain.welcome(fact, "Shopwright"), f"event:{fact.email}") for fact in people]
        )
        async with db.read() as connection:
            rows = await connection.fetch("SELECT id FROM notifications ORDER BY email")

        with pytest.raises(domain.MailNotSent):
            await notifications.deliver(*(row["id"] for row in rows))

        async with db.read() as connection:
            states = await connection.fetch("SELECT state FROM notifications ORDER BY email")
        assert [row["state"] for row in states] == ["sent", "retrying", "sent"]
        assert sorted(sent) == ["a@example.com", "c@example.com"]

    async def test_a_lease_keeps_others_away_until_it_ends(self, database):
        db = await database("notifications")
        mail = new_id()
        await store.add(
            db, [NewNotification(mail, "event:1", domain.welcome(registered(), "Shopwright"), None)]
        )

        async with db.read() as connection:
            first = await store.claim(connection, [mail], "one", timedelta(seconds=60))
            other = await store.claim(connection, [mail], "two", timedelta(seconds=60))
            again = await store.claim(connection, [mail], "one", timedelta(seconds=-1))
            later = await store.claim(connection, [mail], "two", timedelta(seconds=60))

        assert [bool(letter) for letter in (first, other, again, later)] == [True, False, True, True]

    async def test_a_hundred_mails_go_out_and_the_depth_is_a_metric(self, running):
        shop = await running()

        await asyncio.gather(*(shop.tell(confirmed(email=f"b{n}@example.com")) for n in range(100)))

        await shop.settled(100)
        metrics = (await shop.client.get("/metrics", headers=WEB)).text
        assert 'shopwright_deliveries_total{kind="order_confirmed",outcome="sent"}' in metrics
        assert "shopwright_delivery_queue " in metrics
        assert "shopwright_delivery_workers " in metrics


class TestKilled:
    @pytest.mark.parametrize("point", ["before-send", "after-send"])
    async def test_between_sending_and_marking_shows_one_mail(self, process, valkey, database_of, point):
        dying = process(crash_at=f"notifications.deliver.{point}")
        await dying.ready()
        await tell(valkey, confirmed())
        assert await dying.died() == -signal.SIGKILL

        alive = await process().ready()

        async with alive.client() as client:
            row = await until(lambda: _sent(database_of))
            mails = (await client.get("/mailbox.json", params={"to": "ada@example.com"})).json()
        assert row["attempts"] == 2
        assert [mail["subject"] for mail in mails] == ["Order SW-1001 is confirmed"]

    async def test_a_repeat_by_smtp_has_the_same_message_id(self, process, valkey, database_of, post_office):
        office = await post_office()
        smtp = {"smtp_url": f"smtp://127.0.0.1:{office.port}?starttls=off", "mail_from": "shop@example.com"}
        dying = process(crash_at="notifications.deliver.after-send", **smtp)
        await dying.ready()
        await tell(valkey, confirmed())
        assert await dying.died() == -signal.SIGKILL

        await process(**smtp).ready()

        await until(lambda: _sent(database_of))
        assert len({message["Message-ID"] for message in office.accepted}) == 1
        assert len(office.accepted) == 2


@pytest.fixture
async def database_of(process):
    db = await open_database(process.database_url, application="test", size=2)
    yield db
    await db.close()


async def _sent(db):
    async with db.read() as connection:
        return await connection.fetchrow("SELECT * FROM notifications WHERE state = 'sent'")


class _Wire:
    at_once = 10

    def __init__(self, sent, refuses=""):
        self._sent, self._refuses = sent, refuses

    async def send(self, mail):
        if mail.recipient == self._refuses:
            raise domain.MailNotSent(detail="mailbox full")
        self._sent.append(mail.recipient)

    async def forget(self, mails):
        pass


async def _nobody(user_id):
    pass
