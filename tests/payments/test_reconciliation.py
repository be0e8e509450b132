"""A provider's report held against our books: a clean day nets to zero, and every kind of difference is
listed.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shopwright.chassis.api import create_asgi
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problems import InvalidInput
from shopwright.payments.provider import ProviderUnreachable, ReportRow
from shopwright.payments.reconciliation import api, store
from shopwright.payments.reconciliation.commands import Reconciliations
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, an_order


class Silent:
    """A provider that does not tell."""

    name = "sandbox"

    async def report(self, day, margin):
        raise ProviderUnreachable(detail="closed on Sundays")
        yield


class Disputed:
    """The sandbox with chargebacks, which it does not have."""

    name = "sandbox"

    def __init__(self, sandbox, rows):
        self._sandbox, self._rows = sandbox, rows

    async def report(self, day, margin):
        async for row in self._sandbox.report(day, margin):
            yield row
        for row in self._rows:
            yield row


@pytest.fixture
def sandbox(shop):
    return SandboxProvider(shop.books, SECRET, Sites((SITE,)), late=timedelta(seconds=1))


@pytest.fixture
def reconciliations(shop, sandbox):
    return Reconciliations(shop.db, {"sandbox": sandbox})


def today():
    return datetime.now(UTC).date()


def midnight():
    return datetime.combine(today(), datetime.min.time(), UTC)


async def tamper(shop, sql, *values):
    async with shop.db.read() as connection:
        await connection.execute(sql, *values)


async def find(shop, reconciliations, day=None):
    """The totals and differences of a day as (what, kind, there, here)."""
    (run,) = await reconciliations.ask(day or today())
    while await reconciliations.next():
        pass
    totals = (await store.totals(shop.db, [run.id]))[run.id]
    rows = await store.differences(shop.db, run.id, 0, 100)
    return totals, [(row.what, row.kind, row.there_amount, row.here_amount) for row in rows]


async def moved_at(shop, payment, at):
    sql = "UPDATE sandbox.charges SET captured_at = $2 WHERE id = $1"
    await tamper(shop, sql, payment.provider_ref, at)


async def desk_refund(shop, payment, amount, key="desk-1"):
    await tamper(
        shop, "INSERT INTO sandbox.refunds (key, charge_id, amount) VALUES ($1, $2, $3)",
        key, payment.provider_ref, amount,
    )  # fmt: skip


async def another_charge(shop, payment, reference):
    await tamper(
        shop,
        """INSERT INTO sandbox.charges (id, key, reference, amount, currency, description, state, captured,
               captured_at, expires_at)
           SELECT 'ch_again', 'again', $2, amount, currency, '', state, captured, now(), expires_at
           FROM sandbox.charges WHERE id = $1""",
        payment.provider_ref, reference,
    )  # fmt: skip


class TestCleanDay:
    async def test_nets_to_zero_in_every_currency(self, shop, reconciliations):
        for amount in (Money(10_000, "EUR"), Money(2_500, "USD"), Money(700, "JPY")):
            payment = await shop.payments.authorise(an_order(amount))
            payment = await shop.payments.capture(payment.id)
            await shop.payments.refund(new_id(), payment.id, 300)
            await shop.payments.refund(new_id(), payment.id, 200)
        await shop.payments.void((await shop.authorised()).id)

        totals, differences = await find(shop, reconciliations)

        assert differences == []
        assert {total.currency: (total.there_net, total.here_net) for total in totals} == {
            "EUR": (9_360, 9_360), "USD": (1_965, 1_965), "JPY": (190, 190),
        }  # fmt: skip

    async def test_says_what_the_ledger_says(self, shop, reconciliations):
        await shop.captured(10_000)

        (total,), _ = await find(shop, reconciliations)

        assert (total.here_captured, total.here_fees, total.here_net) == (10_000, 140, 9_860)
        assert (total.there_captured, total.there_fees, total.there_net) == (10_000, 140, 9_860)

    async def test_knows_that_a_refund_to_the_wallet_moved_nothing_there(self, shop, reconciliations):
        payment = await shop.captured(1_000)
        await shop.payments.credit(new_id(), payment.id, 400, new_id())

        assert (await find(shop, reconciliations))[1] == []

    async def test_of_nothing_is_clean(self, shop, reconciliations):
        assert await find(shop, reconciliations) == ([], [])


class TestDifferences:
    async def test_lists_a_refund_made_at_the_desk(self, shop, reconciliations):
        await desk_refund(shop, await shop.captured(1_000), 250)

        (total,), differences = await find(shop, reconciliations)

        assert differences == [("missing_here", "refund", 250, None)]
        assert total.there_net - total.here_net == -250

    async def test_lists_money_of_nobody(self, shop, reconciliations):
        await another_charge(shop, await shop.captured(1_000), "an order of another shop")

        assert (await find(shop, reconciliations))[1] == [("missing_here", "capture", 1_000, None)]

    async def test_lists_what_was_charged_twice(self, shop, reconciliations):
        payment = await shop.captured(1_000)
        await another_charge(shop, payment, str(payment.id))

        (total,), differences = await find(shop, reconciliations)

        assert differences == [("twice", "capture", 1_000, None)]
        assert (total.there_captured, total.here_captured) == (2_000, 1_000)

    async def test_lists_a_capture_that_the_provider_does_not_have(self, shop, reconciliations):
        payment = await shop.captured(1_000)
        await tamper(shop, "UPDATE sandbox.charges SET captured = 0 WHERE id = $1", payment.provider_ref)

        (total,), differences = await find(shop, reconciliations)

        assert differences == [("missing_there", "capture", None, 1_000)]
        assert total.there_net - total.here_net == -986

    async def test_lists_a_refund_that_the_provider_does_not_have(self, shop, reconciliations):
        payment = await shop.captured(1_000)
        await shop.payments.refund(new_id(), payment.id, 400)
        await tamper(shop, "DELETE FROM sandbox.refunds")

        assert (await find(shop, reconciliations))[1] == [("missing_there", "refund", None, 400)]

    @pytest.mark.parametrize(
        ("change", "what", "there"),
        [
            ("captured = 999", "amount_differs", 999),
            ("currency = 'USD'", "amount_differs", 1_000),
            ("fee = 15", "fee_differs", 1_000),
        ],
    )
    async def test_lists_what_both_know_differently(self, shop, reconciliations, change, what, there):
        payment = await shop.captured(1_000)
        await tamper(shop, f"UPDATE sandbox.charges SET {change} WHERE id = $1", payment.provider_ref)

        totals, differences = await find(shop, reconciliations)

        assert differences == [(what, "capture", there, 1_000)]
        assert sum(total.there_net - total.here_net for total in totals if total.currency == "EUR") != 0

    async def test_finds_the_one_among_many(self, shop, reconciliations):
        payments = [await shop.captured(1_000 + number) for number in range(12)]
        await tamper(shop, "UPDATE sandbox.charges SET captured = 7 WHERE id = $1", payments[5].provider_ref)

        assert (await find(shop, reconciliations))[1] == [("amount_differs", "capture", 7, 1_005)]


class TestChargeback:
    async def test_that_both_know_is_no_difference(self, shop, sandbox):
        payment = await shop.captured(1_000)
        await tamper(
            shop,
            """INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, fee)
               VALUES ($1, 99, 'chargeback', 'succeeded', 'dispute-1', 1000, 1500)""",
            payment.id,
        )
        taken = ReportRow(
            ref=payment.provider_ref, reference=None, kind="chargeback", key="dispute-1",
            amount=1_000, fee=1_500, currency="EUR", at=datetime.now(UTC),
        )  # fmt: skip

        clean = await find(shop, Reconciliations(shop.db, {"sandbox": Disputed(sandbox, [taken])}))
        again = await find(shop, Reconciliations(shop.db, {"sandbox": Disputed(sandbox, [])}))

        assert clean[1] == []
        assert (clean[0][0].there_charged_back, clean[0][0].there_net, clean[0][0].here_net) == (
            1_000,
            -1_514,
            -1_514,
        )
        assert again[1] == [("missing_there", "chargeback", None, 1_000)]

    async def test_that_was_won_is_none_either(self, shop, sandbox):
        payment = await shop.captured(1_000)
        moves = [("stripe:dp_1", 1_000, 1_500), ("stripe:dp_1:adjustment", -1_000, 0)]
        for number, (key, amount, fee) in enumerate(moves):
            await tamper(
                shop,
                """INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, fee)
                   VALUES ($1, $2, 'chargeback', 'succeeded', $3, $4, $5)""",
                payment.id, 90 + number, key, amount, fee,
            )  # fmt: skip
        rows = [
            ReportRow(
                ref=payment.provider_ref, reference=None, kind="chargeback", key=key, amount=amount, fee=fee,
                currency="EUR", at=datetime.now(UTC),
            )
            for key, amount, fee in moves
        ]  # fmt: skip

        [run], differences = await find(shop, Reconciliations(shop.db, {"sandbox": Disputed(sandbox, rows)}))

        assert differences == []
        assert (run.there_charged_back, run.there_net) == (0, run.here_net)


class TestMidnight:
    """A movement counts on the day that the provider gives it, whatever our clock said."""

    async def test_an_answer_that_came_after_midnight_is_no_difference(self, shop, reconciliations):
        payment = await shop.captured(1_000)
        await moved_at(shop, payment, midnight() - timedelta(seconds=3))

        assert await find(shop, reconciliations) == ([], [])

    @pytest.mark.parametrize("before_midnight", [timedelta(seconds=3), timedelta(hours=5)])
    async def test_what_we_learnt_of_a_day_later_is_no_difference(
        self, shop, reconciliations, before_midnight
    ):
        payment = await shop.captured(1_000)
        await moved_at(shop, payment, midnight() - before_midnight)

        (total,), differences = await find(shop, reconciliations, today() - timedelta(days=1))
        assert (differences, total.there_net, total.here_net) == ([], 986, 986)
        assert await find(shop, reconciliations) == ([], [])


class TestAgain:
    async def test_a_day_is_reconciled_once_more_and_says_what_is_true_by_then(self, shop, reconciliations):
        payment = await shop.captured(1_000)
        await desk_refund(shop, payment, 250)
        assert len((await find(shop, reconciliations))[1]) == 1

        await shop.payments.refund(new_id(), payment.id, 100)  # Stripe's or the sandbox' answer tells of both

        (total,), differences = await find(shop, reconciliations)
        assert (differences, total.there_net, total.here_net) == ([], 636, 636)
        assert len(await store.latest(shop.db, None, None, 10)) == 1

    async def test_yesterday_is_queued_once_a_day_is_over(self, shop, reconciliations):
        yesterday, now = today() - timedelta(days=1), datetime.now(UTC)
        for _ in range(3):
            await store.queue_daily(shop.db, "sandbox", yesterday, now - timedelta(hours=1))
            await reconciliations.next()
        assert not await reconciliations.next()

        await store.queue_daily(shop.db, "sandbox", yesterday, now + timedelta(hours=1))  # done too early
        assert await reconciliations.next()

    async def test_two_workers_do_not_do_the_same(self, shop, reconciliations):
        await reconciliations.ask(today())

        assert sorted(await asyncio.gather(*[reconciliations.next() for _ in range(4)])) == [False] * 3 + [
            True
        ]

    async def test_a_report_that_does_not_come_is_told_and_tried_again_later(self, shop):
        silent = Reconciliations(shop.db, {"sandbox": Silent()})
        (run,) = await silent.ask(today())
        assert await silent.next()

        run = await store.find(shop.db, run.id)
        assert (run.status, run.error) == ("queued", "closed on Sundays")
        assert not await silent.next()


class TestApi:
    @pytest.fixture
    async def client(self, shop, reconciliations):
        asgi = create_asgi(
            "payments", list(api.HANDLERS), {"reconciliations": reconciliations, "db": shop.db},
            draining=asyncio.Event(),
        )  # fmt: skip
        headers = {"x-user-scope": "payments:read payments:write", "x-user-id": str(new_id())}
        transport = httpx.ASGITransport(app=asgi)
        async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers) as client:
            yield client

    async def test_tells_the_differences_in_pages(self, shop, reconciliations, client):
        payment = await shop.captured(1_000)
        for number in range(3):
            await desk_refund(shop, payment, 100 + number, f"desk-{number}")
        begun = await client.post("/v1/reconciliations", json={"day": today().isoformat()})
        await reconciliations.next()

        (asked,) = begun.json()["items"]
        page = (await client.get(f"/v1/reconciliations/{asked['id']}?limit=2")).json()
        rest = (await client.get(f"/v1/reconciliations/{asked['id']}?cursor={page['next_cursor']}")).json()

        assert begun.status_code == 202
        assert (page["reconciliation"]["status"], page["reconciliation"]["differences"]) == ("done", 3)
        assert page["reconciliation"]["totals"][0]["difference"] == {"amount": -303, "currency": "EUR"}
        found = [item["provider"]["amount"]["amount"] for item in page["items"] + rest["items"]]
        assert (found, rest["next_cursor"]) == ([100, 101, 102], None)

    async def test_lists_them_the_latest_day_first(self, reconciliations, client):
        for days in (2, 0, 1):
            await reconciliations.ask(today() - timedelta(days=days))

        page = (await client.get("/v1/reconciliations?limit=2")).json()
        rest = (await client.get(f"/v1/reconciliations?cursor={page['next_cursor']}")).json()

        days = [item["day"] for item in page["items"] + rest["items"]]
        assert days == sorted(days, reverse=True)
        assert len(days) == 3

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({"day": "2999-01-01"}, "/day"), ({"day": "yesterday"}, "/day"),
         ({"day": "2026-11-01", "provider": "paypal"}, "/provider")],
    )  # fmt: skip
    async def test_names_the_field_that_makes_no_sense(self, client, body, pointer):
        answer = await client.post("/v1/reconciliations", json=body)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer

    @pytest.mark.parametrize("scopes", ["", "payments:read"])
    async def test_is_for_those_who_may_book_payments(self, client, scopes):
        answer = await client.post(
            "/v1/reconciliations", json={"day": "2026-11-01"}, headers={"x-user-scope": scopes}
        )
        assert answer.status_code == 403

    async def test_refuses_a_future_day_whoever_asks(self, reconciliations):
        with pytest.raises(InvalidInput):
            await reconciliations.ask(today() + timedelta(days=1))
