"""Stock cannot be sold twice: commands on a real database, alone, in crowds, and against a simple model."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from shopwright.chassis.api import create_asgi
from shopwright.chassis.db import CheckViolation
from shopwright.chassis.paging import encode_cursor
from shopwright.contracts.problems import NotFound, OutOfStock
from shopwright.contracts.products import Reserve, ReserveLine
from shopwright.products.inventory import api
from shopwright.products.inventory.commands import Inventory
from shopwright.products.inventory.domain import ReservationEnded, StockTooLow, UnknownWarehouse
from shopwright.products.inventory.store import Listing

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "inventory:read inventory:write"}


@pytest.fixture
async def db(database):
    return await database("products", size=32)


@pytest.fixture
def inventory(db):
    return Inventory(db)


def wanted(*lines, seconds=600):
    return Reserve([ReserveLine(sku, quantity) for sku, quantity in lines], seconds)


async def stocked(inventory, sku, units, warehouse=None):
    await inventory.adjust(sku, units, "count", warehouse, None)


async def drift(db):
    """SKUs whose balance is not the sum of their ledger."""
    async with db.read() as connection:
        return await connection.fetch(
            """SELECT s.sku FROM stock s LEFT JOIN (SELECT sku, warehouse, sum(delta_on_hand) AS on_hand,
                sum(delta_reserved) AS reserved FROM movements GROUP BY 1, 2) m USING (sku, warehouse)
            WHERE s.on_hand <> coalesce(m.on_hand, 0) OR s.reserved <> coalesce(m.reserved, 0)"""
        )


async def facts(db):
    async with db.read() as connection:
        rows = await connection.fetch("SELECT subject, data FROM outbox ORDER BY position")
    return [(row["subject"], row["data"]) for row in rows]


async def listed(inventory, limit=10, **wanted):
    return [row.sku for row in await inventory.listing(Listing(**wanted), limit)]


class TestListing:
    async def test_goes_by_sku_from_where_the_last_page_ended(self, inventory):
        for sku in ("b", "a", "c"):
            await stocked(inventory, sku, 1)

        assert await listed(inventory, 2) == ["a", "b"]
        assert await listed(inventory, after="b") == ["c"]

    async def test_begins_with_the_scarcest_and_goes_on_after_the_last_seen(self, inventory):
        for sku, units in (("much", 9), ("none", 0), ("few", 2), ("also-few", 2)):
            await stocked(inventory, sku, units)

        assert await listed(inventory, sort="available") == ["none", "also-few", "few", "much"]
        assert await listed(inventory, sort="available", after=(2, "also-few")) == ["few", "much"]

    async def test_finds_part_of_a_sku_in_any_case_and_takes_signs_literally(self, inventory):
        for sku in ("MUG-RED", "mug-blue", "plate", "100%"):
            await stocked(inventory, sku, 5)

        assert await listed(inventory, q="Mug") == ["MUG-RED", "mug-blue"]
        assert await listed(inventory, q="%") == ["100%"]
        assert await listed(inventory, q="_") == []

    async def test_tells_what_is_low_in_all_warehouses_together(self, inventory):
        await stocked(inventory, "mug", 2)
        await stocked(inventory, "mug", 3, "north")
        await stocked(inventory, "jar", 4)

        assert await listed(inventory, low=4) == ["jar"]
        found = (await inventory.listing(Listing(q="mug"), 1))[0]
        assert (found.available, [w.available for w in found.warehouses]) == (5, [2, 3])


class TestReserve:
    async def test_holds_and_claims(self, inventory, db):
        await stocked(inventory, "mug", 5)
        order = uuid4()

        held = await inventory.reserve(order, wanted(("mug", 2)))
        between = await inventory.levels("mug")
        claimed = await inventory.claim(order)

        assert (held.status, claimed.status) == ("held", "claimed")
        assert (between.on_hand, between.reserved, between.available) == (5, 2, 3)
        after = await inventory.levels("mug")
        assert (after.on_hand, after.reserved) == (3, 0)
        assert not await drift(db)

    async def test_holds_all_lines_or_none_and_names_every_shortage(self, inventory):
        await stocked(inventory, "a", 1)
        await stocked(inventory, "b", 9)

        with pytest.raises(OutOfStock) as refused:
            await inventory.reserve(uuid4(), wanted(("a", 2), ("b", 3), ("never", 1)))

        short = {(s.sku, s.requested, s.available) for s in refused.value.shortages}
        assert short == {("a", 2, 1), ("never", 1, 0)}
        assert await inventory.available(["a", "b"]) == {"a": 1, "b": 9}

    async def test_adds_up_lines_of_the_same_sku(self, inventory):
        await stocked(inventory, "mug", 5)

        with pytest.raises(OutOfStock):
            await inventory.reserve(uuid4(), wanted(("mug", 3), ("mug", 3)))
        await inventory.reserve(uuid4(), wanted(("mug", 2), ("mug", 3)))

        assert await inventory.available(["mug"]) == {"mug": 0}

    async def test_takes_from_several_warehouses_by_priority(self, inventory):
        await stocked(inventory, "mug", 2)
        await stocked(inventory, "mug", 4, "north")

        await inventory.reserve(uuid4(), wanted(("mug", 3)))

        levels = {level.code: level.available for level in (await inventory.levels("mug")).warehouses}
        assert levels == {"main": 0, "north": 3}

    async def test_a_repeat_changes_nothing(self, inventory):
        await stocked(inventory, "mug", 5)
        order = uuid4()

        for _ in range(3):
            await inventory.reserve(order, wanted(("mug", 2)))
        for _ in range(3):
            await inventory.claim(order)
        late = await inventory.reserve(order, wanted(("mug", 2)))

        assert late.status == "claimed"
        assert (await inventory.levels("mug")).on_hand == 3


class TestRelease:
    async def test_gives_back_once(self, inventory, db):
        await stocked(inventory, "mug", 5)
        order = uuid4()
        await inventory.reserve(order, wanted(("mug", 2)))

        for _ in range(3):
            await inventory.release(order)

        assert await inventory.available(["mug"]) == {"mug": 5}
        assert not await drift(db)

    async def test_that_overtakes_its_reserve_refuses_it(self, inventory):
        await stocked(inventory, "mug", 5)
        order = uuid4()

        await inventory.release(order)

        with pytest.raises(ReservationEnded):
            await inventory.reserve(order, wanted(("mug", 2)))
        assert await inventory.available(["mug"]) == {"mug": 5}

    async def test_of_what_was_claimed_changes_nothing(self, inventory):
        await stocked(inventory, "mug", 5)
        order = uuid4()
        await inventory.reserve(order, wanted(("mug", 2)))
        await inventory.claim(order)

        answer = await inventory.release(order)

        assert answer.status == "claimed"
        assert (await inventory.levels("mug")).on_hand == 3


class TestExpiry:
    async def test_frees_what_nobody_claimed(self, inventory, db):
        await stocked(inventory, "mug", 1)
        order = uuid4()
        await inventory.reserve(order, wanted(("mug", 1)))
        async with db.read() as connection:
            await connection.execute("UPDATE reservations SET expires_at = now() - interval '1 second'")

        assert await inventory.expire() == 1
        assert await inventory.available(["mug"]) == {"mug": 1}

    async def test_a_late_claim_takes_it_if_it_is_still_there(self, inventory, db):
        await stocked(inventory, "mug", 1)
        order = uuid4()
        await inventory.reserve(order, wanted(("mug", 1)))
        await inventory.release(order, "expired")

        await inventory.claim(order)

        assert (await inventory.levels("mug")).on_hand == 0
        assert not await drift(db)

    async def test_a_late_claim_of_what_was_sold_meanwhile_is_refused(self, inventory):
        await stocked(inventory, "mug", 1)
        late, quick = uuid4(), uuid4()
        await inventory.reserve(late, wanted(("mug", 1)))
        await inventory.release(late, "expired")
        await inventory.reserve(quick, wanted(("mug", 1)))

        with pytest.raises(OutOfStock):
            await inventory.claim(late)
        assert (await inventory.claim(quick)).status == "claimed"

    async def test_a_claim_of_nothing_is_refused(self, inventory):
        with pytest.raises(NotFound):
            await inventory.claim(uuid4())


class Names:
    """What products are called, by SKU."""

    def __init__(self, known):
        self.known = known

    async def names(self, skus):
        return {sku: self.known[sku] for sku in skus if sku in self.known}


class TestAdjust:
    async def test_never_goes_below_what_is_reserved(self, inventory):
        await stocked(inventory, "mug", 5)
        await inventory.reserve(uuid4(), wanted(("mug", 3)))

        with pytest.raises(StockTooLow) as refused:
            await inventory.adjust("mug", -3, "broken", None, None)

        assert (refused.value.on_hand, refused.value.reserved) == (5, 3)

    async def test_refuses_a_warehouse_that_is_not_there(self, inventory):
        with pytest.raises(UnknownWarehouse):
            await inventory.adjust("mug", 1, "count", "moon", None)

    async def test_refuses_a_sku_that_no_product_has(self, inventory):
        inventory.labels = Names({"mug": "A mug"})

        with pytest.raises(NotFound, match="no stock of mgu"):
            await inventory.adjust("mgu", 1, "count", None, None)

        assert (await inventory.adjust("mug", 1, "count", None, None)).on_hand == 1

    async def test_the_database_itself_refuses_to_oversell(self, inventory, db):
        await stocked(inventory, "mug", 1)

        with pytest.raises(CheckViolation):
            async with db.begin() as tx:
                await tx.execute("UPDATE stock SET reserved = 2 WHERE sku = 'mug'")

    async def test_tells_when_a_sku_sells_out_and_comes_back(self, inventory, db):
        await stocked(inventory, "mug", 2)
        first, second = uuid4(), uuid4()

        await inventory.reserve(first, wanted(("mug", 1)))
        await inventory.reserve(second, wanted(("mug", 1)))
        await inventory.release(second)

        told = [b'"available":%d' % n for n in (2, 0, 1)]
        assert [data for _, data in await facts(db)] == [b'{"sku":"mug",%s}' % part for part in told]


class TestApi:
    """Numbers that no stock has are the caller's mistake."""

    @pytest.fixture
    async def client(self, inventory):
        asgi = create_asgi("products", api.HANDLERS, {"inventory": inventory}, draining=asyncio.Event())
        transport = httpx.ASGITransport(app=asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://products") as client:
            yield client

    @pytest.mark.parametrize(
        "path",
        [
            f"/v1/inventory?low={10**12}",
            f"/v1/inventory/A/movements?cursor={encode_cursor(10**30)}",
            f"/v1/inventory?sort=available&cursor={encode_cursor([10**30, 'A'])}",
        ],
    )
    async def test_too_large_a_number_is_refused(self, client, path):
        assert (await client.get(path, headers=STAFF)).status_code == 422

    async def test_more_than_can_be_counted_is_refused(self, client, inventory, db):
        await stocked(inventory, "A", 1)
        async with db.read() as connection:
            await connection.execute("UPDATE stock SET on_hand = 2147483647")
        one_more = {"sku": "A", "delta": 1, "reason": "count"}

        answer = await client.post("/v1/inventory/adjustments", json=one_more, headers=STAFF)

        assert answer.status_code == 422
        await stocked(inventory, "A", 10, "north")
        seen = (await client.get("/v1/inventory/A", headers=STAFF)).json()
        assert seen["available"] == 2_147_483_657


class TestRaces:
    async def test_two_buyers_one_unit_two_hundred_times(self, inventory, db):
        sold = 0
        for number in range(200):
            sku = f"unit-{number}"
            await stocked(inventory, sku, 1)
            results = await asyncio.gather(
                inventory.reserve(uuid4(), wanted((sku, 1))),
                inventory.reserve(uuid4(), wanted((sku, 1))),
                return_exceptions=True,
            )
            assert sorted(type(result).__name__ for result in results) == ["OutOfStock", "Reservation"]
            sold += 1

        assert sold == 200
        assert not await drift(db)

    async def test_sixty_four_at_once_on_one_sku(self, inventory, db):
        await stocked(inventory, "hot", 20)

        results = await asyncio.gather(
            *(inventory.reserve(uuid4(), wanted(("hot", 1))) for _ in range(64)), return_exceptions=True
        )

        assert sum(not isinstance(result, Exception) for result in results) == 20
        assert await inventory.available(["hot"]) == {"hot": 0}

    async def test_orders_that_cross_do_not_lock_each_other_up(self, inventory, db):
        for sku in "abcd":
            await stocked(inventory, sku, 1_000)
        orders = [("a", "b", "c"), ("c", "b", "a"), ("d", "a"), ("b", "d")]

        results = await asyncio.gather(
            *(inventory.reserve(uuid4(), wanted(*((sku, 1) for sku in orders[n % 4]))) for n in range(200)),
            return_exceptions=True,
        )

        assert [result for result in results if isinstance(result, Exception)] == []
        assert not await drift(db)


class TestForget:
    async def test_takes_what_ended_long_ago_and_nothing_else(self, inventory, db):
        await stocked(inventory, "mug", 9)
        old, open_, young = uuid4(), uuid4(), uuid4()
        for reservation in (old, open_, young):
            await inventory.reserve(reservation, wanted(("mug", 1)))
        await inventory.claim(old)
        await inventory.claim(young)
        async with db.read() as connection:
            await connection.execute(
                "UPDATE reservations SET created_at = now() - interval '1 year' WHERE id <> $1", young
            )

        assert await inventory.forget_old() == 1

        async with db.read() as connection:
            left = {row["id"] for row in await connection.fetch("SELECT id FROM reservations")}
        assert left == {open_, young}
        assert not await drift(db)
