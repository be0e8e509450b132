"""Carts over HTTP: what goes in, what it costs now, who may see it, and what is refused."""

import asyncio
from datetime import date
from uuid import uuid4

ADDRESS = {
    "name": "Ada Buyer",
    "line1": "1 Long Lane",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}
ADA = {"x-user-id": "018f0000-0000-7000-8000-00000000000a", "x-user-scope": "shop"}
BOB = {"x-user-id": "018f0000-0000-7000-8000-00000000000b", "x-user-scope": "shop"}


async def new_cart(client, headers=None, **body):
    answer = await client.post("/v1/carts", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def add(client, cart, sku, quantity=1, headers=None):
    return await client.post(
        f"/v1/carts/{cart['id']}/lines", json={"sku": sku, "quantity": quantity}, headers=headers
    )


class TestCreate:
    async def test_begins_empty_in_the_shops_currency(self, client):
        cart = await new_cart(client)

        assert (cart["lines"], cart["total"]) == ([], {"amount": 0, "currency": "EUR"})

    async def test_a_repeat_with_the_same_key_gets_the_same_cart(self, client):
        key = {"idempotency-key": uuid4().hex}

        first = await client.post("/v1/carts", json={}, headers=ADA | key)
        second = await client.post("/v1/carts", json={}, headers=ADA | key)

        assert first.json()["id"] == second.json()["id"]

    async def test_two_guests_who_choose_the_same_key_do_not_share_a_cart(self, client):
        key = {"idempotency-key": "1"}

        first, second = [await client.post("/v1/carts", json={}, headers=key) for _ in range(2)]

        assert first.json()["id"] != second.json()["id"]

    async def test_refuses_what_is_no_currency(self, client):
        answer = await client.post("/v1/carts", json={"currency": "euro"})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/currency"


class TestLines:
    async def test_a_repeat_with_the_same_key_gets_the_cart_though_the_product_is_gone(self, client, shop):
        sku, cart = shop.stock.put("MUG"), await new_cart(client)
        path, key = f"/v1/carts/{cart['id']}/lines", {"idempotency-key": uuid4().hex}
        added = await client.post(path, json={"sku": sku}, headers=key)
        line = f"{path}/{added.json()['lines'][0]['id']}"
        shop.stock.prices.clear()
        await asyncio.sleep(2.1)  # quotes of a cart may be two seconds old

        again = await client.post(path, json={"sku": sku}, headers=key)
        removed = [await client.delete(line, headers={"idempotency-key": "x"}) for _ in range(2)]

        assert [answer.status_code for answer in (again, *removed)] == [200, 200, 200]
        assert (await client.delete(line)).status_code == 404

    async def test_adds_up_lines_of_the_same_sku(self, client, shop):
        sku, cart = shop.stock.put("MUG", price=1_250), await new_cart(client)

        await add(client, cart, sku, 2)
        seen = (await add(client, cart, sku, 1)).json()

        assert [(line["sku"], line["quantity"], line["total"]["amount"]) for line in seen["lines"]] == [
            ("MUG", 3, 3_750)
        ]

    async def test_never_takes_a_price_from_the_client(self, client, shop):
        sku, cart = shop.stock.put("MUG", price=1_250), await new_cart(client)

        answer = await client.post(
            f"/v1/carts/{cart['id']}/lines",
            json={"sku": sku, "quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}},
        )

        assert answer.json()["lines"][0]["unit_price"]["amount"] == 1_250

    async def test_refuses_more_than_there_is(self, client, shop):
        sku, cart = shop.stock.put("LAST", free=2), await new_cart(client)
        await add(client, cart, sku, 2)

        answer = await add(client, cart, sku, 1)

        assert answer.status_code == 409
        assert answer.json()["shortages"] == [{"sku": "LAST", "requested": 3, "available": 2}]

    async def test_refuses_a_sku_nobody_sells(self, client):
        answer = await add(client, await new_cart(client), "NOTHING")

        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-sku")

    async def test_says_in_which_currency_a_sku_is_not_for_sale(self, client, shop):
        sku, cart = shop.stock.put("MUG", currency="PLN"), await new_cart(client)

        refused = (await add(client, cart, sku)).json()

        assert (refused["type"], refused["currency"]) == ("/problems/unknown-sku", "EUR")
        assert refused["detail"] == "MUG is not for sale in EUR"

    async def test_refuses_a_price_that_was_seen_in_another_currency_and_adds_nothing(self, client, shop):
        sku, cart = shop.stock.put("MUG", currency="USD"), await new_cart(client, currency="USD")
        path = f"/v1/carts/{cart['id']}/lines"

        refused = await client.post(path, json={"sku": sku, "currency": "EUR"})
        after = (await client.get(f"/v1/carts/{cart['id']}")).json()
        added = await client.post(path, json={"sku": sku, "currency": "USD"})

        told = refused.json()
        assert (refused.status_code, told["type"]) == (409, "/problems/currency-differs")
        assert (told["sku"], told["cart_currency"], after["lines"]) == ("MUG", "USD", [])
        assert added.json()["lines"][0]["unit_price"] == {"amount": 1_000, "currency": "USD"}

    async def test_names_every_wrong_field_at_once(self, client):
        cart = await new_cart(client)

        answer = await client.post(f"/v1/carts/{cart['id']}/lines", json={"sku": "", "quantity": 0})

        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert (answer.status_code, pointers) == (422, {"/sku", "/quantity"})

    async def test_changes_and_removes_a_line(self, client, shop):
        sku, cart = shop.stock.put("MUG"), await new_cart(client)
        line = (await add(client, cart, sku, 2)).json()["lines"][0]
        path = f"/v1/carts/{cart['id']}/lines/{line['id']}"

        fewer = (await client.patch(path, json={"quantity": 1})).json()
        none = (await client.delete(path)).json()

        assert (fewer["lines"][0]["quantity"], none["lines"]) == (1, [])
        assert (await client.delete(path)).status_code == 404

    async def test_holds_at_most_999_of_one(self, client, shop):
        sku, cart = shop.stock.put("PIN", free=5_000), await new_cart(client)
        await add(client, cart, sku, 999)

        answer = await add(client, cart, sku, 1)

        assert answer.status_code == 422

    async def test_shows_what_was_last_seen_while_the_catalogue_is_away(self, client, shop):
        sku, cart = shop.stock.put("MUG", price=700), await new_cart(client)
        await add(client, cart, sku)
        shop.stock.prices.clear()
        shop.stock.away = True

        await client.get(f"/v1/carts/{cart['id']}")
        seen = (await client.get(f"/v1/carts/{cart['id']}")).json()

        assert seen["lines"][0]["unit_price"]["amount"] == 700


class TestPreorder:
    async def test_tells_from_when_goods_that_are_not_there_yet_are_sent(self, client, shop):
        shop.stock.put("SOON")
        shop.stock.put("MUG")
        shop.stock.preorders["SOON"] = date(2027, 3, 1)
        cart = await new_cart(client)
        await add(client, cart, "SOON")

        lines = (await add(client, cart, "MUG")).json()["lines"]

        told = {line["sku"]: line["preorder_from"] for line in lines}
        assert told == {"SOON": "2027-03-01", "MUG": None}


class TestOwner:
    async def test_a_guests_cart_is_adopted_by_the_account_that_uses_it(self, client, shop):
        sku, cart = shop.stock.put("MUG"), await new_cart(client)
        await add(client, cart, sku, headers=ADA)

        assert (await client.get(f"/v1/carts/{cart['id']}")).status_code == 404
        assert (await client.get(f"/v1/carts/{cart['id']}", headers=BOB)).status_code == 404
        assert (await client.get("/v1/carts/current", headers=ADA)).json()["id"] == cart["id"]

    async def test_a_stranger_cannot_change_it_either(self, client, shop):
        sku, cart = shop.stock.put("MUG"), await new_cart(client, headers=ADA)

        refused = await add(client, cart, sku, headers=BOB)
        address = await client.put(
            f"/v1/carts/{cart['id']}/address", json={"email": "bob@example.com"}, headers=BOB
        )

        assert (refused.status_code, address.status_code) == (404, 404)
        assert (await client.get(f"/v1/carts/{cart['id']}", headers=ADA)).json()["email"] is None


class TestDelivery:
    async def test_prices_shipping_once_there_is_an_address(self, client, shop):
        sku, cart = shop.stock.put("MUG", price=1_000), await new_cart(client)
        await add(client, cart, sku)

        seen = (
            await client.put(
                f"/v1/carts/{cart['id']}/address", json={"email": "ada@example.com", "address": ADDRESS}
            )
        ).json()

        rows = {row["type"]: row["amount"]["amount"] for row in seen["totals"]}
        assert (rows, seen["total"]["amount"]) == ({"subtotal": 1_000, "shipping": 490}, 1_490)

    async def test_ships_free_from_a_subtotal_on(self, client, shop):
        sku, cart = shop.stock.put("SOFA", price=7_500), await new_cart(client)
        await add(client, cart, sku)

        await client.put(f"/v1/carts/{cart['id']}/address", json={"address": ADDRESS})
        offers = (await client.get(f"/v1/carts/{cart['id']}/shipping")).json()["methods"]

        assert {offer["code"]: offer["price"]["amount"] for offer in offers} == {
            "standard": 0, "express": 1_290, "pickup": 0,
        }  # fmt: skip

    async def test_takes_the_chosen_way_and_refuses_an_unknown_one(self, client, shop):
        sku, cart = shop.stock.put("MUG"), await new_cart(client)
        await add(client, cart, sku)
        await client.put(f"/v1/carts/{cart['id']}/address", json={"address": ADDRESS})
        path = f"/v1/carts/{cart['id']}/shipping"

        chosen = (await client.put(path, json={"method": "express"})).json()
        refused = await client.put(path, json={"method": "drone"})

        assert chosen["shipping_method"] == "express"
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/shipping-unavailable")
        assert (await client.get(f"/v1/carts/{cart['id']}")).json()["shipping_method"] == "express"

    async def test_names_each_wrong_part_of_an_address(self, client):
        cart = await new_cart(client)

        answer = await client.put(
            f"/v1/carts/{cart['id']}/address",
            json={"email": "nobody", "address": {**ADDRESS, "country": "Germany", "city": ""}},
        )

        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert pointers == {"/email", "/address/country", "/address/city"}
