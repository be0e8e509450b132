"""Changes before shipment: old prices stay, what is added is reserved first, money and stock are even."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from orders.purchasing import ADA, STAFF, look, place, ready_cart, until


@pytest.fixture
async def sold(client, shop):
    """An order of four mugs at 10.00, paid; the cart that opens it. Cups cost 8.00, there are five."""
    shop.stock.put("CUP", price=800, free=5)
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    return (await place(client, cart)).json(), cart


async def edit(client, order, headers=STAFF, *, keep=None, add=(), **more):
    body = {"reason": "called", "add": [{"sku": sku, "quantity": count} for sku, count in add]} | more
    if keep is not None:
        body["lines"] = [{"line_id": order["lines"][0]["id"], "quantity": keep}]
    return await client.post(f"/v1/orders/{order['id']}/edits", json=body, headers=headers)


def sums(order):
    return {row["type"]: row["amount"]["amount"] for row in order["totals"]}


class TestEdit:
    async def test_taking_units_out_pays_them_back_and_restocks_them(self, client, shop, sold):
        order, cart = sold

        answer = await edit(client, order, keep=3)

        assert (answer.status_code, answer.json()["status"]) == (201, "applied")
        seen = await look(client, order, cart)
        assert (seen["lines"][0]["cancelled"], shop.stock.free["MUG"]) == (1, 1)
        assert (seen["total"]["amount"], seen["refunded"]["amount"]) == (
            order["total"]["amount"] - 1_000,
            1_000,
        )
        assert sums(seen) == sums(order) | {"edited": -1_000}
        assert sum(sums(seen).values()) == seen["total"]["amount"]

    async def test_swapping_at_todays_price_gives_the_difference_back(self, client, shop, sold):
        order, cart = sold
        shop.stock.put("CUP", price=700, free=5)

        answer = await edit(client, order, keep=2, add=[("CUP", 2)])

        seen = await look(client, order, cart)
        assert answer.status_code == 201
        assert [(line["sku"], line["quantity"], line["cancelled"]) for line in seen["lines"]] == [
            ("MUG", 4, 2), ("CUP", 2, 0),
        ]  # fmt: skip
        assert (seen["total"]["amount"], list(shop.till.refunds.values())) == (
            order["total"]["amount"] - 600, [600],
        )  # fmt: skip
        assert (shop.stock.free["MUG"], shop.stock.free["CUP"]) == (2, 3)
        shipped = await client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF)
        assert sorted(line["quantity"] for line in shipped.json()["lines"]) == [2, 2]

    async def test_all_that_is_left_can_be_paid_back_afterwards_and_not_a_cent_more(self, client, shop, sold):
        order, cart = sold
        await edit(client, order, keep=2, add=[("CUP", 1)])

        await client.post(f"/v1/orders/{order['id']}/cancel", headers=STAFF)

        assert sum(shop.till.refunds.values()) == order["total"]["amount"]
        seen = await look(client, order, cart)
        assert (seen["status"], seen["payment"]["status"]) == ("cancelled", "refunded")
        assert (shop.stock.free["MUG"], shop.stock.free["CUP"]) == (4, 5)

    async def test_what_cannot_be_reserved_leaves_the_order_as_it_was(self, client, shop, sold):
        order, cart = sold
        shop.stock.prices["CUP"] = shop.stock.prices["MUG"]
        shop.stock.free["CUP"] = 2
        shop.stock.sold_elsewhere("CUP", 2)

        answer = await edit(client, order, keep=2, add=[("CUP", 2)])

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/out-of-stock")
        seen = await look(client, order, cart)
        assert (seen["lines"], seen["total"]) == (order["lines"], order["total"])
        listed = await client.get(f"/v1/orders/{order['id']}/edits", headers=STAFF)
        assert [item["status"] for item in listed.json()["items"]] == ["refused"]

    @pytest.mark.parametrize("step", ["reserve", "claim", "refund", "restock"])
    @pytest.mark.parametrize("fault", ["before", "after"])
    async def test_a_lost_answer_changes_nothing_twice(self, client, shop, sold, step, fault):
        order, cart = sold
        shop.faults[step] = [fault]

        await edit(client, order, keep=2, add=[("CUP", 1)])

        async with asyncio.timeout(60):
            while shop.stock.free["MUG"] != 2 or not shop.till.refunds:
                await asyncio.sleep(0.05)
        seen = await until(client, order, cart, "confirmed", "partially_refunded")
        assert (seen["refunded"]["amount"], shop.stock.free["CUP"]) == (1_200, 4)


class TestRefusals:
    async def test_once_something_was_shipped(self, client, sold):
        order, _ = sold
        lines = [{"id": order["lines"][0]["id"], "quantity": 1}]
        await client.post(f"/v1/orders/{order['id']}/fulfilments", json={"lines": lines}, headers=STAFF)

        answer = await edit(client, order, keep=3)

        refusal = answer.json()
        assert (answer.status_code, refusal["order_status"], refusal["wanted"]) == (
            409, "partially_fulfilled", "edit",
        )  # fmt: skip

    async def test_of_what_makes_no_sense_name_the_field(self, client, sold):
        order, _ = sold

        more = await edit(client, order, keep=5)
        nothing = await edit(client, order, keep=4)
        unknown = await edit(client, order, lines=[{"line_id": str(uuid4()), "quantity": 0}])
        empty = await edit(client, order, keep=0)
        foreign = await edit(client, order, ADA, keep=3)

        assert [answer.json()["errors"][0]["pointer"] for answer in (more, nothing, unknown)] == [
            "/lines/0/quantity", "/lines", "/lines/0/line_id",
        ]  # fmt: skip
        assert empty.json()["type"] == "/problems/nothing-left"
        assert foreign.status_code == 403

    async def test_shipping_and_changing_at_once_never_do_both_to_a_unit(self, client, shop, sold):
        order, cart = sold

        answers = await asyncio.gather(
            *[edit(client, order, keep=0, add=[("CUP", 4)]) for _ in range(3)],
            client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF),
        )

        seen = await look(client, order, cart)
        mug = seen["lines"][0]
        assert mug["fulfilled"] + mug["cancelled"] <= 4
        assert shop.stock.free["MUG"] == mug["cancelled"]
        assert Counter(answer.status_code for answer in answers[:3])[201] <= 1
        assert seen["refunded"]["amount"] == sum(shop.till.refunds.values())
        assert shop.stock.free["CUP"] == 5 - sum(line["quantity"] for line in seen["lines"][1:])

    async def test_a_repeat_with_the_same_key_changes_once(self, client, shop, sold):
        order, cart = sold
        headers = STAFF | {"idempotency-key": uuid4().hex}

        answers = [await edit(client, order, headers, keep=3) for _ in range(2)]

        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert (await look(client, order, cart))["lines"][0]["cancelled"] == 1
