"""A guest's cart and the account's become one at log-in: nothing is lost, nothing counts twice."""

import asyncio

import pytest

from orders.merchandising import coupon, enter
from orders.purchasing import ADA, ADDRESS, BOB, place


@pytest.fixture
def goods(shop):
    for sku in ("MUG", "CUP", "POT"):
        shop.stock.put(sku, free=10)


async def a_cart(client, headers=None, currency="EUR", **quantities):
    cart = (await client.post("/v1/carts", json={"currency": currency}, headers=headers)).json()
    for sku, quantity in quantities.items():
        body = {"sku": sku, "quantity": quantity}
        answer = await client.post(f"/v1/carts/{cart['id']}/lines", json=body, headers=headers)
        cart = answer.json()
    return cart


async def merge(client, cart, headers=ADA, **more):
    return await client.post(f"/v1/carts/{cart['id']}/merge", headers=headers | more)


def held(cart):
    return {line["sku"]: line["quantity"] for line in cart["lines"]}


@pytest.mark.usefixtures("goods")
class TestMerge:
    async def test_quantities_add_up_in_the_accounts_cart(self, client):
        own, guest = await a_cart(client, ADA, MUG=2, CUP=1), await a_cart(client, MUG=3, POT=1)

        merged = await merge(client, guest)

        assert (merged.status_code, merged.json()["id"]) == (200, own["id"])
        assert held(merged.json()) == {"MUG": 5, "CUP": 1, "POT": 1}

    async def test_as_far_as_can_be_bought_and_never_less_than_a_cart_had(self, client, shop):
        await a_cart(client, ADA, MUG=8, CUP=5)
        guest = await a_cart(client, MUG=8, CUP=3)
        shop.stock.free["CUP"] = 2
        await asyncio.sleep(2.1)  # quotes of a cart may be two seconds old

        assert held((await merge(client, guest)).json()) == {"MUG": 10, "CUP": 5}

    async def test_a_repeat_answers_the_same_and_adds_nothing(self, client):
        await a_cart(client, ADA, MUG=2)
        guest = await a_cart(client, MUG=3)
        key = {"idempotency-key": "at-log-in"}

        answers = [await merge(client, guest, **extra) for extra in ({}, {}, key, key)]

        assert [held(answer.json()) for answer in answers] == [{"MUG": 5}] * 4

    async def test_ten_at_once_add_up_once(self, client):
        await a_cart(client, ADA, MUG=2)
        guest = await a_cart(client, MUG=3)

        answers = await asyncio.gather(*(merge(client, guest) for _ in range(10)))

        assert [held(answer.json()) for answer in answers] == [{"MUG": 5}] * 10

    async def test_the_guests_cart_is_closed_and_says_where_it_went(self, client):
        own, guest = await a_cart(client, ADA, MUG=1), await a_cart(client, MUG=1)
        await merge(client, guest)

        ordered = await place(client, guest, email="ada@example.com")
        added = await client.post(f"/v1/carts/{guest['id']}/lines", json={"sku": "MUG", "quantity": 1})

        assert (await client.get(f"/v1/carts/{guest['id']}")).json()["status"] == "merged"
        assert [(a.status_code, a.json()["cart_id"]) for a in (ordered, added)] == [(409, own["id"])] * 2

    async def test_without_an_open_cart_the_account_takes_the_guests(self, client):
        guest = await a_cart(client, MUG=3)

        merged = (await merge(client, guest)).json()
        current = (await client.get("/v1/carts/current", headers=ADA)).json()

        assert (merged["id"], current["id"]) == (guest["id"], guest["id"])
        assert (await client.get(f"/v1/carts/{guest['id']}", headers=BOB)).status_code == 404

    async def test_what_was_seen_in_another_currency_stays_a_cart_of_its_own(self, client, shop):
        shop.stock.put("PEN", currency="USD")
        own, guest = await a_cart(client, ADA, MUG=1), await a_cart(client, currency="USD", PEN=1)

        merged = (await merge(client, guest)).json()

        assert (merged["id"], merged["currency"]) == (guest["id"], "USD")
        assert held((await client.get(f"/v1/carts/{own['id']}", headers=ADA)).json()) == {"MUG": 1}

    async def test_address_and_coupons_come_along(self, client):
        await coupon(client)
        await a_cart(client, ADA, MUG=1)
        guest = await a_cart(client, CUP=1)
        await client.put(f"/v1/carts/{guest['id']}/address", json={"address": ADDRESS})
        await enter(client, guest, "SPRING")

        merged = (await merge(client, guest)).json()

        assert (merged["address"]["city"], merged["coupons"]) == ("Berlin", ["SPRING"])

    async def test_a_strangers_cart_and_no_account_are_refused(self, client):
        other, guest = await a_cart(client, BOB, MUG=1), await a_cart(client, MUG=1)

        assert (await merge(client, other)).status_code == 404
        assert (await client.post(f"/v1/carts/{guest['id']}/merge")).status_code == 401
