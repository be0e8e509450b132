"""What is charged is what was shown: pages follow the currency of a filled cart, and never mix two."""

import pytest

from browsing import Browser
from shopwright.web.testing import product

PRICES = {"in USD": "$70.00", "in EUR": "€62.00"}


@pytest.fixture
def teapot(mesh):
    """For sale in euros and dollars."""
    item = product("Teapot", price=6_200)
    dollars = {"price": {"amount": 7_000, "currency": "USD"}, "compare_at": None}
    mesh.goods.prices[item["variants"][0]["id"], "USD"] = dollars
    mesh.goods.products.append(item)
    return item


@pytest.fixture
def samovar(mesh):
    """For sale in zlotys only."""
    item = product("Samovar")
    item["variants"][0]["price"] = {"amount": 30_000, "currency": "PLN"}
    mesh.goods.products.append(item)
    return item


@pytest.fixture
def dollars(mesh, teapot):
    """Fills a browser's cart with a thing that is sold in dollars only."""

    async def fill(shop):
        item = product("Kettle", price=1)
        item["variants"][0]["price"] = {"amount": 2_000, "currency": "USD"}
        mesh.goods.products.append(item)
        await shop.put_in_cart("kettle")

    return fill


def currencies(mesh):
    return [(cart["currency"], len(cart["lines"])) for cart in mesh.purchases.carts.values()]


class TestProduct:
    async def test_shows_the_price_that_the_cart_will_say(self, shop, mesh, dollars):
        before = await shop.get("/product/teapot")
        await dollars(shop)

        page = await shop.get("/product/teapot")
        cart = await shop.put_in_cart("teapot")

        assert PRICES["in EUR"] in before.text
        assert PRICES["in USD"] in page.text
        assert PRICES["in EUR"] not in page.text
        assert f"{PRICES['in USD']} each" in cart.text
        assert currencies(mesh) == [("USD", 2)]

    async def test_says_why_it_cannot_be_added_to_a_cart_of_another_currency(self, shop, samovar):
        await shop.put_in_cart("oak-lamp")

        page = await shop.get("/product/samovar")

        assert "PLN" in page.html
        assert "Sold in PLN. Your cart is in EUR: finish or empty it first." in page.text
        assert [form.action for form in page.forms] == ["/search"]

    async def test_without_a_cart_it_can_be_bought_in_its_own_currency(self, shop, mesh, samovar):
        await shop.put_in_cart("samovar")

        assert currencies(mesh) == [("PLN", 1)]

    async def test_an_emptied_cart_binds_nobody(self, shop, mesh, samovar):
        page = await shop.put_in_cart("oak-lamp")
        await shop.send(page, "/cart/lines/.*", remove="1")

        page = await shop.put_in_cart("samovar")

        assert "Samovar is in your cart." in page.text
        assert currencies(mesh) == [("EUR", 0), ("PLN", 1)]

    async def test_a_choice_that_is_not_sold_in_the_carts_currency_says_so(self, shop, mesh, dollars):
        lamp = mesh.goods.products[0]
        price = {"price": {"amount": 5_500, "currency": "USD"}, "compare_at": None}
        mesh.goods.prices[lamp["variants"][1]["id"], "USD"] = price
        await dollars(shop)

        first = await shop.get("/product/oak-lamp")
        other = await shop.get("/product/oak-lamp?variant=OAK-LAMP-0")

        assert first.form("/cart/lines")["currency"] == "USD"
        assert "$55.00" in first.text
        assert "Sold in EUR. Your cart is in USD" in other.text

    async def test_asks_for_one_call_more_at_most(self, shop, mesh, samovar):
        await shop.put_in_cart("oak-lamp")
        mesh.asked.clear()

        await shop.get("/product/oak-lamp")
        alike = len(mesh.asked)
        await shop.get("/product/samovar")

        assert (alike, len(mesh.asked)) == (1, 3)


class TestLists:
    @pytest.mark.parametrize("path", ["/", "/search", "/search?q=teapot"])
    async def test_show_prices_that_the_cart_will_say(self, shop, mesh, dollars, path):
        before = await shop.get(path)
        await dollars(shop)

        page = await shop.get(path)

        assert PRICES["in EUR"] in before.text
        assert PRICES["in USD"] in page.text
        assert "€" not in page.text

    async def test_say_why_other_things_are_not_there(self, shop, mesh, dollars):
        await dollars(shop)

        assert "What is sold in USD, the currency of your cart" in (await shop.get("/search")).text
        assert "Oak lamp" not in (await shop.get("/search")).text

    async def test_a_price_limit_is_one_of_the_carts_currency(self, shop, mesh, dollars):
        await dollars(shop)

        await shop.get("/search?price_min=10")

        assert mesh.calls("/v1/search")[-1].query["currency"] == "USD"

    async def test_a_cart_in_the_shops_own_currency_changes_nothing(self, shop, mesh):
        await shop.put_in_cart()

        await shop.get("/search")

        assert "currency" not in mesh.calls("/v1/search")[-1].query


class TestAdd:
    async def test_refuses_a_price_of_another_currency_in_words_and_changes_nothing(
        self, shop, mesh, dollars
    ):
        await shop.send(await shop.put_in_cart("oak-lamp"), "/cart/lines/.*", remove="1")
        old = await shop.get("/product/teapot")
        await dollars(shop)

        page = await shop.send(old, "/cart/lines")

        assert page.path.startswith("/product/teapot")
        assert "Nothing was added: the price you saw is in EUR, your cart is in USD." in page.text
        assert PRICES["in USD"] in page.text
        assert currencies(mesh) == [("EUR", 0), ("USD", 1)]

    async def test_finds_out_that_the_cart_is_in_another_currency_than_it_was_thought_to_be(
        self, shop, mesh, teapot
    ):
        await shop.put_in_cart("teapot")
        page = await shop.get("/product/teapot")
        next(iter(mesh.purchases.carts.values()))["currency"] = "USD"

        told = await shop.send(page, "/cart/lines")

        assert "Nothing was added" in told.text
        assert PRICES["in USD"] in told.text

    async def test_says_what_is_no_longer_sold_in_the_currency_that_was_shown(self, shop, mesh, teapot):
        await shop.put_in_cart("oak-lamp")
        page = await shop.get("/product/teapot")
        teapot["variants"][0]["price"] = None

        told = await shop.send(page, "/cart/lines")

        assert "This product is no longer for sale in EUR." in told.text

    @pytest.mark.parametrize("typed", ["", "eur", "EURO", "ÉUR", "<b>"])
    async def test_what_is_no_currency_is_the_shops_own(self, shop, mesh, typed):
        await shop.post("/cart/lines", {"sku": "OAK-LAMP-0", "currency": typed})

        assert currencies(mesh) == [("EUR", 1)]

    async def test_a_log_in_keeps_the_currency_of_the_cart_or_finds_that_of_the_last_time(
        self, shop, web, dollars
    ):
        await dollars(shop)
        await shop.log_in()
        other = Browser(web)
        await shop.put_in_cart("teapot")
        await other.log_in()

        for browser in (shop, other):
            assert PRICES["in USD"] in (await browser.get("/product/teapot")).text
