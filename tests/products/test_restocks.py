"""What was sold comes back: once per id, into the ledger, and it can be bought again."""

import asyncio

import pytest

from shopwright.contracts.ids import new_id
from shopwright.contracts.products import Reserve, ReserveLine, Restock
from shopwright.products.inventory.commands import Inventory


@pytest.fixture
async def db(database):
    return await database("products", size=16)


@pytest.fixture
async def sold_out(db):
    """Inventory whose two units of MUG were sold."""
    inventory = Inventory(db)
    await inventory.adjust("MUG", 2, "count", None, None)
    reservation = new_id()
    await inventory.reserve(reservation, Reserve([ReserveLine("MUG", 2)], 60))
    await inventory.claim(reservation)
    return inventory


def back(*lines):
    return Restock([ReserveLine(sku, quantity) for sku, quantity in lines], "returned")


async def test_puts_units_on_hand_and_tells_that_they_can_be_bought_again(sold_out, db):
    await sold_out.restock(new_id(), back(("MUG", 1), ("MUG", 1)))

    assert await sold_out.available(["MUG"]) == {"MUG": 2}
    ledger = await sold_out.ledger("MUG", before=None, limit=5)
    assert (ledger[0].delta_on_hand, ledger[0].reason) == (2, "returned")
    async with db.read() as connection:
        last = await connection.fetchval("SELECT data FROM outbox ORDER BY position DESC LIMIT 1")
    assert b'"available":2' in last


async def test_a_repeat_of_one_restock_changes_nothing(sold_out):
    restock = new_id()

    await asyncio.gather(*[sold_out.restock(restock, back(("MUG", 1))) for _ in range(20)])

    assert await sold_out.available(["MUG"]) == {"MUG": 1}


async def test_takes_back_what_it_never_had(sold_out):
    await sold_out.restock(new_id(), back(("CUP", 3)))

    assert await sold_out.available(["CUP"]) == {"CUP": 3}
