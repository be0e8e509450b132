"""What buyers find: ranking, typing errors, facets, filters and pages, on a real index in a folder."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searching import Shop, wardrobe
from shopwright.products.search.testing import product, products

SORTS = ["relevance", "newest", "price_asc", "price_desc", "name"]


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path / "index")
    yield made
    made.index.close()


class TestRanking:
    async def test_a_name_before_a_category_before_a_summary_before_a_description(self, shop):
        await shop.stock(
            product("One", 1, description="a lamp for reading"),
            product("Two", 2, summary="like a lamp"),
            product("Three", 3, categories=["Lamp"]),
            product("Lamp", 4),
        )

        assert await shop.find("lamp") == ["Lamp", "Three", "Two", "One"]

    @pytest.mark.parametrize(
        "where",
        [{"brand": "Tolomeo"}, {"attributes": {"Line": ["Tolomeo"]}}, {"options": {"Model": ["Tolomeo"]}},
         {"categories": ["Tolomeo"]}],
    )  # fmt: skip
    async def test_brand_attributes_options_and_categories_stand_above_the_summary(self, shop, where):
        await shop.stock(product("One", 1, summary="as good as a Tolomeo"), product("Two", 2, **where))

        assert await shop.find("tolomeo") == ["Two", "One"]

    async def test_exact_before_plural_before_beginning(self, shop):
        await shop.stock(*products("Lampshade", "Lamps", "Lamp oil stand", "Lamp"))

        assert await shop.find("lamp") == ["Lamp", "Lamp oil stand", "Lamps", "Lampshade"]

    async def test_all_words_together_before_apart(self, shop):
        await shop.stock(*products("Oak bench and table", "Solid oak table", "Oak table"))

        assert await shop.find("oak table") == ["Oak table", "Solid oak table", "Oak bench and table"]

    async def test_the_whole_name_first(self, shop):
        await shop.stock(*products("Chess set deluxe", "Chess set", "My chess set"))

        assert (await shop.find("chess set"))[0] == "Chess set"

    async def test_every_word_must_be_found_if_anything_has_them_all(self, shop):
        await shop.stock(
            product("Red mug", 1), product("Blue mug", 2), product("Mug", 3, options={"Colour": ["Red"]})
        )

        assert await shop.find("red mug") == ["Red mug", "Mug"]

    async def test_most_words_do_if_nothing_has_them_all(self, shop):
        await shop.stock(*products("Red mug", "Blue bowl"))

        assert await shop.find("red mug of platinum") == ["Red mug"]

    async def test_what_can_be_bought_stands_before_what_is_sold_out(self, shop):
        await shop.stock(product("Oak table", 1, in_stock=False), product("Oak table", 2))

        assert (await shop.ask("oak table")).ids == [UUID(int=2), UUID(int=1)]

    async def test_sold_out_still_stands_before_what_matches_less(self, shop):
        await shop.stock(product("Lampshade of finest paper", 1), product("Desk lamp", 2, in_stock=False))

        assert (await shop.find("lamp"))[0] == "Desk lamp"

    @pytest.mark.parametrize("query", ["lamp", "lamps", "LAMP", "the lamp", "a lamp for the", "lam"])
    async def test_number_case_stop_words_and_beginnings_do_not_matter(self, shop, query):
        await shop.stock(*products("Desk lamp", "Chair"))

        assert await shop.find(query) == ["Desk lamp"]

    @pytest.mark.parametrize("query", ["creme brulee", "CRÈME BRÛLÉE", "cre\u0300me"])
    async def test_accents_do_not_matter(self, shop, query):
        await shop.stock(*products("Crème brûlée torch", "Chair"))

        assert await shop.find(query) == ["Crème brûlée torch"]

    @pytest.mark.parametrize("query", ["t-shirt", "tshirt", "t shirt", "T-Shirts"])
    async def test_compounds_are_found_in_any_spelling(self, shop, query):
        await shop.stock(*products("Plain T-Shirt", "Shirt", "Trousers"))

        assert (await shop.find(query))[0] == "Plain T-Shirt"

    @pytest.mark.parametrize(("written", "query"), [("Hair dryer", "hairdryer"), ("Mug", "tshirts")])
    async def test_words_are_found_written_as_one(self, shop, written, query):
        await shop.stock(product(written, 1, categories=["T-Shirt"]), product("Chair", 2))

        assert await shop.find(query) == [written]

    async def test_news_is_not_new(self, shop):
        await shop.stock(*products("New chair", "News stand"))

        assert await shop.find("news") == ["News stand"]


class TestCodes:
    @pytest.mark.parametrize("query", ["AB-12.3", "ab-12.3", "AB123", "ab 12 3", " AB-12.3 "])
    async def test_a_sku_comes_first_however_it_is_typed(self, shop, query):
        await shop.stock(
            product("Cable ab 12 3 ab123", 1, codes=["X"]), product("Something", 2, codes=["AB-12.3"])
        )

        assert (await shop.find(query))[0] == "Something"

    async def test_a_barcode_is_found(self, shop):
        await shop.stock(product("One", 1), product("Two", 2, codes=["S", "4006381333931"]))

        assert await shop.find("4006381333931") == ["Two"]

    async def test_the_beginning_of_a_sku_is_enough(self, shop):
        await shop.stock(product("One", 1, codes=["LMP-1001"]), product("Two", 2, codes=["CHR-1001"]))

        assert await shop.find("LMP-10") == ["One"]

    async def test_no_error_is_forgiven_in_numbers(self, shop):
        await shop.stock(*products("Charger 65000", "Charger 65001"))

        assert await shop.find("65001") == ["Charger 65001"]
        assert await shop.find("65002") == []


class TestTypingErrors:
    @pytest.mark.parametrize("query", ["chiar", "chir", "chairr", "cgair", "hcair"])
    async def test_one_is_forgiven_in_a_word_of_four_letters_or_more(self, shop, query):
        await shop.stock(*products("Oak chair", "Table"))

        assert await shop.find(query) == ["Oak chair"]

    async def test_two_are_forgiven_from_eight_letters(self, shop):
        await shop.stock(*products("Headphones", "Table"))

        assert await shop.find("hedphonse") == ["Headphones"]
        assert await shop.find("tbel") == []

    async def test_none_in_short_words(self, shop):
        await shop.stock(*products("Mug"))

        assert await shop.find("mog") == []

    async def test_nothing_similar_where_there_is_the_word_itself(self, shop):
        await shop.stock(*products("Lamb", "Lamp"))

        assert await shop.find("lamp") == ["Lamp"]

    async def test_exact_words_stand_before_guesses(self, shop):
        await shop.stock(*products("Walnut chain", "Walnut chair", "Walnut chais"))

        assert (await shop.find("walnot chair"))[0] == "Walnut chair"

    async def test_a_better_spelling_is_suggested(self, shop):
        await shop.stock(*products("Walnut chair", "Oak chair", "Oak table"))

        assert (await shop.ask("walnot chiar")).suggestion == "walnut chair"
        assert (await shop.ask("oak tabel")).suggestion == "oak table"

    async def test_a_misspelling_that_occurs_still_has_a_suggestion(self, shop):
        await shop.stock(*products("Headphnes stand", "Headphones", "Headphones", "Headphones", "Headphones"))

        assert (await shop.ask("headphones")).suggestion is None
        assert (await shop.ask("headphonees")).suggestion == "headphones"

    async def test_nothing_is_suggested_when_enough_is_found_or_nothing_is_near(self, shop):
        await shop.stock(*products("Chair one", "Chair two", "Chair three"))

        assert (await shop.ask("chair")).suggestion is None
        assert (await shop.ask("xylophone")).suggestion is None


HOSTILE = [
    '"', "'", "((((", "a AND", "OR OR NOT", "name:x", '+-&&||!(){}[]^"~*?:\\/', "\x00", "\x1f", "🙂", "…",
    "a" * 10_000, "ab " * 5_000, "-" * 10_000, "[0 TO *]", "lamp^9999", "\ud7ff", "%00", "../../etc/passwd",
    "<script>alert(1)</script>", "1e309", "NaN", "İstanbul ǅ ﬃ", "\u202e" * 50,
]  # fmt: skip


class TestHostileInput:
    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
    async def test_is_only_words(self, shop, text):
        await shop.stock(*wardrobe())

        found = await shop.ask(text, choices={text[:50] or "x": (text,), "color": (text,)})

        assert found.total == len(found.ids)
        await shop.index.suggest(text, "EUR", 8)

    async def test_without_any_word_finds_nothing(self, shop):
        await shop.stock(*wardrobe())

        assert (await shop.ask("!?!")).total == 0

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        text=st.text(max_size=300), name=st.text(max_size=30), value=st.text(max_size=120),
        low=st.integers(0, 10**13), sort=st.sampled_from(SORTS),
    )  # fmt: skip
    async def test_never_fails(self, shop, text, name, value, low, sort):
        odd = product(text or "x", 1, brand=value, attributes={name: [value]}, codes=[value], summary=text)
        await (shop.put if shop.names else shop.stock)(odd)

        found = await shop.ask(text, choices={name: (value,)}, price_min=low, sort=sort)
        await shop.index.suggest(value, "EUR", 8)

        assert found.total in {0, 1}


class TestOddProducts:
    async def test_one_that_cannot_be_indexed_keeps_no_other_waiting(self, shop):
        await shop.stock(product("Dear chair", 1, prices={"EUR": [2**70]}), product("Chair", 2))

        assert await shop.find("chair") == ["Chair"]

    async def test_long_names_codes_and_attributes_are_searchable(self, shop):
        long = "chair " * 20_000
        await shop.stock(
            product(long, 1, codes=["9" * 100_000], brand="b" * 70_000, attributes={"n" * 70_000: [long]})
        )

        assert (await shop.ask("chair")).total == 1
        assert (await shop.ask(sort="name")).total == 1
