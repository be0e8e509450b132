"""Wallets and gift cards: filled once, spent once, their codes known to nobody but who holds them."""

import asyncio
from uuid import UUID

import pytest

from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.payments.store import payments as store
from shopwright.payments.stored import commands
from shopwright.payments.stored.codes import Codes, new_code
from shopwright.payments.stored.commands import Wallets
from shopwright.payments.testing import SECRET, an_order, wanted

BUYER, ADMIN = str(new_id()), str(new_id())
EUR = {"amount": 5_000, "currency": "EUR"}


def as_buyer(user=BUYER, **more):
    return {"x-user-id": user, **more}


def as_staff(*scopes):
    return {"x-user-id": ADMIN, "x-user-scope": " ".join(scopes or ("payments:read", "payments:write"))}


async def top_up(client, token="tok_ok", amount=EUR, **headers):
    body = {"amount": amount, "payment": {"token": token, "return_url": "/wallet"}}
    return await client.post("/v1/wallet/top-ups", json=body, headers=as_buyer(**headers))


async def wallet(client):
    return (await client.get("/v1/wallet", headers=as_buyer())).json()


async def ledger(shop):
    return {account: amount for (account, _), amount in (await store.balances(shop.db)).items()}


class TestTopUp:
    async def test_fills_the_wallet_and_is_owed_from_then_on(self, shop, client):
        answer = await top_up(client)

        assert (answer.status_code, answer.json()["status"]) == (201, "captured")
        filled = await wallet(client)
        assert filled["balances"] == [EUR]
        assert [(entry["reason"], entry["amount"]) for entry in filled["items"]] == [("top_up", EUR)]
        books = await ledger(shop)
        assert (books["buyer_wallet"], books["provider_clearing"] + books["fees"]) == (-5_000, 5_000)

    async def test_twenty_at_once_under_one_key_fill_it_once(self, shop, client):
        answers = await asyncio.gather(*[top_up(client, **{"idempotency-key": "k1"}) for _ in range(20)])

        assert {answer.status_code for answer in answers} == {201}
        assert (await wallet(client))["balances"] == [EUR]
        assert shop.wire.reached["authorise"] == 1

    async def test_a_declined_card_fills_nothing(self, client):
        answer = await top_up(client, "tok_declined")

        assert (answer.status_code, answer.json()["code"]) == (402, "card_declined")
        assert (await wallet(client))["balances"] == []

    async def test_a_buyer_who_acts_later_has_it_filled_by_the_worker(self, shop, client):
        answer = await top_up(client, "tok_3ds")
        await client.post(answer.json()["action_url"], data={"decision": "confirm"})
        told = await shop.payments.get(UUID(answer.json()["id"]))
        stop = asyncio.Event()
        worker = asyncio.create_task(Wallets(shop.payments, shop.routing, shop.stored).run(stop))
        async with asyncio.timeout(60):
            while not (await wallet(client))["balances"]:
                await asyncio.sleep(0.02)
        stop.set()
        await worker

        assert (answer.status_code, told.status) == (202, "authorised")
        assert (await wallet(client))["balances"] == [EUR]

    async def test_a_buyer_who_comes_back_finds_it_filled(self, client):
        answer = await top_up(client, "tok_3ds")
        await client.post(answer.json()["action_url"], data={"decision": "confirm"})

        shown = await client.get(answer.headers["location"], headers=as_buyer())

        assert shown.json()["status"] == "captured"
        assert (await wallet(client))["balances"] == [EUR]

    async def test_one_that_nobody_finishes_is_given_up(self, shop, client):
        answer = await top_up(client, "tok_3ds")
        async with shop.db.read() as connection:
            await connection.execute("UPDATE payments SET created_at = now() - interval '2 hours'")

        shown = await client.get(answer.headers["location"], headers=as_buyer())

        assert shown.json()["status"] == "voided"

    async def test_is_its_buyers_own(self, client):
        answer = await top_up(client)

        shown = await client.get(answer.headers["location"], headers=as_buyer(str(new_id())))

        assert shown.status_code == 404

    @pytest.mark.parametrize("amount", [0, -1, commands.WORTH_MAX + 1])
    async def test_refuses_an_amount_that_is_none(self, client, amount):
        answer = await top_up(client, amount={"amount": amount, "currency": "EUR"})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("/amount")

    async def test_needs_an_account(self, client):
        answer = await client.post("/v1/wallet/top-ups", json={"amount": EUR, "payment": {}})

        assert answer.status_code == 401


class TestWallet:
    async def test_pays_before_the_card_does_and_only_in_its_currency(self, shop, client):
        await top_up(client)
        order = an_order(6_000, user_id=UUID(BUYER))
        dollars = an_order(Money(1_000, "USD"), method="wallet", user_id=UUID(BUYER))

        paid = await shop.tenders.authorise(wanted(order, use_wallet=True))
        other = await shop.tenders.authorise(wanted(dollars))

        assert [(part.method, part.amount) for part in paid.live] == [("wallet", 5_000), ("card", 1_000)]
        assert (other.status, other.decline_code) == ("declined", "insufficient_funds")

    async def test_two_orders_at_once_cannot_spend_it_twice(self, shop, client):
        await top_up(client)

        tenders = await asyncio.gather(
            *[
                shop.tenders.authorise(wanted(an_order(4_000, method="wallet", user_id=UUID(BUYER))))
                for _ in range(12)
            ]
        )

        assert sorted(tender.status for tender in tenders) == ["authorised"] + ["declined"] * 11
        assert (await wallet(client))["balances"] == [{"amount": 1_000, "currency": "EUR"}]

    async def test_lists_what_changed_it_page_by_page(self, client):
        for key in "abc":
            await top_up(client, **{"idempotency-key": key})

        first = (await client.get("/v1/wallet?limit=2", headers=as_buyer())).json()
        second = await client.get(f"/v1/wallet?cursor={first['next_cursor']}", headers=as_buyer())

        assert [entry["balance"]["amount"] for entry in first["items"]] == [15_000, 10_000]
        assert [entry["balance"]["amount"] for entry in second.json()["items"]] == [5_000]


class TestGiftCards:
    async def issue(self, client, **more):
        return await client.post("/v1/gift-cards", json={"amount": EUR, **more}, headers=as_staff())

    async def test_tells_its_code_once_and_keeps_none(self, shop, client):
        made = (await self.issue(client, note="for Ada")).json()
        listed = (await client.get("/v1/gift-cards", headers=as_staff())).json()["items"]

        assert listed[0]["code"] == f"•••• {made['code'][-4:]}"
        async with shop.db.read() as connection:
            row = await connection.fetchrow("SELECT stored_accounts::text AS all FROM stored_accounts")
        assert made["code"].replace("-", "") not in row["all"].upper().replace("-", "")

    async def test_opens_by_its_code_however_it_is_typed(self, client):
        code = (await self.issue(client)).json()["code"]

        found = await client.post("/v1/gift-cards/check", json={"code": f" {code.lower()} "})

        assert found.json() == {"balance": EUR, "expires_at": None}

    async def test_says_why_it_pays_nothing(self, client):
        made = (await self.issue(client)).json()
        await client.post(f"/v1/gift-cards/{made['id']}/disable", headers=as_staff())

        disabled = await client.post("/v1/gift-cards/check", json={"code": made["code"]})
        unknown = await client.post("/v1/gift-cards/check", json={"code": new_code()})

        assert (disabled.status_code, disabled.json()["reason"]) == (422, "disabled")
        assert (unknown.status_code, unknown.json()["reason"]) == (422, "unknown")

    async def test_takes_a_code_that_staff_choose_once_and_no_easy_one(self, client):
        first = await self.issue(client, code="WELCOME-2026-ADA")
        second = await self.issue(client, code="welcome2026ada")
        easy = await self.issue(client, code="2026-2026-20!")

        assert (first.status_code, second.status_code, easy.status_code) == (201, 409, 422)

    async def test_a_repeated_request_makes_no_second_card(self, client):
        headers = as_staff() | {"idempotency-key": "k1"}

        answers = [await client.post("/v1/gift-cards", json={"amount": EUR}, headers=headers) for _ in "ab"]

        assert [answer.status_code for answer in answers] == [201, 409]
        assert len((await client.get("/v1/gift-cards", headers=as_staff())).json()["items"]) == 1

    @pytest.mark.parametrize("expires_at", ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00"])
    async def test_refuses_an_end_that_is_past_or_has_no_zone(self, client, expires_at):
        answer = await self.issue(client, expires_at=expires_at)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/expires_at"

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/v1/gift-cards"), ("POST", f"/v1/gift-cards/{UUID(int=7)}/disable")],
    )
    async def test_are_given_away_by_those_who_may(self, client, method, path):
        answer = await client.request(method, path, json={"amount": EUR}, headers=as_staff("payments:read"))

        assert answer.status_code == 403

    async def test_is_owed_from_the_day_it_is_given(self, shop, client):
        await self.issue(client)

        assert await ledger(shop) == {"gift_cards": -5_000, "given_away": 5_000}


class TestCodes:
    def test_without_the_key_a_hash_tells_nothing(self):
        assert Codes(SECRET).hash("ABCD-EFGH") != Codes(SECRET + "2").hash("ABCD-EFGH")

    def test_are_never_the_same_twice(self):
        assert len({new_code() for _ in range(1_000)}) == 1_000
