"""An order's history told twice: outcomes in plain sentences to the buyer, all and by whom to staff."""

import re

import pytest

from orders.purchasing import STAFF, place, ready_cart, until

INSIDE = re.compile(r"attempt|saga|claim|restock|unavailable|problem|give_back|error|provider", re.IGNORECASE)


@pytest.fixture
async def sold(client, shop):
    """An order of four mugs, paid; the cart that opens it."""
    shop.buyers[STAFF["x-user-id"]] = {"id": STAFF["x-user-id"], "email": "eve@shop.example", "name": "Eve"}
    cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4)
    return (await place(client, cart)).json(), cart


async def post(client, order, what, **body):
    answer = await client.post(f"/v1/orders/{order['id']}/{what}", json=body, headers=STAFF)
    assert answer.status_code < 300, answer.text


async def read(client, order, headers):
    return (await client.get(f"/v1/orders/{order['id']}/timeline", headers=headers)).json()["items"]


def some(order, quantity):
    return [{"id": order["lines"][0]["id"], "quantity": quantity}]


class TestBuyer:
    async def test_reads_a_whole_life_in_plain_sentences(self, client, sold):
        order, cart = sold
        await post(
            client, order, "fulfilments", lines=some(order, 3),
            tracking={"carrier": "DHL", "number": "42", "url": "https://dhl.example/42"},
        )  # fmt: skip
        await post(client, order, "returns", lines=some(order, 1), reason="too blue")
        await post(client, order, "refunds", amount={"amount": 90, "currency": "EUR"}, reason="scratch")

        told = await read(client, order, {"x-cart-id": cart["id"]})

        assert [entry["text"] for entry in told] == [
            "We set your items aside.", "Your payment was authorised.", "Your order was confirmed.",
            "Your items were taken from the shelf.", "Your payment was taken.",
            "A parcel with 3 items was sent with DHL 42.",
            "Your return of 1 item was taken. 10.00 EUR went back to you.", "0.90 EUR went back to you.",
        ]  # fmt: skip
        assert told[5]["link"] == "https://dhl.example/42"

    async def test_reads_no_attempt_no_error_and_nobodys_name(self, client, shop, sold):
        order, cart = sold
        shop.faults["refund"] = ["before", "before"]
        await post(client, order, "refunds", reason="secret reason")
        await until(client, order, cart, "confirmed", "refunded")

        told = await read(client, order, {"x-cart-id": cart["id"]})

        assert not any(entry["detail"] or entry["by"] for entry in told)
        assert not any(INSIDE.search(entry["text"]) for entry in told)
        assert "eve@shop.example" not in str(told)

    async def test_reads_that_a_payment_is_waited_for_only_while_it_is(self, client, shop):
        cart = await ready_cart(client, shop)
        order = (await place(client, cart, token="")).json()
        waiting = await read(client, order, {"x-cart-id": cart["id"]})

        await client.post(f"/v1/orders/{order['id']}/cancel", headers={"x-cart-id": cart["id"]})
        over = await read(client, order, {"x-cart-id": cart["id"]})

        assert "We are waiting for your payment." in [entry["text"] for entry in waiting]
        assert [entry["text"] for entry in over][1:] == [
            "Your payment was given back; you were not charged.", "Your items were put back on the shelf.",
        ]  # fmt: skip


class TestStaff:
    async def test_read_every_attempt_with_its_error_and_who_did_what(self, client, shop, sold):
        order, cart = sold
        shop.faults["refund"] = ["before"]
        await post(client, order, "refunds", reason="scratch")
        await until(client, order, cart, "confirmed", "refunded")

        told = (await read(client, order, STAFF))[5:]

        assert [(entry["step"], entry["outcome"], entry["by"]) for entry in told] == [
            ("refund", "done", "eve@shop.example"), ("give_back", "failed", ""), ("give_back", "done", ""),
        ]  # fmt: skip
        assert (told[0]["detail"], told[2]["text"]) == ("scratch", "The money is paid back.")
        assert "refund fails before it acts" in told[1]["detail"]

    async def test_read_the_account_when_users_knows_no_more_who_that_was(self, client, shop, sold):
        order, _ = sold
        await post(client, order, "fulfilments")
        shop.buyers.clear()

        told = await read(client, order, STAFF)

        assert told[-1]["by"] == STAFF["x-user-id"]

    async def test_push_an_order_that_waits_and_that_is_written_down(self, client, shop):
        cart = await ready_cart(client, shop)
        order = (await place(client, cart, token="")).json()
        shop.till.act(order["payment"]["id"], "authorised")

        await post(client, order, "retry")

        assert (await until(client, order, cart, "confirmed", "captured"))["payment"]["status"] == "captured"
        assert "look_again" in [entry["step"] for entry in await read(client, order, STAFF)]
        refused = await client.post(f"/v1/orders/{order['id']}/retry", headers={"x-cart-id": cart["id"]})
        assert refused.status_code == 401

    async def test_refuse_to_push_an_order_of_which_nothing_waits(self, client, sold):
        order, _ = sold

        refused = await client.post(f"/v1/orders/{order['id']}/retry", headers=STAFF)

        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-to-retry")
        assert "look_again" not in [entry["step"] for entry in await read(client, order, STAFF)]
