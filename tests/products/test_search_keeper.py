"""The index is kept up to date by one process, rebuilt when it must be, and survives kills at any point."""

import asyncio
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from shopwright.contracts.problems import Unavailable
from shopwright.contracts.products import CategoryChanged, ProductChanged, ProductDeleted, StockChanged
from shopwright.products.search import schema, store
from shopwright.products.search.domain import Ask, IndexFailed
from shopwright.products.search.index import TantivyIndex
from shopwright.products.search.keeper import Keeper
from shopwright.products.search.subscribers import Subscribers
from shopwright.products.search.testing import Shelf, product, products

LEASE = timedelta(seconds=2)


@pytest.fixture
async def db(database):
    return await database("products")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "index"


@pytest.fixture
def index(folder):
    opened = TantivyIndex(folder, "EUR")
    yield opened
    opened.close()


@pytest.fixture
def shelf():
    return Shelf(products("Oak chair", "Walnut chair", "Lamp"))


@pytest.fixture
def keeper(db, shelf, index):
    return Keeper(db, shelf, index, LEASE)


@pytest.fixture
def subscribers(db, shelf, keeper):
    return Subscribers(db, shelf, keeper.wake)


async def total(index, text=""):
    return (await index.search(Ask(text=text))).total


async def seen(index, text, expected, seconds=60):
    """Waits until a search finds so many products."""
    until = time.monotonic() + seconds
    while (found := await total(index, text)) != expected:
        assert time.monotonic() < until, f"{text}: {found}, not {expected}"
        await asyncio.sleep(0.02)


def changed(one):
    return ProductChanged(product_id=one.id, slug=one.slug, status="active")


async def waiting(db):
    async with db.read() as connection:
        return [(row.kind, row.key) for row in await store.waiting(connection, 1_000)]


class TestEvents:
    async def test_are_noted_once(self, subscribers, db, shelf):
        one = product("Oak chair", 1)

        for _ in range(3):
            await subscribers.on_products([(changed(one), "event:1")])
        await subscribers.on_stock([(StockChanged(sku="SKU-1", available=0), "event:2")])
        await subscribers.on_products([(ProductDeleted(product_id=one.id, slug=one.slug), "event:3")])

        assert await waiting(db) == [("product", str(one.id)), ("sku", "SKU-1"), ("product", str(one.id))]

    async def test_many_are_noted_at_once(self, subscribers, db):
        facts = [(changed(product("Chair", number)), f"event:{number}") for number in range(1, 501)]

        await subscribers.on_products(facts)
        await subscribers.on_products(facts)

        assert len(await waiting(db)) == 500

    async def test_of_a_category_concern_every_product_in_it_once(self, subscribers, db, shelf):
        fact = CategoryChanged(category_id=product("any", 1).id, slug="chairs")

        for _ in range(2):
            await subscribers.on_category_changed(fact, "event:1")

        assert await waiting(db) == [("product", str(one)) for one in sorted(shelf.products)]


class TestCatchingUp:
    async def test_begins_with_the_whole_catalogue(self, keeper, index):
        await keeper.turn()

        assert await total(index, "chair") == 2

    async def test_follows_changes_deletions_and_stock(self, keeper, index, shelf, subscribers, db):
        await keeper.turn()
        shelf.put(product("Oak table", 1), product("Lamp", 3, in_stock=False))
        del shelf.products[product("Walnut chair", 2).id]

        await subscribers.on_products([(changed(product("Oak table", 1)), "event:1")])
        gone = product("Walnut chair", 2)
        await subscribers.on_products([(ProductDeleted(product_id=gone.id, slug=gone.slug), "event:2")])
        await subscribers.on_stock([(StockChanged(sku="SKU-3", available=0), "event:3")])
        await keeper.turn()

        assert [await total(index, text) for text in ("chair", "table", "lamp")] == [0, 1, 1]
        assert (await index.search(Ask(choices={"in_stock": ("true",)}))).total == 1
        assert await waiting(db) == []

    async def test_stock_of_an_unknown_sku_harms_nothing(self, keeper, subscribers, db):
        await keeper.turn()
        await subscribers.on_stock([(StockChanged(sku="nobody's", available=1), "event:1")])

        await keeper.turn()

        assert await waiting(db) == []

    async def test_of_a_running_keeper_happens_by_itself(self, keeper, index, shelf, subscribers):
        stop = asyncio.Event()
        running = asyncio.create_task(keeper.run(stop))
        table = product("Oak table", 9)
        shelf.put(table)

        await subscribers.on_products([(changed(table), "event:1")])
        while True:
            try:
                await seen(index, "table", 1)
                break
            except Unavailable:
                await asyncio.sleep(0.05)

        stop.set()
        await running


class TestLease:
    async def test_only_one_of_two_writes(self, db, shelf, index, keeper, subscribers, folder):
        other = Keeper(db, shelf, TantivyIndex(folder, "EUR"), LEASE)
        await keeper.turn()
        await subscribers.on_products([(changed(product("Oak chair", 1)), "event:1")])

        assert await other.turn() == 0
        assert await keeper.turn() == 1

    async def test_tantivy_itself_refuses_a_second_writer_and_the_keeper_tries_again(
        self, keeper, shelf, subscribers, index, folder
    ):
        await keeper.turn()
        await index.release()
        unaware = TantivyIndex(folder, "EUR")  # of a process that does not know that its lease ran out
        await unaware.write([], [])
        shelf.put(product("Oak table", 1))
        await subscribers.on_products([(changed(product("Oak table", 1)), "event:1")])

        with pytest.raises(IndexFailed):
            await keeper.turn()
        unaware.close()
        await keeper.turn()

        assert await total(index, "table") == 1

    async def test_is_handed_over_by_one_that_stops(self, db, shelf, keeper, subscribers, folder):
        other = Keeper(db, shelf, TantivyIndex(folder, "EUR"), timedelta(minutes=5))
        stop = asyncio.Event()
        running = asyncio.create_task(other.run(stop))
        await asyncio.sleep(0.2)
        stop.set()
        await running
        await subscribers.on_products([(changed(product("Oak chair", 1)), "event:1")])

        assert await keeper.turn() == 1

    async def test_lost_in_the_middle_leaves_the_index_to_the_other(self, db, shelf, keeper, index, folder):
        await keeper.turn()
        async with db.read() as connection:
            await connection.execute(
                "UPDATE search_writer SET holder = 'other', held_until = now() + '1 minute'"
            )
        await asyncio.sleep(LEASE.total_seconds() / 2 + 0.1)

        assert await keeper.turn() == 0
        other = TantivyIndex(folder, "EUR")
        await other.write([product("Oak table", 9)], [])

        await seen(index, "table", 1)
        other.close()


class TestRebuild:
    @pytest.mark.parametrize("harm", ["missing", "other version", "no pointer", "torn", "emptied"])
    async def test_heals_an_index_that_is_not_usable(self, db, shelf, folder, harm):
        first = TantivyIndex(folder, "EUR")
        await Keeper(db, shelf, first, timedelta(0)).turn()
        first.close()
        (generation,) = folder.glob("g-*")
        about = f'{{"version": {schema.VERSION + 1}, "own": "EUR", "slots": {{}}}}'
        {
            "missing": lambda: [path.unlink() for path in generation.iterdir()],
            "other version": lambda: (generation / "shopwright.json").write_text(about),
            "no pointer": (folder / "current").unlink,
            "torn": lambda: (generation / "meta.json").write_bytes(b'{"segm'),
            "emptied": lambda: [path.write_bytes(b"") for path in generation.glob("*.fast")],
        }[harm]()

        again = TantivyIndex(folder, "EUR")
        await Keeper(db, shelf, again, LEASE).turn()

        assert await total(again, "chair") == 2
        again.close()

    async def test_on_demand_reads_everything_again(self, db, shelf, index, keeper):
        await keeper.turn()
        shelf.put(product("Oak table", 9))  # and no event tells
        async with db.read() as connection:
            await store.ask_rebuild(connection)
        await asyncio.sleep(LEASE.total_seconds() / 2 + 0.1)

        await keeper.turn()

        assert await total(index, "table") == 1
        assert not await rebuild_due(db)

    async def test_lets_the_old_index_answer_meanwhile_and_loses_no_change(self, db, index, subscribers):
        seen_meanwhile = []

        class Slow(Shelf):
            async def ids(self, after, limit):
                if after is not None:
                    self.put(product("Late table", 1))  # changes after it was read
                    await subscribers.on_products([(changed(product("Late table", 1)), "event:late")])
                    seen_meanwhile.append(await total(index, "chair"))
                return await super().ids(after, limit)

        await index.rebuild()
        await index.add(products("Old chair"))
        await index.switch()
        await index.release()
        async with db.read() as connection:
            await store.ask_rebuild(connection)
        keeper = Keeper(db, Slow(products("New", "Chair", "Chair", "Chair")), index, LEASE)

        await keeper.turn()
        await keeper.turn()

        assert seen_meanwhile == [1]
        assert [await total(index, text) for text in ("chair", "table", "new")] == [3, 1, 0]

    async def test_leaves_at_most_two_generations(self, db, folder, index, keeper):
        for _ in range(4):
            await keeper._rebuild()

        assert len(list(folder.glob("g-*"))) == 2


async def rebuild_due(db):
    async with db.read() as connection:
        return await connection.fetchval("SELECT rebuilds_asked > rebuilds_done FROM search_writer")


class TestKilled:
    @pytest.fixture
    def process(self, folder):
        """Starts a keeper in a process of its own, with `count` chairs; it may crash at a named point."""
        running = []

        def start(url, count, crash_at=""):
            command = [
                sys.executable,
                str(Path(__file__).with_name("search_process.py")),
                url,
                str(folder),
                str(count),
            ]
            environ = os.environ | {"SHOPWRIGHT_CRASH_AT": crash_at}
            one = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            running.append(one)
            return one

        yield start
        for one in running:
            one.kill()
            one.communicate()

    @pytest.mark.parametrize(
        "point",
        [
            "search.rebuild.half-way",
            "search.rebuild.before-switch",
            "search.before-commit",
            "search.after-commit",
        ],
    )
    async def test_in_a_rebuild_leaves_the_old_index_answering_and_the_next_one_finishes(
        self, database_url, process, folder, index, point
    ):
        url = await database_url("products")
        await index.rebuild()
        await index.add(products("Old chair"))
        await index.switch()
        await index.release()
        await ask_rebuild(url)

        died = process(url, 1_200, point)
        assert await asyncio.to_thread(died.wait, 60) == -9

        assert await total(index, "chair") == 1
        process(url, 1_200)
        await seen(index, "chair", 1_200)
        assert len(list(folder.glob("g-*"))) <= 2

    @pytest.mark.parametrize("point", ["search.before-commit", "search.after-commit", "search.written"])
    async def test_while_catching_up_leaves_a_working_shop_and_loses_no_change(
        self, database_url, process, index, point
    ):
        url = await database_url("products")
        await index.rebuild()
        await index.add([product("Old chair", 1)])
        await index.switch()
        await index.release()
        await note(url, [product("Chair", number) for number in range(1, 31)])

        died = process(url, 30, point)
        assert await asyncio.to_thread(died.wait, 60) == -9

        assert await total(index, "chair") in {1, 30}
        process(url, 30)
        await seen(index, "chair", 30)
        await seen(index, "old", 0)

    async def test_at_any_moment_leaves_an_index_that_opens(self, database_url, process, folder):
        url = await database_url("products")
        for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
            await ask_rebuild(url)
            one = process(url, 3_000)
            await asyncio.to_thread(one.stdout.readline)
            await note(url, [product("Chair", number) for number in range(1, 3_001)])
            await asyncio.sleep(delay)
            one.kill()
            one.wait()

            survivor = TantivyIndex(folder, "EUR")
            assert await survivor.usable()
            assert await total(survivor, "chair") == 3_000
            survivor.close()


async def ask_rebuild(url):
    await on(url, store.ask_rebuild)


async def note(url, given):
    keys = [str(one.id) for one in given]
    await on(
        url,
        lambda connection: store.note(
            connection, [f"event:{os.urandom(4).hex()}:{k}" for k in keys], "product", keys
        ),
    )


async def on(url, work):
    from shopwright.chassis.db import open_database

    db = await open_database(url, application="test", size=2)
    async with db.read() as connection:
        await work(connection)
    await db.close()
