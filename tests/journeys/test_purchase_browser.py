"""People buy with a real browser through the real gateway: as a stranger without JavaScript, as somebody who
registers, with a card that is declined, with 3-D Secure, on a telephone.
"""

import re
from uuid import uuid4

import pytest

import chromium
from browser_buying import DECLINED, GOOD, SECURE, confirmed, mail_to, pay, put_in_cart, to_payment

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest.fixture
async def started():
    async with chromium.browser() as running:
        yield running


@pytest.fixture
async def client(platform):
    async with platform.client() as opened:
        yield opened


@pytest.fixture
async def wanted(client):
    """A product with a choice, of which there is plenty."""
    items = (await client.get("/v1/products?limit=100")).json()["items"]
    for item in items:
        if item["variants_count"] > 1:
            product = (await client.get(f"/v1/products/{item['slug']}")).json()
            if all(variant["available"] > 5 for variant in product["variants"]):
                return product
    raise AssertionError("nothing with a choice is in stock")


@pytest.fixture
def email():
    return f"ada-{uuid4().hex[:10]}@example.com"


async def test_a_stranger_searches_filters_buys_and_gets_a_mail_without_javascript(
    started, platform, client, wanted, email
):
    async with chromium.visitor(started, platform.url, java_script_enabled=False) as page:
        await page.goto("/")
        await page.fill("#q", wanted["name"])
        await page.press("#q", "Enter")
        assert wanted["name"] in await page.inner_text(".grid")
        found = page.url

        await page.click("nav >> text=All")
        everything = await page.inner_text(".list-head [role=status]")
        await page.fill("#price_min", "0.01")
        await page.locator(".checks input[type=checkbox]").first.check()
        await page.click(".filters button[type=submit]")
        assert "price_min=0.01" in page.url
        assert await page.locator(".pills a:has-text('remove this filter')").count() == 2
        assert await page.inner_text(".list-head [role=status]") != everything
        await page.click("text=Clear filters")
        assert await page.inner_text(".list-head [role=status]") == everything

        await page.goto(found)
        await page.click(f".grid >> text={wanted['name']}")
        await page.locator(".choice a:not([aria-current]):not(.gone)").first.click()
        assert "variant=" in page.url
        await page.click("text=Add to cart")
        await page.fill("input[name=quantity]", "2")
        await page.click("text=Update")
        assert await page.input_value("input[name=quantity]") == "2"

        await to_payment(page, email)
        await pay(page, GOOD)
        number = await confirmed(page)
        total = await page.inner_text(".grand dd")
        await page.click("text=Follow this order")
        assert "Your payment was" in await page.inner_text(".timeline")
        await page.goto("/cart")
        assert "Nothing in it yet" in await page.inner_text("main")

    mail = await mail_to(client, email, number)
    assert re.sub(r"[^\d.]", "", total) in mail["text"]
    assert wanted["name"] in mail["text"]


async def test_registering_and_logging_in_keep_the_cart_of_a_guest(started, platform, wanted, email):
    async with chromium.visitor(started, platform.url) as page:
        await put_in_cart(page, wanted)
        await page.click("text=Log in >> nth=0")
        await page.click("text=Make an account")
        await page.fill("#name", "Ida New")
        await page.fill("#email", email)
        await page.fill("#password", "a fine long phrase")
        await page.click("main button[type=submit]")
        await page.wait_for_url("**/account")
        assert "Welcome, Ida New" in await page.inner_text("main")
        await page.goto("/cart")
        assert wanted["name"] in await page.inner_text("main")

        await to_payment(page, email)
        await pay(page, GOOD)
        number = await confirmed(page)
        await page.goto("/orders")
        assert number in await page.inner_text("main")
        await page.goto("/account")
        await page.click("text=Log out >> nth=0")
        await page.goto("/orders")
        assert "/login" in page.url

        await page.fill("#email", email)
        await page.fill("#password", "a fine long phrase")
        await page.click("main button[type=submit]")
        await page.wait_for_url("**/orders")
        assert number in await page.inner_text("main")


async def test_a_buyer_stays_on_the_name_of_the_shop_that_they_typed(started, platform, wanted, email):
    other_name = platform.url.replace("127.0.0.1", "localhost")
    for url in (other_name, platform.tls_url, platform.tls_url.replace("127.0.0.1", "localhost")):
        async with chromium.visitor(started, url, ignore_https_errors=True) as page:
            await put_in_cart(page, wanted)
            await to_payment(page, email)
            await pay(page, GOOD)
            await confirmed(page)

            assert page.url.startswith(url)


async def test_a_declined_card_brings_the_buyer_back_with_the_cart_and_another_card_works(
    started, platform, wanted, email
):
    async with chromium.visitor(started, platform.url) as page:
        await put_in_cart(page, wanted)
        await to_payment(page, email)
        await pay(page, DECLINED)
        await page.wait_for_url("**/checkout/review")
        assert "The card was declined" in await page.inner_text("main")
        assert wanted["name"] in await page.inner_text("main")

        await page.click("text=Order and pay")
        await page.wait_for_url("**/sandbox/pay/*")
        await pay(page, GOOD)
        await confirmed(page)


async def test_a_buyer_can_turn_round_on_the_providers_page(started, platform, wanted, email):
    async with chromium.visitor(started, platform.url) as page:
        await put_in_cart(page, wanted)
        await to_payment(page, email)
        await page.goto("/cart")
        await page.click("text=Go on to the payment")
        await page.click("button[value=cancel]")
        await page.wait_for_url("**/checkout/review")
        assert "You cancelled the payment" in await page.inner_text("main")


@pytest.mark.parametrize(
    ("answer", "path"), [("confirm", "**/checkout/done/*"), ("reject", "**/checkout/review")]
)
async def test_a_bank_that_asks_is_answered_and_heard(started, platform, wanted, email, answer, path):
    async with chromium.visitor(started, platform.url) as page:
        await put_in_cart(page, wanted)
        await to_payment(page, email)
        await pay(page, SECURE)
        await page.click(f"button[value={answer}]")

        await page.wait_for_url(path)


async def test_the_same_purchase_works_on_a_telephone(started, platform, client, wanted, email):
    async with chromium.visitor(started, platform.url, width=390, is_mobile=True, has_touch=True) as page:
        await page.goto("/")
        await chromium.check(page)
        await page.fill("#q", wanted["name"])
        await page.press("#q", "Enter")
        await page.wait_for_url("**/search?*")
        await chromium.check(page)
        await page.click(f".grid >> text={wanted['name']}")
        await page.wait_for_url("**/product/*")
        await chromium.check(page)
        await page.click("text=Add to cart")
        await page.wait_for_url("**/cart")
        await chromium.check(page)

        await to_payment(page, email)
        await pay(page, GOOD)
        number = await confirmed(page)
        await chromium.check(page)

    assert await mail_to(client, email, number)


async def test_the_shop_as_it_opens_is_accessible_and_its_pictures_are_there(started, platform, wanted):
    async with chromium.visitor(started, platform.url) as page:
        missing = []
        page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
        categories = await page.goto("/") and await page.eval_on_selector_all(
            ".categories a", "links => links.map(link => link.getAttribute('href'))"
        )
        for path in ("/", categories[0], "/search?q=a", f"/product/{wanted['slug']}"):
            await page.goto(path)
            await chromium.check(page)
            await page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
            await page.wait_for_load_state("networkidle")
            broken = await page.eval_on_selector_all(
                "main img", "all => all.filter(one => one.complete && !one.naturalWidth).map(one => one.src)"
            )
            assert broken == []

        assert missing == []


async def test_sessions_over_tls_are_bound_to_it(started, platform):
    async with chromium.visitor(started, platform.tls_url, ignore_https_errors=True) as page:
        await page.goto("/login")
        cookies = await page.context.cookies()

    (cookie,) = [cookie for cookie in cookies if "session" in cookie["name"]]
    assert cookie["name"] == "__Host-session"
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
