"""Every page in a real browser, in front of the fakes: accessible in light and dark, wide and narrow, by
keyboard, and the small comforts that JavaScript adds.
"""

import asyncio
from io import BytesIO
from pathlib import Path

import pytest
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from PIL import Image, ImageChops, ImageStat

import chromium
import platforms
from shopwright.web import assets
from shopwright.web.testing import product

pytestmark = pytest.mark.browser
PICTURE = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'/>"
BLANK = {
    "content_type": "image/svg+xml",
    "body": (Path(assets.__file__).parent / "static" / "no-picture.svg").read_text(),
}
PATHS = (
    "/", "/category/home", "/search?q=thing&material=Oak", "/search?q=nothing", "/product/oak-lamp", "/cart",
    "/login", "/register", "/categories", "/no-such-page", "/account/gift-card",
)  # fmt: skip
ADDRESS = {
    "email": "ada@example.com", "name": "Ada Buyer", "line1": "1 Long Lane", "postal_code": "10115",
    "city": "Berlin",
}  # fmt: skip


@pytest.fixture
async def url(web, mesh):
    mesh.goods.products = [
        product(f"Thing with a name that is not so short {number}", options={"colour": ["red", "blue"]})
        for number in range(30)
    ]
    for item in mesh.goods.products:
        item["pictures"] = [
            {"id": "1", "url": PICTURE, "alt": f"{item['name']}, view {view}", "width": 800, "height": 800}
            for view in (1, 2)
        ]
    mesh.goods.products[0] = product("Oak lamp", options={"colour": ["natural", "black"]})
    mesh.goods.products[0]["variants"][1]["available"] = 0
    mesh.goods.facets = {"material": [{"value": v, "count": 3, "label": v} for v in ("Oak", "Ash")]}
    mesh.purchases.pay = "paid"
    mesh.purchases.offers.tax = {"name": "VAT", "rate": "19", "included": True}
    mesh.purchases.offers.coupons = {
        "SPRING": {"name": "Spring sale", "amount": 500},
        "OLD": {"name": "Old", "amount": 1, "reason": "ended"},
    }  # fmt: skip
    mesh.vault.methods = [{"method": m, "instructions": "So."} for m in ("card", "bank_transfer")]
    mesh.vault.add_card("GIFT-ABCD-1234", 2_000)
    mesh.vault.balances["buyer@example.com"] = 1_500
    port = platforms.free_port()
    server = Server(
        web._transport.app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL,
        http=HTTPModes.http1, websockets=False, log_enabled=False,
    )  # fmt: skip
    serving = asyncio.create_task(server.serve())
    await platforms.listens(port)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    await serving


async def fill_address(page):
    for name, value in ADDRESS.items():
        await page.fill(f"#{name}", value)
    await page.select_option("#country", "DE")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (360, "light"), (1600, "dark"), (390, "dark")]
)
async def test_every_page_is_accessible_and_fits(url, mesh, width, scheme):
    async with (
        chromium.browser() as started,
        chromium.visitor(started, url, width=width, color_scheme=scheme) as page,
    ):
        for path in PATHS:
            await page.goto(path)
            await chromium.check(page)

        await page.goto("/register")
        await page.click("main form button[type=submit]")
        await chromium.check(page)
        await page.goto("/product/oak-lamp")
        await page.click("text=Add to cart")
        await chromium.check(page)
        await page.click("text=Check out")
        await page.click("text=Go on to delivery")
        await chromium.check(page)
        await fill_address(page)
        await page.click("text=Go on to delivery")
        await chromium.check(page)
        await page.click("text=Go on to review")
        await chromium.check(page)
        await page.click("text=Order and pay")
        await page.wait_for_url("**/checkout/done/*")
        await chromium.check(page)
        await page.click("text=Follow this order")
        await chromium.check(page)
        await page.goto("/orders")
        await chromium.check(page)
        await page.goto("/login")
        await page.fill("#email", "buyer@example.com")
        await page.fill("#password", "buyer-password")
        await page.click("main button[type=submit]")
        await page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        await chromium.check(page)

        await page.goto("/account/wallet")
        await chromium.check(page)
        await page.click("main button[type=submit]")
        await chromium.check(page)

        mesh.away |= {"products", "orders"}
        for path in ("/", "/search?q=a", "/product/oak-lamp", "/cart", "/orders"):
            await page.goto(path)
            await chromium.check(page)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
async def test_coupons_gift_cards_wallet_and_transfers_are_accessible_and_fit(url, mesh, width, scheme):
    async with (
        chromium.browser() as started,
        chromium.visitor(started, url, width=width, color_scheme=scheme) as page,
    ):
        await page.goto("/login?next=/product/oak-lamp")
        await page.fill("#email", "buyer@example.com")
        await page.fill("#password", "buyer-password")
        await page.click("main button[type=submit]")
        await page.click("text=Add to cart")
        for code in ("nope", "SPRING"):
            await page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
            await page.fill("#coupon", code)
            await page.click("text=Use the coupon")
            await chromium.check(page)
        next(iter(mesh.purchases.carts.values()))["coupons"].append("OLD")
        await page.goto("/cart")
        await chromium.check(page)
        await page.click("text=Check out")
        await fill_address(page)
        await page.click("text=Go on to delivery")
        await page.click("text=Go on to review")
        for code in ("nope", "GIFT-ABCD-1234"):
            await page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
            await page.fill("#gift_card", code)
            await page.click("text=Add the gift card")
            await chromium.check(page)
        await page.click("text=Use my wallet")
        await chromium.check(page)
        mesh.purchases.pay = "hosted"
        await page.check("input[value=bank_transfer]")
        await page.click("text=Order and pay")
        await page.wait_for_url("**/checkout/done/*")
        await chromium.check(page)


class TestKeyboard:
    async def test_the_first_stop_skips_to_the_content(self, url):
        async with chromium.browser() as started, chromium.visitor(started, url) as page:
            await page.goto("/")
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")

            assert await page.evaluate("document.activeElement.id") == "main"

    async def test_every_stop_shows_where_it_is(self, url):
        async with chromium.browser() as started, chromium.visitor(started, url) as page:
            await page.goto("/product/oak-lamp")
            for _ in range(20):
                await page.keyboard.press("Tab")
                outlines = await page.evaluate(
                    "['', '::after'].map(part => getComputedStyle(document.activeElement, part).outlineStyle)"
                )
                assert outlines != ["none", "none"], await page.evaluate("document.activeElement.outerHTML")

    async def test_a_refused_form_leads_to_the_field(self, url):
        async with chromium.browser() as started, chromium.visitor(started, url) as page:
            await page.goto("/login")
            await page.keyboard.press("Tab")
            await page.click("main button[type=submit]")
            await page.click("#errors a >> nth=0")

            assert await page.evaluate("document.activeElement.id") == "email"


class TestBrokenPictures:
    @pytest.mark.parametrize("path", ["/", "/product/thing-with-a-name-that-is-not-so-short-1"])
    async def test_give_way_to_the_shops_own_blank(self, url, mesh, path):
        for item in mesh.goods.products:
            item["pictures"] = [
                {"id": "1", "url": "/media/gone.jpg", "alt": "A thing", "width": 8, "height": 8}
            ]

        async with chromium.browser() as started, chromium.visitor(started, url) as page:
            await page.goto(path)
            await page.wait_for_function("[...document.querySelectorAll('main img')][0].naturalWidth > 0")
            first = page.locator("main img").first

            assert "/static/no-picture." in await first.get_attribute("src")
            assert await first.get_attribute("alt") == "A thing"

    async def test_are_covered_where_there_is_no_javascript(self, url, mesh):
        mesh.goods.products[1]["pictures"] = [{"id": "1", "url": "/media/gone.jpg", "alt": "A thing"}]
        path = f"/product/{mesh.goods.products[1]['slug']}"

        async with chromium.browser() as started:
            async with chromium.visitor(started, url, java_script_enabled=False) as page:
                await page.goto(path)
                bare = await page.locator("main img").first.screenshot()
            async with chromium.visitor(started, url, java_script_enabled=False) as page:
                await page.route("**/media/gone.jpg", lambda route: route.fulfill(**BLANK))
                await page.goto(path)
                blank = await page.locator("main img").first.screenshot()

        grey = [Image.open(BytesIO(shot)).convert("L") for shot in (bare, blank)]
        assert ImageStat.Stat(ImageChops.difference(*grey)).mean[0] < 0.5  # edges differ by half a pixel


class TestComforts:
    async def test_a_changed_quantity_is_sent_by_itself(self, url):
        async with chromium.browser() as started, chromium.visitor(started, url) as page:
            await page.goto("/product/oak-lamp")
            await page.click("text=Add to cart")
            await page.fill("input[name=quantity]", "3")
            await page.press("input[name=quantity]", "Tab")

            await page.wait_for_selector("text=€147.00")

    async def test_a_double_click_orders_once(self, url, mesh):
        async with chromium.browser() as started, chromium.visitor(started, url) as page:
            await page.goto("/product/oak-lamp")
            await page.click("text=Add to cart")
            await page.click("text=Check out")
            await fill_address(page)
            await page.click("text=Go on to delivery")
            await page.click("text=Go on to review")
            await page.dblclick("text=Order and pay")
            await page.wait_for_url("**/checkout/done/*")

        assert len(mesh.purchases.orders) == 1

    async def test_suggestions_appear_can_be_walked_by_keyboard_and_go_away(self, url, mesh):
        async with chromium.browser() as started, chromium.visitor(started, url) as page:
            suggested = {"items": [{"text": "Oak lamp", "slug": "oak-lamp", "kind": "product"}]}
            await page.route("**/v1/search/suggest*", lambda route: route.fulfill(json=suggested))
            await page.goto("/")
            await page.type("#q", "oak")
            await page.wait_for_selector(".suggestions a")
            await chromium.check(page)
            await page.keyboard.press("ArrowDown")
            focused = await page.evaluate("document.activeElement.getAttribute('href')")
            await page.keyboard.press("Escape")

            assert focused == "/product/oak-lamp"
            assert await page.locator(".suggestions").count() == 0

    async def test_times_are_the_readers_own(self, url):
        async with (
            chromium.browser() as started,
            chromium.visitor(started, url, timezone_id="Asia/Tokyo") as page,
        ):
            await page.goto("/product/oak-lamp")
            await page.click("text=Add to cart")
            await page.click("text=Check out")
            await fill_address(page)
            await page.click("text=Go on to delivery")
            await page.click("text=Go on to review")
            await page.click("text=Order and pay")
            await page.click("text=Follow this order")

            shown = await page.locator("time").first.inner_text()

        assert "UTC" not in shown
