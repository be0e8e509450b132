"""The cart: put in, change, take out, and what is said when that cannot be done."""

from uuid import uuid4

import pytest

from browsing import Browser
from shopwright.contracts.problems import DeadlineExceeded, NotFound, Unavailable


class TestShow:
    async def test_an_empty_cart_says_what_to_do(self, shop, mesh):
        page = await shop.get("/cart")

        assert (page.status, "Nothing in it yet" in page.text) == (200, True)
        assert mesh.calls("/v1/carts.*") == []

    async def test_shows_lines_and_what_they_cost_together(self, shop):
        await shop.put_in_cart("oak-lamp", 2)

        page = await shop.put_in_cart("stone-mug")

        assert page.path == "/cart"
        assert "Stone mug is in your cart." in page.text
        assert "Colour: natural" in page.text
        assert "€98.00" in page.text
        assert "Total €117.00" in page.text

    async def test_promises_no_free_delivery_before_anybody_said_where_to(self, shop):
        page = await shop.put_in_cart()

        assert "Delivery is added when you have said where to" in page.text
        assert "Free" not in page.text

    async def test_the_count_stands_on_every_page(self, shop):
        await shop.put_in_cart("oak-lamp", 3)

        assert "Cart , items: 3" in (await shop.get("/search")).text

    async def test_a_notice_is_said_once(self, shop):
        await shop.put_in_cart()

        assert "is in your cart" not in (await shop.get("/cart")).text

    async def test_an_account_finds_its_cart_again_in_another_browser(self, shop, web):
        await shop.log_in()
        await shop.put_in_cart()
        other = Browser(web)

        await other.log_in()

        assert "Oak lamp" in (await other.get("/cart")).text

    async def test_a_cart_that_is_gone_is_an_empty_one(self, shop, mesh):
        await shop.put_in_cart()
        mesh.purchases.carts.clear()

        page = await shop.get("/cart")

        assert "Nothing in it yet" in page.text
        assert "items:" not in page.text

    async def test_is_safe_while_orders_is_away(self, shop, mesh):
        await shop.put_in_cart()
        mesh.away.add("orders")

        page = await shop.get("/cart")
        mesh.away.clear()

        assert (page.status, "Your cart is safe" in page.text) == (200, True)
        assert "Oak lamp" in (await shop.get("/cart")).text

    async def test_asks_for_as_many_calls_however_many_lines_there_are(self, shop, mesh):
        await shop.put_in_cart("oak-lamp")
        mesh.asked.clear()
        await shop.get("/cart")
        one_line = len(mesh.asked)

        await shop.put_in_cart("stone-mug")
        await shop.post("/cart/lines", {"sku": "OAK-LAMP-1"})
        mesh.asked.clear()
        await shop.get("/cart")

        assert len(mesh.asked) == one_line == 1


class TestAdd:
    async def test_begins_one_session_and_one_cart(self, shop, mesh):
        await shop.put_in_cart("oak-lamp")
        await shop.put_in_cart("stone-mug")

        assert len(mesh.purchases.carts) == 1
        assert shop.cookie

    async def test_says_how_many_are_left_and_stays_with_the_product(self, shop):
        page = await shop.put_in_cart("stone-mug", 4)

        assert page.path.startswith("/product/stone-mug")
        assert "Only 3 of these are left." in page.text

    async def test_says_what_is_sold_out(self, shop):
        await shop.get("/login")

        page = await shop.get(
            (await shop.post("/cart/lines", {"sku": "LINEN-APRON-0", "slug": "linen-apron"})).headers[
                "location"
            ]
        )

        assert "This is sold out." in page.text

    async def test_says_what_is_no_longer_for_sale(self, shop):
        page = await shop.get((await shop.post("/cart/lines", {"sku": "GONE"})).headers["location"])

        assert "This product is no longer for sale." in page.text

    async def test_a_cart_that_was_ordered_gives_way_to_a_new_one(self, shop, mesh):
        await shop.put_in_cart("oak-lamp")
        mesh.refusals[f"/v1/carts/{next(iter(mesh.purchases.carts))}/lines"] = NotFound()

        page = await shop.put_in_cart("stone-mug")

        assert "Stone mug" in page.text
        assert len(mesh.purchases.carts) == 2

    @pytest.mark.parametrize("away", [Unavailable(part="orders"), DeadlineExceeded(part="orders")])
    async def test_says_that_nothing_is_lost_while_orders_is_away(self, shop, mesh, away):
        await shop.put_in_cart("oak-lamp")
        mesh.refusals[f"/v1/carts/{next(iter(mesh.purchases.carts))}/lines"] = away

        page = await shop.put_in_cart("stone-mug")

        assert "Nothing is lost" in page.text

    @pytest.mark.parametrize("quantity", ["0", "-3", "many", "", "--5", "٣", "99999999999999999999999"])
    async def test_a_quantity_that_is_none_is_one(self, shop, mesh, quantity):
        await shop.put_in_cart("oak-lamp", quantity)

        cart = next(iter(mesh.purchases.carts.values()))
        assert [line["quantity"] for line in cart["lines"]] in ([1], [])
        assert mesh.calls("/v1/carts/.*/lines")[-1].body["quantity"] in {1, 999}

    @pytest.mark.parametrize("slug", ["//evil.example", "a\r\nset-cookie: x=1", "日本", "../admin"])
    async def test_leads_nowhere_but_to_a_product_of_this_shop(self, shop, slug):
        answer = await shop.post("/cart/lines", {"sku": "GONE", "slug": slug})

        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/product/")
        assert "/" not in answer.headers["location"].removeprefix("/product/")


class TestChange:
    async def test_sets_the_quantity_and_takes_out(self, shop):
        page = await shop.put_in_cart("oak-lamp")

        more = await shop.send(page, "/cart/lines/.*", quantity=5)
        none = await shop.send(more, "/cart/lines/.*", remove="1")

        assert "€245.00" in more.text
        assert "Nothing in it yet" in none.text

    async def test_zero_takes_out(self, shop):
        page = await shop.put_in_cart("oak-lamp")

        assert "Nothing in it yet" in (await shop.send(page, "/cart/lines/.*", quantity=0)).text

    @pytest.mark.parametrize("typed", ["-1", "1000", "1.5", "many", "", "٣"])
    async def test_what_is_no_quantity_changes_nothing_and_is_said(self, shop, typed):
        page = await shop.put_in_cart("oak-lamp", 2)

        told = await shop.send(page, "/cart/lines/.*", quantity=typed)

        assert "Nothing was changed: the quantity is a whole number from 0 to 999." in told.text
        assert told.form("/cart/lines/.*")["quantity"] == "2"

    async def test_says_how_many_there_are_and_keeps_the_line(self, shop):
        page = await shop.send(await shop.put_in_cart("stone-mug"), "/cart/lines/.*", quantity=9)

        assert "Only 3 of these are left." in page.text
        assert page.form("/cart/lines/.*")["quantity"] == "1"

    async def test_a_line_that_another_tab_took_out_is_no_error(self, shop):
        page = await shop.put_in_cart("stone-mug")
        await shop.send(page, "/cart/lines/.*", remove="1")

        again = await shop.send(page, "/cart/lines/.*", remove="1")

        assert (again.status, again.path) == (200, "/cart")

    async def test_without_a_cart_leads_to_the_empty_one(self, shop):
        answer = await shop.post(f"/cart/lines/{uuid4()}", {"quantity": "2"})

        assert answer.headers["location"] == "/cart"

    async def test_warns_of_a_line_that_was_sold_meanwhile(self, shop, mesh):
        await shop.put_in_cart("stone-mug", 3)
        mesh.goods.products[1]["variants"][0]["available"] = 1

        page = await shop.get("/cart")

        assert "Not as many are left" in page.text
