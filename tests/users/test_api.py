"""Accounts over HTTP: register, log in, refresh, log out, and what is refused."""

import asyncio
import re
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import KeySet

PASSWORD = "correct horse battery"


@pytest.fixture
async def client(run_service):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    environ = {"SHOPWRIGHT_JWT_KEY": pem, "SHOPWRIGHT_PASSWORD_COST": "10"}
    return await run_service("users", extra_env=environ)


async def registered(client, **changes):
    account = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "Ada Lovelace", **changes}
    answer = await client.post("/v1/users", json=account)
    assert answer.status_code == 201, answer.text
    return account | {"id": answer.json()["id"]}


async def log_in(client, account, password=None):
    body = {"email": account["email"], "password": password or account["password"]}
    return await client.post("/v1/sessions", json=body)


def as_user(account, session_id=""):
    return {"x-user-id": account["id"], "x-user-scope": "shop", "x-session-id": session_id}


class TestRegister:
    async def test_makes_an_account_that_can_log_in(self, client):
        account = await registered(client, name="Zoë  Ünïcode 名前")

        answer = await log_in(client, account)

        grant = answer.json()
        assert (answer.status_code, grant["token_type"], grant["expires_in"]) == (200, "Bearer", 900)
        keys = KeySet.import_key_set((await client.get("/oauth/jwks")).json())
        claims = jwt.decode(grant["access_token"], keys, algorithms=["ES256"]).claims
        assert (claims["sub"], claims["scope"], claims["iss"]) == (account["id"], "shop", "shopwright")
        me = (await client.get("/v1/users/me", headers=as_user(account))).json()
        assert me["name"] == "Zoë Ünïcode 名前"

    async def test_refuses_an_address_that_is_taken_in_any_case(self, client):
        account = await registered(client)

        answer = await client.post(
            "/v1/users", json={"email": account["email"].upper(), "password": PASSWORD, "name": "Other"}
        )

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/email-taken")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("email", "not an address"), ("password", "short"), ("password", "password1"), ("name", "  ")],
    )
    async def test_names_the_field_that_is_wrong(self, client, field, value):
        body = {"email": "a@example.com", "password": PASSWORD, "name": "Ada", field: value}

        answer = await client.post("/v1/users", json=body)

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]

    async def test_names_every_field_at_once(self, client):
        answer = await client.post("/v1/users", json={"email": 5, "name": ""})

        assert answer.status_code == 422
        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert pointers == {"/email", "/password", "/name"}

    async def test_says_what_is_wrong_with_a_body_that_is_no_json(self, client):
        answer = await client.post("/v1/users", content=b"{", headers={"content-type": "application/json"})

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input")

    async def test_a_repeat_with_the_same_key_makes_one_account(self, client):
        body = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "Ada"}
        headers = {"idempotency-key": uuid4().hex}

        answers = await asyncio.gather(
            *(client.post("/v1/users", json=body, headers=headers) for _ in range(4))
        )

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1


class TestLogIn:
    async def test_says_the_same_of_a_wrong_password_and_an_unknown_address(self, client):
        account = await registered(client)

        wrong = await log_in(client, account, "wrong password")
        unknown = await log_in(client, {"email": "nobody@example.com", "password": PASSWORD})

        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json()["type"] == unknown.json()["type"] == "/problems/invalid-credentials"

    async def test_makes_a_guesser_wait(self, client):
        account = await registered(client)
        for _ in range(5):
            assert (await log_in(client, account, "wrong password")).status_code == 401

        answer = await log_in(client, account)

        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1

    async def test_counts_long_passphrases_in_full(self, client):
        phrase = "long " * 30
        account = await registered(client, password=phrase + "a")

        assert (await log_in(client, account, phrase + "b")).status_code == 401
        assert (await log_in(client, account)).status_code == 200


class TestRefresh:
    async def test_trades_a_token_once(self, client):
        grant = (await log_in(client, await registered(client))).json()

        answer = await client.post("/v1/sessions/refresh", json={"refresh_token": grant["refresh_token"]})

        assert answer.status_code == 200
        assert answer.json()["refresh_token"] != grant["refresh_token"]

    async def test_a_second_use_ends_the_whole_session(self, client):
        grant = (await log_in(client, await registered(client))).json()
        first = (
            await client.post("/v1/sessions/refresh", json={"refresh_token": grant["refresh_token"]})
        ).json()

        stolen = await client.post("/v1/sessions/refresh", json={"refresh_token": grant["refresh_token"]})
        owner = await client.post("/v1/sessions/refresh", json={"refresh_token": first["refresh_token"]})

        assert (stolen.status_code, owner.status_code) == (401, 401)

    async def test_log_out_ends_it(self, client):
        account = await registered(client)
        grant = (await log_in(client, account)).json()
        session = (await client.get("/v1/users/me/sessions", headers=as_user(account))).json()["items"][0]

        answer = await client.delete("/v1/sessions/current", headers=as_user(account, session["id"]))
        refused = await client.post("/v1/sessions/refresh", json={"refresh_token": grant["refresh_token"]})

        assert (answer.status_code, refused.status_code) == (204, 401)

    async def test_one_session_can_be_ended_from_another_but_not_by_a_stranger(self, client):
        account, stranger = await registered(client), await registered(client)
        grant = (await log_in(client, account)).json()
        session = (await client.get("/v1/users/me/sessions", headers=as_user(account))).json()["items"][0]
        path = f"/v1/users/me/sessions/{session['id']}"

        strangers = await client.delete(path, headers=as_user(stranger))
        own = await client.delete(path, headers=as_user(account))
        again = await client.delete(path, headers=as_user(account))
        refused = await client.post("/v1/sessions/refresh", json={"refresh_token": grant["refresh_token"]})

        assert (strangers.status_code, own.status_code, again.status_code) == (404, 204, 404)
        assert refused.status_code == 401


class TestAccount:
    async def test_asks_a_guest_to_log_in(self, client):
        assert (await client.get("/v1/users/me")).status_code == 401

    async def test_a_new_password_ends_the_other_sessions(self, client):
        account = await registered(client)
        other = (await log_in(client, account)).json()

        change = {"current": PASSWORD, "new": "another fine phrase"}
        answer = await client.put("/v1/users/me/password", json=change, headers=as_user(account))
        refused = await client.post("/v1/sessions/refresh", json={"refresh_token": other["refresh_token"]})

        assert (answer.status_code, refused.status_code) == (204, 401)
        assert (await log_in(client, account, "another fine phrase")).status_code == 200

    async def test_keeps_addresses_with_one_default(self, client):
        account = await registered(client)
        form = {"name": "Ada", "line1": "1 Lane", "city": "Bern", "postal_code": "3000", "country": "CH"}

        first = await client.post("/v1/users/me/addresses", json=form, headers=as_user(account))
        second = await client.post(
            "/v1/users/me/addresses", json={**form, "is_default": True}, headers=as_user(account)
        )
        listed = (await client.get("/v1/users/me/addresses", headers=as_user(account))).json()["items"]

        assert (first.status_code, second.status_code) == (201, 201)
        assert [item["is_default"] for item in listed] == [True, False]
        assert listed[0]["id"] == second.json()["id"]

    async def test_erasing_asks_for_the_password_and_then_forgets(self, client):
        account = await registered(client)

        wrong = await client.request(
            "DELETE", "/v1/users/me", json={"password": "wrong password"}, headers=as_user(account)
        )
        right = await client.request(
            "DELETE", "/v1/users/me", json={"password": PASSWORD}, headers=as_user(account)
        )

        assert (wrong.status_code, right.status_code) == (401, 204)
        assert (await log_in(client, account)).status_code == 401

    async def test_a_service_that_is_not_on_the_list_learns_nothing(self, client):
        account = await registered(client)
        path = f"/internal/users/{account['id']}"

        assert (await client.get(path, headers={"x-caller": "edge"})).status_code == 403
        spiffe = "spiffe://shopwright.local/ns/default/sa/orders"
        assert (await client.get(path, headers={"x-caller": spiffe})).json()["email"] == account["email"]


class TestGroups:
    async def test_staff_put_an_account_into_groups_and_orders_are_told(self, client):
        account = await registered(client)
        admin = {"x-user-id": str(uuid4()), "x-user-scope": "users:read users:write"}
        path = f"/v1/users/{account['id']}/groups"

        answer = await client.put(path, json={"groups": ["wholesale", "staff"]}, headers=admin)
        found = await client.get("/v1/users", params={"email": account["email"].upper()}, headers=admin)
        told = await client.get(f"/internal/users/{account['id']}", headers={"x-caller": "orders"})

        assert answer.status_code == 200
        assert [body["groups"] for body in (found.json()["items"][0], told.json())] == [
            ["staff", "wholesale"]
        ] * 2

    async def test_nobody_puts_himself_into_one(self, client):
        account = await registered(client)
        path, own = f"/v1/users/{account['id']}/groups", as_user(account)

        answers = [
            await client.put(path, json={"groups": ["wholesale"]}, headers=own),
            await client.get("/v1/users", params={"email": account["email"]}, headers=own),
        ]

        assert [answer.status_code for answer in answers] == [403, 403]
        assert (await client.get("/v1/users/me", headers=own)).json()["groups"] == []


async def test_describes_itself(client):
    document = (await client.get("/internal/schema/openapi.json")).json()

    assert re.match(r"3\.1", document["openapi"])
    assert "/v1/users" in document["paths"]
    assert not [path for path in document["paths"] if path.startswith("/internal")]


class TestMalformed:
    @pytest.mark.parametrize("path", ["/v1/sessions", "/v1/users", "/v1/sessions/refresh"])
    @pytest.mark.parametrize("kind", ["application/json", "", "text/plain", "application/x-unheard-of"])
    @pytest.mark.parametrize(
        "body", [b'{"email":"\xff"', b'{"email":"\xff"}', b"[" * 20_000, b'{"a":' * 20_000]
    )
    async def test_a_body_that_is_no_json_is_the_callers_mistake(self, client, path, kind, body):
        headers = {"content-type": kind} if kind else {}

        answer = await client.post(path, content=body, headers=headers)

        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert answer.json()["type"] == "/problems/invalid-input"
        assert answer.json()["detail"].startswith("the body is not JSON: ")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PUT", "/v1/sessions", "POST, OPTIONS"),
            ("POST", f"/v1/users/me/addresses/{UUID(int=7)}", "PUT, DELETE, OPTIONS"),
        ],
    )
    async def test_a_method_that_a_path_does_not_take_is_told_with_those_it_takes(
        self, client, method, path, allowed
    ):
        answer = await client.request(method, path)

        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json()["type"] == "/problems/wrong-method"
        assert answer.json()["allowed"] == allowed.split(", ")
