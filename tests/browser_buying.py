"""A buyer in a real browser: from a product to the provider's page, and the mail that comes of it."""

from __future__ import annotations

import asyncio
import re

ADDRESS = {"name": "Ada Buyer", "line1": "1 Long Lane", "postal_code": "10115", "city": "Berlin"}
GOOD, DECLINED, SECURE = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0027 6000 3184"


async def put_in_cart(page, product):
    await page.goto(f"/product/{product['slug']}")
    await page.click("main >> text=Add to cart")
    await page.wait_for_url("**/cart")


async def to_payment(page, email):
    await page.goto("/checkout")
    if await page.locator("#email").input_value() == "":
        await page.fill("#email", email)
    for name, value in ADDRESS.items():
        await page.fill(f"main #{name}", value)
    await page.select_option("#country", "DE")
    await page.click("text=Go on to delivery")
    await page.check("input[name=method][value=express]")
    await page.click("text=Go on to review")
    await page.click("text=Order and pay")
    await page.wait_for_url("**/sandbox/pay/*")


async def pay(page, card):
    await page.fill("#number", card)
    await page.click("button[value=pay]")


async def confirmed(page):
    await page.wait_for_url("**/checkout/done/*")
    return re.search(r"SW-\d+", await page.inner_text("main")).group()


async def mail_to(client, email, words):
    for _ in range(1_200):
        for mail in (await client.get("/mailbox.json", params={"to": email})).json():
            if words in mail["subject"] + mail["text"]:
                return mail
        await asyncio.sleep(0.05)
    raise AssertionError(f"no mail to {email} with {words!r}")
