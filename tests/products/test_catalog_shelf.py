"""What is kept in memory: how many statements a read costs, and how soon a change is seen on any replica."""

import asyncio

import msgspec
import pytest

from counting import Counted
from shopwright.chassis.db import Database, open_database
from shopwright.chassis.outbox import Relay
from shopwright.contracts.problems import NotFound
from shopwright.products.catalog.domain import ROOT
from shopwright.products.catalog.shelf import AVAILABLE_S, KEPT_S, PAGES_MAX, PRODUCTS_MAX, Shelf
from shopwright.products.catalog.store.listings import Wanted
from shopwright.products.catalog.tail import Tail
from shopwright.products.testing import Store, a_product, a_variant


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
async def counted(database):
    return Counted((await database("products"))._pool)


@pytest.fixture
def shop(counted):
    return Store(Database(counted))


async def costs(counted, call):
    before = counted.statements
    answer = await call
    return counted.statements - before, answer


async def filled(shop, count):
    drafts = [a_product(f"lamp-{n:02}", variants=[a_variant(f"L{n}", stock=n + 1)]) for n in range(count)]
    return [put.product_id for put in await shop.catalog.put(drafts)]


class TestStatements:
    async def test_of_a_page_are_as_many_for_one_product_as_for_fifty(self, shop, counted):
        ids = await filled(shop, 50)

        one, _ = await costs(counted, shop.catalog.cards(ids[:1], "EUR"))
        shop.catalog.shelf.clear()
        fifty, cards = await costs(counted, shop.catalog.cards(ids, "EUR"))
        again, same = await costs(counted, shop.catalog.cards(ids, "EUR"))

        assert (one, fifty, again) == (2, 2, 0)
        assert len(cards) == 50
        assert [bytes(card) for card in cards] == [bytes(card) for card in same]

    async def test_of_a_list_a_product_and_quotes_do_not_grow(self, shop, counted):
        await filled(shop, 50)

        for limit in (1, 50):
            page = Wanted(ROOT, "newest", "EUR")
            assert (await costs(counted, shop.catalog.listed(page, limit)))[0] == 1
            assert (await costs(counted, shop.catalog.listed(page, limit)))[0] == 0
            assert (await costs(counted, shop.catalog.quotes([f"L{n}" for n in range(limit)], "EUR")))[0] == 1
        assert (await costs(counted, shop.catalog.shown("lamp-07")))[0] == 2
        assert (await costs(counted, shop.catalog.shown("lamp-07")))[0] == 0

    async def test_of_a_projection_do_not_grow(self, shop, counted):
        ids = await filled(shop, 50)

        assert (await costs(counted, shop.catalog.described(ids[:1])))[0] == 3
        assert (await costs(counted, shop.catalog.described(ids)))[0] == 3

    async def test_of_a_batch_are_as_many_for_one_product_as_for_hundred(self, shop, counted):
        await filled(shop, 1)  # the categories are there afterwards
        drafts = [a_product(f"p-{n}", variants=[a_variant(f"P{n}", stock=1)]) for n in range(101)]

        one, _ = await costs(counted, shop.catalog.put(drafts[:1]))
        hundred, _ = await costs(counted, shop.catalog.put(drafts[1:]))

        assert one == hundred


class TestCards:
    async def test_come_in_the_order_asked_for_without_what_is_not_shown(self, shop):
        ids = await filled(shop, 3)
        await shop.catalog.put([a_product("lamp-01", status="archived", variants=[a_variant("L1")])])

        cards = [bytes(card) for card in await shop.catalog.cards([ids[2], ROOT, ids[1], ids[0]], "EUR")]

        assert len(cards) == 2
        assert b'"slug":"lamp-02"' in cards[0]
        assert b'"slug":"lamp-00"' in cards[1]


class TestAvailability:
    @pytest.fixture
    async def kept(self, shop):
        """A product on a shelf whose clock stands still, and how to read what is available."""
        (id_,) = await filled(shop, 1)
        clock = Clock()
        shelf = Shelf(shop.catalog._load, shop.inventory.offers, clock)
        shelf.watched = True

        async def available():
            return (await shelf.fetch([id_]))[id_].stock["L0"].available

        assert await available() == 1
        await shop.inventory.adjust("L0", 4, "count", None, None)
        return shelf, clock, available

    async def test_is_asked_again_after_a_moment(self, kept):
        _, clock, available = kept
        clock.now += AVAILABLE_S * 0.9
        before = await available()
        clock.now += AVAILABLE_S * 0.2

        assert (before, await available()) == (1, 5)

    async def test_is_asked_again_when_an_event_tells(self, kept):
        shelf, _, available = kept
        shelf.recount("L0")

        assert await available() == 5

    async def test_does_not_ask_for_the_product_again(self, kept, counted):
        _, clock, available = kept
        clock.now += AVAILABLE_S * 2

        assert (await costs(counted, available()))[0] == 1


class TestKeeping:
    @pytest.fixture
    async def product(self, shop):
        await filled(shop, 1)
        return await shop.product("lamp-00")

    async def loads(self, shelf, product):
        """How often one read asks the database for the product."""
        await shelf.fetch([product.id])
        return self.asked

    @pytest.fixture
    def shelf(self, product):
        self.clock, self.asked, self.during = Clock(), 0, None

        async def load(ids):
            self.asked += 1
            if self.during:
                self.clock.now += 0.001
                self.during()
            return [product]

        async def available(_skus):
            return {}

        shelf = Shelf(load, available, self.clock)
        shelf.watched = True
        return shelf

    async def test_lasts_while_changes_are_told(self, shelf, product):
        await self.loads(shelf, product)
        self.clock.now += KEPT_S * 0.9

        assert await self.loads(shelf, product) == 1
        self.clock.now += KEPT_S
        assert await self.loads(shelf, product) == 2

    async def test_lasts_a_moment_while_nobody_tells(self, shelf, product):
        shelf.watched = False
        await self.loads(shelf, product)
        await self.loads(shelf, product)
        self.clock.now += 1.5

        assert await self.loads(shelf, product) == 2

    @pytest.mark.parametrize("how", ["drop", "clear"])
    async def test_ends_with_a_change(self, shelf, product, how):
        await self.loads(shelf, product)
        self.clock.now += 1
        shelf.drop([product.id]) if how == "drop" else shelf.clear()
        self.clock.now += 1

        assert await self.loads(shelf, product) == 2
        assert await self.loads(shelf, product) == 2

    @pytest.mark.parametrize("how", ["drop", "clear"])
    async def test_does_not_begin_with_what_changed_while_it_was_read(self, shelf, product, how):
        self.during = (lambda: shelf.drop([product.id])) if how == "drop" else shelf.clear
        await self.loads(shelf, product)
        self.during = None
        self.clock.now += 1

        assert await self.loads(shelf, product) == 2
        assert await self.loads(shelf, product) == 2

    async def test_has_a_bound(self, shop, product):
        from shopwright.contracts.ids import new_id

        async def load(ids):
            return [msgspec.structs.replace(product, id=id_, slug=str(id_)) for id_ in ids]

        async def available(_skus):
            return {}

        shelf = Shelf(load, available)
        shelf.watched = True

        await shelf.fetch([new_id() for _ in range(PRODUCTS_MAX + 50)])

        assert len(shelf._kept) == len(shelf._by_slug) == PRODUCTS_MAX
        assert len(shelf._by_sku) <= PRODUCTS_MAX


class TestOwnChanges:
    """Seen by this replica at once, before any event tells."""

    @pytest.fixture
    async def kept(self, shop):
        await filled(shop, 1)
        shop.catalog.shelf.watched = True
        await shop.catalog.shown("lamp-00")
        return shop.catalog

    async def test_by_a_batch(self, kept):
        await kept.put([a_product("lamp-00", name="Brighter", variants=[a_variant("L0")])])

        assert (await kept.shown("lamp-00")).product.name == "Brighter"

    async def test_by_an_edit(self, kept):
        await kept.edit("lamp-00", lambda product, _: msgspec.structs.replace(product, name="Brighter"))

        assert (await kept.shown("lamp-00")).product.name == "Brighter"

    async def test_by_a_deletion(self, kept):
        await kept.delete("lamp-00")

        with pytest.raises(NotFound):
            await kept.shown("lamp-00")

    async def test_of_which_products_there_are(self, kept):
        everything = Wanted(ROOT, "newest", "EUR")
        before = await kept.listed(everything, 10)

        await kept.put([a_product("chair")])

        assert len(await kept.listed(everything, 10)) == len(before) + 1


class TestPages:
    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def reads(self, clock):
        """How often a page was read so far, told by the page itself."""
        shelf, count = Shelf(None, None, clock), 0

        async def read():
            nonlocal count
            count += 1
            return [count]

        return shelf, read

    async def test_are_kept_for_a_moment(self, reads, clock):
        shelf, read = reads

        first = [await shelf.page("a", read), await shelf.page("a", read), await shelf.page("b", read)]
        clock.now += AVAILABLE_S

        assert (first, await shelf.page("a", read)) == ([[1], [1], [2]], [3])

    @pytest.mark.parametrize("how", ["drop", "clear"])
    async def test_end_with_any_change_even_while_they_are_read(self, reads, how):
        shelf, read = reads

        async def read_slowly():
            shelf.drop([ROOT]) if how == "drop" else shelf.clear()
            return await read()

        assert [await shelf.page("a", read_slowly), await shelf.page("a", read)] == [[1], [2]]

    async def test_have_a_bound(self, reads):
        shelf, read = reads

        for number in range(PAGES_MAX + 10):
            await shelf.page(number, read)

        assert len(shelf._pages) == PAGES_MAX


class TestReplicas:
    @pytest.fixture
    async def replicas(self, databases, valkey):
        """Two replicas on one database and one bus, and what tells them."""
        url = await databases.fresh("products")
        stop = asyncio.Event()
        dbs = [await open_database(url, application="test") for _ in range(2)]
        shops = [Store(db) for db in dbs]
        work = [
            Relay(dbs[0], valkey, "products").run,
            *(Tail(valkey, shop.catalog.shelf).run for shop in shops),
        ]
        tasks = [asyncio.create_task(run(stop)) for run in work]
        async with asyncio.timeout(60):
            while not all(shop.catalog.shelf.watched for shop in shops):
                await asyncio.sleep(0.01)
        yield shops
        stop.set()
        await asyncio.gather(*tasks)
        for db in dbs:
            await db.close()

    async def sees(self, shop, id_, part):
        async with asyncio.timeout(60):
            while not (cards := await shop.catalog.cards([id_], "EUR")) or part not in bytes(cards[0]):
                await asyncio.sleep(0.01)

    async def kept_on(self, shop, id_):
        """Wait until the shop was told of the product, then let it keep it."""
        async with asyncio.timeout(60):
            while id_ not in shop.catalog.shelf._dropped:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        await shop.catalog.cards([id_], "EUR")
        assert id_ in shop.catalog.shelf._kept

    async def test_see_each_others_changes(self, replicas):
        one, two = replicas
        (id_,) = await filled(one, 1)
        await self.kept_on(two, id_)

        await one.catalog.put([a_product("lamp-00", name="Brighter", variants=[a_variant("L0")])])

        await self.sees(two, id_, b'"name":"Brighter"')

    async def test_see_that_a_product_is_gone(self, replicas):
        one, two = replicas
        (id_,) = await filled(one, 1)
        await self.kept_on(two, id_)

        await one.catalog.delete("lamp-00")

        async with asyncio.timeout(60):
            while await two.catalog.cards([id_], "EUR"):
                await asyncio.sleep(0.01)

    async def test_see_another_name_of_a_category(self, replicas):
        from shopwright.products.catalog.edits import CategoryChange

        one, two = replicas
        (id_,) = await filled(one, 1)
        await self.kept_on(two, id_)

        await one.categories.change("lighting", CategoryChange(name="Lights"), {"name"})

        await self.sees(two, id_, b'"Lights"')

    async def test_show_staff_what_another_wrote_at_once(self, replicas):
        one, two = replicas
        (id_,) = await filled(one, 1)
        await two.catalog.shown("lamp-00")

        await one.catalog.put([a_product("lamp-00", name="Brighter", variants=[a_variant("L0")])])

        assert (await two.catalog.read("lamp-00")).product.name == "Brighter"
        assert b"Brighter" in bytes((await two.catalog.cards_for_staff([id_], "EUR"))[0])
