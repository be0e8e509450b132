"""Changes that cost more: paid by a further payment or a link, once; unpaid they leave all as it was."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from orders.purchasing import ADA, STAFF, look, place, ready_cart
from orders.test_expiry import let_time_pass
from shopwright.chassis.streams import stream_of
from shopwright.contracts.events import Envelope

CARD = {"method": "card", "token": "tok_ok"}
HOSTED = {"method": "card", "return_url": "https://shop.example/back"}


@pytest.fixture
async def sold(client, shop):
    """An order of four mugs at 10.00 and shipping, paid; the cart that opens it. Five cups cost 8.00 each."""
    shop.stock.put("CUP", price=800, free=5)
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    return (await place(client, cart)).json(), cart


async def edit(client, order, *, keep=3, cups=2, headers=STAFF, **more):
    """One mug out and two cups in: 6.00 more."""
    body = {
        "reason": "called", "add": [{"sku": "CUP", "quantity": cups}],
        "lines": [{"line_id": order["lines"][0]["id"], "quantity": keep}],
    }  # fmt: skip
    return await client.post(f"/v1/orders/{order['id']}/edits", json=body | more, headers=headers)


async def by_link(client, order):
    """The change, and the link its buyer was sent."""
    answer = await edit(client, order)
    assert (answer.status_code, answer.json()["status"]) == (202, "awaiting_payment"), answer.text
    return answer.json(), "/v1/orders/pay-links" + answer.json()["payment"]["action_url"].removeprefix("/pay")


async def pay(client, link, payment=CARD, headers=None):
    return await client.post(link, json={"payment": payment}, headers=headers)


async def edits_of(client, order):
    answer = await client.get(f"/v1/orders/{order['id']}/edits", headers=STAFF)
    return answer.json()["items"]


async def unpaid(client, order):
    seen = await client.get(f"/v1/orders/{order['id']}", headers=STAFF)
    return seen.json()["unpaid"]["amount"]


async def until_edit(client, order, status):
    """Until a change has ended so, and what it costs is taken."""
    async with asyncio.timeout(60):
        while (await edits_of(client, order))[-1]["status"] != status or await unpaid(client, order):
            await asyncio.sleep(0.05)


async def cups_back(shop):
    """What was held for a change is free again, and so is its money, which goes back before."""
    async with asyncio.timeout(60):
        while shop.stock.free["CUP"] != 5:
            await asyncio.sleep(0.05)


async def asked_for(valkey):
    """What buyers were asked to pay by a link, once it is told."""
    async with asyncio.timeout(60):
        while True:
            entries = await valkey.xrange(stream_of("orders"))
            facts = [msgspec.json.decode(fields[b"e"], type=Envelope) for _, fields in entries]
            if found := [fact.event() for fact in facts if fact.type == "orders.payment_requested.v1"]:
                return found
            await asyncio.sleep(0.05)


async def cancel(client, order):
    return await client.post(f"/v1/orders/{order['id']}/cancel", headers=STAFF)


def captured(shop):
    return sorted(state.captured for state in shop.till.payments.values())


def untouched(shop, seen, order):
    same = (seen["lines"], seen["total"], seen["totals"]) == (order["lines"], order["total"], order["totals"])
    return same and (shop.stock.free["MUG"], shop.stock.free["CUP"]) == (0, 5)


class TestPaidAtOnce:
    async def test_takes_the_difference_as_another_payment_of_the_order(self, client, shop, sold):
        order, cart = sold

        answer = await edit(client, order, payment=CARD)

        assert (answer.status_code, answer.json()["status"]) == (201, "applied")
        seen = await look(client, order, cart)
        assert seen["total"]["amount"] == order["total"]["amount"] + 600
        assert sum(row["amount"]["amount"] for row in seen["totals"]) == seen["total"]["amount"]
        first, further = seen["payments"]
        assert (first["amount"], first["status"]) == (order["total"], "captured")
        assert (further["amount"]["amount"], further["status"]) == (600, "captured")
        assert shop.till.payments[further["id"]].captured == 600
        assert (seen["unpaid"]["amount"], shop.stock.free["MUG"], shop.stock.free["CUP"]) == (0, 1, 3)
        assert (await client.get(f"/v1/orders/{order['id']}/refunds", headers=STAFF)).json() == {"items": []}
        shipped = await client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF)
        assert shipped.status_code == 201

    async def test_a_refused_card_leaves_order_stock_and_money_untouched(self, client, shop, sold):
        order, cart = sold

        answer = await edit(client, order, payment={"method": "card", "token": "tok_declined"})

        assert (answer.status_code, answer.json()["type"]) == (402, "/problems/payment-declined")
        assert untouched(shop, await look(client, order, cart), order)
        assert [item["status"] for item in await edits_of(client, order)] == ["refused"]

    async def test_what_cannot_be_reserved_asks_for_no_money(self, client, shop, sold):
        order, cart = sold
        shop.stock.sold_elsewhere("CUP", 4)

        answer = await edit(client, order, payment=CARD)

        assert answer.json()["type"] == "/problems/out-of-stock"
        assert (await look(client, order, cart))["total"] == order["total"]
        assert shop.faults.calls["authorise"] == 1

    async def test_another_difference_than_the_one_seen_is_refused_with_the_new_one(self, client, shop, sold):
        order, cart = sold
        seen = {"amount": 500, "currency": "EUR"}

        answer = await edit(client, order, payment=CARD, expected_difference=seen)
        told = await client.post(
            f"/v1/orders/{order['id']}/edits/quote", headers=STAFF,
            json={"add": [{"sku": "CUP", "quantity": 2}]},
        )  # fmt: skip

        assert (answer.status_code, answer.json()["difference"]["amount"]) == (409, 600)
        assert told.json()["difference"]["amount"] == 1_600
        assert untouched(shop, await look(client, order, cart), order)

    async def test_a_payment_that_is_not_needed_and_two_that_wait_are_refused(self, client, sold):
        order, _ = sold

        cheaper = await edit(client, order, keep=1, payment=CARD)
        first, _ = await by_link(client, order)
        second = await edit(client, order, payment=CARD)

        assert (cheaper.status_code, cheaper.json()["errors"][0]["pointer"]) == (422, "/payment")
        assert (second.status_code, second.json()["edit_id"]) == (409, first["id"])

    @pytest.mark.parametrize("step", ["reserve", "authorise", "claim", "capture", "restock"])
    @pytest.mark.parametrize("fault", ["before", "after"])
    async def test_a_lost_answer_charges_nothing_twice(self, client, shop, sold, step, fault):
        order, cart = sold
        shop.faults[step] = [fault]
        headers = STAFF | {"idempotency-key": uuid4().hex}

        await edit(client, order, payment=CARD, headers=headers)
        await until_edit(client, order, "applied")
        again = await edit(client, order, payment=CARD, headers=headers)

        assert again.json()["status"] == "applied"
        async with asyncio.timeout(60):
            while (await look(client, order, cart))["unpaid"]["amount"] or shop.stock.free["MUG"] != 1:
                await asyncio.sleep(0.05)
        assert sorted(state.captured for state in shop.till.payments.values()) == [
            600,
            order["total"]["amount"],
        ]
        assert shop.stock.free["CUP"] == 3


class TestPaidByALink:
    async def test_waits_with_the_stock_held_until_the_buyer_pays(self, client, shop, sold, valkey):
        order, cart = sold

        made, link = await by_link(client, order)

        waiting = await look(client, order, cart)
        assert (waiting["lines"], waiting["total"]) == (order["lines"], order["total"])
        assert (shop.stock.free["CUP"], shop.faults.calls["authorise"]) == (3, 1)
        asked = (await client.get(link)).json()
        assert (asked["state"], asked["amount"]["amount"], asked["number"]) == (
            "waiting",
            600,
            order["number"],
        )
        [fact] = await asked_for(valkey)
        assert (str(fact.link_id), fact.amount.minor, fact.email) == (asked["id"], 600, "ada@example.com")

        paid = await pay(client, link)

        assert (paid.status_code, paid.json()["state"]) == (200, "paid")
        assert (await edits_of(client, order))[-1]["id"] == made["id"]
        assert (await look(client, order, cart))["total"]["amount"] == order["total"]["amount"] + 600

    async def test_a_refused_card_can_be_followed_by_another(self, client, shop, sold):
        order, cart = sold
        _, link = await by_link(client, order)

        refused = await pay(client, link, {"method": "card", "token": "tok_declined"})
        between = (await client.get(link)).json()
        paid = await pay(client, link)

        assert (refused.status_code, refused.json()["code"]) == (402, "card_declined")
        assert (between["state"], between["decline_code"]) == ("waiting", "card_declined")
        assert paid.json()["state"] == "paid"
        await until_edit(client, order, "applied")
        seen = await look(client, order, cart)
        assert [shop.till.payments[item["id"]].captured for item in seen["payments"]] == [
            order["total"]["amount"], 600,
        ]  # fmt: skip

    async def test_a_double_click_pays_once(self, client, shop, sold):
        order, _ = sold
        _, link = await by_link(client, order)

        answers = await asyncio.gather(*[pay(client, link) for _ in range(4)])

        assert {answer.status_code for answer in answers} <= {200, 409}
        await until_edit(client, order, "applied")
        assert sorted(state.captured for state in shop.till.payments.values()) == [
            600,
            order["total"]["amount"],
        ]

    async def test_goes_on_when_the_buyer_comes_back_from_the_providers_page(self, client, shop, sold):
        order, cart = sold
        _, link = await by_link(client, order)

        sent_off = (await pay(client, link, HOSTED)).json()
        [waiting] = await edits_of(client, order)
        shop.till.act(waiting["payment"]["id"], "authorised")
        back = link.replace("/v1/", "/internal/") + "/look-again"
        await client.post(back, headers={"x-caller": "web"})

        assert (sent_off["state"], sent_off["action_url"]) == ("paying", "https://pay.example/page")
        await until_edit(client, order, "applied")
        assert (await look(client, order, cart))["unpaid"]["amount"] == 0

    async def test_withdrawn_it_gives_the_stock_back_and_what_is_authorised(self, client, shop, sold):
        order, cart = sold
        made, link = await by_link(client, order)
        await pay(client, link, HOSTED)

        path = f"/v1/orders/{order['id']}/edits/{made['id']}/withdraw"
        answer = await client.post(path, headers=STAFF)
        again = await client.post(path, headers=STAFF)
        late = await pay(client, link)

        assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
        await cups_back(shop)
        assert untouched(shop, await look(client, order, cart), order)
        assert shop.till.payments[answer.json()["payment"]["id"]].status == "voided"
        assert (again.status_code, late.status_code) == (409, 409)
        assert (await client.get(link)).json()["state"] == "over"

    async def test_unpaid_in_time_it_gives_the_stock_back(self, client, shop, sold, orders_url):
        order, cart = sold
        _, link = await by_link(client, order)

        await let_time_pass(orders_url)

        await until_edit(client, order, "refused")
        await cups_back(shop)
        assert untouched(shop, await look(client, order, cart), order)
        assert (await client.get(link)).json()["state"] == "over"

    async def test_shipping_or_cancelling_the_order_withdraws_it(self, client, shop, sold):
        order, cart = sold
        _, link = await by_link(client, order)

        await client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF)

        await until_edit(client, order, "withdrawn")
        await cups_back(shop)
        assert (await pay(client, link)).status_code == 409
        assert (await look(client, order, cart))["total"] == order["total"]

    async def test_its_buyer_sees_it_and_nobody_elses_wallet_pays_it(self, client, sold):
        order, cart = sold
        _, link = await by_link(client, order)

        own = await client.get(f"/v1/orders/{order['id']}/edits", headers={"x-cart-id": cart["id"]})
        foreign = await client.get(f"/v1/orders/{order['id']}/edits", headers=ADA)
        wallet = await pay(client, link, {"method": "wallet"}, headers=ADA)
        transfer = await pay(client, link, {"method": "bank_transfer"})

        [seen] = own.json()["items"]
        assert (seen["payment"]["amount"]["amount"], seen["reason"]) == (600, "")
        assert foreign.status_code == 404
        assert wallet.json()["errors"][0]["pointer"] == "/payment/use_wallet"
        assert transfer.json()["errors"][0]["pointer"] == "/payment/method"


class TestMoneyBack:
    async def test_goes_back_from_the_latest_payment_first(self, client, shop, sold):
        order, cart = sold
        await edit(client, order, payment=CARD)
        amount = {"amount": 700, "currency": "EUR"}

        await client.post(
            f"/v1/orders/{order['id']}/refunds", json={"amount": amount, "reason": "late"}, headers=STAFF
        )

        seen = await look(client, order, cart)
        assert [(item["refunded"]["amount"], item["status"]) for item in seen["payments"]] == [
            (100, "partially_refunded"), (600, "refunded"),
        ]  # fmt: skip
        assert [shop.till.payments[item["id"]].refunded for item in seen["payments"]] == [100, 600]
        assert (seen["refunded"]["amount"], seen["payment"]["status"]) == (700, "partially_refunded")

    async def test_of_all_payments_is_all_and_not_a_cent_more(self, client, shop, sold):
        order, cart = sold
        await edit(client, order, payment=CARD)

        await cancel(client, order)
        more = await client.post(f"/v1/orders/{order['id']}/refunds", json={"reason": "x"}, headers=STAFF)

        seen = await look(client, order, cart)
        assert sum(shop.till.refunds.values()) == order["total"]["amount"] + 600 == seen["refunded"]["amount"]
        assert (seen["status"], seen["payment"]["status"], more.status_code) == ("cancelled", "refunded", 409)
        assert (shop.stock.free["MUG"], shop.stock.free["CUP"]) == (4, 5)

    async def test_that_one_payment_refuses_can_be_asked_for_again(self, client, shop, sold):
        order, cart = sold
        await edit(client, order, payment=CARD)
        first, further = (await look(client, order, cart))["payments"]
        shop.till.never_refunds.add(further["id"])

        answer = await client.post(f"/v1/orders/{order['id']}/refunds", json={"reason": "x"}, headers=STAFF)

        assert (answer.json()["amount"], answer.json()["status"]) == (first["amount"], "succeeded")
        between = await look(client, order, cart)
        assert [(item["refunded"], item["status"]) for item in between["payments"]] == [
            (first["amount"], "refunded"), ({"amount": 0, "currency": "EUR"}, "captured"),
        ]  # fmt: skip
        shop.till.never_refunds.clear()
        again = await client.post(f"/v1/orders/{order['id']}/refunds", json={"reason": "x"}, headers=STAFF)
        assert (again.json()["amount"]["amount"], again.json()["status"]) == (600, "succeeded")


class TestCapture:
    async def test_that_is_refused_for_good_leaves_only_cancelling(self, client, shop, sold):
        order, cart = sold
        shop.till.captures = ["voided"]

        await edit(client, order, payment=CARD)
        async with asyncio.timeout(60):
            while (await look(client, order, cart))["payments"][1]["status"] != "voided":
                await asyncio.sleep(0.05)
        shipped = await client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF)
        summary = await client.get(
            "/v1/orders/summary", params={"since": "2020-01-01T00:00:00Z"}, headers=STAFF
        )
        cancelled = await cancel(client, order)

        assert (shipped.status_code, shipped.json()["type"]) == (409, "/problems/payment-refused")
        assert [item["id"] for item in summary.json()["attention"]] == [order["id"]]
        assert cancelled.json()["status"] == "cancelled"
        assert sum(shop.till.refunds.values()) == order["total"]["amount"]
        assert (shop.stock.free["MUG"], shop.stock.free["CUP"]) == (4, 5)
