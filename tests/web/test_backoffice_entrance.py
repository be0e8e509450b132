"""The back office lets staff in, and each of them only where their scopes allow."""

import pytest

from officing import Office, hire
from shopwright.web.backoffice import (
    entrance,
    gift_cards,
    imports,
    letters,
    orders,
    overview,
    products,
    promotions,
    reconciliations,
    shipping,
    stock,
    tax,
    variants,
)

AREAS = {
    "/admin/orders": "orders:read",
    "/admin/products": "catalog:read",
    "/admin/stock": "inventory:read",
    "/admin/imports": "catalog:write",
    "/admin/letters": "operations:read",
    "/admin/promotions": "promotions:read",
    "/admin/gift-cards": "payments:read",
    "/admin/reconciliations": "payments:read",
    "/admin/tax": "settings:read",
    "/admin/shipping": "settings:read",
}


@pytest.fixture
def office(web):
    return Office(web)


class TestLogIn:
    async def test_leads_to_the_page_that_was_asked_for(self, office, mesh):
        page = await office.enter(path="/admin/stock?sort=sku")

        assert (page.status, page.path) == (200, "/admin/stock?sort=sku")
        assert "Ada Admin" in page.text

    async def test_refuses_a_buyer_in_words_and_ends_the_log_in_at_users(self, office, mesh):
        page = await office.enter("buyer@example.com", "buyer-password")

        assert page.status == 422
        assert "no access to the back office" in page.text
        assert len(mesh.calls("/v1/sessions/current")) == 1
        assert (await office.get("/admin")).path.startswith("/admin/login")

    async def test_refuses_a_wrong_password_and_keeps_the_address(self, office, mesh):
        page = await office.enter(password="guess")

        assert page.status == 422
        assert page.form("/admin/login")["email"] == "admin@example.com"
        assert "guess" not in page.html

    @pytest.mark.parametrize(
        "target", ["https://evil.example/", "//evil.example", "/", "/admin/login", "/adminx"]
    )
    async def test_never_leads_out_of_the_back_office(self, office, mesh, target):
        page = await office.get("/admin/login")

        page = await office.send(
            page, "/admin/login", email="admin@example.com", password="admin-password", next=target
        )

        assert page.path == "/admin"

    async def test_says_that_accounts_are_away(self, office, mesh):
        mesh.away.add("users")

        page = await office.enter()

        assert "does not answer" in page.text

    async def test_gives_a_cookie_that_no_other_site_can_have_sent(self, web, mesh):
        office = Office(web, secure=True)
        page = await office.get("/admin/login")
        fields = dict(page.form("/admin/login").fields)

        answer = await office.post(
            "/admin/login", fields | {"email": "admin@example.com", "password": "admin-password"}
        )

        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith("__host-staff=")
        assert "samesite=strict" in cookie
        assert "httponly" in cookie
        assert "secure" in cookie
        assert "max-age" not in cookie

    async def test_is_another_session_than_the_shop_has(self, office, mesh):
        await office.log_in()

        assert (await office.get("/admin")).path.startswith("/admin/login")


class TestLogOut:
    async def test_ends_the_session_here_and_at_users(self, office, mesh):
        page = await office.enter()

        page = await office.send(page, "/admin/logout")

        assert page.path == "/admin/login"
        assert (await office.get("/admin/orders")).path.startswith("/admin/login")
        assert len(mesh.calls("/v1/sessions/current")) == 1


class TestForms:
    async def test_one_of_an_earlier_session_is_shown_again_instead_of_done(self, office, mesh):
        page = await office.enter(path="/admin/stock/OAK-LAMP-0")
        fields = dict(page.form("/admin/stock/.*").fields) | {"delta": "5", "reason": "Count"}
        fields["form_token"] = "of.another"

        answer = await office.post("/admin/stock/OAK-LAMP-0", fields)

        assert answer.status_code == 403
        assert 'name="delta" value="5"' in answer.text
        assert not mesh.calls("/v1/inventory/adjustments")

    async def test_one_from_another_site_is_refused(self, office, mesh):
        page = await office.enter(path="/admin/stock/OAK-LAMP-0")
        fields = dict(page.form("/admin/stock/.*").fields) | {"delta": "5", "reason": "Count"}

        answer = await office.post("/admin/stock/OAK-LAMP-0", fields, origin="https://evil.example")

        assert answer.status_code == 403
        assert not mesh.calls("/v1/inventory/adjustments")

    async def test_every_post_form_carries_a_token(self, office, mesh):
        await office.enter()

        for path in ("/admin", *AREAS, "/admin/stock/OAK-LAMP-0", "/admin/products/oak-lamp"):
            page = await office.get(path)
            assert all(form["form_token"] for form in page.forms if form.method == "post"), path


class TestNowhere:
    @pytest.mark.parametrize(
        "path", ["/admin/orders/nope", "/admin/promotions/nope", "/admin/orders/a/b/c", "/admin/nope"]
    )
    async def test_is_told_by_the_back_office_to_staff_only(self, office, path):
        stranger = await office.get(path)
        await office.enter()

        page = await office.get(path)

        assert stranger.path.startswith("/admin/login")
        assert page.status == 404
        assert "There is nothing here" in page.text
        assert "Marketing" in page.text


class TestScopes:
    def test_every_handler_names_one(self):
        rooms = [
            entrance, gift_cards, imports, letters, orders, overview, products, promotions, reconciliations,
            shipping, stock, tax, variants,
        ]  # fmt: skip

        handlers = [handler for room in rooms for handler in room.HANDLERS]

        assert all("scope" in handler.opt for handler in handlers)
        open_to_all = {path for h in handlers if not h.opt["scope"] for path in h.paths}
        assert open_to_all == {"/admin/login", "/admin/logout"}

    @pytest.mark.parametrize(("path", "scope"), AREAS.items())
    async def test_opens_its_own_area_and_no_other(self, office, mesh, path, scope):
        await office.enter(**hire(mesh, scope))

        assert (await office.get(path)).status == 200
        refused = [await office.get(other) for other, needed in AREAS.items() if needed != scope]
        assert {page.status for page in refused} == {403}
        assert all("needs the scope" in page.text for page in refused)

    async def test_shows_only_areas_that_it_opens(self, office, mesh):
        page = await office.enter(**hire(mesh, "orders:read"))

        assert "/admin/orders" in page.links
        assert not {"/admin/products", "/admin/stock", "/admin/imports", "/admin/letters"} & set(page.links)
        assert not mesh.calls("/v1/inventory")

    async def test_reading_alone_shows_no_forms_that_change(self, office, mesh):
        await office.enter(**hire(mesh, "catalog:read inventory:read orders:read operations:read"))

        for path in ("/admin/stock/OAK-LAMP-0", "/admin/products/oak-lamp", "/admin/letters"):
            page = await office.get(path)
            assert not [
                f.action for f in page.forms if f.action.endswith(("adjust", "archive", "replay-all"))
            ]
            assert "Save details" not in page.text
            assert "Adjust stock" not in page.text

    async def test_changing_without_the_scope_is_refused_when_asked_for(self, office, mesh):
        page = await office.enter(**hire(mesh, "catalog:read inventory:read"))
        token = {"form_token": page.form("/admin/logout")["form_token"]}

        for path in (
            "/admin/stock/OAK-LAMP-0",
            "/admin/products/oak-lamp",
            "/admin/products/oak-lamp/archive",
        ):
            assert (await office.post(path, token)).status_code == 403
        assert not [call for call in mesh.asked if call.method in {"PATCH", "PUT"}]


class TestRefusals:
    async def test_an_unknown_page_is_told_in_the_back_offices_own_look(self, office, mesh):
        await office.enter()

        page = await office.get("/admin/unheard-of")

        assert page.status == 404
        assert "/admin/orders" in page.links

    async def test_nobody_is_told_which_pages_there_are_without_a_log_in(self, office, mesh):
        assert (await office.get("/admin/unheard-of")).path.startswith("/admin/login")

    async def test_a_service_that_is_away_is_told_with_a_way_on(self, office, mesh):
        await office.enter()
        mesh.away.add("orders")

        page = await office.get("/admin/orders")

        assert page.status == 503
        assert "/admin/orders" in page.links

    async def test_tokens_that_ended_lead_to_the_log_in(self, office, mesh):
        await office.enter()
        mesh.people.revoke()

        page = await office.get("/admin/orders")

        assert page.path == "/admin/login?ended=1&next=%2Fadmin%2Forders"
        assert "Your log-in has ended" in page.text
        page = await office.send(page, "/admin/login", email="admin@example.com", password="admin-password")
        assert page.path == "/admin/orders"

    async def test_nothing_of_it_is_kept_by_a_browser(self, office, mesh):
        page = await office.enter()

        assert page.answer.headers["cache-control"] == "no-store"
