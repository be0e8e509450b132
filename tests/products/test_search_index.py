"""What buyers find: ranking, typing errors, facets, filters and pages, on a real index in a folder."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import InvalidInput, Unavailable
from shopwright.products.search.domain import DEPTH_MAX, Ask, PageTooDeep, Position
from shopwright.products.search.index import TantivyIndex
from shopwright.products.search.testing import product, products

SORTS = ["relevance", "newest", "price_asc", "price_desc", "name"]


class Shop:
    """An index with products, asked as a buyer asks."""

    def __init__(self, folder):
        self.index = TantivyIndex(folder, "EUR")
        self.names = {}

    async def stock(self, *given):
        await self.index.rebuild()
        await self.index.switch()
        await self.put(*given)
        return self

    async def put(self, *given):
        self.names |= {one.id: one.name for one in given}
        await self.index.write(given, [])

    async def remove(self, *given):
        await self.index.write([], [one.id for one in given])

    async def ask(self, text="", **more):
        return await self.index.search(Ask(text=text, **more))

    async def find(self, text="", **more):
        """Names in order."""
        return [self.names[one] for one in (await self.ask(text, **more)).ids]

    async def facet(self, name, text="", **more):
        values = (await self.ask(text, **more)).facets.get(name, [])
        return {value.value: value.count for value in values}

    async def pages(self, between=None, **ask):
        """All pages, as lists of ids; `between` runs after each."""
        found, after = [], None
        while True:
            page = await self.ask(after=after, **ask)
            found.append(page.ids)
            if page.next is None:
                return found
            after = page.next
            if between:
                await between()


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


def wardrobe():
    shirts = {"brand": "Acme", "categories": ["Clothes", "Shirts"]}
    zeta = {"brand": "Zeta"}
    slim = {"Color": ["red"], "Fit": ["Slim"]}
    return [
        product("Shirt", 1, **shirts, options={"Color": ["Red"], "Size": ["M"]}),
        product("Blouse", 2, **shirts, options={"color": ["Blue"], "Size": ["M", "L"]}),
        product("Trousers", 3, **zeta, categories=["Clothes", "Trousers"], attributes=slim),
        product("Mug", 4, **zeta, categories=["Kitchen"], attributes={"Color": ["Grün"]}, in_stock=False),
    ]


class TestFilters:
    async def test_a_category_includes_those_below_it(self, shop):
        await shop.stock(*wardrobe())

        assert set(await shop.find(choices={"category": ("clothes",)})) == {"Shirt", "Blouse", "Trousers"}
        assert set(await shop.find(choices={"category": ("shirts", "kitchen")})) == {"Shirt", "Blouse", "Mug"}

    async def test_values_of_one_name_add_up_and_names_narrow(self, shop):
        await shop.stock(*wardrobe())

        assert set(await shop.find(choices={"color": ("red", "blue")})) == {"Shirt", "Blouse", "Trousers"}
        assert await shop.find(choices={"color": ("red", "blue"), "size": ("L",)}) == ["Blouse"]

    async def test_names_and_values_are_compared_without_case_and_accents(self, shop):
        await shop.stock(*wardrobe())

        assert set(await shop.find(choices={"COLOR": ("RED",)})) == {"Shirt", "Trousers"}
        assert await shop.find(choices={"color": ("grun",)}) == ["Mug"]
        assert set(await shop.find(choices={"brand": ("ACME",)})) == {"Shirt", "Blouse"}

    async def test_a_name_nobody_has_is_ignored_and_a_value_nobody_has_finds_nothing(self, shop):
        await shop.stock(*wardrobe())

        assert len(await shop.find(choices={"utm_source": ("mail",)})) == 4
        assert await shop.find(choices={"color": ("mauve",)}) == []
        assert await shop.find(choices={"brand": ("Nobody",)}) == []

    async def test_our_own_names_are_never_ignored(self, shop):
        await shop.stock(*products("Chair"))

        assert await shop.find(choices={"brand": ("Acme",)}) == []
        assert await shop.find(choices={"category": ("chairs",)}) == []

    async def test_stock(self, shop):
        await shop.stock(*wardrobe())

        assert "Mug" not in await shop.find(choices={"in_stock": ("true",)})
        assert await shop.find(choices={"in_stock": ("false",)}) == ["Mug"]

    async def test_prices_are_inclusive_and_of_any_variant(self, shop):
        await shop.stock(
            product("Cheap", 1, prices={"EUR": [500]}),
            product("Both", 2, prices={"EUR": [1_000, 5_000]}),
            product("Dear", 3, prices={"EUR": [9_000]}),
        )

        assert set(await shop.find(price_min=500, price_max=1_000)) == {"Cheap", "Both"}
        assert set(await shop.find(price_min=5_000)) == {"Both", "Dear"}
        assert await shop.find(price_max=499) == []
        assert await shop.find(price_min=2_000, price_max=4_000) == []

    async def test_with_a_currency_only_what_is_sold_in_it(self, shop):
        await shop.stock(
            product("Here", 1), product("There", 2, prices={"USD": [700], "EUR": [800]}),
            product("Abroad", 3, prices={"USD": [900]}), product("Nowhere", 4, prices={}),
        )  # fmt: skip

        assert await shop.find(currency="USD", sort="price_asc") == ["There", "Abroad"]
        assert await shop.find(currency="USD", price_max=700) == ["There"]
        assert await shop.find(currency="CHF") == []
        assert await shop.find(sort="price_asc", price_min=800) == ["There", "Here"]

    async def test_prices_of_another_currency_come_last_whichever_way(self, shop):
        await shop.stock(
            product("Dear", 1, prices={"EUR": [900]}), product("Cheap", 2, prices={"EUR": [800]}),
            product("Yen", 3, prices={"JPY": [90_000]}), product("Nowhere", 4, prices={}),
            product("Dollars", 5, prices={"PLN": [1], "USD": [95_000]}),
        )  # fmt: skip

        assert await shop.find(sort="price_asc") == ["Cheap", "Dear", "Yen", "Dollars", "Nowhere"]
        assert await shop.find(sort="price_desc") == ["Dear", "Cheap", "Dollars", "Yen", "Nowhere"]
        second = await shop.ask(sort="price_desc", limit=3)
        rest = await shop.ask(sort="price_desc", limit=3, after=second.next)
        assert len(second.ids) + len(rest.ids) == 5

    async def test_choosing_a_facet_brings_in_nothing_that_only_resembles_the_words(self, shop):
        await shop.stock(
            product("Lamp", 1, options={"Color": ["Red"]}), product("Lamb", 2, options={"Color": ["Blue"]})
        )

        assert await shop.find("lamp", choices={"color": ("blue",)}) == []


class TestFacets:
    async def test_count_what_was_found(self, shop):
        await shop.stock(*wardrobe())

        found = await shop.ask()

        assert found.total == 4
        facets = found.facets.items()
        assert {name: [(one.value, one.count, one.label) for one in values] for name, values in facets} == {
            "category": [("clothes", 3, "Clothes"), ("shirts", 2, "Shirts"), ("kitchen", 1, "Kitchen"),
                         ("trousers", 1, "Trousers")],
            "brand": [("Acme", 2, "Acme"), ("Zeta", 2, "Zeta")],
            "in_stock": [("true", 3, "In stock"), ("false", 1, "Sold out")],
            "Color": [("Red", 2, "Red"), ("Blue", 1, "Blue"), ("Grün", 1, "Grün")],
            "Size": [("M", 2, "M"), ("L", 1, "L")],
            "Fit": [("Slim", 1, "Slim")],
        }  # fmt: skip

    async def test_that_do_not_divide_are_left_out(self, shop):
        await shop.stock(*wardrobe())

        assert (await shop.ask("mug")).facets == {}

    async def test_a_chosen_facet_keeps_counting_its_other_values(self, shop):
        await shop.stock(*wardrobe())

        chosen = {"Color": ("red",)}

        assert await shop.facet("Color", choices=chosen) == {"Red": 2, "Blue": 1, "Grün": 1}
        assert await shop.facet("Size", choices=chosen) == {"M": 1}
        both = {"Color": ("red",), "brand": ("Acme",)}
        assert await shop.facet("Color", choices=both) == {"Red": 1, "Blue": 1}
        assert await shop.facet("brand", choices=both) == {"Acme": 1, "Zeta": 1}

    async def test_a_chosen_value_nobody_has_is_shown_with_none(self, shop):
        await shop.stock(*wardrobe())

        assert (await shop.facet("color", choices={"color": ("mauve",)}))["mauve"] == 0

    async def test_are_bounded_in_number_and_values(self, shop):
        many = {f"a{number:02}": ["x"] for number in range(40)}
        shades = [f"s{number:02}" for number in range(60)]
        await shop.stock(
            product("Odd", 1, attributes=many | {"shade": shades[:40]}),
            product("Even", 2, attributes={"shade": shades[:40]}),
            product("Last", 3, attributes={"shade": shades[20:]}),
        )

        facets = (await shop.ask()).facets

        assert len(facets) == 20
        assert len(facets["shade"]) == 50

    async def test_values_that_hardly_two_products_share_are_no_facet(self, shop):
        await shop.stock(
            *(product(f"P{n}", n, attributes={"Width": [f"{n} cm"], "Room": ["Hall"]}) for n in range(1, 10)),
            product("Other", 20, attributes={"Room": ["Study"]}),
        )

        facets = (await shop.ask()).facets

        assert "Room" in facets
        assert "Width" not in facets

    async def test_prose_is_no_facet(self, shop):
        await shop.stock(product("A", 1, attributes={"Care": ["wash " * 50]}), product("B", 2))

        assert "Care" not in (await shop.ask()).facets


class TestSort:
    async def test_every_way(self, shop):
        await shop.stock(
            product("Chair 10", 1, prices={"EUR": [300, 900]}), product("Chair 9", 2, prices={"EUR": [200]}),
            product("Älpler chair", 3, prices={"EUR": [400]}),
        )  # fmt: skip

        assert await shop.find(sort="newest") == ["Älpler chair", "Chair 9", "Chair 10"]
        assert await shop.find(sort="price_asc") == ["Chair 9", "Chair 10", "Älpler chair"]
        assert await shop.find(sort="price_desc") == ["Älpler chair", "Chair 10", "Chair 9"]
        assert await shop.find(sort="name") == ["Älpler chair", "Chair 9", "Chair 10"]
        assert await shop.find() == ["Älpler chair", "Chair 9", "Chair 10"]

    async def test_the_newest_of_one_batch_is_the_last_one_made(self, shop):
        batch = [structs.replace(product(f"Chair {one}", one), id=new_id()) for one in range(50)]
        await shop.stock(*batch)

        assert (await shop.ask(sort="newest", limit=100)).ids == [one.id for one in reversed(batch)]


class TestPages:
    @pytest.mark.parametrize("sort", SORTS)
    @pytest.mark.parametrize("text", ["", "chair"])
    async def test_hold_every_product_once(self, shop, sort, text):
        await shop.stock(
            *[product("Chair", number, prices={"EUR": [100 + number % 3]}) for number in range(1, 60)]
        )

        pages = await shop.pages(text=text, sort=sort, limit=7)

        assert [len(page) for page in pages] == [7] * 8 + [3]
        assert len({one for page in pages for one in page}) == 59
        assert [one for page in pages for one in page] == (await shop.ask(text, sort=sort, limit=100)).ids

    @pytest.mark.parametrize("sort", SORTS)
    async def test_neither_repeat_nor_skip_when_products_come_and_go(self, shop, sort):
        given = [product(f"Chair {number}", number) for number in range(100, 140)]
        await shop.stock(*given)
        numbers = iter(range(500, 600))

        async def churn():
            number = next(numbers)
            await shop.put(
                product("Chair", number, prices={"EUR": [number]}), product("A chair", 600 - number)
            )
            await shop.remove(product("Chair", number - 1), given[0])

        pages = await shop.pages(between=churn, text="chair", sort=sort, limit=9)

        found = [one for page in pages for one in page]
        assert len(found) == len(set(found))
        assert {one.id for one in given[1:]} <= set(found)

    @pytest.mark.parametrize("sort", ["relevance", "newest", "price_asc", "price_desc"])
    async def test_hold_every_product_once_where_nothing_tells_them_apart(self, shop, sort):
        alike = [structs.replace(product("Chair"), id=UUID(int=one << 20)) for one in range(1, 40)]
        await shop.stock(*reversed(alike))
        await shop.put(*alike[::3])

        pages = await shop.pages(text="chair", sort=sort, limit=4)

        found = [one for page in pages for one in page]
        assert len(found) == len(set(found)) == 39

    async def test_the_total_is_that_of_all_pages(self, shop):
        await shop.stock(*[product("Chair", number) for number in range(1, 31)])

        first = await shop.ask("chair", limit=7, sort="price_asc")
        second = await shop.ask("chair", limit=7, sort="price_asc", after=first.next)

        assert (first.total, second.total) == (30, 30)

    async def test_are_refused_beyond_their_depth(self, shop):
        await shop.stock(*products("Chair", "Chair"))
        first = await shop.ask("chair", limit=1)
        deep = Position("relevance", first.next.value, first.next.tie, DEPTH_MAX, 0, first.next.query)

        with pytest.raises(PageTooDeep) as refused:
            await shop.ask("chair", limit=1, after=deep)

        assert refused.value.members() == {"depth_max": DEPTH_MAX}

    async def test_a_cursor_of_another_search_is_refused(self, shop):
        await shop.stock(*products("Chair", "Chair"))
        cursor = (await shop.ask("chair", limit=1)).next

        for other in ({"text": "table"}, {"sort": "name"}, {"price_min": 1}, {"choices": {"brand": ("x",)}}):
            with pytest.raises(InvalidInput):
                await shop.ask(**{"text": "chair"} | other, after=cursor)

    @pytest.mark.parametrize(
        "changes", [{"value": "a"}, {"value": 2**70}, {"level": 7}, {"passed": -3}, {"sort": "newest"}]
    )
    async def test_a_cursor_we_did_not_make_is_refused(self, shop, changes):
        await shop.stock(*products("Chair", "Chair"))
        cursor = (await shop.ask("chair", limit=1)).next
        made = {name: getattr(cursor, name) for name in cursor.__struct_fields__} | changes

        with pytest.raises(InvalidInput):
            await shop.ask("chair", limit=1, after=Position(**made))


class TestSuggest:
    async def test_categories_and_brands_before_products(self, shop):
        await shop.stock(
            product("Desk lamp", 1, categories=["Lamps"], brand="Lamina"),
            product("Chair", 2, categories=["Chairs"]),
        )

        found = await shop.index.suggest("lam", "EUR", 8)

        assert [(one.text, one.slug, one.kind) for one in found] == [
            ("Lamps", "lamps", "category"), ("Lamina", None, "brand"), ("Desk lamp", "desk-lamp-1", "product")
        ]  # fmt: skip

    async def test_typing_errors_are_forgiven_and_nothing_typed_suggests_nothing(self, shop):
        await shop.stock(*products("Headphones"))

        assert [one.text for one in await shop.index.suggest("haedph", "EUR", 8)] == ["Headphones"]
        assert await shop.index.suggest(" ", "EUR", 8) == []


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


class TestReading:
    async def test_without_an_index_says_it_is_away(self, tmp_path):
        index = TantivyIndex(tmp_path / "none", "EUR")

        with pytest.raises(Unavailable) as refused:
            await index.search(Ask())

        assert refused.value.part == "search"
        index.close()

    async def test_every_replica_sees_a_commit(self, shop, tmp_path):
        await shop.stock(*products("Chair"))
        replica = TantivyIndex(tmp_path / "index", "EUR")
        before = (await replica.search(Ask(text="chair"))).total

        await shop.put(product("Chair", 2))

        while (await replica.search(Ask(text="chair"))).total == before:
            pass
        replica.close()

    async def test_a_replacement_is_found_by_its_new_words_only(self, shop):
        await shop.stock(*products("Chair"))

        await shop.put(product("Table", 1))

        assert await shop.find("chair") == []
        assert await shop.find("table") == ["Table"]
        assert (await shop.ask()).total == 1
