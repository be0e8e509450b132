"""Long lists of a search: filters, facets, sorting, pages and suggestions, on a real index in a folder."""

from uuid import UUID

import pytest
from msgspec import structs

from searching import Shop, wardrobe
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import InvalidInput, Unavailable
from shopwright.products.search.domain import DEPTH_MAX, Ask, PageTooDeep, Position
from shopwright.products.search.index import TantivyIndex
from shopwright.products.search.testing import product, products

SORTS = ["relevance", "newest", "price_asc", "price_desc", "name"]


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path / "index")
    yield made
    made.index.close()


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
