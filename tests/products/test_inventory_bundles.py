"""Bundles: sold as one, from the stock of their components, which cannot be sold twice."""

import asyncio
from uuid import uuid4

import pytest

from shopwright.contracts.problems import InvalidInput, NotFound, OutOfStock
from shopwright.contracts.products import ReserveLine, Restock
from shopwright.products.inventory.domain import BundleHasNoStock, BundleRefused, Policy
from stocking import Stockroom


@pytest.fixture
async def room(database):
    """Five mugs and eight spoons; a set is one mug and two spoons."""
    made = Stockroom(await database("products", size=24))
    await made.put("mug", 5)
    await made.put("spoon", 8)
    await made.bundle("set", mug=1, spoon=2)
    return made


class TestBundle:
    async def test_has_as_many_as_its_scarcest_component_makes(self, room):
        assert await room.available("set") == 4

        await room.sell(("mug", 3))

        assert await room.available("set") == 2
        assert (await room.rules.bundle("set")).available == 2

    async def test_is_reserved_claimed_and_released_as_its_components(self, room):
        held = await room.hold(("set", 2))
        assert [await room.available(sku) for sku in ("mug", "spoon", "set")] == [3, 4, 2]
        await room.inventory.release(held)
        await room.sell(("set", 1))

        assert [await room.available(sku) for sku in ("mug", "spoon", "set")] == [4, 6, 3]
        assert not await room.wrong()

    async def test_beside_its_component_in_one_order_is_counted_together(self, room):
        with pytest.raises(OutOfStock) as refused:
            await room.hold(("set", 3), ("mug", 3))

        short = {(s.sku, s.requested, s.available) for s in refused.value.shortages}
        assert short == {("set", 3, 2), ("mug", 3, 2)}
        await room.hold(("set", 2), ("mug", 3))
        assert not await room.wrong()

    async def test_comes_back_as_its_components(self, room):
        await room.sell(("set", 4))

        await room.inventory.restock(uuid4(), Restock([ReserveLine("set", 1)], "returned"))

        assert [await room.available(sku) for sku in ("mug", "spoon", "set")] == [2, 2, 1]
        assert not await room.wrong()

    async def test_may_be_sold_beyond_the_stock_of_its_components(self, room):
        await room.rules.set_policy("spoon", Policy(backorder_max=2))

        assert await room.available("set") == 5
        await room.sell(("set", 5))

        assert await room.owed("spoon") == (0, 2)
        assert not await room.wrong()

    async def test_that_sells_out_by_its_component_is_told(self, room):
        await room.sell(("spoon", 7))

        assert (await room.facts("products.stock_changed.v1"))[-1] == '{"sku":"set","available":0}'


class TestMaking:
    async def test_refuses_stock_of_its_own(self, room):
        with pytest.raises(BundleRefused, match="stock"):
            await room.bundle("spoon", plate=1)
        with pytest.raises(BundleHasNoStock):
            await room.put("set", 1)
        with pytest.raises(BundleHasNoStock):
            await room.carry("set", "main", "north", 1)
        with pytest.raises(BundleHasNoStock):
            await room.rules.set_policy("set", Policy(backorder_max=1))

    async def test_refuses_bundles_within_bundles(self, room):
        with pytest.raises(BundleRefused):
            await room.bundle("box", set=1)
        with pytest.raises(BundleRefused):
            await room.bundle("mug", plate=1)
        with pytest.raises(InvalidInput):
            await room.bundle("box", box=1)

    async def test_at_once_nests_nothing(self, room):
        for number in range(20):
            results = await asyncio.gather(
                room.bundle(f"a{number}", **{f"b{number}": 1}),
                room.bundle(f"b{number}", **{f"c{number}": 1}),
                return_exceptions=True,
            )
            assert sum(isinstance(one, BundleRefused) for one in results) == 1

    async def test_while_stock_is_entered_leaves_one_of_both(self, room):
        for number in range(20):
            sku = f"race{number}"
            results = await asyncio.gather(
                room.bundle(sku, spoon=1), room.put(sku, 1), return_exceptions=True
            )
            assert sum(isinstance(one, BundleRefused | BundleHasNoStock) for one in results) == 1
        assert not await room.wrong()

    async def test_ends_when_it_is_taken_apart(self, room):
        await room.rules.unbundle("set")

        assert await room.available("set") is None
        with pytest.raises(NotFound):
            await room.rules.bundle("set")
        await room.put("set", 1)


class TestRaces:
    async def test_bundle_and_component_at_once_never_sell_a_unit_twice(self, room):
        for number in range(40):
            mug, spoon, set_ = f"mug{number}", f"spoon{number}", f"set{number}"
            await room.put(mug, 1)
            await room.put(spoon, 9)
            await room.bundle(set_, **{mug: 1, spoon: 2})
            results = await asyncio.gather(room.hold((set_, 1)), room.hold((mug, 1)), return_exceptions=True)
            assert sum(isinstance(one, OutOfStock) for one in results) == 1
        assert not await room.wrong()
