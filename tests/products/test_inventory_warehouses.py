"""Where stock lies: warehouses that open and close, which are taken from first, transfers between them."""

import asyncio
from uuid import uuid4

import pytest

from shopwright.chassis.db import Once
from shopwright.contracts.problems import OutOfStock
from shopwright.products.inventory.domain import StockTooLow, UnknownWarehouse, Warehouse, WarehouseExists
from stocking import Stockroom

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "inventory:read inventory:write"}


@pytest.fixture
async def room(database):
    return Stockroom(await database("products", size=24))


async def opened(room, code, priority=0, country=None):
    place = Warehouse(code=code, name=code.title(), priority=priority, country=country)
    return await room.warehouses.create(place, None)


class TestStrategies:
    async def test_by_priority_takes_what_the_first_has(self, room):
        await opened(room, "first", priority=1)
        await opened(room, "last", priority=9)
        await room.put("mug", 2, "last")
        await room.put("mug", 2, "first")

        await room.hold(("mug", 3))

        assert await room.free("mug") == {"first": 0, "last": 1}

    async def test_fewest_parcels_prefers_a_warehouse_with_the_whole_order(self, room):
        await room.warehouses.choose("fewest_parcels")
        for sku, units in (("mug", 5), ("jar", 1)):
            await room.put(sku, units)
            await room.put(sku, 3, "north")

        await room.hold(("mug", 2), ("jar", 2))

        assert await room.free("mug") == {"main": 5, "north": 1}
        assert await room.free("jar") == {"main": 1, "north": 1}

    async def test_fewest_parcels_splits_no_line_that_one_warehouse_has(self, room):
        await room.warehouses.choose("fewest_parcels")
        await room.put("mug", 3)
        await room.put("mug", 4, "north")
        await room.put("jar", 1)

        await room.hold(("mug", 4), ("jar", 1))

        assert await room.free("mug") == {"main": 3, "north": 0}

    async def test_fewest_parcels_still_sells_what_only_all_have_together(self, room):
        await room.warehouses.choose("fewest_parcels")
        await room.put("mug", 2)
        await room.put("mug", 2, "north")

        await room.hold(("mug", 4))

        assert await room.free("mug") == {"main": 0, "north": 0}

    async def test_nearest_takes_from_the_country_of_the_buyer_first(self, room):
        await room.warehouses.choose("nearest")
        await opened(room, "paris", country="FR")
        await opened(room, "berlin", country="DE")
        for place in ("main", "paris", "berlin"):
            await room.put("mug", 1, place)

        await room.hold(("mug", 1), country="DE")
        await room.hold(("mug", 1))

        assert await room.free("mug") == {"main": 0, "paris": 1, "berlin": 0}


class TestClosing:
    async def test_takes_the_stock_from_sale_and_keeps_what_is_held(self, room):
        await room.put("mug", 3, "north")
        order = await room.hold(("mug", 1))

        north = await room.warehouses.find("north")
        await room.warehouses.change(Warehouse(code="north", name="N", priority=north.priority, active=False))

        assert await room.available("mug") == 0
        with pytest.raises(OutOfStock):
            await room.hold(("mug", 1))
        assert (await room.inventory.claim(order)).status == "claimed"
        assert not await room.wrong()

    async def test_is_told_and_so_is_opening(self, room):
        await room.put("mug", 3, "north")

        for active in (False, True):
            await room.warehouses.change(Warehouse(code="north", name="N", priority=2, active=active))

        told = await room.facts("products.stock_changed.v1")
        assert told == [f'{{"sku":"mug","available":{left}}}' for left in (3, 0, 3)]


class TestTransfer:
    async def test_is_two_movements_under_one_reference(self, room):
        await room.put("mug", 5)

        await room.carry("mug", "main", "north", 2)

        assert await room.free("mug") == {"main": 3, "north": 2}
        came, went = (await room.inventory.ledger("mug", before=None, limit=9))[:2]
        assert (came.warehouse, came.delta_on_hand, went.warehouse, went.delta_on_hand) == (
            "north", 2, "main", -2,
        )  # fmt: skip
        assert came.reference == went.reference != ""

    async def test_leaves_what_is_reserved(self, room):
        await room.put("mug", 5)
        await room.hold(("mug", 4))

        with pytest.raises(StockTooLow):
            await room.carry("mug", "main", "north", 2)

        assert await room.free("mug") == {"main": 1}
        assert not await room.wrong()

    async def test_that_repeats_moves_once(self, room):
        await room.put("mug", 5)

        for _ in range(3):
            await room.carry("mug", "main", "north", 2, Once("move-1"))

        assert await room.free("mug") == {"main": 3, "north": 2}

    async def test_to_nowhere_is_refused(self, room):
        await room.put("mug", 5)

        with pytest.raises(UnknownWarehouse):
            await room.carry("mug", "main", "moon", 1)
        with pytest.raises(UnknownWarehouse):
            await room.put("mug", 1, "~owed")

    async def test_back_and_forth_at_once_loses_nothing(self, room):
        await room.put("mug", 40)
        await room.put("mug", 40, "north")

        await asyncio.gather(
            *(room.carry("mug", *way, 1) for way in [("main", "north"), ("north", "main")] * 20),
            *(room.hold(("mug", 1)) for _ in range(20)),
        )

        assert await room.available("mug") == 60
        assert not await room.wrong()


class TestApi:
    @pytest.fixture
    async def client(self, run_service):
        return await run_service("products")

    async def test_lists_makes_and_changes(self, client):
        new = {"code": "paris", "name": "Paris", "country": "FR"}
        made = await client.post("/v1/warehouses", json=new, headers=STAFF)
        changed = await client.patch("/v1/warehouses/paris", json={"active": False}, headers=STAFF)
        await client.put("/v1/warehouses/strategy", json={"strategy": "nearest"}, headers=STAFF)
        listed = (await client.get("/v1/warehouses", headers=STAFF)).json()

        assert (made.status_code, changed.status_code) == (201, 200)
        assert listed["strategy"] == "nearest"
        assert [place["code"] for place in listed["items"]] == ["main", "north", "paris"]
        assert listed["items"][2] == new | {"priority": 3, "active": False}

    async def test_refuses_with_the_reason(self, client):
        twice = await client.post("/v1/warehouses", json={"code": "main", "name": "M"}, headers=STAFF)
        wrong = await client.post("/v1/warehouses", json={"code": "~owed", "name": "M"}, headers=STAFF)
        gone = await client.patch("/v1/warehouses/~owed", json={"active": False}, headers=STAFF)
        same = {"sku": "A", "from": "main", "to": "main", "quantity": 1, "reason": "x"}
        nowhere = await client.post("/v1/inventory/transfers", json=same, headers=STAFF)

        assert (twice.status_code, twice.json()["type"].rpartition("/")[2]) == (409, WarehouseExists.slug)
        assert (wrong.status_code, gone.status_code, nowhere.status_code) == (422, 404, 422)

    async def test_is_for_staff_only(self, client):
        for method, path in [("GET", ""), ("POST", ""), ("PATCH", "/main"), ("PUT", "/strategy")]:
            body = {"code": "a", "name": "a", "strategy": "priority"}
            answer = await client.request(method, f"/v1/warehouses{path}", json=body)
            assert answer.status_code in {401, 403}
