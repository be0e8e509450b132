"""Without JavaScript people use a coupon and a gift card, pay the rest by card, or pay when it comes.

Staff set up what they use.
"""

import re
from uuid import uuid4

import pytest

import chromium
from browser_buying import ADDRESS, GOOD, confirmed, mail_to, pay, put_in_cart
from shopping import log_in

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
async def staff(client, platform):
    return await log_in(client, platform.demo["admin"])


@pytest.fixture
async def wanted(client):
    for item in (await client.get("/v1/products?limit=100")).json()["items"]:
        if item["available"] > 20 and 2_000 < item["price"]["amount"] < 20_000:
            return item
    raise AssertionError("nothing that fits is in stock")


@pytest.fixture
async def coupon(client, staff):
    """10 % off for who has the code."""
    terms = {"name": "Spring sale", "kind": "percentage", "percent": "10", "needs_code": True}
    made = (await client.post("/v1/promotions", json=terms, headers=staff)).json()
    code = f"SPRING-{uuid4().hex[:8].upper()}"
    answer = await client.post(f"/v1/promotions/{made['id']}/coupons", json={"code": code}, headers=staff)
    assert answer.status_code == 201, answer.text
    return code


@pytest.fixture
async def gift_card(client, staff):
    amount = {"amount": 1_000, "currency": "EUR"}
    answer = await client.post("/v1/gift-cards", json={"amount": amount}, headers=staff)
    return answer.json()["code"]


@pytest.fixture
def email():
    return f"ada-{uuid4().hex[:10]}@example.com"


async def to_review(page, email):
    await page.goto("/checkout")
    for name, value in {"email": email, **ADDRESS}.items():
        await page.fill(f"main #{name}", value)
    await page.select_option("#country", "DE")
    await page.click("text=Go on to delivery")
    await page.check("input[name=method][value=express]")
    await page.click("text=Go on to review")


async def cents(page, selector):
    return int(re.sub(r"\D", "", await page.inner_text(selector)))


async def test_a_coupon_a_gift_card_and_a_card_pay_one_order(
    started, platform, client, wanted, coupon, gift_card, email
):
    async with chromium.visitor(started, platform.url, java_script_enabled=False) as page:
        await put_in_cart(page, wanted)
        await page.click("text=Have a coupon?")
        await page.fill("#coupon", coupon.lower())
        await page.click("text=Use the coupon")
        assert f"Spring sale {coupon}" in await page.inner_text(".totals")

        await to_review(page, email)
        total = await cents(page, ".summary .grand dd")
        await page.click("text=Have a gift card?")
        await page.fill("#gift_card", gift_card)
        await page.click("text=Add the gift card")
        assert await cents(page, ".tendered .grand dd") == total - 1_000
        assert gift_card not in await page.content()

        await page.click("text=Order and pay")
        await page.wait_for_url("**/sandbox/pay/*")
        await pay(page, GOOD)
        number = await confirmed(page)
        assert await cents(page, ".summary .grand dd") == total
        await page.click("text=Follow this order")
        payment = await page.inner_text(".parts")
        assert "Gift card: €10.00" in payment
        assert f"Card: €{(total - 1_000) / 100:.2f}" in payment
        invoice = await page.request.get(await page.get_attribute("text=Invoice (PDF)", "href"))
        assert (await invoice.body()).startswith(b"%PDF")

    assert await mail_to(client, email, number)
    left = await client.post("/v1/gift-cards/check", json={"code": gift_card})
    assert left.status_code == 422


async def test_cash_on_delivery_is_confirmed_at_once(started, platform, client, wanted, email):
    async with chromium.visitor(started, platform.url, java_script_enabled=False, width=390) as page:
        await put_in_cart(page, wanted)
        await to_review(page, email)
        await page.check("input[name=method][value=cash_on_delivery]")
        await page.click("text=Order and pay")
        number = await confirmed(page)
        assert "To be paid on delivery" in await page.inner_text("main")

    assert await mail_to(client, email, number)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
async def test_staff_set_up_promotions_tax_and_shipping_on_pages_that_are_accessible(
    started, platform, coupon, gift_card, width, scheme
):
    admin = platform.demo["admin"]
    async with chromium.visitor(started, platform.url, width=width, color_scheme=scheme) as page:
        await page.goto("/admin/promotions")
        await page.fill("#email", admin["email"])
        await page.fill("#password", admin["password"])
        await page.click("main button[type=submit]")
        await page.wait_for_url("**/admin/promotions")
        await chromium.check(page)
        await page.click("text=Spring sale >> nth=0")
        await page.wait_for_url("**/admin/promotions/*-*")
        await page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        await chromium.check(page)
        for path in (
            "/admin/promotions/new", "/admin/promotions/new?kind=buy_x_get_y", "/admin/tax",
            "/admin/tax/rates/new", "/admin/shipping", "/admin/shipping/zones/new",
            "/admin/shipping/methods/new", "/admin/gift-cards", "/admin/reconciliations",
        ):  # fmt: skip
            await page.goto(path)
            await page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
            await chromium.check(page)
