"""Races for one payment, on two processes with a pool each: the provider is asked once, money moves once."""

import time
from datetime import timedelta

import pytest

from races.rounds import ROUNDS, rounds, together
from shopwright.chassis.db import open_database
from shopwright.contracts.ids import new_id
from shopwright.contracts.problem import Problem
from shopwright.payments.commands import Payments
from shopwright.payments.sandbox import signature
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, an_order

AMOUNT = 1_999
TWICE = """SELECT payment_id, kind FROM payment_events WHERE outcome = 'succeeded'
    GROUP BY 1, 2 HAVING count(*) > 1"""
UNBALANCED = "SELECT journal_id FROM ledger_entries GROUP BY 1 HAVING sum(amount) <> 0"


@pytest.fixture
async def pools(databases):
    url = await databases.fresh("payments")
    opened = [await open_database(url, application="test", size=12) for _ in range(2)]
    yield opened
    for db in opened:
        await db.close()


@pytest.fixture
async def two(pools):
    """Payments twice on one database, as two processes have it."""
    both = [_payments(db) for db in pools]
    yield both
    for payments in both:
        await payments.finish(5)


@pytest.fixture
def rows(pools):
    async def fetch(sql, *values):
        async with pools[0].read() as connection:
            return await connection.fetch(sql, *values)

    return fetch


def _payments(db):
    sandbox = SandboxProvider(Books(db), SECRET, Sites((SITE,)), late=timedelta(seconds=0.6))
    return Payments(db, {sandbox.name: sandbox}, provider_timeout_s=5)


async def ended(call):
    """The payment's status afterwards, or what refused."""
    try:
        return (await call).status
    except Problem as problem:
        return problem.slug


async def test_two_refunds_of_the_whole_give_it_back_once(two, rows):
    async def both(_number):
        paid = await two[0].capture((await two[0].authorise(an_order(AMOUNT))).id)
        return tuple(sorted(await together(*(ended(each.refund(new_id(), paid.id, AMOUNT)) for each in two))))

    ends = await rounds(both)

    assert set(ends) == {("refund-too-large", "refunded")}, ends
    given = await rows("SELECT charge_id, sum(amount) AS given FROM sandbox.refunds GROUP BY 1")
    assert {row["given"] for row in given} == {AMOUNT}
    assert len(given) == ROUNDS
    assert await rows(TWICE) == await rows(UNBALANCED) == []


async def test_capture_against_void_takes_the_money_or_gives_it_back(two, rows):
    async def both(number):
        held = await two[0].authorise(an_order(AMOUNT))
        take, drop = ended(two[0].capture(held.id)), ended(two[1].void(held.id))
        return tuple(await together(take, drop, number=number))

    ends = await rounds(both)

    captured, voided = ("captured", "payment-already-captured"), ("payment-not-authorised", "voided")
    assert set(ends) == {captured, voided}, ends
    at_provider = {row["state"]: row["count"] for row in await rows(AT_PROVIDER)}
    assert at_provider == {"authorised": ends[captured], "voided": ends[voided]}
    assert await rows(TWICE) == await rows(UNBALANCED) == []


async def test_two_captures_take_the_money_once(two, rows):
    async def both(_number):
        held = await two[0].authorise(an_order(AMOUNT))
        return tuple(await together(*(ended(each.capture(held.id)) for each in two)))

    assert await rounds(both) == {("captured", "captured"): ROUNDS}
    (taken,) = await rows("SELECT count(*), sum(captured) AS captured FROM sandbox.charges")
    assert (taken["count"], taken["captured"]) == (ROUNDS, ROUNDS * AMOUNT)
    assert len(await rows("SELECT FROM ledger_journals")) == ROUNDS
    assert await rows(TWICE) == await rows(UNBALANCED) == []


async def test_webhooks_against_the_buyers_return_authorise_once(pools, two, rows):
    async def both(_number):
        order = an_order(AMOUNT, token="")
        waiting = await two[0].authorise(order)
        await Books(pools[0]).complete(waiting.action_url.rpartition("/")[2], "card", "authorised")
        (told,) = await rows(
            "SELECT body FROM sandbox.webhooks WHERE position($1 in convert_from(body, 'UTF8')) > 0",
            str(order.id),
        )
        await together(
            *(hears(each, told["body"]) for each in two), two[0].get(order.id), two[1].get(order.id)
        )
        return (await two[1].get(order.id)).status

    assert await rounds(both) == {"authorised": ROUNDS}
    assert await rows(TWICE) == []
    facts = await rows(
        """SELECT subject FROM outbox
        WHERE convert_from(data, 'UTF8')::jsonb->>'status' = 'authorised' GROUP BY 1 HAVING count(*) > 1"""
    )
    assert facts == []


async def hears(payments, body):
    headers = {signature.HEADER: signature.sign(SECRET, body, int(time.time()))}
    await payments.receive("sandbox", headers, body)


AT_PROVIDER = "SELECT state, count(*) FROM sandbox.charges GROUP BY 1"
