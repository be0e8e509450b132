"""Exchanges for dearer goods: what is sent costs the difference, and nothing is taken back before."""

import asyncio

import pytest

from orders.purchasing import STAFF, look, place, ready_cart, until
from orders.test_exchanges import exchange
from orders.test_expiry import let_time_pass

CARD = {"method": "card", "token": "tok_ok"}


@pytest.fixture
async def shipped(client, shop):
    """An order of four mugs at 10.00, paid and sent; cups cost 8.00, there are five."""
    shop.stock.put("CUP", price=800, free=5)
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    order = (await place(client, cart)).json()
    await client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF)
    return order, cart


async def dearer(client, order, **more):
    """One mug back, two cups sent: 6.00 more."""
    return await exchange(client, order, send=[("CUP", 2)], **more)


async def returned(client, shop, order, cart, count):
    """Until so many mugs have come back, and can be sold again."""
    async with asyncio.timeout(60):
        while ((await look(client, order, cart))["lines"][0]["returned"], free(shop)[0]) != (count, count):
            await asyncio.sleep(0.05)


def free(shop):
    return shop.stock.free["MUG"], shop.stock.free["CUP"]


class TestPaidAtOnce:
    async def test_sends_an_order_that_costs_the_difference(self, client, shop, shipped):
        order, cart = shipped

        answer = await dearer(client, order, payment=CARD)

        sent, back = answer.json()["order"], answer.json()["refund"]
        assert (answer.status_code, sent["status"], sent["total"]["amount"]) == (201, "confirmed", 600)
        assert shop.till.payments[sent["payment"]["id"]].captured == 600
        assert (back["amount"]["amount"], free(shop)) == (0, (1, 3))
        assert (await look(client, order, cart))["refunded"]["amount"] == 0

    async def test_gives_back_at_most_what_was_paid_for_it(self, client, shop, shipped):
        order, _ = shipped
        sent = (await dearer(client, order, payment=CARD)).json()["order"]

        cancelled = await client.post(f"/v1/orders/{sent['id']}/cancel", headers=STAFF)
        more = await client.post(f"/v1/orders/{sent['id']}/refunds", json={"reason": "x"}, headers=STAFF)

        assert (cancelled.json()["refunded"]["amount"], more.status_code) == (600, 409)
        assert shop.till.payments[sent["payment"]["id"]].refunded == 600

    async def test_a_refused_card_takes_nothing_back(self, client, shop, shipped):
        order, cart = shipped

        answer = await dearer(client, order, payment={"method": "card", "token": "tok_declined"})

        assert (answer.status_code, answer.json()["type"]) == (402, "/problems/payment-declined")
        assert (free(shop), (await look(client, order, cart))["lines"][0]["returned"]) == ((0, 5), 0)

    async def test_the_difference_is_told_before_and_held_to(self, client, shop, shipped):
        order, _ = shipped
        asked = {"return": [{"id": order["lines"][0]["id"], "quantity": 1}]}
        asked["send"] = [{"sku": "CUP", "quantity": 2}]
        quote = f"/v1/orders/{order['id']}/exchanges/quote"

        told = (await client.post(quote, json=asked, headers=STAFF)).json()["difference"]
        shop.stock.put("CUP", price=900, free=5)
        answer = await dearer(client, order, payment=CARD, expected_difference=told)

        assert (told["amount"], answer.status_code, answer.json()["difference"]["amount"]) == (600, 409, 800)
        assert free(shop) == (0, 5)


class TestPaidByALink:
    async def test_takes_back_once_the_buyer_has_paid(self, client, shop, shipped):
        order, cart = shipped

        answer = await dearer(client, order)

        sent = answer.json()["order"]
        assert (answer.status_code, sent["status"], answer.json()["refund"]) == (202, "awaiting_buyer", None)
        assert (free(shop), (await look(client, order, cart))["lines"][0]["returned"]) == ((0, 3), 0)
        link = "/v1/orders/pay-links" + sent["payment"]["action_url"].removeprefix("/pay")
        paid = await client.post(link, json={"payment": CARD})
        assert (paid.status_code, paid.json()["state"], paid.json()["amount"]["amount"]) == (200, "paid", 600)
        await returned(client, shop, order, cart, 1)
        assert free(shop) == (1, 3)

    async def test_unpaid_in_time_nothing_is_taken_back(self, client, shop, shipped, orders_url):
        order, cart = shipped
        sent = (await dearer(client, order)).json()["order"]

        await let_time_pass(orders_url)

        async with asyncio.timeout(60):
            while (await client.get(f"/v1/orders/{sent['id']}", headers=STAFF)).json()["status"] != "expired":
                await asyncio.sleep(0.05)
        seen = await until(client, order, cart, "fulfilled")
        assert (free(shop), seen["lines"][0]["returned"]) == ((0, 5), 0)
