"""Reservations of one SKU share a transaction, and each is still held whole or refused by itself."""

import asyncio
from uuid import uuid4

import pytest

from counting import Counted
from shopwright.chassis.db import Database
from shopwright.contracts.problems import OutOfStock
from shopwright.products.inventory.commands.together import TOGETHER_MAX, Together
from shopwright.products.inventory.domain import Policy, ReservationEnded
from shopwright.products.inventory.store.reservations import Asked
from shopwright.products.inventory.store.telling import Said
from stocking import Stockroom, wanted


@pytest.fixture
async def room(database):
    return Stockroom(await database("products", size=24), low_stock_at=5)


@pytest.fixture
def batches():
    return []


@pytest.fixture
def together(batches):
    """Answers each reservation with its number; takes a turn of the loop; fails over 'poison'."""

    async def run(many):
        batches.append([asked.id for asked in many])
        await asyncio.sleep(0.01)
        if any(line.sku == "poison" for asked in many for line in asked.wanted.lines):
            raise ValueError("poison")
        return [Said(str(asked.id)) for asked in many]

    return Together(run)


def asked(name, *skus):
    return Asked(name, wanted(*((sku, 1) for sku in skus)))


async def outcomes(*asking):
    return await asyncio.gather(*asking, return_exceptions=True)


class TestTogether:
    async def test_what_waits_for_one_sku_goes_in_one_transaction_in_order(self, together, batches):
        said = await outcomes(*(together.ask(asked(n, "hot")) for n in range(5)))

        assert batches == [[0], [1, 2, 3, 4]]
        assert [one.status for one in said] == ["0", "1", "2", "3", "4"]

    async def test_other_skus_wait_for_nobody(self, together, batches):
        await outcomes(*(together.ask(asked(n, f"sku-{n}")) for n in range(3)))

        assert batches == [[0], [1], [2]]

    async def test_who_wants_several_is_not_overtaken_for_ever(self, together, batches):
        await outcomes(
            together.ask(asked(0, "a")), together.ask(asked(1, "b")), together.ask(asked(2, "a", "b")),
            together.ask(asked(3, "a")), together.ask(asked(4, "b")),
        )  # fmt: skip

        assert batches[2:] == [[2, 3, 4]]

    async def test_takes_no_more_at_once_than_is_good(self, together, batches):
        await outcomes(*(together.ask(asked(n, "hot")) for n in range(TOGETHER_MAX + 2)))

        assert [len(batch) for batch in batches] == [1, TOGETHER_MAX, 1]

    async def test_what_breaks_fails_alone(self, together):
        said = await outcomes(
            together.ask(asked(0, "hot")), together.ask(asked(1, "hot", "poison")),
            together.ask(asked(2, "hot")),
        )  # fmt: skip

        assert [type(one).__name__ for one in said] == ["Said", "ValueError", "Said"]
        assert (await together.ask(asked(3, "poison2", "hot"))).status == "3"

    async def test_who_went_away_is_left_out(self, together, batches):
        first = asyncio.ensure_future(together.ask(asked(0, "hot")))
        gone = asyncio.ensure_future(together.ask(asked(1, "hot")))
        stays = asyncio.ensure_future(together.ask(asked(2, "hot")))
        await asyncio.sleep(0)
        gone.cancel()

        await outcomes(first, gone, stays)

        assert batches == [[0], [2]]


class TestOnStock:
    async def test_a_crowd_is_held_by_few_commits_and_exactly(self, room):
        await room.put("hot", 90)

        before = await commits(room.db)
        await asyncio.gather(*(room.hold(("hot", 1 + n % 2)) for n in range(60)))

        assert await commits(room.db) - before < 20
        assert await room.available("hot") == 0
        assert not await room.wrong()

    async def test_the_last_units_are_found_and_no_more(self, room):
        await room.put("hot", 7)
        await room.put("hot", 6, "north")
        await room.rules.set_policy("hot", Policy(backorder_max=4))

        results = await outcomes(*(room.hold(("hot", 1)) for _ in range(40)))

        assert sum(isinstance(one, OutOfStock) for one in results) == 40 - 17
        assert await room.available("hot") == 0
        assert not await room.wrong()

    async def test_a_repeat_and_one_that_ended_are_told_so(self, room):
        await room.put("hot", 50)
        repeated, ended = await room.hold(("hot", 1)), uuid4()
        await room.inventory.release(ended)

        reserve = room.inventory.reserve
        results = await outcomes(
            *(reserve(one, wanted(("hot", 1))) for one in (uuid4(), uuid4(), repeated, ended, uuid4()))
        )

        assert [type(one).__name__ for one in results] == ["Reservation"] * 3 + [
            ReservationEnded.__name__, "Reservation",
        ]  # fmt: skip
        assert await room.available("hot") == 46
        assert not await room.wrong()

    async def test_that_it_is_low_is_told_once(self, room):
        await room.put("hot", 40)

        await outcomes(*(room.hold(("hot", 1)) for _ in range(40)))

        assert len(await room.facts("products.stock_low.v1")) == 1
        assert (await room.facts("products.stock_changed.v1"))[-1] == '{"sku":"hot","available":0}'


class TestClaiming:
    async def test_a_crowd_takes_what_it_holds_by_few_commits_and_exactly(self, room):
        await room.put("hot", 60)
        held = [await room.hold(("hot", 1 + n % 2)) for n in range(30)]

        taken = await asyncio.gather(*(room.inventory.claim(one) for one in held))

        assert {one.status for one in taken} == {"claimed"}
        assert await commits(room.db) < 10
        assert (await room.inventory.levels("hot")).on_hand == 15
        assert not await room.wrong()

    async def test_each_gets_its_own_answer(self, room):
        await room.put("hot", 9)
        held, claimed, back = [await room.hold(("hot", 1)) for _ in range(3)]
        await room.inventory.claim(claimed)
        await room.inventory.release(back)

        claim = room.inventory.claim
        results = await outcomes(*(claim(one) for one in (uuid4(), held, claimed, uuid4(), back, held)))

        assert [type(one).__name__ for one in results] == [
            "NotFound", "Reservation", "Reservation", "NotFound", "Reservation", "Reservation",
        ]  # fmt: skip
        assert (await room.inventory.levels("hot")).on_hand == 6
        assert not await room.wrong()

    async def test_costs_one_statement_that_is_the_whole_transaction(self, room):
        await room.put("mug", 5)
        reservation = await room.hold(("mug", 1))
        counted = Counted(room.db._pool)

        await Stockroom(Database(counted)).inventory.claim(reservation)

        assert (counted.statements, counted.transactions) == (1, 0)


async def commits(db: Database) -> int:
    """Transactions that made the reservations as they are."""
    async with db.read() as connection:
        return await connection.fetchval("SELECT count(DISTINCT xmin::text) FROM reservations")


class TestCost:
    @pytest.fixture
    async def counted(self, database):
        return Counted((await database("products"))._pool)

    @pytest.mark.parametrize("rules", [{}, {"safety_stock": 1, "backorder_max": 3}])
    async def test_of_a_reservation_is_one_statement_whatever_the_rules(self, counted, rules):
        room = Stockroom(Database(counted))
        await room.put("mug", 9)
        await room.put("jar", 9)
        await room.bundle("set", mug=1, jar=1)
        await room.rules.set_policy("mug", Policy(**rules))

        before = counted.statements
        await room.hold(("mug", 2), ("set", 1))

        assert counted.statements - before == 1
