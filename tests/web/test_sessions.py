"""Sessions: what survives a restart, what ends when, and who may use a refresh token."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from browsing import Browser
from shopwright.web.sealing import Seal, hash_of, is_session_id, new_session_id
from shopwright.web.sessions import Lifetimes, Purchase, Sessions
from shopwright.web.store import SessionStore

KEY = "a key of the tests that has more than 256 bits"


@pytest.fixture
def start(mesh, run_service):
    async def begin(url, **settings):
        named = {f"SHOPWRIGHT_{name.upper()}": str(value) for name, value in settings.items()}
        environ = {"SHOPWRIGHT_SESSION_KEY": KEY, "SHOPWRIGHT_DATABASE_URL": url, **named}
        return await run_service("web", extra_env=environ)

    return begin


@pytest.fixture
async def url(database_url):
    return await database_url("web")


@pytest.fixture
async def rows(url):
    """The sessions table, to see and to age."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


class TestRestart:
    async def test_a_cart_and_a_log_in_outlive_the_process(self, start, url):
        shop = Browser(await start(url))
        await shop.log_in()
        await shop.put_in_cart()

        after = Browser(await start(url))
        after.client.cookies = shop.client.cookies

        assert "Oak lamp" in (await after.get("/cart")).text
        assert (await after.get("/account")).path == "/account"

    async def test_a_form_of_before_can_be_sent_after(self, start, url):
        shop = Browser(await start(url))
        page = await shop.put_in_cart()

        after = Browser(await start(url))
        after.client.cookies = shop.client.cookies

        assert "€147.00" in (await after.send(page, "/cart/lines/.*", quantity=3)).text

    async def test_another_key_opens_nobodys_log_in(self, start, url):
        shop = Browser(await start(url))
        await shop.log_in()

        other = Browser(await start(url, session_key="another key of the tests, as long as the first one"))
        other.client.cookies = shop.client.cookies

        assert (await other.get("/account")).path.startswith("/login")

    async def test_a_key_that_is_too_short_is_refused(self, start, url):
        with pytest.raises(ValueError, match="SHOPWRIGHT_SESSION_KEY"):
            await start(url, session_key="short")


class TestStorage:
    async def test_holds_nothing_that_would_open_an_account(self, start, url, rows, mesh):
        shop = Browser(await start(url))
        await shop.log_in()

        stored = str([tuple(row) for row in await rows.fetch("SELECT * FROM sessions")])

        for secret in (shop.cookie, "buyer@example.com", "Bea Buyer", *mesh.people.sessions):
            assert secret not in stored

    async def test_what_is_sealed_for_one_session_does_not_open_in_another(self, start, url, rows):
        web = await start(url)
        buyer, thief = Browser(web), Browser(web)
        await buyer.log_in()
        await thief.put_in_cart()

        await rows.execute(
            "UPDATE sessions SET identity = (SELECT identity FROM sessions WHERE identity IS NOT NULL)"
        )

        assert (await thief.get("/account")).path.startswith("/login")
        assert (await buyer.get("/account")).path == "/account"


class TestEnd:
    @pytest.mark.parametrize("column", ["idle_until", "expires_at"])
    async def test_an_idle_or_old_session_is_over(self, start, url, rows, column):
        shop = Browser(await start(url))
        await shop.log_in()

        await rows.execute(f"UPDATE sessions SET {column} = now() - interval '1 second'")

        assert (await shop.get("/account")).path.startswith("/login")

    async def test_using_it_keeps_it_alive_but_never_beyond_its_end(self, start, url, rows):
        shop = Browser(await start(url, session_idle_s=3_600, session_max_s=5_000))
        await shop.put_in_cart()
        await rows.execute("UPDATE sessions SET idle_until = now() + interval '1 minute'")

        await shop.get("/cart")
        row = await rows.fetchrow("SELECT idle_until, expires_at FROM sessions")
        await rows.execute(
            "UPDATE sessions"
            " SET idle_until = now() + interval '1 minute', expires_at = now() + interval '2 minutes'"
        )
        await shop.get("/cart")
        capped = await rows.fetchrow("SELECT idle_until, expires_at FROM sessions")

        assert row["idle_until"] > datetime.now(UTC) + timedelta(minutes=50)
        assert row["idle_until"] <= row["expires_at"]
        assert capped["idle_until"] == capped["expires_at"]

    async def test_reading_pages_writes_to_the_table_only_now_and_then(self, start, url, rows):
        shop = Browser(await start(url))
        await shop.put_in_cart()
        await shop.get("/cart")
        before = await rows.fetchval("SELECT xmin::text FROM sessions")

        for _ in range(3):
            await shop.get("/search")

        assert await rows.fetchval("SELECT xmin::text FROM sessions") == before

    async def test_ended_sessions_are_deleted_and_living_ones_are_not(self, database, url, rows):
        store = SessionStore(await database("web"))
        ended, living = hash_of(new_session_id()), hash_of(new_session_id())
        await store.insert(ended, "shop", timedelta(seconds=-1), timedelta(hours=1))
        await store.insert(living, "shop", timedelta(hours=1), timedelta(hours=1))

        pruned = await store.prune()

        assert pruned == 1
        assert await store.find(living, "shop", timedelta(hours=1)) is not None

    async def test_a_worker_prunes_without_being_asked(self, start, url, rows):
        await rows.execute(
            "INSERT INTO sessions (id_hash, audience, idle_until, expires_at)"
            " VALUES (sha256('x'), 'shop', now() - interval '1 day', now())"
        )

        await start(url)
        async with asyncio.timeout(60):
            while await rows.fetchval("SELECT count(*) FROM sessions"):
                await asyncio.sleep(0.05)


class TestRenewal:
    async def test_an_access_token_that_is_about_to_end_is_renewed_first(self, start, url, mesh):
        mesh.people.token_s = 10
        shop = Browser(await start(url))
        await shop.log_in()

        page = await shop.get("/account")

        assert page.path == "/account"
        assert mesh.calls("/v1/sessions/refresh")

    async def test_many_requests_at_once_renew_it_once(self, start, url, mesh):
        mesh.people.token_s = 10
        shop = Browser(await start(url))
        await shop.log_in()
        mesh.people.token_s = 900
        mesh.asked.clear()

        pages = await asyncio.gather(*(shop.get("/account") for _ in range(8)))

        assert {page.path for page in pages} == {"/account"}
        assert len(mesh.calls("/v1/sessions/refresh")) == 1

    async def test_two_processes_do_not_use_one_refresh_token_twice(self, start, url, mesh):
        mesh.people.token_s = 10
        shop = Browser(await start(url))
        other = Browser(await start(url))
        await shop.log_in()
        other.client.cookies = shop.client.cookies
        mesh.people.token_s = 900
        mesh.asked.clear()

        pages = await asyncio.gather(shop.get("/account"), other.get("/account"))

        assert [page.path for page in pages] == ["/account", "/account"]
        assert len(mesh.calls("/v1/sessions/refresh")) == 1

    async def test_a_log_in_that_users_has_ended_is_asked_for_and_the_cart_is_kept(self, start, url, mesh):
        mesh.people.token_s = 10
        shop = Browser(await start(url))
        await shop.put_in_cart()
        await shop.log_in()
        mesh.people.revoke()

        page = await shop.get("/account")

        assert page.path.startswith("/login")
        assert "items: 1" in page.text

    async def test_users_being_away_ends_no_log_in(self, start, url, mesh):
        mesh.people.token_s = 10
        shop = Browser(await start(url))
        await shop.log_in()
        mesh.away.add("users")

        away = await shop.get("/account")
        mesh.away.clear()

        assert away.status == 503
        assert (await shop.get("/account")).path == "/account"


class TestDatabaseAway:
    async def test_pages_are_shown_as_to_a_guest_and_forms_say_so(self, start, url, rows, tmp_path):
        server, _, sockets = url.partition("?host=")
        way = tmp_path / "way-to-the-database"
        way.symlink_to(sockets)
        shop = Browser(await start(f"{server}?host={way}"))
        page = await shop.put_in_cart()

        way.unlink()
        await rows.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        shown, sent = await shop.get("/search"), await shop.send(page, "/cart/lines/.*", quantity=2)
        way.symlink_to(sockets)

        assert (shown.status, "items:" in shown.text) == (200, False)
        assert (sent.status, "does not answer right now" in sent.text) == (503, True)
        assert "Oak lamp" in (await shop.get("/cart")).text


class TestPurchases:
    async def test_only_the_newest_are_kept(self, database):
        store = SessionStore(await database("web"))
        lifetimes = {"shop": Lifetimes(timedelta(hours=1), timedelta(hours=1))}
        sessions = Sessions(store, Seal(KEY), None, lifetimes)
        session = await sessions.start("shop")
        bought = [Purchase(uuid4(), uuid4()) for _ in range(25)]
        for purchase in bought:
            await sessions.add_purchase(session, purchase)

        found = await sessions.find(session.id, "shop")
        assert found.purchases == bought[::-1][:20]


class TestSeal:
    def test_opens_only_what_it_sealed_for_this_session(self):
        seal, one, other = Seal(KEY), new_session_id(), new_session_id()

        sealed = seal.seal(b"secret", one)

        assert seal.open(sealed, one) == b"secret"
        assert seal.open(sealed, other) is None
        assert seal.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), one) is None
        assert Seal(KEY + "!").open(sealed, one) is None
        assert b"secret" not in sealed

    def test_makes_ids_of_256_bits_that_it_knows_again(self):
        ids = {new_session_id() for _ in range(100)}

        assert len(ids) == 100
        assert all(is_session_id(session_id) for session_id in ids)
        assert not any(
            is_session_id(text) for text in ("", "x", "a" * 42, "a" * 44, "é" * 43, "a" * 42 + "\n")
        )
