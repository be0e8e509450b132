"""What is kept back, what may be sold beyond stock, and when staff want to know."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shopwright.chassis.db import CheckViolation
from shopwright.contracts.problems import InvalidInput, OutOfStock
from shopwright.contracts.products import ReserveLine, Restock
from shopwright.products.inventory.domain import Policy
from shopwright.products.inventory.store import Listing
from stocking import Stockroom

TODAY = datetime.now(UTC).date()


@pytest.fixture
async def room(database):
    return Stockroom(await database("products", size=24), low_stock_at=3)


async def ruled(room, sku="mug", **rules):
    await room.rules.set_policy(sku, Policy(**rules))


class TestSafetyStock:
    async def test_is_kept_back_from_sale(self, room):
        await room.put("mug", 5)
        await ruled(room, safety_stock=2)

        assert await room.available("mug") == 3
        with pytest.raises(OutOfStock) as refused:
            await room.hold(("mug", 4))
        assert [(s.requested, s.available) for s in refused.value.shortages] == [(4, 3)]
        await room.hold(("mug", 3))
        assert await room.available("mug") == 0

    async def test_larger_than_the_stock_sells_nothing(self, room):
        await room.put("mug", 5)
        await ruled(room, safety_stock=9)

        assert await room.available("mug") == 0


class TestBackorder:
    async def test_sells_beyond_stock_up_to_the_limit(self, room):
        await room.put("mug", 2)
        await ruled(room, backorder_max=3)

        assert await room.available("mug") == 5
        await room.sell(("mug", 4))
        assert await room.owed("mug") == (0, 2)
        assert (await room.inventory.levels("mug")).on_hand == 0
        with pytest.raises(OutOfStock):
            await room.hold(("mug", 2))
        assert not await room.wrong()

    async def test_is_paid_by_what_comes_first(self, room):
        await ruled(room, backorder_max=5)
        await room.sell(("mug", 4))

        await room.put("mug", 3, "north")
        assert await room.owed("mug") == (0, 1)
        await room.put("mug", 3)

        assert await room.owed("mug") == (0, 0)
        assert await room.available("mug") == 2 + 5
        reasons = [row.reason for row in await room.inventory.ledger("mug", before=None, limit=2)]
        assert reasons == ["backorder sent"] * 2
        assert not await room.wrong()

    async def test_promised_to_an_order_at_work_becomes_stock_when_it_comes(self, room):
        await ruled(room, backorder_max=5)
        first = await room.hold(("mug", 2))
        await room.hold(("mug", 2))

        await room.put("mug", 3)

        assert await room.owed("mug") == (1, 0)
        await room.inventory.claim(first)
        assert (await room.inventory.levels("mug")).on_hand == 1
        assert not await room.wrong()

    async def test_is_paid_by_what_comes_back_and_by_what_is_released(self, room):
        await room.put("mug", 2)
        await ruled(room, backorder_max=5)
        held = await room.hold(("mug", 2))
        await room.sell(("mug", 3))

        await room.inventory.release(held)
        assert await room.owed("mug") == (0, 1)
        await room.inventory.restock(uuid4(), Restock([ReserveLine("mug", 1)], "returned"))

        assert await room.owed("mug") == (0, 0)
        assert await room.available("mug") == 5
        assert not await room.wrong()

    async def test_that_is_no_longer_allowed_stays_sold_and_sells_no_more(self, room):
        await ruled(room, backorder_max=5)
        await room.sell(("mug", 2))
        held = await room.hold(("mug", 1))

        await ruled(room, backorder_max=0)
        assert await room.available("mug") == 0
        await room.inventory.release(held)

        assert await room.available("mug") == 0
        assert await room.owed("mug") == (0, 2)
        assert not await room.wrong()

    async def test_the_database_itself_refuses_more(self, room):
        await ruled(room, backorder_max=5)
        await room.sell(("mug", 3))

        for change in ("reserved = 3", "on_hand = -6", "on_hand = 1"):
            with pytest.raises(CheckViolation):
                async with room.db.begin() as tx:
                    await tx.execute(f"UPDATE stock SET {change} WHERE sku = 'mug' AND warehouse = '~owed'")

    async def test_in_a_crowd_sells_exactly_stock_and_limit(self, room):
        await room.put("mug", 5)
        await ruled(room, backorder_max=7)

        results = await asyncio.gather(*(room.hold(("mug", 1)) for _ in range(30)), return_exceptions=True)

        assert sum(not isinstance(one, Exception) for one in results) == 12
        assert await room.owed("mug") == (7, 0)
        assert not await room.wrong()

    async def test_keeps_the_safety_stock(self, room):
        await room.put("mug", 4)
        await ruled(room, safety_stock=3, backorder_max=2)

        await room.sell(("mug", 3))

        assert await room.owed("mug") == (0, 2)
        assert (await room.inventory.levels("mug")).on_hand == 3
        assert not await room.wrong()


class TestPreorder:
    async def test_sells_before_the_day_and_ends_with_it(self, room):
        await ruled(room, preorder_from=TODAY + timedelta(days=9), preorder_max=3)
        await room.sell(("mug", 1))
        assert await room.available("mug") == 2

        async with room.db.begin() as tx:
            await tx.execute("UPDATE stock_rules SET preorder_from = $1", TODAY)
        assert await room.rules.end_preorders() == 1

        assert await room.available("mug") == 0
        assert await room.owed("mug") == (0, 1)
        assert await room.rules.end_preorders() == 0
        assert not await room.wrong()

    async def test_needs_its_day(self, room):
        with pytest.raises(InvalidInput):
            await ruled(room, preorder_max=3)


class TestLowStock:
    async def test_is_told_once_when_it_is_crossed_and_not_at_each_sale(self, room):
        await room.put("mug", 6)

        for _ in range(6):
            await room.sell(("mug", 1))

        assert await room.facts("products.stock_low.v1") == ['{"sku":"mug","available":3,"threshold":3}']

    async def test_is_told_again_after_more_had_come(self, room):
        await room.put("mug", 4)
        await room.sell(("mug", 2))
        await room.put("mug", 4)
        await room.sell(("mug", 4))

        assert len(await room.facts("products.stock_low.v1")) == 2

    async def test_is_where_the_sku_says(self, room):
        await room.put("mug", 9)
        await ruled(room, low_stock_at=7)

        await room.sell(("mug", 2))

        assert await room.facts("products.stock_low.v1") == ['{"sku":"mug","available":7,"threshold":7}']

    async def test_is_told_when_staff_take_away(self, room):
        await room.put("mug", 9)
        await room.put("mug", -8)

        assert len(await room.facts("products.stock_low.v1")) == 1

    async def test_counts_what_can_be_shipped(self, room):
        await room.put("mug", 4)
        await room.put("jar", 4)
        await ruled(room, backorder_max=50, safety_stock=1)

        found = await room.inventory.listing(Listing(low=3), 9)

        assert [row.sku for row in found] == ["mug"]


class TestQuotes:
    async def test_tell_the_day_from_which_it_ships(self, room):
        day = TODAY + timedelta(days=9)
        await ruled(room, preorder_from=day, preorder_max=3)
        await ruled(room, "jar", preorder_from=TODAY, preorder_max=3)

        async with room.db.read() as connection:
            rows = await connection.fetch("SELECT * FROM preorders_of($1)", ["mug", "jar", "none"])

        assert [tuple(row) for row in rows] == [("mug", day)]
