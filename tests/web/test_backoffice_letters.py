"""Dead letters of all services in one list, replayed one by one or all."""

import pytest

from officing import Office, hire
from shopwright.web.testing import dead_letter


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    mesh.operated.letters["notifications"] = [dead_letter("order-1", "SMTPConnectError: no answer")]
    mesh.operated.letters["orders"] = [dead_letter("payment-1")]
    return browser


class TestList:
    async def test_shows_letters_of_all_services_with_error_and_masked_message(self, office, mesh):
        page = await office.get("/admin/letters")

        assert "at notifications" in page.text
        assert "at orders" in page.text
        assert "SMTPConnectError: no answer" in page.text
        assert '"email": "***"' in page.text

    async def test_names_a_service_that_is_away(self, office, mesh):
        mesh.away.add("notifications")

        page = await office.get("/admin/letters")

        assert "Notifications could not be asked: notifications is away" in page.text
        assert "at orders" in page.text

    async def test_pages_go_on(self, office, mesh):
        mesh.operated.letters = {"users": [dead_letter(f"user-{n}") for n in range(51)]}

        page = await office.get("/admin/letters")
        second = await office.get(f"/admin/letters{page.all('a', rel='next')[0]['href']}")

        assert (page.html.count("letter-head"), second.html.count("letter-head")) == (50, 1)

    async def test_says_so_when_there_are_none(self, office, mesh):
        mesh.operated.letters.clear()

        assert "Every message was handled" in (await office.get("/admin/letters")).text

    async def test_nothing_in_a_message_becomes_markup(self, office, mesh):
        mesh.operated.letters = {"users": [dead_letter("<b>u</b>", "<script>alert(1)</script>")]}

        page = await office.get("/admin/letters")

        assert "<script>alert" not in page.html
        assert "<b>u</b>" not in page.html


class TestReplay:
    async def test_replays_one(self, office, mesh):
        letter = mesh.operated.letters["notifications"][0]

        page = await office.send(await office.get("/admin/letters"), f".*{letter['id']}/replay")

        assert mesh.operated.replayed == [f"notifications.{letter['id']}"]
        assert "being tried again" in page.text

    async def test_replays_all_and_names_who_could_not_be_asked(self, office, mesh):
        page = await office.get("/admin/letters")
        mesh.away.add("payments")

        page = await office.send(page, ".*/replay-all")

        assert len(mesh.operated.replayed) == 2
        assert "2 messages are being tried again. Not asked, because away: payments." in page.text

    async def test_replays_all_of_one_kind(self, office, mesh):
        mesh.operated.letters = {"orders": [dead_letter("a"), dead_letter("b")], "users": [dead_letter("c")]}
        page = await office.get("/admin/letters")
        form = next(form for form in page.forms if ("service", "orders") in form.fields)

        await office.post(form.action, form.fields)

        assert [name.partition(".")[0] for name in mesh.operated.replayed] == ["orders", "orders"]
        assert "2 messages are being tried again" in (await office.get("/admin/letters")).text

    async def test_one_that_was_handled_meanwhile_is_told(self, office, mesh):
        page = await office.get("/admin/letters")
        mesh.operated.letters.clear()

        page = await office.send(page, ".*[0-9a-f]/replay")

        assert "no longer among the dead letters" in page.text

    async def test_one_of_a_service_that_is_away_stays(self, office, mesh):
        letter = mesh.operated.letters["orders"][0]
        page = await office.get("/admin/letters")
        mesh.away.add("orders")

        page = await office.send(page, f".*{letter['id']}/replay")

        assert "Not replayed: orders does not answer" in page.text

    async def test_needs_its_scope(self, web, mesh, office):
        reader = Office(web)
        await reader.enter(**hire(mesh, "operations:read"))
        page = await reader.get("/admin/letters")
        token = {"form_token": page.form("/admin/logout")["form_token"]}

        answer = await reader.post("/admin/letters/replay-all", token)

        assert not [form for form in page.forms if "replay" in form.action]
        assert answer.status_code == 403
        assert not mesh.operated.replayed
