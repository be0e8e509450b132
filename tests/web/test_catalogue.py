"""Home, categories, search and product pages."""

import json
import re

import pytest

from shopwright.contracts.problems import FieldError, InvalidInput, Unavailable
from shopwright.web.testing import product


class TestHome:
    async def test_shows_what_is_new_with_prices_and_categories(self, shop):
        page = await shop.get("/")

        assert page.status == 200
        assert "Stone mug" in page.text
        assert "from €49.00" in page.text
        assert "/category/home" in page.links

    async def test_loads_the_first_picture_at_once_and_the_others_late_all_with_their_size(self, shop, mesh):
        picture = {"id": "1", "url": "/media/a.svg", "alt": "A lamp", "width": 800, "height": 600}
        for item in mesh.goods.products:
            item["pictures"] = [picture]

        page = await shop.get("/")

        pictures = page.all("img")
        assert all(item["width"] and item["height"] and "alt" in item for item in pictures)
        assert "loading" not in pictures[0]
        assert all(item["loading"] == "lazy" for item in pictures[3:])

    async def test_stands_without_products_and_says_so(self, shop, mesh):
        mesh.away.add("products")

        page = await shop.get("/")

        assert page.status == 200
        assert "catalogue does not answer" in page.text

    async def test_asks_for_as_many_calls_however_many_products_there_are(self, shop, mesh):
        await shop.get("/")
        mesh.asked.clear()
        await shop.get("/")
        few = len(mesh.asked)

        mesh.goods.products += [product(f"Thing {number}") for number in range(200)]
        mesh.asked.clear()
        await shop.get("/")

        assert len(mesh.asked) == few == 2


class TestCategories:
    @pytest.fixture
    def many(self, mesh):
        """Twenty shelves, the fuller the later in the alphabet."""
        mesh.goods.categories = [
            {"slug": f"shelf-{number:02}", "name": f"Shelf {number:02}", "parent": None, "products": number}
            for number in range(20)
        ]

    @pytest.mark.parametrize("path", ["/", "/search?q=nothing-of-this", "/no/such/page"])
    async def test_the_fullest_stand_on_every_page_and_the_rest_one_click_away(self, shop, many, path):
        page = await shop.get(path)

        shown = set(filter(lambda link: link.startswith("/category/"), page.links))
        assert shown == {f"/category/shelf-{number:02}" for number in range(8, 20)}
        assert page.links.count("/categories") >= 2

    async def test_all_stand_on_one_page_by_their_names(self, shop, many):
        page = await shop.get("/categories")

        main = page.html.partition("<main")[2].partition("</main>")[0]
        assert re.findall(r"/category/shelf-(\d+)", main) == [f"{number:02}" for number in range(20)]
        assert "Shelf 01 1 product " in page.text

    async def test_goes_on_page_by_page(self, shop, mesh):
        mesh.goods.categories = [
            {"slug": f"c{number}", "name": f"{number:04}", "parent": None} for number in range(450)
        ]

        first, last = await shop.get("/categories"), await shop.get("/categories?page=3")

        assert "/categories?page=2" in first.links
        assert ("/category/c449" in last.links, "/categories?page=4" in last.links) == (True, False)
        for beyond in ("4", "-1", "0", "x", "9" * 30):
            assert (await shop.get(f"/categories?page={beyond}")).status == 404

    async def test_a_shop_with_few_needs_no_page_of_them_in_its_header(self, shop):
        page = await shop.get("/")

        assert "More categories" not in page.text


class TestCategory:
    async def test_shows_the_category_the_way_to_it_and_what_lies_below(self, shop):
        top, below = await shop.get("/category/home"), await shop.get("/category/lighting")

        assert (top.status, below.status) == (200, 200)
        assert "/category/lighting" in top.links
        assert "Home / Lighting" in below.text or "Home Lighting" in below.text

    async def test_is_not_found_when_there_is_none_of_this_name(self, shop):
        page = await shop.get("/category/nowhere")

        assert page.status == 404
        assert "nothing at this address" in page.text

    async def test_is_a_plain_list_when_only_searching_does_not_work(self, shop, mesh):
        mesh.refusals["/v1/search"] = Unavailable(part="products")

        page = await shop.get("/category/home")

        assert page.status == 200
        assert "Filters do not work right now" in page.text


class TestSearch:
    async def test_passes_words_filters_sort_and_price_on(self, shop, mesh):
        await shop.get("/search?q=lamp&material=Oak&material=Ash&sort=price_asc&price_min=10&price_max=49.5")

        asked = mesh.calls("/v1/search")[-1]
        assert "material=Oak&material=Ash" in asked.query_string
        assert (asked.query["q"], asked.query["sort"]) == ("lamp", "price_asc")
        assert (asked.query["price_min"], asked.query["price_max"]) == ("1000", "4950")

    @pytest.mark.parametrize(
        ("typed", "asked"),
        [("1,50", "150"), ("cheap", None), ("-5", None), ("1.999", None), ("1e3", "100000")],
    )
    async def test_a_price_limit_that_is_no_amount_limits_nothing(self, shop, mesh, typed, asked):
        page = await shop.get("/search", params={"price_min": typed})

        assert page.status == 200
        assert mesh.calls("/v1/search")[-1].query.get("price_min") == asked

    async def test_limits_that_were_typed_the_wrong_way_round_are_turned(self, shop, mesh):
        page = await shop.get("/search?price_min=50&price_max=9.5")

        query = mesh.calls("/v1/search")[-1].query
        assert (query["price_min"], query["price_max"]) == ("950", "5000")
        form = page.form("/search")
        assert "Price 9.5–50" in page.text
        assert [field["value"] for field in page.all("input", inputmode="decimal")] == ["9.5", "50"]
        assert form.method == "get"

    @pytest.mark.parametrize("asked", ["currency=euro", "in_stock=perhaps", "in_stock=true&in_stock=false"])
    async def test_asks_search_for_nothing_that_it_must_refuse(self, shop, mesh, asked):
        assert (await shop.get(f"/search?{asked}&price_max=999999999999")).status == 200

        query = mesh.calls("/v1/search")[-1].query
        assert query == {"limit": "24", "price_max": "10000000000000"}

    async def test_tells_in_plain_words_that_an_address_makes_no_sense(self, shop, mesh):
        mesh.refusals["/v1/search"] = InvalidInput(
            detail="/query/q: Expected `str`", errors=[FieldError("/query/q", "Expected `str`")]
        )

        page = await shop.get("/search?q=x")

        assert (page.status, "We could not make sense of that" in page.text) == (422, True)
        assert "Expected" not in page.text

    async def test_what_other_sites_hang_on_to_an_address_is_no_filter(self, shop, mesh):
        await shop.get("/search?q=lamp&utm_source=mail&gclid=1&fbclid=2&Made%20in=Spain")

        query = mesh.calls("/v1/search")[-1].query
        assert query.keys() == {"q", "limit", "Made in"}

    async def test_offers_every_facet_and_takes_a_chosen_filter_away_again(self, shop, mesh):
        mesh.goods.facets = {
            "category": [
                {"value": "home", "count": 2, "label": "Home"},
                {"value": "desk", "count": 1, "label": "Desk"},
            ],
            "material": [
                {"value": "Oak", "count": 2, "label": "Oak"},
                {"value": "Ash", "count": 1, "label": "Ash"},
            ],
        }

        page = await shop.get("/search?material=Oak&q=a")

        boxes = page.all("input", type="checkbox", name="material")
        assert [(box["value"], "checked" in box) for box in boxes] == [("Oak", True), ("Ash", False)]
        assert "/search?q=a" in page.links
        assert "/search?q=a&category=home&material=Oak" in page.links

    async def test_shows_the_most_telling_facets_and_what_is_chosen_of_the_others(self, shop, mesh):
        values = [{"value": str(number), "count": 1, "label": f"No. {number}"} for number in range(12)]
        mesh.goods.facets = {f"facet {number}": values for number in range(20)} | {"lonely": values[:1]}

        page = await shop.get("/search?facet+15=3")

        shown = {box["name"] for box in page.all("input", type="checkbox")}
        assert shown == {f"facet {number}" for number in range(10)} | {"facet 15"}
        assert len(page.all("input", type="checkbox", name="facet 1")) == 12
        assert "No. 3 × – remove this filter" in page.text

    async def test_suggests_another_word_when_nothing_is_found(self, shop, mesh):
        mesh.goods.suggestion = "lamp"

        page = await shop.get("/search?q=lmap")

        assert "Nothing found for “lmap”" in page.text
        assert "/search?q=lamp" in page.links

    async def test_goes_on_page_by_page(self, shop, mesh):
        mesh.goods.products = [product(f"Thing {number}") for number in range(30)]

        first = await shop.get("/search?q=thing")
        following = next(link for link in first.links if "cursor" in link)
        second = await shop.get(following)

        assert len(first.all("article", **{"class": "card"})) == 24
        assert len(second.all("article", **{"class": "card"})) == 6

    async def test_a_place_in_the_results_that_has_passed_is_not_found(self, shop, mesh):
        mesh.refusals["/v1/search"] = InvalidInput(detail="bad cursor", errors=[])

        assert (await shop.get("/search?cursor=old")).status == 404

    async def test_stands_when_products_is_away(self, shop, mesh):
        mesh.away.add("products")

        page = await shop.get("/search?q=lamp")

        assert page.status == 200
        assert "Searching does not work right now" in page.text

    @pytest.mark.parametrize("typed", ['"><script>alert(1)</script>', "'", "{{ 7 * 7 }}", "\x00", "日本"])
    async def test_shows_what_was_typed_as_text(self, shop, typed):
        page = await shop.get("/search", params={"q": typed})

        assert page.status == 200
        assert "<script>alert" not in page.html
        assert all("src" in script or script.get("type") for script in page.all("script"))

    async def test_asks_for_as_many_calls_however_many_filters_are_chosen(self, shop, mesh):
        await shop.get("/search")
        mesh.asked.clear()

        await shop.get("/search?material=Oak&colour=black&brand=Nordlund&q=a&sort=newest")

        assert len(mesh.asked) == 1


class TestProduct:
    async def test_shows_price_choice_stock_and_details(self, shop):
        page = await shop.get("/product/oak-lamp")

        assert page.status == 200
        assert "€49.00" in page.text
        assert "In stock" in page.text
        assert "Material Oak" in page.text

    async def test_a_choice_is_a_link_to_the_variant(self, shop):
        page = await shop.get("/product/oak-lamp")
        black = next(link for link in page.links if link.endswith("variant=OAK-LAMP-1"))

        chosen = await shop.get(black)

        assert "€52.00" in chosen.text
        assert chosen.form("/cart/lines")["sku"] == "OAK-LAMP-1"

    async def test_a_sold_out_variant_cannot_be_bought_and_the_first_that_can_is_shown(self, shop, mesh):
        mesh.goods.products[0]["variants"][0]["available"] = 0

        page = await shop.get("/product/oak-lamp")
        gone = await shop.get("/product/oak-lamp?variant=OAK-LAMP-0")

        assert page.form("/cart/lines")["sku"] == "OAK-LAMP-1"
        assert "(sold out)" in page.text
        assert "Sold out in this choice; others are in stock" in gone.text
        assert "disabled" in gone.all("button", type="submit")[-1]

    async def test_says_how_few_are_left_and_offers_no_more_than_that(self, shop):
        page = await shop.get("/product/stone-mug")

        assert "Only 3 left" in page.text
        assert re.findall(r"<option>(\d+)</option>", page.html) == ["1", "2", "3"]

    async def test_a_variant_without_a_price_here_is_not_for_sale(self, shop, mesh):
        mesh.goods.products[1]["variants"][0]["price"] = None

        page = await shop.get("/product/stone-mug")

        assert page.status == 200
        assert "disabled" in page.all("button", type="submit")[-1]

    async def test_a_description_can_do_nothing_but_be_read(self, shop, mesh):
        mesh.goods.products[0]["description"] = (
            "<p onclick='x()'>Made <b>well</b></p><ul><li>Oak</ul><script>alert(1)</script>"
            "<img src=x onerror=y()>"
        )

        page = await shop.get("/product/oak-lamp")

        assert "<p>Made <b>well</b></p><ul><li>Oak</li></ul>" in page.html
        assert "alert(1)" not in page.html
        assert "onerror" not in page.html

    async def test_tells_search_engines_what_it_is(self, shop, mesh):
        mesh.goods.products[0]["name"] = "Lamp </script><b>"

        page = await shop.get("/product/oak-lamp")

        raw = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.html).group(1)
        described = json.loads(raw)
        assert described["name"] == "Lamp </script><b>"
        assert described["offers"][0]["price"] == "49.00"

    async def test_is_not_found_or_away_with_a_page_that_says_which(self, shop, mesh):
        assert (await shop.get("/product/nothing")).status == 404

        mesh.away.add("products")
        away = await shop.get("/product/oak-lamp")

        assert away.status == 503
        assert "does not answer right now" in away.text

    @pytest.mark.parametrize(
        ("amount", "currency", "shown"),
        [(4_900, "JPY", "¥4,900"), (4_900, "USD", "$49.00"), (4_900, "KWD", "KWD\xa04.900")],
    )
    async def test_writes_prices_as_the_currency_has_it(self, shop, mesh, amount, currency, shown):
        mesh.goods.products[1]["variants"][0]["price"] = {"amount": amount, "currency": currency}

        page = await shop.get("/product/stone-mug")

        assert shown in page.html

    async def test_shows_the_picture_of_the_chosen_variant_first(self, shop, mesh):
        pictures = [{"id": n, "url": f"/media/{n}.svg", "alt": "", "width": 8, "height": 8} for n in "ab"]
        mesh.goods.products[0]["pictures"] = pictures
        mesh.goods.products[0]["variants"][1]["picture"] = "/media/b.svg"

        page = await shop.get("/product/oak-lamp?variant=OAK-LAMP-1")

        assert page.all("img")[0]["src"] == "/media/b.svg"


class TestAnswers:
    async def test_a_page_for_nobody_in_particular_may_be_kept_and_need_not_be_sent_again(self, shop):
        first = (await shop.get("/product/oak-lamp")).answer

        again = await shop.client.get("/product/oak-lamp", headers={"if-none-match": first.headers["etag"]})

        assert first.headers["cache-control"].startswith("public, max-age=")
        assert (again.status_code, again.content) == (304, b"")

    async def test_a_page_of_somebody_is_never_kept(self, shop):
        await shop.put_in_cart()

        for path in ("/", "/search", "/product/oak-lamp", "/cart"):
            assert (await shop.get(path)).answer.headers["cache-control"] == "private, no-cache"

    async def test_pages_are_small(self, shop, mesh):
        mesh.goods.products = [
            product(f"A product with quite a long name, number {number}", description="word " * 200)
            for number in range(60)
        ]
        styles = (await shop.get("/")).all("link", rel="stylesheet")
        own = [len((await shop.client.get(link["href"])).content) for link in styles]

        for path in ("/", "/search", "/product/a-product-with-quite-a-long-name-number-7"):
            assert len((await shop.get(path)).answer.content) + sum(own) < 100_000

    async def test_a_head_request_gets_the_headers_alone(self, shop):
        answer = await shop.client.head("/")

        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/html")

    async def test_an_unknown_path_is_a_page_for_a_browser_and_a_problem_for_a_program(self, shop, web):
        page = await shop.get("/no/such/page")
        problem = await web.get("/no/such/page")

        assert (page.status, page.answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert problem.headers["content-type"] == "application/problem+json"

    async def test_static_files_are_kept_for_ever_under_the_name_of_their_content(self, shop):
        for tag, attribute in (("link", "href"), ("script", "src")):
            found = (await shop.get("/")).all(tag)
            path = next(item[attribute] for item in found if item.get(attribute, "").startswith("/static/"))
            answer = await shop.client.get(path)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]

        assert (await shop.client.get("/static/..%2fapp.py")).status_code == 404
        assert (await shop.client.get("/static/shop.css")).status_code == 404

    async def test_robots_and_sitemap_name_what_is_worth_finding(self, shop):
        robots, sitemap = await shop.client.get("/robots.txt"), await shop.client.get("/sitemap.xml")

        assert "Disallow: /cart" in robots.text
        assert "/product/oak-lamp</loc>" in sitemap.text
        assert "/category/lighting</loc>" in sitemap.text


class TestPreorder:
    async def test_says_from_when_it_ships_on_the_page_and_in_the_cart(self, shop, mesh):
        mesh.goods.products[0]["variants"][0]["preorder_from"] = "2027-03-01"

        page = await shop.get("/product/oak-lamp")
        assert "Pre-order: ships from March 1, 2027" in page.text
        assert "In stock" not in page.text
        cart = await shop.send(page, "/cart/lines", quantity=1)

        assert "Ships from March 1, 2027" in cart.text

    async def test_what_can_be_bought_and_is_not_there_says_so(self, shop, mesh):
        mesh.goods.products[0]["variants"][0]["in_stock"] = 0

        page = await shop.get("/product/oak-lamp")

        assert "Back-order: ships once it is back in stock" in page.text
        assert "In stock" not in page.text
        assert "schema.org/BackOrder" in page.html
        assert page.form("/cart/lines")["sku"] == "OAK-LAMP-0"

    async def test_goods_on_the_shelf_say_nothing_of_it(self, shop):
        assert "ships from" not in (await shop.get("/product/oak-lamp")).text


class TestTax:
    @pytest.mark.parametrize(("included", "words"), [(True, "tax included"), (False, "plus tax")])
    async def test_stands_beside_the_price_as_the_shop_counts(self, shop, mesh, included, words):
        mesh.rulebook.settings["prices_include_tax"] = included

        assert f"€49.00 {words}" in (await shop.get("/product/oak-lamp")).text

    async def test_nothing_is_said_while_orders_are_away(self, shop, mesh):
        mesh.away.add("orders")

        page = await shop.get("/product/oak-lamp")

        assert page.status == 200
        assert "tax included" not in page.text
