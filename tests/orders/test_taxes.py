"""Taxes and shipping over HTTP: what staff decide, and what a cart and its order make of it."""

import pytest

from orders.merchandising import STAFF, coupon, enter, rows, tax, tax_settings
from orders.purchasing import ADA, ADDRESS, look, place, ready_cart

RULE = {"currency": "EUR", "amount": 900}
FREIGHT = {"name": "Freight", "days_min": 5, "days_max": 9, "rules": [RULE]}


async def read(client, cart):
    return (await client.get(f"/v1/carts/{cart['id']}")).json()


async def move(client, cart, **address):
    body = {"address": ADDRESS | address}
    return (await client.put(f"/v1/carts/{cart['id']}/address", json=body)).json()


async def freight(client, **more):
    return await client.put("/v1/shipping/methods/freight", json=FREIGHT | more, headers=STAFF)


async def offered(client, cart):
    methods = (await client.get(f"/v1/carts/{cart['id']}/shipping")).json()["methods"]
    return {method["code"]: method["price"]["amount"] for method in methods}


class TestTaxes:
    async def test_a_shop_without_rates_charges_none_and_shows_none(self, client, shop):
        cart = await ready_cart(client, shop, price=1_000)

        assert (cart["taxes"], rows(cart)) == ([], [("subtotal", 1_000), ("shipping", 490)])

    async def test_whoever_shows_a_price_is_told_whether_tax_is_in_it(self, client):
        before = (await client.get("/internal/taxes/mode")).json()
        await tax_settings(client, prices_include_tax=False)

        assert before == {"prices_include_tax": True}
        assert (await client.get("/internal/taxes/mode")).json() == {"prices_include_tax": False}

    async def test_included_tax_is_told_and_adds_nothing(self, client, shop):
        await tax(client)
        cart = await ready_cart(client, shop, price=11_900)

        assert rows(cart) == [("subtotal", 11_900), ("shipping", 0)]
        assert [
            (t["rate"], t["base"]["amount"], t["amount"]["amount"], t["included"]) for t in cart["taxes"]
        ] == [("19", 10_000, 1_900, True)]

    async def test_tax_on_top_is_paid_and_comes_back_with_the_goods(self, client, shop):
        await tax(client)
        await tax_settings(client, prices_include_tax=False)
        cart = await ready_cart(client, shop, price=10_000)
        order = (await place(client, cart, expected_total=cart["total"])).json()
        staff = STAFF | {"x-user-scope": "orders:read orders:write orders:refund"}
        path, line = f"/v1/orders/{order['id']}", order["lines"][0]

        await client.post(f"{path}/fulfilments", json={}, headers=staff)
        body = {"lines": [{"id": line["id"], "quantity": 1}], "reason": "broken"}
        back = (await client.post(f"{path}/returns", json=body, headers=staff)).json()

        assert rows(order) == [("subtotal", 10_000), ("shipping", 0), ("tax", 1_900)]
        assert (line["tax"]["amount"], back["amount"]["amount"]) == (1_900, 11_900)

    async def test_the_tax_follows_the_destination(self, client, shop):
        await tax(client)
        await tax(client, country="AT", percent="20")
        await tax(client, country="AT", region="Tyrol", percent="2.5")
        cart = await ready_cart(client, shop)

        there = await move(client, cart, country="AT")
        up = await move(client, cart, country="AT", region="tyrol")
        away = await move(client, cart, country="NO")

        assert [[t["rate"] for t in seen["taxes"]] for seen in (cart, there, up, away)] == [
            ["19"], ["20"], ["2.5"], [],
        ]  # fmt: skip

    async def test_what_is_collected_is_taxed_where_the_shop_is(self, client, shop):
        await tax(client)
        await tax(client, country="AT", percent="20")
        await tax_settings(client, country="AT")
        cart = await ready_cart(client, shop)

        body = {"method": "pickup"}
        collected = (await client.put(f"/v1/carts/{cart['id']}/shipping", json=body)).json()

        assert [seen["taxes"][0]["rate"] for seen in (cart, collected)] == ["19", "20"]

    async def test_a_rate_that_changed_a_moment_ago_is_never_charged(self, client, shop):
        rate = await tax(client)
        await tax_settings(client, prices_include_tax=False)
        cart = await ready_cart(client, shop, price=10_000)
        body = {"name": "VAT", "country": "DE", "percent": "20"}
        await client.put(f"/v1/taxes/rates/{rate['id']}", json=body, headers=STAFF)

        refused = await place(client, cart, expected_total=cart["total"])

        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/total-changed")
        assert refused.json()["total"]["amount"] == 12_000

    async def test_a_place_has_one_rate_for_a_class(self, client):
        await tax(client, region="Bavaria")

        body = {"name": "VAT", "country": "DE", "region": "bavaria ", "percent": "7"}
        refused = await client.post("/v1/taxes/rates", json=body, headers=STAFF)

        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/tax-rate-exists")

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"percent": "101"}, "/percent"),
            ({"percent": 19}, "/percent"),
            ({"country": "Germany"}, "/country"),
        ],
    )
    async def test_a_rate_that_cannot_be_is_refused_by_field(self, client, wrong, field):
        body = {"name": "VAT", "country": "DE", "percent": "19"} | wrong

        refused = await client.post("/v1/taxes/rates", json=body, headers=STAFF)

        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, field)

    async def test_a_rate_that_is_taken_away_is_charged_no_more(self, client, shop):
        rate = await tax(client)

        await client.delete(f"/v1/taxes/rates/{rate['id']}", headers=STAFF)

        assert (await client.get("/v1/taxes/rates", headers=STAFF)).json()["items"] == []
        assert (await ready_cart(client, shop))["taxes"] == []

    async def test_only_who_may_decides(self, client):
        reader = ADA | {"x-user-scope": "settings:read"}

        answers = [
            await client.get("/v1/taxes/rates", headers=ADA),
            await client.get("/v1/taxes/settings", headers=reader),
            await client.put("/v1/taxes/settings", json={"prices_include_tax": True}, headers=reader),
            await client.put("/v1/shipping/methods/x", json=FREIGHT, headers=reader),
        ]

        assert [answer.status_code for answer in answers] == [403, 200, 403, 403]


class TestShipping:
    async def test_the_shop_begins_with_delivery_and_collecting(self, client, shop):
        cart = await ready_cart(client, shop)

        assert await offered(client, cart) == {"standard": 490, "express": 1_290, "pickup": 0}

    async def test_a_zone_has_its_own_prices(self, client, shop):
        body = {"name": "Alps", "places": [{"country": "AT"}, {"country": "CH"}]}
        zone = (await client.post("/v1/shipping/zones", json=body, headers=STAFF)).json()
        cart = await ready_cart(client, shop)
        await freight(client, rules=[RULE | {"zone_id": zone["id"]}])

        at_home = await offered(client, cart)
        await move(client, cart, country="CH")

        assert "freight" not in at_home
        assert (await offered(client, cart))["freight"] == 900

    async def test_a_way_that_is_not_offered_there_cannot_be_ordered(self, client, shop):
        zone = (
            await client.post(
                "/v1/shipping/zones", json={"name": "Home", "places": [{"country": "DE"}]}, headers=STAFF
            )
        ).json()
        await freight(client, rules=[RULE | {"zone_id": zone["id"]}])
        cart = await ready_cart(client, shop)
        await client.put(f"/v1/carts/{cart['id']}/shipping", json={"method": "freight"})

        moved = await move(client, cart, country="NO")
        refused = await place(client, cart)

        assert (moved["shipping_method"], rows(moved)) == (None, [("subtotal", 1_000)])
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/shipping-unavailable")

    async def test_is_free_from_what_the_goods_are_worth_after_discounts(self, client, shop):
        await coupon(client)
        cart = await ready_cart(client, shop, price=7_500)

        reduced = (await enter(client, cart, "SPRING")).json()

        assert rows(cart)[1] == ("shipping", 0)
        assert rows(reduced) == [("subtotal", 7_500), ("discount", -750), ("shipping", 490)]

    async def test_a_place_is_in_one_zone(self, client):
        one = {"name": "One", "places": [{"country": "DE", "region": "Saxony"}]}
        await client.post("/v1/shipping/zones", json=one, headers=STAFF)

        two = {"name": "Two", "places": [{"country": "DE", "region": "SAXONY"}]}
        refused = await client.post("/v1/shipping/zones", json=two, headers=STAFF)

        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/place-in-other-zone")

    async def test_a_zone_with_prices_stays(self, client):
        body = {"name": "Alps", "places": [{"country": "AT"}]}
        zone = (await client.post("/v1/shipping/zones", json=body, headers=STAFF)).json()
        path = f"/v1/shipping/zones/{zone['id']}"
        await freight(client, rules=[RULE | {"zone_id": zone["id"]}])

        refused = await client.delete(path, headers=STAFF)
        await client.delete("/v1/shipping/methods/freight", headers=STAFF)

        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/zone-in-use")
        assert (await client.delete(path, headers=STAFF)).status_code == 204

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"days_max": 1}, "/days_max"),
            ({"rules": [RULE, RULE | {"amount": -1}]}, "/rules/1/amount"),
            ({"rules": [RULE | {"weight_from_g": 5, "weight_below_g": 5}]}, "/rules/0/weight_below_g"),
            ({"rules": [RULE | {"zone_id": ADA["x-user-id"]}]}, "/rules/0/zone_id"),
        ],
    )
    async def test_a_way_that_cannot_be_is_refused_by_field(self, client, wrong, field):
        refused = await freight(client, **wrong)

        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, field)

    async def test_an_order_keeps_the_way_it_was_sent(self, client, shop):
        await freight(client)
        cart = await ready_cart(client, shop)
        await client.put(f"/v1/carts/{cart['id']}/shipping", json={"method": "freight"})
        order = (await place(client, cart)).json()

        await client.delete("/v1/shipping/methods/freight", headers=STAFF)

        assert (await look(client, order, cart))["shipping"] == {"code": "freight", "name": "Freight"}


class TestTheSameIntegers:
    @pytest.mark.parametrize("included", [True, False])
    @pytest.mark.parametrize(("currency", "price"), [("EUR", 1_999), ("JPY", 777), ("KWD", 12_345)])
    async def test_in_cart_order_and_payment(self, client, shop, currency, price, included):
        await tax(client, percent="8.875")
        await tax_settings(client, prices_include_tax=included)
        await freight(client, rules=[RULE | {"currency": currency, "amount": 333}])
        await coupon(client, percent="33.333")
        shop.stock.put("ODD", price=price, currency=currency)
        cart = (await client.post("/v1/carts", json={"currency": currency})).json()
        body = {"sku": "ODD", "quantity": 7}
        await client.post(f"/v1/carts/{cart['id']}/lines", json=body)
        await client.put(
            f"/v1/carts/{cart['id']}/address", json={"email": "a@example.com", "address": ADDRESS}
        )
        await client.put(f"/v1/carts/{cart['id']}/shipping", json={"method": "freight"})
        shown = (await enter(client, cart, "SPRING")).json()

        order = (await place(client, cart, expected_total=shown["total"])).json()
        paid = shop.till.payments[order["payment"]["id"]]

        assert (order["total"], order["totals"]) == (shown["total"], shown["totals"])
        assert (paid.amount, paid.currency) == (shown["total"]["amount"], currency)
        assert sum(amount for _, amount in rows(order)) == paid.amount
        assert ("tax" in dict(rows(order))) is not included
