"""A shop whose cards Stripe takes, through the gateway and with localstripe in its place: bought, confirmed
with the bank, given back, and the day reconciled.
"""

import asyncio
import json

import httpx
import pytest
import stripe as sdk

import platforms
import stripes
from shopping import Buyer, log_in
from shopwright.payments.stripe.reports import PAYMENT

pytestmark = pytest.mark.stack


@pytest.fixture
async def front():
    with stripes.localstripe() as behind:
        async with stripes.front(behind) as front:
            yield front


@pytest.fixture
async def shop(front):
    settings = {
        "SHOPWRIGHT_STRIPE_KEY": stripes.KEY,
        "SHOPWRIGHT_STRIPE_WEBHOOK_SECRET": stripes.SECRET,
        "SHOPWRIGHT_STRIPE_API_BASE": front.url,
        "SHOPWRIGHT_CASH_ON_DELIVERY": "false",
    }
    with platforms.platform(**settings) as running:
        yield running


@pytest.fixture
async def client(shop):
    async with shop.client() as opened:
        yield opened


async def ready_cart(client, buyer):
    items = (await client.get("/v1/products?limit=50")).json()["items"]
    for item in items:
        product = (await client.get(f"/v1/products/{item['slug']}")).json()
        for variant in product["variants"]:
            if variant["available"] > 5:
                return await buyer.address(await buyer.cart_with(variant["sku"]), "ada@example.org")
    raise AssertionError("nothing is in stock")


async def webhook(client, kind, about):
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": about}}
    body = json.dumps(event)
    header = sdk.WebhookSignature.generate_signature_header(body, stripes.SECRET)
    answer = await client.post("/v1/webhooks/stripe", content=body, headers={"stripe-signature": header})
    assert answer.status_code == 200, answer.text


async def reconciled(shop):
    """Exit status and words of `shopwright reconcile`, which asks Stripe while our loop answers for it."""
    done = await asyncio.to_thread(shop.cli, "reconcile", "--provider", "stripe", check=False)
    return done.returncode, done.stdout


async def test_a_day_with_stripe(shop, client, front):
    buyer = Buyer(client)
    staff = await log_in(client, shop.demo["admin"])

    # a card that needs no more
    cart = await ready_cart(client, buyer)
    order = (await buyer.order(cart, stripes.OK)).json()
    assert (order["status"], order["payment"]["status"]) == ("confirmed", "captured")

    # one that is declined, and a test card of the sandbox, which is worth nothing here
    assert (await buyer.order(await ready_cart(client, buyer), stripes.DECLINED)).status_code == 402
    assert (await buyer.order(await ready_cart(client, buyer), "tok_ok")).status_code == 422

    # one that the bank asks the buyer about
    cart = await ready_cart(client, buyer)
    begun = await buyer.order(cart, await front.card())
    assert begun.status_code == 202, begun.text
    async with httpx.AsyncClient(timeout=60) as browser:
        back = await browser.get(begun.json()["payment"]["action_url"])
    assert back.headers["location"].startswith(shop.url)
    intent = {"object": "payment_intent", "id": begun.json()["payment"]["action_url"].rpartition("/")[2]}
    await webhook(client, "payment_intent.amount_capturable_updated", intent)
    assert (await buyer.outcome(begun.json(), cart))["status"] == "confirmed"
    assert len((await front.ask("GET", "/v1/charges"))["data"]) == 3  # one of them declined

    # one that is typed on Stripe's own page
    cart = await ready_cart(client, buyer)
    begun = (await buyer.order(cart, None)).json()
    page = begun["payment"]["action_url"]
    async with httpx.AsyncClient(timeout=60) as browser:
        await browser.get(f"{page}?card={stripes.OK}")
    session = {"object": "checkout.session", "metadata": {PAYMENT: begun["payment"]["id"]}}
    await webhook(client, "checkout.session.completed", session)
    assert (await buyer.outcome(begun, cart))["status"] == "confirmed"

    # given back in part, by us
    amount = {"amount": 100, "currency": order["total"]["currency"]}
    asked = {"amount": amount, "reason": "a scratch"}
    refund = await client.post(f"/v1/orders/{order['id']}/refunds", json=asked, headers=staff)
    assert refund.status_code < 300, refund.text
    code, words = await reconciled(shop)
    assert (code, "Nets to zero" in words, "4 movements" in words) == (0, True, True), words

    # and at Stripe's desk, by somebody else: listed, until Stripe's webhook tells of it
    payments = (await client.get(f"/v1/payments?order_id={order['id']}", headers=staff)).json()["items"]
    ref = payments[0]["provider_ref"]
    await front.ask("POST", "/v1/refunds", payment_intent=ref, amount="250")
    code, words = await reconciled(shop)
    assert (code, "not in our books" in words, "2.50" in words) == (1, True, True), words

    await webhook(client, "charge.refunded", {"object": "charge", "payment_intent": ref})
    assert (await reconciled(shop))[0] == 0
    path = f"/v1/orders/{order['id']}"
    async with asyncio.timeout(60):
        while (await client.get(path, headers=staff)).json()["refunded"]["amount"] != 350:
            await asyncio.sleep(0.1)

    logs = "".join(
        path.read_text(errors="replace") for path in (shop.home / "log").rglob("*") if path.is_file()
    )
    assert stripes.KEY not in logs
    assert stripes.SECRET not in logs
