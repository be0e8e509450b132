"""One gift card in two hands at once, on two processes with a pool each: it is spent once."""

from datetime import timedelta

import pytest

from races.rounds import ROUNDS, rounds, together
from shopwright.chassis.db import open_database
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Wire, a_shop, an_order, wanted

WORTH, PRICE = 1_500, 1_999


@pytest.fixture
async def two(databases):
    """Payments twice on one database, as two processes have it."""
    url = await databases.fresh("payments")
    pools = [await open_database(url, application="test", size=12) for _ in range(2)]
    shops = [_shop(db) for db in pools]
    yield shops
    for shop, db in zip(shops, pools, strict=True):
        await shop.tenders.finish(5)
        await shop.payments.finish(5)
        await db.close()


def _shop(db):
    books = Books(db)
    sandbox = SandboxProvider(books, SECRET, Sites((SITE,)), late=timedelta(seconds=0.6))
    return a_shop(db, books, Wire(sandbox), provider_timeout_s=5)


async def spend(shop, code, price, token):
    """How an order that is paid with the card first ended, and what the card gave."""
    order = an_order(price, token=token)
    tender = await shop.tenders.authorise(wanted(order, gift_cards=(code,)))
    if tender.status == "authorised":
        tender = await shop.tenders.capture(order.id)
    given = sum(part.amount for part in tender.live if part.method == "gift_card")
    return tender.status, given if tender.status == "captured" else 0


async def left_on_cards(shop):
    async with shop.db.read() as connection:
        rows = await connection.fetch(
            "SELECT balance, held, count(*) FROM stored_accounts WHERE kind = 'gift_card' GROUP BY 1, 2"
        )
    return {(row["balance"], row["held"]): row["count"] for row in rows}


async def test_two_orders_that_it_pays_whole_and_nothing_else_can(two):
    async def both(_number):
        code = await two[0].gift_card(WORTH)
        return tuple(sorted(await together(*(spend(shop, code, WORTH, "tok_declined") for shop in two))))

    ends = await rounds(both)

    assert set(ends) == {(("captured", WORTH), ("declined", 0))}, ends
    assert await left_on_cards(two[0]) == {(0, 0): ROUNDS}


async def test_two_orders_whose_rest_a_card_pays(two):
    """Who comes second while the first has it is declined, or pays all with the card."""

    async def both(_number):
        code = await two[0].gift_card(WORTH)
        return tuple(sorted(await together(*(spend(shop, code, PRICE, "tok_ok") for shop in two))))

    ends = await rounds(both)

    assert all(end[0] == ("captured", WORTH) or end[1] == ("captured", WORTH) for end in ends), ends
    assert {sum(given for _status, given in end) for end in ends} == {WORTH}, ends
    assert await left_on_cards(two[0]) == {(0, 0): ROUNDS}
