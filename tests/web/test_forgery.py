"""Forms from elsewhere, stale forms, cookies and headers: what keeps one person's session from another's
hands.
"""

import re

import pytest

from browsing import Browser, Page

ADDRESS = {
    "email": "ada@example.com", "name": "Ada Buyer", "line1": "1 Long Lane", "postal_code": "10115",
    "city": "Berlin", "country": "DE",
}  # fmt: skip
UNSAFE = [
    "/cart/lines", "/checkout", "/checkout/shipping", "/checkout/place", "/login", "/register", "/logout",
    "/account", "/account/password", "/account/addresses", "/account/erase",
]  # fmt: skip


class TestForm:
    async def test_every_unsafe_form_of_every_page_carries_a_token(self, shop):
        pages = [await shop.get(path) for path in ("/login", "/register")]
        pages += [await shop.put_in_cart(), await shop.get("/product/stone-mug"), await shop.get("/checkout")]
        pages += [await shop.send(pages[-1], "/checkout", **ADDRESS)]
        pages += [await shop.send(pages[-1], "/checkout/shipping"), await shop.log_in()]

        forms = [form for page in pages for form in page.forms if form.method == "post"]

        assert len(forms) >= 12
        assert all(re.fullmatch(r"[0-9a-f]{24}\.[0-9a-f]{64}", form["form_token"] or "") for form in forms)

    async def test_a_form_that_only_reads_carries_none(self, shop):
        await shop.put_in_cart()

        forms = [form for form in (await shop.get("/search?q=a")).forms if form.method == "get"]

        assert len(forms) == 2
        assert [form["form_token"] for form in forms] == [None, None]

    @pytest.mark.parametrize("path", UNSAFE)
    @pytest.mark.parametrize("token", ["", "0" * 24 + "." + "0" * 64, "é", "."])
    async def test_does_nothing_without_the_sessions_token(self, shop, mesh, path, token):
        await shop.log_in()
        await shop.put_in_cart()
        mesh.asked.clear()

        answer = await shop.post(path, ADDRESS | {"form_token": token})

        assert answer.status_code == 403
        assert [call for call in mesh.asked if call.method != "GET"] == []

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "https://shop.test"},  # TLS is another origin
            {"origin": "http://shop.test.evil.example"},
            {"origin": "", "sec_fetch_site": "cross-site"},
            {"origin": "", "sec_fetch_site": "same-site"},
        ],
    )
    @pytest.mark.parametrize("path", ["/cart/lines", "/login"])
    async def test_does_nothing_for_a_page_of_another_site_even_with_the_token(
        self, shop, mesh, path, headers
    ):
        page = await shop.put_in_cart()
        token = page.form("/cart/lines/.*")["form_token"]
        mesh.asked.clear()

        answer = await shop.post(path, {"sku": "STONE-MUG-0", "form_token": token}, **headers)

        assert answer.status_code == 403
        assert "sent from another site" in answer.text
        assert mesh.asked == []

    async def test_a_token_of_another_session_is_worth_nothing(self, shop, web):
        other = Browser(web)
        token = (await other.put_in_cart()).form("/cart/lines/.*")["form_token"]
        await shop.put_in_cart()

        answer = await shop.post("/cart/lines", {"sku": "STONE-MUG-0", "form_token": token})

        assert answer.status_code == 403

    async def test_a_token_of_before_the_log_in_is_worth_nothing_after_it(self, shop):
        token = (await shop.put_in_cart()).form("/cart/lines/.*")["form_token"]
        await shop.log_in()

        answer = await shop.post("/cart/lines", {"sku": "STONE-MUG-0", "form_token": token})

        assert answer.status_code == 403

    async def test_no_two_pages_carry_the_same_text_of_a_token(self, shop):
        await shop.put_in_cart()

        tokens = {(await shop.get("/product/oak-lamp")).form("/cart/lines")["form_token"] for _ in range(3)}

        assert len(tokens) == 3

    async def test_a_browser_that_says_nothing_of_where_it_comes_from_needs_the_token(self, shop):
        page = await shop.put_in_cart()
        fields = {"sku": "STONE-MUG-0", "form_token": page.form("/cart/lines/.*")["form_token"]}

        good = await shop.post("/cart/lines", fields, origin="", referer="")
        bad = await shop.post("/cart/lines", {"sku": "STONE-MUG-0"}, origin="", referer="")

        assert (good.status_code, bad.status_code) == (303, 403)

    async def test_a_page_that_was_shown_to_nobody_in_particular_can_still_be_sent(self, shop):
        page = await shop.get("/product/oak-lamp")
        await shop.get("/login")

        sent = await shop.send(page, "/cart/lines")

        assert page.form("/cart/lines")["form_token"] is None
        assert "Oak lamp is in your cart" in sent.text


class TestStaleForm:
    async def test_keeps_what_was_typed_and_sends_it_again(self, shop):
        await shop.put_in_cart()
        page = await shop.get("/checkout")
        await shop.log_in()

        stale = await shop.send(page, "/checkout", **ADDRESS)
        again = await shop.send(stale, "/checkout")

        assert (stale.status, stale.form("/checkout")["line1"]) == (403, "1 Long Lane")
        assert again.path == "/checkout/shipping"

    async def test_shows_no_secret_again(self, shop):
        page = await shop.get("/login")
        await shop.put_in_cart()

        stale = await shop.send(page, "/login", email="ada@example.com", password="a secret phrase")

        assert stale.status == 403
        assert "ada@example.com" in stale.html
        assert "a secret phrase" not in stale.html

    async def test_shows_nothing_of_a_form_that_may_come_from_elsewhere(self, shop):
        await shop.put_in_cart()

        answer = await shop.post("/checkout", ADDRESS, origin="", referer="")

        assert answer.status_code == 403
        assert "1 Long Lane" not in answer.text

    async def test_an_ended_session_still_lets_its_form_be_sent(self, shop, mesh):
        page = await shop.get("/login")
        mesh.people.revoke()

        assert (
            await shop.send(page, "/login", email="buyer@example.com", password="buyer-password")
        ).path == "/account"


class TestCookie:
    async def test_is_hidden_from_scripts_and_other_sites(self, shop):
        answer = await shop.post("/cart/lines", {"sku": "OAK-LAMP-0"})

        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("session=")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie

    async def test_is_bound_to_this_host_and_to_tls_where_there_is_tls(self, web):
        answer = await Browser(web, secure=True).post("/cart/lines", {"sku": "OAK-LAMP-0"})

        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))

    async def test_of_a_plain_connection_opens_nothing_over_tls(self, shop, web):
        await shop.log_in()
        secure = Browser(web, secure=True)
        secure.client.cookies.set("session", shop.cookie, domain="shop.test")

        assert (await secure.get("/account")).path.startswith("/login")

    async def test_changes_with_every_log_in_so_that_nobody_can_fix_it_beforehand(self, shop, web):
        await shop.put_in_cart()
        planted = shop.cookie
        await shop.log_in()
        attacker = Browser(web)
        attacker.client.cookies.set("session", planted, domain="shop.test")

        assert shop.cookie != planted
        assert (await attacker.get("/account")).path.startswith("/login")
        assert "Nothing in it yet" in (await attacker.get("/cart")).text

    async def test_an_id_that_somebody_made_up_never_becomes_a_session(self, shop):
        made_up = "A" * 43
        shop.client.cookies.set("session", made_up, domain="shop.test")

        page = await shop.get("/login")
        await shop.send(page, "/login", email="buyer@example.com", password="buyer-password")

        assert {c.value for c in shop.client.cookies.jar if c.name == "session"} != {made_up}
        stranger = await shop.client.get("/account", headers={"cookie": f"session={made_up}"})
        assert stranger.headers["location"].startswith("/login")

    @pytest.mark.parametrize("value", ["x", "A" * 44, "../../etc", "%00", "'; DROP TABLE sessions; --"])
    async def test_nonsense_is_no_cookie(self, shop, value):
        answer = await shop.client.get("/cart", headers={"cookie": f"session={value}"})

        assert answer.status_code == 200

    async def test_a_visit_that_only_looks_gets_none(self, shop):
        for path in ("/", "/search?q=a", "/category/home", "/product/oak-lamp", "/nothing"):
            await shop.get(path)

        assert shop.cookie is None


class TestSecrets:
    async def test_no_token_is_ever_in_what_a_browser_gets(self, shop, mesh):
        page = await shop.log_in()
        await shop.put_in_cart()
        paths = ("/", "/cart", "/checkout", "/account", "/account/data", "/orders", "/nothing")
        answers = [page.answer, *[await shop.client.get(path) for path in paths]]

        secrets = list(mesh.people.sessions)
        assert len(secrets) >= 2
        for answer in answers:
            said = answer.text + str(answer.headers)
            assert not [secret for secret in secrets if secret in said]
            assert "eyJ" not in answer.text

    async def test_the_id_of_the_session_stands_in_no_page(self, shop):
        await shop.log_in()

        for path in ("/", "/account", "/cart"):
            assert shop.cookie not in (await shop.get(path)).html


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/", "/product/oak-lamp", "/login", "/nothing", "/robots.txt", "/v1/nothing"]
    )
    async def test_every_answer_says_what_a_browser_may_do(self, shop, path):
        headers = (await shop.client.get(path)).headers

        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"

    async def test_no_page_needs_what_the_policy_forbids(self, shop):
        pages = [await shop.get(path) for path in ("/", "/search", "/product/oak-lamp", "/login", "/nothing")]
        pages.append(await shop.put_in_cart())

        for page in pages:
            assert not [attributes for _, attributes in page.tags if "style" in attributes]
            assert not [name for _, found in page.tags for name in found if name.startswith("on")]
            assert all(
                "src" in script or script["type"] == "application/ld+json" for script in page.all("script")
            )
            assert page.all("style") == []


class TestBodies:
    async def test_a_form_larger_than_any_of_ours_is_refused_with_a_page(self, shop):
        answer = await shop.post("/login", {"email": "a" * 2_000_000})

        assert answer.status_code == 413
        assert Page(answer).text

    @pytest.mark.parametrize(
        ("content_type", "content"),
        [
            ("application/json", b"{}"),
            ("text/plain", b"x"),
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
            ("", b"\xff\xfe"),
        ],
    )
    async def test_a_body_that_is_no_form_is_refused_not_a_bug(self, shop, content_type, content):
        answer = await shop.client.post(
            "/login", content=content, headers={"content-type": content_type, "origin": shop.origin}
        )

        assert answer.status_code in {403, 422}

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    async def test_a_method_that_no_page_has_is_refused(self, shop, method):
        answer = await shop.client.request(method, "/cart", headers={"origin": shop.origin})

        assert answer.status_code in {404, 405}
