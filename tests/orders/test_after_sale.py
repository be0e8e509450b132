"""After the sale: ship in parts, take back, pay back, cancel; never more than was bought or paid."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from orders.purchasing import ADA, STAFF, look, place, ready_cart, until

BUYER_ONLY = {"x-user-id": STAFF["x-user-id"], "x-user-scope": "orders:read"}


@pytest.fixture
async def sold(client, shop):
    """An order of four mugs, paid; the cart that opens it."""
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    order = (await place(client, cart)).json()
    assert order["payment"]["status"] == "captured"
    return order, cart


async def post(client, order, what, headers=STAFF, **body):
    return await client.post(f"/v1/orders/{order['id']}/{what}", json=body, headers=headers)


def line(order, quantity):
    return [{"id": order["lines"][0]["id"], "quantity": quantity}]


class TestFulfil:
    async def test_ships_in_parts_until_all_has_left(self, client, sold):
        order, cart = sold

        first = await post(client, order, "fulfilments", lines=line(order, 1), tracking={"carrier": "DHL"})
        partly = await look(client, order, cart)
        rest = await post(client, order, "fulfilments")
        whole = await look(client, order, cart)

        assert (first.status_code, partly["status"], partly["lines"][0]["fulfilled"]) == (
            201, "partially_fulfilled", 1,
        )  # fmt: skip
        assert (rest.json()["lines"][0]["quantity"], whole["status"]) == (3, "fulfilled")
        seen = await client.get(f"/v1/orders/{order['id']}/fulfilments", headers={"x-cart-id": cart["id"]})
        assert [item["tracking"]["carrier"] for item in seen.json()["items"]] == ["DHL", ""]

    async def test_never_ships_more_than_was_ordered_however_many_try(self, client, sold):
        order, cart = sold

        answers = await asyncio.gather(
            *[post(client, order, "fulfilments", lines=line(order, 1)) for _ in range(10)]
        )

        assert Counter(answer.status_code for answer in answers) == {201: 4, 409: 6}
        assert (await look(client, order, cart))["lines"][0]["fulfilled"] == 4

    async def test_a_repeat_with_the_same_key_ships_once(self, client, sold):
        order, cart = sold
        headers = STAFF | {"idempotency-key": uuid4().hex}

        answers = [await post(client, order, "fulfilments", headers, lines=line(order, 1)) for _ in range(3)]

        assert len({answer.json()["id"] for answer in answers}) == 1
        assert (await look(client, order, cart))["lines"][0]["fulfilled"] == 1

    async def test_refuses_what_was_not_paid_and_who_may_not(self, client, shop, sold):
        waiting = (await place(client, await ready_cart(client, shop, sku="CUP"), token="")).json()

        refused = await post(client, waiting, "fulfilments")

        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/wrong-transition")
        assert (await post(client, sold[0], "fulfilments", ADA)).status_code == 403
        wrong = await post(client, sold[0], "fulfilments", tracking={"url": "javascript:alert(1)"})
        assert wrong.json()["errors"][0]["pointer"] == "/tracking/url"


class TestRefund:
    async def test_pays_back_in_parts_to_the_last_cent(self, client, shop, sold):
        order, cart = sold

        part = await post(
            client, order, "refunds", reason="scratch", amount={"amount": 90, "currency": "EUR"}
        )
        rest = await post(client, order, "refunds", reason="kindness")

        assert (part.status_code, part.json()["status"]) == (201, "succeeded")
        assert rest.json()["amount"]["amount"] == order["total"]["amount"] - 90
        seen = await look(client, order, cart)
        assert (seen["payment"]["status"], seen["refunded"]) == ("refunded", order["total"])
        assert sum(shop.till.refunds.values()) == order["total"]["amount"]

    async def test_never_pays_back_more_than_was_paid_however_many_try(self, client, shop, sold):
        order, _ = sold
        half = {"amount": order["total"]["amount"] // 2 + 1, "currency": "EUR"}

        answers = await asyncio.gather(
            *[post(client, order, "refunds", reason="race", amount=half) for _ in range(8)]
        )

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
        assert list(shop.till.refunds.values()) == [half["amount"]]

    @pytest.mark.parametrize("fault", ["before", "after"])
    async def test_an_answer_that_was_lost_is_asked_for_again_not_paid_twice(self, client, shop, sold, fault):
        order, cart = sold
        shop.faults["refund"] = [fault]

        answer = await post(client, order, "refunds", reason="late")

        assert answer.status_code in {201, 202}
        await until(client, order, cart, "confirmed", "refunded")
        assert list(shop.till.refunds.values()) == [order["total"]["amount"]]

    async def test_a_provider_that_refuses_leaves_the_money_to_be_asked_for_again(self, client, shop, sold):
        order, cart = sold
        shop.till.refuses_refunds = True

        refused = await post(client, order, "refunds", reason="first")
        shop.till.refuses_refunds = False
        again = await post(client, order, "refunds", reason="second")

        assert (refused.json()["status"], again.json()["status"]) == ("failed", "succeeded")
        assert "refused" in refused.json()["failure"]
        listed = await client.get(f"/v1/orders/{order['id']}/refunds", headers={"x-cart-id": cart["id"]})
        assert [item["failure"] for item in listed.json()["items"]] == ["", ""]

    async def test_needs_its_scope_a_reason_and_the_orders_currency(self, client, sold):
        order, _ = sold

        assert (await post(client, order, "refunds", BUYER_ONLY, reason="x")).status_code == 403
        assert (await post(client, order, "refunds")).json()["errors"][0]["pointer"] == "/reason"
        foreign = await post(client, order, "refunds", reason="x", amount={"amount": 1, "currency": "USD"})
        assert (foreign.status_code, foreign.json()["refundable"]) == (409, order["total"])
        negative = await post(client, order, "refunds", reason="x", amount={"amount": -1, "currency": "EUR"})
        assert (negative.status_code, negative.json()["errors"][0]["pointer"]) == (422, "/amount")

    async def test_the_payments_status_is_right_though_another_refund_is_of_unknown_outcome(
        self, client, shop, sold
    ):
        order, cart = sold
        shop.till.others_unknown = True
        part = {"amount": 90, "currency": "EUR"}

        await post(client, order, "refunds", reason="scratch", amount=part)
        again = await post(client, order, "refunds", reason="scratch", amount=part)

        assert again.status_code == 201
        assert (await look(client, order, cart))["payment"]["status"] == "partially_refunded"


class TestWallet:
    async def test_money_goes_back_to_the_wallet_of_the_account(self, client, shop):
        cart = await ready_cart(client, shop, headers=ADA, price=1_000)
        order = (await place(client, cart, headers=ADA)).json()

        answer = await post(client, order, "refunds", reason="sorry", to="wallet")

        assert (answer.json()["to"], answer.json()["status"]) == ("wallet", "succeeded")
        assert shop.till.wallets == {ADA["x-user-id"]: order["total"]["amount"]}

    async def test_a_guest_has_none(self, client, shop, sold):
        answer = await post(client, sold[0], "refunds", reason="sorry", to="wallet")

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/to")
        assert shop.till.refunds == {}


class TestReturn:
    async def test_pays_the_goods_and_puts_them_on_the_shelf(self, client, shop, sold):
        order, cart = sold
        await post(client, order, "fulfilments")

        part = await post(client, order, "returns", lines=line(order, 1), reason="too blue")
        rest = await post(client, order, "returns", lines=line(order, 3), reason="too blue", restock=False)

        assert [answer.json()["amount"]["amount"] for answer in (part, rest)] == [1_000, 3_000]
        assert shop.stock.free["MUG"] == 1
        seen = await look(client, order, cart)
        assert (seen["status"], seen["payment"]["status"]) == ("returned", "partially_refunded")

    async def test_goods_without_money_leave_the_payment_as_it_is(self, client, sold):
        order, cart = sold
        await post(client, order, "fulfilments")
        nothing = {"amount": 0, "currency": "EUR"}

        answer = await post(client, order, "returns", lines=line(order, 1), reason="swap", refund=nothing)

        assert answer.status_code == 201
        assert (await look(client, order, cart))["payment"]["status"] == "captured"
        owed = nothing | {"amount": -5}
        wrong = await post(client, order, "returns", lines=line(order, 1), reason="swap", refund=owed)
        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/refund")

    async def test_takes_back_no_more_than_was_shipped(self, client, sold):
        order, _ = sold
        await post(client, order, "fulfilments", lines=line(order, 2))

        answer = await post(client, order, "returns", lines=line(order, 3), reason="all")

        assert (answer.status_code, answer.json()["left"]) == (409, 2)

    async def test_goods_reach_the_shelf_though_products_was_away(self, client, shop, sold):
        order, _ = sold
        await post(client, order, "fulfilments")
        shop.faults["restock"] = ["before", "after"]

        await post(client, order, "returns", lines=line(order, 2), reason="late")

        async with asyncio.timeout(60):
            while shop.faults.calls["restock"] < 3:
                await asyncio.sleep(0.05)
        assert shop.stock.free["MUG"] == 2


class TestCancel:
    async def test_gives_money_and_goods_back(self, client, shop, sold):
        order, cart = sold

        answer = await post(client, order, "cancel")

        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        seen = await look(client, order, cart)
        assert (seen["refunded"], shop.stock.free["MUG"]) == (order["total"], 4)
        steps = (await client.get(f"/v1/orders/{order['id']}/timeline", headers=STAFF)).json()["items"]
        assert [entry["step"] for entry in steps][-3:] == ["cancel", "give_back", "restock"]

    async def test_refuses_once_all_was_shipped(self, client, sold):
        order, _ = sold
        await post(client, order, "fulfilments")

        answer = await post(client, order, "cancel")

        refusal = answer.json()
        assert (answer.status_code, refusal["order_status"], refusal["wanted"]) == (
            409,
            "fulfilled",
            "cancel",
        )

    async def test_what_was_not_shipped_yet_goes_back_with_its_money(self, client, shop, sold):
        order, cart = sold
        await post(client, order, "fulfilments", lines=line(order, 1))

        part = await post(client, order, "cancel", lines=line(order, 1), reason="broken")
        halfway = await look(client, order, cart)
        rest = await post(client, order, "cancel")

        assert (part.status_code, halfway["status"], halfway["refunded"]["amount"]) == (
            200, "partially_fulfilled", 1_000,
        )  # fmt: skip
        assert (rest.json()["status"], rest.json()["refunded"]["amount"]) == ("fulfilled", 3_000)
        assert (rest.json()["lines"][0]["cancelled"], shop.stock.free["MUG"]) == (3, 3)
        assert (await post(client, order, "fulfilments")).status_code == 409
        back = await post(client, order, "returns", lines=line(order, 1), reason="too blue")
        assert (back.json()["amount"]["amount"], (await look(client, order, cart))["status"]) == (
            1_000, "returned",
        )  # fmt: skip

    async def test_never_cancels_and_ships_more_than_was_ordered_however_many_try(self, client, shop, sold):
        order, cart = sold
        await post(client, order, "fulfilments", lines=line(order, 1))

        await asyncio.gather(
            *[post(client, order, "fulfilments", lines=line(order, 1)) for _ in range(3)],
            *[post(client, order, "cancel", lines=line(order, 1)) for _ in range(3)],
        )

        seen = (await look(client, order, cart))["lines"][0]
        assert seen["fulfilled"] + seen["cancelled"] == 4
        assert shop.stock.free["MUG"] == seen["cancelled"]
        assert sum(shop.till.refunds.values()) == 1_000 * seen["cancelled"]

    async def test_staff_who_only_read_may_cancel_what_they_themselves_have_not_paid(self, client, shop):
        shop.stock.put("CUP")
        mine = await ready_cart(client, shop, sku="CUP", headers=BUYER_ONLY)
        own = (await place(client, mine, token="", headers=BUYER_ONLY)).json()
        other = (await place(client, await ready_cart(client, shop, sku="CUP", headers=ADA), token="",
                             headers=ADA)).json()  # fmt: skip

        answers = [await post(client, order, "cancel", BUYER_ONLY) for order in (own, other)]

        assert [answer.status_code for answer in answers] == [200, 403]
        assert answers[0].json()["status"] == "cancelled"

    async def test_shipping_and_cancelling_at_once_do_one_of_the_two(self, client, shop, sold):
        order, cart = sold

        shipped, cancelled = await asyncio.gather(
            post(client, order, "fulfilments"), post(client, order, "cancel")
        )

        assert sorted([shipped.status_code < 300, cancelled.status_code < 300]) == [False, True]
        seen = await look(client, order, cart)
        assert (seen["status"], seen["lines"][0]["fulfilled"]) in {("fulfilled", 4), ("cancelled", 0)}
