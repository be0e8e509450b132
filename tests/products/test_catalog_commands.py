"""Putting products by the batch: on a real database, alone and at once."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopwright.chassis.db import CheckViolation
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problems import NotFound
from shopwright.products.catalog.domain import PUT_MAX, ROOT
from shopwright.products.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from shopwright.products.catalog.store.listings import Sale, Wanted
from shopwright.products.inventory.store import Listing
from shopwright.products.testing import Store, a_product, a_variant, price

SQUARE = PictureDraft("https://pictures.example/square.jpg", "A square", 800, 800)
ROUND = PictureDraft("/media/ab/round.webp")


@pytest.fixture
async def shop(database):
    return Store(await database("products"))


async def outcomes(shop, *drafts, **options):
    return [put.outcome for put in await shop.catalog.put(drafts, **options)]


class TestPut:
    async def test_creates_a_product_with_all_that_belongs_to_it(self, shop):
        draft = a_product(
            variants=[
                a_variant("L-S", 1_900, options={"Size": "S", "Colour": "Red"}, barcode="4001", weight_g=900),
                a_variant("L-M", 2_900, options={"Size": "M"}, stock=4, picture=ROUND.source),
            ],
            pictures=[SQUARE, ROUND],
        )

        (put,) = await shop.catalog.put([draft])

        stored = await shop.product("oak-lamp")
        assert (put.outcome, put.slug, put.product_id) == ("created", "oak-lamp", stored.id)
        assert (stored.name, stored.brand, stored.status, stored.version) == (
            "Oak lamp",
            "Nordlund",
            "active",
            1,
        )
        assert list(stored.attributes.items()) == [("material", ["Oak", "Brass"]), ("colour", ["Natural"])]
        assert stored.options == ["Size", "Colour"]
        assert [list(variant.options) for variant in stored.variants] == [["Size", "Colour"], ["Size"]]
        assert [(p.url, p.alt, p.width) for p in stored.pictures] == [
            (SQUARE.source, "A square", 800),
            (ROUND.source, "", None),
        ]
        assert stored.variants[1].picture == ROUND.source
        assert [category.slug for category in stored.categories] == ["lighting"]
        assert await shop.inventory.available(["L-S", "L-M"]) == {"L-M": 4}

    async def test_again_changes_nothing_and_tells_nobody(self, shop):
        drafts = [a_product("lamp", variants=[a_variant("LAMP", stock=3)]), a_product("chair")]
        await shop.catalog.put(drafts)
        before = await shop.facts()

        assert await outcomes(shop, *drafts) == ["unchanged", "unchanged"]
        assert await shop.facts() == before
        assert (await shop.product("lamp")).version == 1

    async def test_tells_of_what_really_changed(self, shop):
        await shop.catalog.put([a_product("lamp"), a_product("chair")])
        before = len(await shop.facts())

        puts = await shop.catalog.put([a_product("lamp", name="Bright lamp"), a_product("chair")])

        assert [put.outcome for put in puts] == ["changed", "unchanged"]
        told = (await shop.facts())[before:]
        assert told == [("products.product_changed.v1", str(puts[0].product_id))]
        changed = await shop.product("lamp")
        assert (changed.name, changed.version) == ("Bright lamp", 2)

    async def test_a_stock_count_alone_is_a_change_of_stock_only(self, shop):
        lamp = a_product("lamp", variants=[a_variant("LAMP", stock=3)])
        await shop.catalog.put([lamp])
        before = len(await shop.facts())

        recounted = a_product("lamp", variants=[a_variant("LAMP", stock=5)])
        assert await outcomes(shop, recounted) == ["changed"]

        assert (await shop.facts())[before:] == [("products.stock_changed.v1", "LAMP")]
        assert (await shop.product("lamp")).version == 1
        assert await shop.inventory.available(["LAMP"]) == {"LAMP": 5}

    async def test_one_that_is_refused_does_not_stop_the_rest(self, shop):
        await shop.catalog.put([a_product("owner", variants=[a_variant("TAKEN")])])

        puts = await shop.catalog.put(
            [
                a_product("good"),
                a_product("thief", variants=[a_variant("TAKEN")]),
                a_product("free", variants=[a_variant("FREE", None)]),
                a_product("good"),
                a_product("twice", variants=[a_variant("GOOD")]),
                a_product("late", name=" ", variants=[]),
                a_product("also-good"),
            ]
        )

        assert [put.outcome for put in puts] == ["created", *["refused"] * 5, "created"]
        pointers = [[problem.pointer for problem in put.problems] for put in puts]
        assert pointers[1] == ["/variants/0/sku"]
        assert pointers[2] == ["/variants/0/prices"]
        assert "/slug" in pointers[3]
        assert pointers[4] == ["/variants/0/sku"]
        assert pointers[5] == ["/name", "/variants"]

    async def test_of_a_refused_product_nothing_is_kept(self, shop):
        await shop.catalog.put(
            [a_product("free", categories=[["Nowhere"]], variants=[a_variant("F", None, stock=3)])]
        )

        assert (await shop.categories.all()).items == []
        assert await shop.inventory.available(["F"]) == {}

    async def test_keeps_what_a_draft_leaves_empty(self, shop):
        full = a_product(
            variants=[
                a_variant("A", barcode="1", options={"Size": "S"}),
                a_variant("B", options={"Size": "M"}),
            ],
            pictures=[SQUARE],
        )
        await shop.catalog.put([full])
        sparse = ProductDraft(slug="oak-lamp", name="Oak lamp", variants=[
            VariantDraft(sku="B", prices=[price(2_500, "USD")]),
            a_variant("C", options={"Size": "L"}),
        ])  # fmt: skip

        await shop.catalog.put([sparse])

        stored = await shop.product("oak-lamp")
        assert (stored.summary, stored.brand, stored.description) == (
            "A lamp",
            "Nordlund",
            "<p>Made of oak.</p>",
        )
        assert (len(stored.attributes), len(stored.pictures), len(stored.categories)) == (2, 1, 1)
        assert stored.skus == ["A", "B", "C"]
        assert [p.currency for p in stored.variants[1].prices] == ["EUR", "USD"]
        assert [variant.options for variant in stored.variants] == [
            {"Size": "S"},
            {"Size": "M"},
            {"Size": "L"},
        ]
        assert stored.variants[0].barcode == "1"

    async def test_or_forgets_it_when_told_to(self, shop):
        await shop.catalog.put([a_product(variants=[a_variant("A"), a_variant("B")], pictures=[SQUARE])])
        kept = (await shop.product("oak-lamp")).variants[1].id
        sparse = ProductDraft(slug="oak-lamp", name="Oak lamp", variants=[a_variant("B", 900)])

        await shop.catalog.put([sparse], keep_missing=False)

        stored = await shop.product("oak-lamp")
        assert stored.skus == ["B"]
        assert stored.variants[0].id == kept
        assert (stored.summary, stored.attributes, stored.pictures, stored.categories) == ("", {}, [], [])

    async def test_a_variant_that_shows_another_picture_adds_it_to_the_product(self, shop):
        await shop.catalog.put(
            [a_product(variants=[a_variant("A", picture=ROUND.source)], pictures=[SQUARE])]
        )

        assert [p.url for p in (await shop.product("oak-lamp")).pictures] == [SQUARE.source, ROUND.source]

    async def test_makes_a_slug_of_a_name_and_of_what_is_none(self, shop):
        puts = await shop.catalog.put(
            [
                a_product("", name="Große Lampe №7", variants=[a_variant("A")]),
                a_product("My_Handle"),
                a_product("※"),
            ]
        )

        assert [(put.slug, put.outcome) for put in puts] == [
            ("grosse-lampe-no7", "created"), ("my-handle", "created"), ("", "refused"),
        ]  # fmt: skip

    async def test_drops_a_former_price_that_is_no_reduction(self, shop):
        draft = a_product(
            variants=[VariantDraft(sku="A", prices=[price(500, compare_at=500), price(4, "USD", 9)])]
        )

        await shop.catalog.put([draft])

        assert [p.compare_at for p in (await shop.product("oak-lamp")).variants[0].prices] == [None, 9]

    async def test_finds_categories_by_their_names_whatever_the_case(self, shop):
        await shop.catalog.put(
            [
                a_product("a", categories=[["Home", "Lighting"]]),
                a_product("b", categories=[["home", "LIGHTING"], ["Garden", "Lighting"]]),
            ]
        )

        tree = (await shop.categories.all()).items
        assert [(c.slug, c.parent, c.products) for c in tree] == [
            ("garden", None, 1), ("home", None, 2), ("lighting", "home", 2), ("garden-lighting", "garden", 1),
        ]  # fmt: skip

    async def test_refuses_more_than_one_batch(self, shop):
        with pytest.raises(ValueError, match="at most 500"):
            await shop.catalog.put([a_product()] * (PUT_MAX + 1))

    async def test_the_database_itself_refuses_what_must_not_be(self, shop):
        await shop.catalog.put([a_product()])

        for sql in (
            "UPDATE prices SET amount = -1",
            "UPDATE prices SET compare_at = amount",
            "UPDATE products SET slug = 'No Slug'",
            "UPDATE products SET status = 'lost'",
            "UPDATE categories SET path = path || path",
        ):
            with pytest.raises(CheckViolation):
                async with shop.db.begin() as tx:
                    await tx.execute(sql)


class TestAtOnce:
    async def test_two_imports_of_the_same_file_make_each_product_once(self, shop):
        drafts = [a_product(f"p-{number}", categories=[[f"Room {number % 5}"]]) for number in range(60)]

        await asyncio.gather(
            *(shop.catalog.put(drafts[start : start + 20]) for start in (0, 20, 40, 0, 20, 40))
        )

        ids = await shop.catalog.ids_after(None, 100)
        facts = [subject for topic, subject in await shop.facts() if topic == "products.product_changed.v1"]
        assert len(ids) == 60
        assert sorted(facts) == sorted(map(str, ids))

    async def test_one_of_two_products_gets_a_sku_that_both_want(self, shop):
        puts = await asyncio.gather(
            *(shop.catalog.put([a_product(f"p-{n}", variants=[a_variant("SAME")])]) for n in range(4))
        )

        assert sorted(put.outcome for (put,) in puts) == ["created", "refused", "refused", "refused"]


words = st.text(max_size=40)
money = st.builds(Money, st.integers(-5, 2**62), st.sampled_from(["EUR", "JPY", "PLN"]))
variants = st.builds(
    VariantDraft,
    sku=words,
    options=st.dictionaries(words, words, max_size=3),
    prices=st.lists(st.builds(PriceDraft, money, st.none() | money), max_size=2),
    stock=st.dictionaries(st.sampled_from(["main", "Nord Süd", "※"]), st.integers(-5, 2**40), max_size=2),
    barcode=st.none() | words,
    weight_g=st.none() | st.integers(-5, 2**40),
    picture=st.none() | words | st.just("https://pictures.example/1.jpg"),
)
anything = st.builds(
    ProductDraft,
    slug=words,
    name=words,
    variants=st.lists(variants, max_size=3),
    description=words | st.just("<script>x</script><p onclick=x>a<b>c"),
    summary=words,
    brand=words,
    status=st.sampled_from(["active", "draft", "archived"]),
    categories=st.lists(st.lists(words, max_size=3), max_size=2),
    attributes=st.dictionaries(words, st.lists(words, max_size=3), max_size=3),
    pictures=st.lists(st.builds(PictureDraft, words, words, st.none() | st.integers(-1, 2**40)), max_size=2),
)


class TestAnything:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(drafts=st.lists(anything, max_size=4))
    async def test_whatever_a_file_holds_is_stored_or_refused_and_again_changes_nothing(self, shop, drafts):
        drafts = [*drafts, a_product(f"good-{new_id()}")]

        first = await shop.catalog.put(drafts)
        again = await shop.catalog.put(drafts)

        assert first[-1].outcome == "created"
        assert [(put.slug, put.problems) for put in again] == [(put.slug, put.problems) for put in first]
        assert {put.outcome for put in again} <= {"unchanged", "refused"}


class TestStock:
    async def test_is_listed_with_the_names_of_products_and_found_by_them(self, shop):
        await shop.catalog.put(
            [
                a_product("lamp", name="Oak lamp", variants=[a_variant("A-1", stock=3), a_variant("A-2")]),
                a_product("rake", name="Garden rake", variants=[a_variant("B-1", stock=2)]),
            ]
        )

        listed = await shop.inventory.listing(Listing(), 10)
        by_name = await shop.inventory.listing(Listing("oak"), 10)
        by_sku = await shop.inventory.listing(Listing("b-"), 10)

        assert [(row.sku, row.name) for row in listed] == [("A-1", "Oak lamp"), ("B-1", "Garden rake")]
        assert [row.sku for row in by_name] == ["A-1"]
        assert [row.sku for row in by_sku] == ["B-1"]

    async def test_of_a_variant_that_never_had_any_is_none(self, shop):
        await shop.catalog.put([a_product("lamp", variants=[a_variant("A-2")])])

        found = await shop.inventory.levels("A-2")

        assert (found.name, found.on_hand, found.available, found.warehouses) == ("Lamp", 0, 0, [])
        with pytest.raises(NotFound):
            await shop.inventory.levels("nothing")

    async def test_that_was_sold_makes_popular_once_per_order(self, shop):
        puts = await shop.catalog.put([a_product("lamp", variants=[a_variant("A"), a_variant("B")])])
        first, second = Sale("event:1", "A", 2), Sale("event:2", "B", 1)

        await shop.catalog.sold([first, second])
        await shop.catalog.sold([second, Sale("event:3", "gone", 9)])
        counted = [await shop.catalog.fold_sales() for _ in range(2)]

        (described,) = await shop.catalog.described([puts[0].product_id])
        assert (counted, described.popularity) == ([3, 0], 3)


class TestRelist:
    async def test_lists_by_the_currency_that_the_shop_has_now(self, shop):
        puts = await shop.catalog.put(
            [a_product("a", variants=[a_variant("A", prices=[price(5, "USD")])]), a_product("b")]
        )
        moved = Store(shop.db, currency="GBP")
        cheapest = Wanted(ROOT, "price_asc", "GBP")
        before = await moved.catalog.listed(cheapest, 10)

        assert [await moved.catalog.relist() for _ in range(2)] == [2, 0]

        listed = [position.id for position in await moved.catalog.listed(cheapest, 10)]
        assert (before, listed) == ([], [put.product_id for put in puts])
