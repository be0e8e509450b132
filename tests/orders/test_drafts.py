"""Drafts: an order that staff put together, at prices they may name, placed by them or paid by a link."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from orders.purchasing import ADA, ADDRESS, STAFF
from shopwright.chassis.streams import stream_of
from shopwright.contracts.events import Envelope

EUR = "EUR"


def euros(minor):
    return {"amount": minor, "currency": EUR}


@pytest.fixture
async def stocked(shop):
    shop.stock.put("MUG", price=1_000, free=10)
    shop.stock.put("CUP", price=800, free=10)
    shop.buyers[ADA["x-user-id"]] = {"id": ADA["x-user-id"], "email": "ada@example.com", "name": "Ada"}
    return shop


async def draft(client, headers=STAFF, **more):
    body = {
        "email": "bob@example.com", "address": ADDRESS, "note": "as agreed on the phone",
        "lines": [{"sku": "MUG", "quantity": 2, "unit_price": euros(500)}, {"sku": "CUP", "quantity": 1}],
    }  # fmt: skip
    return await client.post("/v1/drafts", json=body | more, headers=headers)


async def place(client, made, headers=STAFF, **payment):
    body = {"payment": {"method": "card", "token": "tok_ok"} | payment}
    key = {"idempotency-key": uuid4().hex}
    return await client.post(f"/v1/drafts/{made['id']}/place", json=body, headers=headers | key)


class TestDraft:
    async def test_is_priced_like_a_cart_at_the_prices_that_staff_named(self, client, stocked):
        made = (await draft(client)).json()

        assert [line["unit_price"]["amount"] for line in made["cart"]["lines"]] == [500, 800]
        assert made["staff_priced"] == [made["cart"]["lines"][0]["id"]]
        assert made["cart"]["totals"][0]["amount"]["amount"] == 1_800
        assert (made["staff_id"], made["units"]) == (STAFF["x-user-id"], 3)

    async def test_placed_by_staff_is_an_order_at_those_prices_with_who_did_it(self, client, stocked):
        made = (await draft(client)).json()

        answer = await place(client, made)

        order = answer.json()
        assert (answer.status_code, order["status"], order["total"]) == (
            201,
            "confirmed",
            made["cart"]["total"],
        )
        assert (order["email"], order["lines"][0]["unit_price"]["amount"]) == ("bob@example.com", 500)
        told = (await client.get(f"/v1/orders/{order['id']}/timeline", headers=STAFF)).json()["items"]
        assert [entry["detail"] for entry in told if entry["step"] == "draft"] == ["MUG at 5.00 EUR"]
        assert (await client.get("/v1/drafts", headers=STAFF)).json()["items"] == []

    async def test_of_an_account_is_its_order_and_not_its_current_cart(self, client, stocked):
        made = (await draft(client, user_id=ADA["x-user-id"])).json()
        current = await client.get("/v1/carts/current", headers=ADA)

        order = (await place(client, made)).json()

        assert current.status_code == 404
        mine = (await client.get("/v1/orders?mine=true", headers=ADA)).json()["items"]
        assert [item["id"] for item in mine] == [order["id"]]

    async def test_its_price_holds_for_as_many_as_staff_said_and_not_for_more(self, client, stocked):
        made = (await draft(client)).json()
        line = f"/v1/carts/{made['id']}/lines/{made['cart']['lines'][0]['id']}"

        fewer = (await client.patch(line, json={"quantity": 1})).json()
        more = (await client.patch(line, json={"quantity": 5})).json()

        assert fewer["lines"][0]["unit_price"]["amount"] == 500
        assert more["lines"][0]["unit_price"]["amount"] == 1_000

    async def test_keeps_its_prices_when_the_buyer_logs_in_with_a_cart_of_their_own(self, client, stocked):
        made = (await draft(client)).json()
        own = (await client.post("/v1/carts", json={"currency": EUR}, headers=ADA)).json()

        taken = (await client.post(f"/v1/carts/{made['id']}/merge", headers=ADA)).json()

        assert taken["id"] != own["id"]
        assert taken["lines"][0]["unit_price"]["amount"] == 500

    async def test_more_of_the_same_put_into_it_is_at_the_catalogues_price(self, client, stocked):
        made = (await draft(client)).json()

        cart = (await client.post(f"/v1/carts/{made['id']}/lines", json={"sku": "MUG"})).json()

        assert cart["lines"][0]["unit_price"]["amount"] == 1_000

    async def test_is_changed_and_thrown_away(self, client, stocked):
        made = (await draft(client)).json()
        path = f"/v1/drafts/{made['id']}"

        body = {"note": "two cups", "lines": [{"sku": "CUP", "quantity": 2}]}
        changed = (await client.patch(path, json=body, headers=STAFF)).json()
        gone = await client.delete(path, headers=STAFF)

        assert (changed["note"], changed["email"], changed["units"]) == ("two cups", "bob@example.com", 2)
        assert changed["staff_priced"] == []
        assert gone.status_code == 204
        assert (await client.get(path, headers=STAFF)).status_code == 404

    async def test_a_repeat_makes_one(self, client, stocked):
        headers = STAFF | {"idempotency-key": uuid4().hex}

        made = [(await draft(client, headers)).json()["id"] for _ in range(2)]

        assert made[0] == made[1]
        assert len((await client.get("/v1/drafts", headers=STAFF)).json()["items"]) == 1

    async def test_pages_are_stable(self, client, stocked):
        made = [(await draft(client)).json()["id"] for _ in range(3)]

        first = (await client.get("/v1/drafts?limit=2", headers=STAFF)).json()
        rest = (await client.get(f"/v1/drafts?cursor={first['next_cursor']}", headers=STAFF)).json()

        assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]

    async def test_refuses_who_may_not_and_what_makes_no_sense(self, client, stocked):
        foreign = await draft(client, ADA)
        dollars = await draft(
            client, lines=[{"sku": "MUG", "quantity": 1, "unit_price": {"amount": 1, "currency": "USD"}}]
        )
        negative = await draft(client, lines=[{"sku": "MUG", "quantity": 1, "unit_price": euros(-1)}])
        unknown = await draft(client, lines=[{"sku": "NONE", "quantity": 1}])
        nobody = await draft(client, user_id=str(uuid4()))

        assert foreign.status_code == 403
        assert [answer.json()["errors"][0]["pointer"] for answer in (dollars, negative, nobody)] == [
            "/lines/0/unit_price", "/lines/0/unit_price", "/user_id",
        ]  # fmt: skip
        assert unknown.json()["type"] == "/problems/not-for-sale"
        made = (await draft(client)).json()
        await place(client, made)
        late = await client.patch(f"/v1/drafts/{made['id']}", json={"note": "x"}, headers=STAFF)
        assert (late.status_code, late.json()["type"]) == (409, "/problems/cart-already-ordered")


class TestInvoice:
    async def test_tells_the_buyer_where_to_pay(self, client, stocked, valkey):
        made = (await draft(client)).json()

        answer = await client.post(f"/v1/drafts/{made['id']}/invoice", headers=STAFF)

        assert answer.status_code == 202
        told = await drafted(valkey)
        assert (str(told.draft_id), told.email, told.total.minor) == (
            made["id"], "bob@example.com", made["cart"]["total"]["amount"],
        )  # fmt: skip

    async def test_needs_an_address_to_send_it_to(self, client, stocked):
        body = {"lines": [{"sku": "CUP", "quantity": 1}]}
        made = (await client.post("/v1/drafts", json=body, headers=STAFF)).json()

        answer = await client.post(f"/v1/drafts/{made['id']}/invoice", headers=STAFF)

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/email-missing")


async def drafted(valkey):
    """The first draft that the buyer is told of."""
    async with asyncio.timeout(60):
        while True:
            entries = await valkey.xrange(stream_of("orders"))
            facts = [msgspec.json.decode(fields[b"e"], type=Envelope) for _, fields in entries]
            if found := [fact.event() for fact in facts if fact.type == "orders.order_drafted.v1"]:
                return found[0]
            await asyncio.sleep(0.05)
