"""Exchanges: what is sent costs nothing, what it costs less is paid back, and what cannot be sent refuses."""

import asyncio
from uuid import uuid4

import pytest

from orders.purchasing import ADA, STAFF, look, place, ready_cart


@pytest.fixture
async def shipped(client, shop):
    """An order of four mugs at 10.00, paid and sent; cups cost 8.00, there are five."""
    shop.stock.put("CUP", price=800, free=5)
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    order = (await place(client, cart)).json()
    await client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF)
    return order, cart


async def exchange(client, order, back=1, send=(("CUP", 1),), headers=STAFF, **more):
    body = {
        "return": [{"id": order["lines"][0]["id"], "quantity": back}],
        "send": [{"sku": sku, "quantity": count} for sku, count in send], "reason": "too small",
    }  # fmt: skip
    return await client.post(f"/v1/orders/{order['id']}/exchanges", json=body | more, headers=headers)


class TestExchange:
    async def test_sends_an_order_that_costs_nothing_and_pays_the_difference_back(
        self, client, shop, shipped
    ):
        order, cart = shipped

        answer = await exchange(client, order)

        sent, refund = answer.json()["order"], answer.json()["refund"]
        assert (answer.status_code, sent["status"], sent["payment"]["status"]) == (
            201,
            "confirmed",
            "captured",
        )
        assert (sent["total"]["amount"], sent["exchange_of"]) == (0, order["id"])
        assert (refund["kind"], refund["amount"]["amount"], refund["status"]) == ("return", 200, "succeeded")
        assert (await look(client, order, cart))["lines"][0]["returned"] == 1
        assert (shop.stock.free["MUG"], shop.stock.free["CUP"]) == (1, 4)
        assert list(shop.till.refunds.values()) == [200]
        parcel = await client.post(f"/v1/orders/{sent['id']}/fulfilments", json={}, headers=STAFF)
        assert parcel.status_code == 201
        listed = await client.get(f"/v1/orders/{order['id']}/exchanges", headers=STAFF)
        assert [item["id"] for item in listed.json()["items"]] == [sent["id"]]

    async def test_like_for_like_moves_no_money(self, client, shop, shipped):
        order, cart = shipped
        shop.stock.free["MUG"] = 1

        answer = await exchange(client, order, send=[("MUG", 1)], restock=False)

        assert (answer.status_code, answer.json()["refund"]["amount"]["amount"]) == (201, 0)
        assert (shop.till.refunds, shop.stock.free["MUG"]) == ({}, 0)
        assert (await look(client, order, cart))["refunded"]["amount"] == 0

    async def test_what_the_first_order_paid_can_be_paid_back_later_and_not_a_cent_more(
        self, client, shop, shipped
    ):
        order, _ = shipped
        await exchange(client, order)

        refund = {"reason": "cups broke"}
        await client.post(f"/v1/orders/{order['id']}/refunds", json=refund, headers=STAFF)
        more = await client.post(f"/v1/orders/{order['id']}/refunds", json=refund, headers=STAFF)

        assert sum(shop.till.refunds.values()) == order["total"]["amount"]
        assert more.status_code == 409

    async def test_a_repeat_exchanges_once(self, client, shop, shipped):
        order, _ = shipped
        headers = STAFF | {"idempotency-key": uuid4().hex}

        answers = [await exchange(client, order, headers=headers) for _ in range(2)]

        assert [answer.json()["order"]["id"] for answer in answers] == [answers[0].json()["order"]["id"]] * 2
        assert (shop.stock.free["CUP"], list(shop.till.refunds.values())) == (4, [200])


class TestRefusals:
    async def test_goods_that_somebody_else_took(self, client, shop, shipped):
        order, cart = shipped
        shop.stock.free["CUP"] = 1
        shop.stock.sold_elsewhere("CUP", 1)

        answer = await exchange(client, order)

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/out-of-stock")
        assert (await look(client, order, cart))["lines"][0]["returned"] == 0
        assert shop.till.refunds == {}

    async def test_more_than_was_shipped_what_was_not_and_who_may_not(self, client, shop, shipped):
        order, _ = shipped
        fresh = (await place(client, await ready_cart(client, shop, sku="CUP"))).json()

        assert (await exchange(client, order, back=5)).json()["type"] == "/problems/more-than-ordered"
        assert (await exchange(client, fresh)).json()["wanted"] == "exchange"
        assert (await exchange(client, order, headers=ADA)).status_code == 403

    async def test_two_at_once_never_take_the_same_unit_back_twice(self, client, shop, shipped):
        order, cart = shipped

        answers = await asyncio.gather(
            *[exchange(client, order, back=3, send=[("CUP", 1)]) for _ in range(3)]
        )

        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert (await look(client, order, cart))["lines"][0]["returned"] == 3
        assert (shop.stock.free["MUG"], shop.stock.free["CUP"]) == (3, 4)
