"""Log in, register, the own account, log out."""

import json

import pytest

from browsing import Browser
from shopwright.contracts.problems import TooManyRequests, Unavailable

NEW = {"name": "Ida New", "email": "ida@example.com", "password": "a fine long phrase"}
ADDRESS = {"name": "Ida", "line1": "1 Lane", "postal_code": "3000", "city": "Bern", "country": "CH"}


class TestLogIn:
    async def test_leads_to_the_account(self, shop):
        page = await shop.log_in()

        assert (page.path, "Your account" in page.text) == ("/account", True)

    async def test_keeps_the_cart_of_a_guest(self, shop, mesh):
        await shop.put_in_cart()

        await shop.log_in()

        assert "Oak lamp" in (await shop.get("/cart")).text
        assert len(mesh.purchases.carts) == 1

    async def test_puts_a_guests_cart_into_the_one_of_the_last_time(self, shop, mesh):
        await shop.put_in_cart()
        page = await shop.log_in()
        await shop.send(page, "/logout")
        await shop.put_in_cart()

        page = await shop.log_in()

        assert "What you put into your cart the last time is in it again" in page.text
        merged = [cart["status"] for cart in mesh.purchases.carts.values()]
        assert (merged, (await shop.get("/cart")).text.count("Oak lamp") > 0) == (["open", "merged"], True)

    async def test_leads_back_to_where_it_was_needed(self, shop):
        page = await shop.get("/account")

        page = await shop.send(page, "/login", email="buyer@example.com", password="buyer-password")

        assert page.path == "/account"

    @pytest.mark.parametrize(
        "target",
        [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            " //evil.example",
            "http:evil.example",
            "///evil.example",
            "/\r\nset-cookie: a=b",
        ],
    )
    async def test_never_leads_to_another_site(self, shop, web, target):
        page = await shop.get("/login", params={"next": target})
        known = {"email": "buyer@example.com", "password": "buyer-password"}

        by_page = await shop.post("/login", dict(page.form("/login").fields) | known)
        by_form = await Browser(web).post("/login", known | {"next": target})

        assert (by_page.status_code, by_form.status_code) == (303, 303)
        assert {by_page.headers["location"], by_form.headers["location"]} <= {"/", "/account"}

    async def test_does_not_say_which_of_both_is_wrong(self, shop):
        wrong = await shop.log_in(password="not this one")
        nobody = await shop.log_in(email="nobody@example.com")

        assert (wrong.status, nobody.status) == (422, 422)
        assert "E-mail address or password is not right" in wrong.text
        assert "E-mail address or password is not right" in nobody.text

    async def test_keeps_the_address_but_never_the_password(self, shop):
        page = await shop.log_in(password="not this one")

        assert page.form("/login")["email"] == "buyer@example.com"
        assert "not this one" not in page.html

    async def test_says_how_long_to_wait_after_too_many_tries(self, shop, mesh):
        mesh.refusals["/v1/sessions"] = TooManyRequests(retry_after_s=200)

        assert "Please wait 4 minutes" in (await shop.log_in()).text

    async def test_says_that_buying_works_while_users_is_away(self, shop, mesh):
        mesh.away.add("users")

        page = await shop.log_in()

        assert "You can still buy as a guest" in page.text

    async def test_tells_users_which_browser_it_was(self, shop, mesh):
        await shop.log_in()

        assert "Firefox" in mesh.calls("/v1/sessions")[-1].headers["User-Agent"]

    async def test_a_password_is_taken_to_the_letter(self, shop, mesh):
        mesh.people.users["buyer@example.com"]["password"] = " with blanks "

        assert (await shop.log_in(password=" with blanks ")).path == "/account"


class TestRegister:
    async def test_makes_an_account_logs_in_and_keeps_the_cart(self, shop, mesh):
        await shop.put_in_cart()

        page = await shop.send(await shop.get("/register"), "/register", **NEW)

        assert page.path == "/account"
        assert "Welcome, Ida New" in page.text
        assert "Oak lamp" in (await shop.get("/cart")).text

    async def test_names_every_field_that_is_wrong(self, shop, mesh):
        page = await shop.send(await shop.get("/register"), "/register", email="ida", password="short")

        wrong = [field["name"] for field in page.all("input", **{"aria-invalid": "true"})]
        assert wrong == ["name", "email", "password"]
        assert mesh.calls("/v1/users") == []

    async def test_says_why_users_refuses_a_password(self, shop):
        page = await shop.send(await shop.get("/register"), "/register", **NEW | {"password": "password"})

        assert "Is one of the first that are guessed" in page.text

    async def test_offers_to_log_in_where_there_is_an_account(self, shop):
        page = await shop.send(
            await shop.get("/register"), "/register", **NEW | {"email": "buyer@example.com"}
        )

        assert page.status == 422
        assert "There is an account with this address" in page.text

    async def test_asks_again_with_the_same_key_when_the_answer_was_lost(self, shop, mesh):
        page = await shop.get("/register")
        mesh.refusals["/v1/users"] = Unavailable()

        unsure = await shop.send(page, "/register", **NEW)
        done = await shop.send(unsure, "/register", password=NEW["password"])

        assert done.path == "/account"
        keys = [call.headers["idempotency-key"] for call in mesh.calls("/v1/users")]
        assert keys[0] == keys[1]


class TestAccount:
    @pytest.mark.parametrize("path", ["/account", "/account/data", "/orders"])
    async def test_asks_a_guest_to_log_in(self, shop, path):
        page = await shop.get(path)

        assert page.path.startswith("/login")
        assert page.form("/login")["next"] == path

    async def test_saves_the_name(self, shop, mesh):
        page = await shop.send(await shop.log_in(), "/account", name="Bea Changed")

        assert "Your name was saved" in page.text
        assert mesh.people.users["buyer@example.com"]["name"] == "Bea Changed"

    async def test_changes_the_password_if_the_present_one_is_right(self, shop, mesh):
        page = await shop.log_in()

        wrong = await shop.send(page, "/account/password", current="guess", new="another phrase")
        short = await shop.send(page, "/account/password", current="buyer-password", new="short")
        right = await shop.send(page, "/account/password", current="buyer-password", new="another phrase")

        assert (wrong.status, "This is not your present password" in wrong.text) == (422, True)
        assert (short.status, "Use at least 8 characters" in short.text) == (422, True)
        assert "Your password was changed" in right.text
        assert mesh.people.users["buyer@example.com"]["password"] == "another phrase"

    async def test_keeps_an_address_book(self, shop):
        page = await shop.log_in()

        saved = await shop.send(page, "/account/addresses", **ADDRESS)
        removed = await shop.send(saved, "/account/addresses/.*/remove")

        assert "1 Lane 3000 Bern Switzerland" in saved.text
        assert "None saved yet" in removed.text

    async def test_shows_an_address_again_with_what_is_wrong(self, shop):
        page = await shop.send(await shop.log_in(), "/account/addresses", **ADDRESS | {"city": ""})

        assert page.status == 422
        assert "Enter the town or city" in page.text
        assert page.form("/account/addresses")["line1"] == "1 Lane"
        assert "#address-city" in page.links

    async def test_shows_where_the_account_is_logged_in_and_ends_one(self, shop, web, mesh):
        await Browser(web).log_in()

        page = await shop.log_in()
        ended = await shop.send(page, "/account/log-ins/.*/end")

        assert page.text.count("Firefox on Linux") >= 2
        assert "This browser" in page.text
        assert len(mesh.people.users["buyer@example.com"]["log_ins"]) == 1
        assert "This browser" in ended.text

    async def test_gives_a_copy_of_the_data(self, shop):
        await shop.log_in()

        answer = await shop.client.get("/account/data")

        assert json.loads(answer.text)["user"]["email"] == "buyer@example.com"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["cache-control"] == "no-store"

    async def test_deletes_the_account_if_the_password_is_right(self, shop, mesh):
        page = await shop.log_in()

        wrong = await shop.send(page, "/account/erase", password="guess")
        right = await shop.send(page, "/account/erase", password="buyer-password")

        assert (wrong.status, "buyer@example.com" in wrong.html) == (422, True)
        assert (right.path, "Your account was deleted" in right.text) == ("/", True)
        assert "buyer@example.com" not in mesh.people.users

    async def test_shows_what_it_can_while_users_is_away(self, shop, mesh):
        await shop.log_in()
        mesh.away.add("users")

        page = await shop.get("/account")

        assert page.status == 200
        assert "cannot be shown right now" in page.text

    async def test_asks_for_three_things_at_once(self, shop, mesh):
        await shop.log_in()
        mesh.asked.clear()

        await shop.get("/account")

        assert sorted(call.path for call in mesh.asked) == [
            "/v1/users/me", "/v1/users/me/addresses", "/v1/users/me/sessions",
        ]  # fmt: skip

    async def test_no_two_elements_share_an_id(self, shop):
        page = await shop.log_in()

        ids = [found["id"] for _, found in page.tags if "id" in found]
        assert len(ids) == len(set(ids))


class TestLogOut:
    async def test_ends_session_and_tokens(self, shop, mesh):
        page = await shop.log_in()
        before = shop.cookie

        await shop.send(page, "/logout")

        assert shop.cookie is None
        assert mesh.calls("/v1/sessions/current")[-1].method == "DELETE"
        shop.client.cookies.set("session", before, domain="shop.test")
        assert (await shop.get("/account")).path.startswith("/login")

    async def test_works_while_users_is_away(self, shop, mesh):
        page = await shop.log_in()
        mesh.away.add("users")

        await shop.send(page, "/logout")

        assert shop.cookie is None
