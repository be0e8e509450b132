"""A forgotten password: the pages that ask for a link and use it."""

from browsing import Browser
from shopwright.contracts.problems import Unavailable

NEW = {"new": "a fine long phrase"}


async def link_of(shop, mesh, email="buyer@example.com"):
    await shop.send(await shop.get("/password/forgot"), "/password/forgot", email=email)
    return f"/password/reset?token={next(iter(mesh.people.resets))}"


class TestForgotten:
    async def test_the_log_in_leads_to_it(self, shop):
        assert "/password/forgot" in (await shop.get("/login")).links

    async def test_says_the_same_of_every_address(self, shop, web):
        pages = []
        for email in ("buyer@example.com", "nobody@example.com"):
            browser = Browser(web)
            page = await browser.send(await browser.get("/password/forgot"), "/password/forgot", email=email)
            pages.append((page.status, email in page.text, "is on its way" in page.text))

        assert pages == [(200, True, True)] * 2

    async def test_the_link_sets_a_password_that_logs_in(self, shop, mesh):
        link = await link_of(shop, mesh)

        page = await shop.send(await shop.get(link), "/password/reset", **NEW)

        assert (page.path, "Your password was changed" in page.text) == ("/login", True)
        assert mesh.people.users["buyer@example.com"]["password"] == NEW["new"]

    async def test_looking_at_the_link_does_not_use_it_up(self, shop, mesh):
        link = await link_of(shop, mesh)

        await shop.get(link)

        assert (await shop.send(await shop.get(link), "/password/reset", **NEW)).path == "/login"

    async def test_a_link_that_was_used_leads_to_a_new_one(self, shop, mesh):
        link = await link_of(shop, mesh)
        page = await shop.get(link)
        await shop.send(page, "/password/reset", **NEW)

        again = await shop.send(await shop.get(link), "/password/reset", **NEW)

        assert again.status == 410
        assert "/password/forgot" in again.links

    async def test_tells_beside_the_field_why_a_password_is_refused(self, shop, mesh):
        link = await link_of(shop, mesh)

        short = await shop.send(await shop.get(link), "/password/reset", new="short")
        guessed = await shop.send(await shop.get(link), "/password/reset", new="password")

        assert (short.status, guessed.status) == (422, 422)
        assert "Use at least 8 characters" in short.text
        assert "one of the first that are guessed" in guessed.text

    async def test_says_so_while_accounts_are_away(self, shop, mesh):
        page = await shop.get("/password/forgot")
        mesh.refusals["/v1/password-resets"] = Unavailable()

        answer = await shop.send(page, "/password/forgot", email="buyer@example.com")

        assert "Please try again in a moment" in answer.text
