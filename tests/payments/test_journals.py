"""The ledger refuses a journal that does not balance, whoever writes it."""

import asyncpg
import pytest

ENTRIES = """
INSERT INTO ledger_entries (journal_id, account, currency, amount)
SELECT $1, account::ledger_account, currency, amount FROM unnest($2::text[], $3::text[], $4::bigint[])
    AS e (account, currency, amount)
"""


@pytest.fixture
async def db(database):
    return await database("payments")


async def book(db, *entries):
    async with db.begin() as tx:
        journal = await tx.fetchval("INSERT INTO ledger_journals (reason) VALUES ('test') RETURNING id")
        if entries:
            await tx.execute(ENTRIES, journal, *map(list, zip(*entries, strict=True)))
    return journal


async def test_takes_one_that_balances_in_each_currency(db):
    await book(
        db, ("fees", "EUR", 1), ("revenue", "EUR", -1), ("fees", "USD", 5), ("provider_clearing", "USD", -5)
    )


@pytest.mark.parametrize(
    "entries",
    [
        [("fees", "EUR", 1)],
        [("fees", "EUR", 1), ("revenue", "EUR", -2)],
        [("fees", "EUR", 1), ("revenue", "USD", -1)],
        [],
    ],
)
async def test_refuses_one_that_does_not(db, entries):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await book(db, *entries)

    assert refused.value.constraint_name == "journal_must_balance"


async def test_takes_nothing_more_into_a_journal_that_would_tip_it(db):
    journal = await book(db, ("fees", "EUR", 1), ("revenue", "EUR", -1))

    with pytest.raises(asyncpg.CheckViolationError):
        async with db.begin() as tx:
            await tx.execute(ENTRIES, journal, ["refunds"], ["EUR"], [1])
