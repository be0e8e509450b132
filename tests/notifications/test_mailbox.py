"""The local mailbox: every mail once, the newest first, not without end, and shown without danger."""

import asyncio
import re

import httpx
import pytest

from notifying import as_user
from shopwright.contracts.ids import new_id
from shopwright.notifications.clients.mailbox import PRUNE_EVERY, Mailbox
from shopwright.notifications.domain import MailNotSent
from shopwright.notifications.testing import a_line, confirmed, registered
from writing import mail_about

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


class TestFolder:
    async def test_keeps_what_a_mail_program_would_see(self, tmp_path):
        mailbox = Mailbox(tmp_path, 100)
        mail = mail_about(confirmed())

        await mailbox.send(mail)

        stored = (await mailbox.newest(None, 10))[0]
        assert (stored.id, stored.to, stored.subject) == (
            mail.id,
            mail.recipient,
            "Order SW-1001 is confirmed",
        )
        assert "€44.88" in stored.text
        assert "€44.88" in stored.html
        assert stored.headers["Message-ID"] == f"<{mail.id}@example.org>"
        assert stored.sent_at == mail.sent_at

    async def test_a_mail_that_comes_twice_is_there_once_as_it_first_was(self, tmp_path):
        mail_id = new_id()
        mailbox = Mailbox(tmp_path, 100)

        await asyncio.gather(*(mailbox.send(mail_about(registered(), id=mail_id)) for _ in range(8)))
        await mailbox.send(mail_about(registered(), id=mail_id, title="Another"))

        assert [mail.subject for mail in await mailbox.newest(None, 10)] == ["Welcome to Shopwright"]
        assert len(list(tmp_path.iterdir())) == 1

    async def test_finds_one_persons_mails_whatever_the_case_newest_first(self, tmp_path):
        mailbox = Mailbox(tmp_path, 100)
        for number, email in enumerate(["Ada@Example.com", "bob@example.com", "ada@example.com"]):
            await mailbox.send(mail_about(confirmed(email=email, number=f"SW-{number}")))

        found = await mailbox.newest(" ADA@example.com", 10)

        assert [mail.subject for mail in found] == ["Order SW-2 is confirmed", "Order SW-0 is confirmed"]
        assert len(await mailbox.newest("ada@example.com", 1)) == 1
        assert await mailbox.newest("a@example.com", 10) == []

    async def test_lets_the_oldest_go(self, tmp_path):
        mailbox = Mailbox(tmp_path, 10)

        for number in range(PRUNE_EVERY + 1):
            await mailbox.send(mail_about(confirmed(number=f"SW-{number}")))

        kept = await mailbox.newest(None, 100)
        assert len(kept) == 10
        assert kept[0].subject == f"Order SW-{PRUNE_EVERY} is confirmed"

    async def test_forgets_what_it_is_told_to(self, tmp_path):
        mailbox = Mailbox(tmp_path, 100)
        first, second = mail_about(registered()), mail_about(registered())
        await mailbox.send(first)
        await mailbox.send(second)

        await mailbox.forget([first.id, new_id()])

        assert [mail.id for mail in await mailbox.newest(None, 10)] == [second.id]

    async def test_a_folder_that_cannot_be_written_is_a_mail_not_sent(self, tmp_path):
        (tmp_path / "file").write_text("")

        with pytest.raises(MailNotSent):
            await Mailbox(tmp_path / "file" / "mailbox", 100).send(mail_about(registered()))

    async def test_a_file_that_is_no_mail_hides_no_other(self, tmp_path):
        mailbox = Mailbox(tmp_path, 100)
        await mailbox.send(mail_about(registered()))
        (tmp_path / f"{new_id()}-0123456789abcdef.json").write_text("{")

        assert len(await mailbox.newest(None, 10)) == 1


class TestPages:
    async def test_lists_mails_for_programs(self, running):
        shop = await running()
        await shop.tell(registered(email="b@example.com"))
        await shop.tell(confirmed())
        await shop.settled(2)

        every, to_one = await shop.mails(), await shop.mails("b@example.com")

        assert len(every) == 2
        assert [mail["to"] for mail in to_one] == ["b@example.com"]
        assert to_one[0].keys() == {"id", "to", "subject", "text", "html", "headers", "sent_at"}

    async def test_shows_the_list_and_a_mail_in_a_frame_that_can_do_nothing(self, running):
        shop = await running()
        await shop.tell(confirmed(number=EVIL, name=EVIL, lines=[a_line(name=EVIL)]))
        await shop.settled(1)
        mail = (await shop.mails())[0]

        listed = await shop.client.get("/mailbox")
        shown = await shop.client.get(f"/mailbox/{mail['id']}?to=ada@example.com")
        body = await shop.client.get(f"/mailbox/{mail['id']}/body")

        for page in (listed, shown, body):
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
            assert "<script" not in page.text
            assert "<img" not in page.text
            assert "default-src 'none'" in page.headers["content-security-policy"]
        assert f'href="/mailbox/{mail["id"]}"' in listed.text
        assert re.search(r'<iframe[^>]+sandbox="allow-popups[^"]*"', shown.text)
        assert "allow-scripts" not in shown.text + body.headers["content-security-policy"]
        assert body.headers["content-security-policy"].startswith("sandbox ")
        assert "Hello" in body.text

    async def test_says_so_when_there_is_none(self, running):
        shop = await running()

        assert "No mail yet" in (await shop.client.get("/mailbox")).text
        assert (await shop.client.get(f"/mailbox/{new_id()}")).status_code == 404
        assert (await shop.client.get("/mailbox.json", params={"to": "../../etc/passwd"})).json() == []

    async def test_does_not_exist_where_mails_leave(self, running):
        shop = await running(smtp_url="smtp://127.0.0.1:9?starttls=off", mail_from="shop@example.com")

        for path in ("/mailbox", "/mailbox.json", f"/mailbox/{new_id()}"):
            answer = await shop.client.get(path)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


class TestUnsubscribe:
    async def test_asks_first_and_then_no_longer_sends(self, running):
        shop = await running()
        user = new_id()
        await shop.tell(registered(user_id=user))
        await shop.settled(1)
        header = (await shop.mails())[0]["headers"]["List-Unsubscribe"]
        path = httpx.URL(header.strip("<>")).path

        asked = await shop.client.get(path)
        before = (await shop.client.get("/v1/notification-preferences", headers=as_user(user))).json()[
            "items"
        ]
        done = await shop.client.post(path, data={"List-Unsubscribe": "One-Click"})
        after = (await shop.client.get("/v1/notification-preferences", headers=as_user(user))).json()["items"]

        assert (asked.status_code, done.status_code) == (200, 200)
        assert all(item["enabled"] for item in before)
        assert [(item["kind"], item["channel"]) for item in after if not item["enabled"]] == [
            ("welcome", "email")
        ]

    async def test_a_link_that_is_wrong_changes_nothing(self, running):
        shop = await running()

        asked, done = await shop.client.get("/unsubscribe/x"), await shop.client.post("/unsubscribe/x")

        assert (asked.status_code, done.status_code) == (410, 410)
