"""Promotions and coupons over HTTP: what staff set, what carts get, what an order claims and gives back."""

import pytest

from orders.merchandising import STAFF, change, coupon, enter, promote, rows
from orders.purchasing import ADA, look, place, ready_cart, until


@pytest.fixture
async def cart(client, shop):
    return await ready_cart(client, shop, price=10_000)


async def read(client, cart):
    return (await client.get(f"/v1/carts/{cart['id']}")).json()


async def uses(client, promotion):
    path = f"/v1/promotions/{promotion['id']}/coupons"
    return [item["uses"] for item in (await client.get(path, headers=STAFF)).json()["items"]]


class TestStaff:
    async def test_what_was_set_is_read_back(self, client):
        terms = {
            "name": "Two for one", "kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1,
            "get_percent": "12.5", "products": ["MUG"], "categories": ["cups"], "minimum": {"EUR": 500},
            "customer_groups": ["registered"], "starts_at": "2026-01-01T00:00:00Z", "priority": 3,
            "stacking": "exclusive", "uses_max": 10, "uses_per_customer_max": 1,
        }  # fmt: skip

        made = await promote(client, percent=None, **terms)
        seen = (await client.get(f"/v1/promotions/{made['id']}", headers=STAFF)).json()

        assert seen == made
        assert {name: seen[name] for name in terms} == terms

    @pytest.mark.parametrize(
        ("terms", "field"),
        [
            ({"percent": None}, "/percent"),
            ({"percent": "0"}, "/percent"),
            ({"percent": "101"}, "/percent"),
            ({"kind": "amount"}, "/amounts"),
            ({"kind": "amount", "amounts": {"EUR": 0}}, "/amounts/EUR"),
            ({"kind": "buy_x_get_y", "buy_quantity": 1}, "/get_quantity"),
            ({"starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}, "/ends_at"),
            ({"ends_at": "2026-01-01T00:00:00"}, "/ends_at"),
            ({"uses_max": 0}, "/uses_max"),
        ],
    )
    async def test_a_promotion_that_says_nothing_sensible_is_refused_by_field(self, client, terms, field):
        body = {"name": "X", "kind": "percentage", "percent": "10"} | terms

        refused = await client.post("/v1/promotions", json=body, headers=STAFF)

        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, field)

    async def test_a_limit_below_what_was_used_is_refused(self, client, shop, cart):
        promotion = await promote(client)
        await place(client, cart)
        await place(client, await ready_cart(client, shop))

        refused = await change(client, promotion, uses_max=1)

        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/uses_max")
        assert (await change(client, promotion, uses_max=2)).status_code == 200

    async def test_tells_how_often_it_was_used(self, client, shop, cart):
        promotion = await promote(client)
        await place(client, cart)

        listed = (await client.get("/v1/promotions", headers=STAFF)).json()["items"][0]
        seen = (await client.get(f"/v1/promotions/{promotion['id']}", headers=STAFF)).json()

        assert (promotion["uses"], listed["uses"], seen["uses"]) == (0, 1, 1)

    async def test_codes_are_one_in_any_case_and_listed_by_pages(self, client):
        promotion = await coupon(client, "b")
        path = f"/v1/promotions/{promotion['id']}/coupons"
        await client.post(path, json={"code": "A"}, headers=STAFF)

        again = await client.post(path, json={"code": "B"}, headers=STAFF)
        first = (await client.get(f"{path}?limit=1", headers=STAFF)).json()
        rest = (await client.get(f"{path}?limit=1&cursor={first['next_cursor']}", headers=STAFF)).json()

        assert (again.status_code, again.json()["type"]) == (409, "/problems/coupon-exists")
        assert [item["code"] for item in first["items"] + rest["items"]] == ["A", "B"]
        assert rest["next_cursor"] is None

    async def test_only_staff_may(self, client):
        answers = [
            await client.get("/v1/promotions", headers=ADA),
            await client.post("/v1/promotions", json={"name": "X", "kind": "free_shipping"}, headers=ADA),
            await client.delete("/v1/promotions/coupons/X", headers=ADA),
        ]

        assert [answer.status_code for answer in answers] == [403, 403, 403]


class TestCarts:
    async def test_a_promotion_without_a_code_counts_by_itself(self, client, cart):
        await promote(client)
        fresh = await read(client, cart)

        assert rows(fresh) == [("subtotal", 10_000), ("discount", -1_000), ("shipping", 0)]
        assert fresh["lines"][0]["discount"]["amount"] == 1_000
        assert [(d["name"], d["code"]) for d in fresh["discounts"]] == [("Ten percent", None)]

    async def test_a_code_counts_in_any_case(self, client, cart):
        await coupon(client)

        seen = (await enter(client, cart, "spring")).json()

        assert (seen["coupons"], seen["coupon_problems"]) == (["SPRING"], [])
        assert seen["total"]["amount"] == 9_000

    async def test_no_codes_take_them_out(self, client, cart):
        await coupon(client)
        await enter(client, cart, "SPRING")

        seen = (await enter(client, cart)).json()

        assert (seen["coupons"], seen["discounts"]) == ([], [])

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            ({"starts_at": "2999-01-01T00:00:00Z"}, "not_started"),
            ({"ends_at": "2020-01-01T00:00:00Z"}, "ended"),
            ({"minimum": {"EUR": 10_001}}, "minimum_not_met"),
            ({"products": ["CUP"]}, "not_for_these_products"),
            ({"customer_groups": ["wholesale"]}, "not_for_you"),
        ],
    )
    async def test_a_code_that_gives_nothing_is_refused_with_the_reason(self, client, cart, terms, reason):
        await coupon(client, **terms)

        refused = await enter(client, cart, "SPRING")

        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/coupon-not-valid")
        assert (refused.json()["code"], refused.json()["reason"]) == ("SPRING", reason)
        assert (await read(client, cart))["coupons"] == []

    async def test_a_code_nobody_gave_out_is_unknown(self, client, cart):
        assert (await enter(client, cart, "NOPE")).json()["reason"] == "unknown"

    async def test_a_code_that_stops_counting_stays_and_is_told(self, client, cart):
        promotion = await coupon(client)
        await enter(client, cart, "SPRING")
        await change(client, promotion, active=False)

        seen = await read(client, cart)

        assert seen["coupon_problems"] == [{"code": "SPRING", "reason": "ended"}]
        assert (seen["coupons"], seen["total"]["amount"]) == (["SPRING"], 10_000)

    async def test_a_group_of_accounts_gets_its_promotion(self, client, shop):
        shop.buyers[ADA["x-user-id"]] = {
            "id": ADA["x-user-id"], "email": "ada@example.com", "name": "Ada", "groups": ["wholesale"],
        }  # fmt: skip
        await coupon(client, customer_groups=["wholesale"])
        own = await ready_cart(client, shop, headers=ADA)

        assert (await enter(client, own, "SPRING", headers=ADA)).status_code == 200


class TestOrders:
    async def test_an_order_freezes_what_it_got(self, client, cart):
        await coupon(client)
        shown = (await enter(client, cart, "SPRING")).json()

        answer = await place(client, cart, expected_total=shown["total"])
        order = answer.json()

        assert answer.status_code == 201
        assert [order[name] for name in ("totals", "total", "discounts", "taxes")] == [
            shown[name] for name in ("totals", "total", "discounts", "taxes")
        ]
        assert order["lines"][0]["discount"]["amount"] == 1_000

    async def test_an_ordered_cart_shows_what_its_order_got(self, client, cart):
        await coupon(client, limits={"uses_max": 1, "uses_per_customer_max": 1})
        await enter(client, cart, "SPRING")
        order = (await place(client, cart)).json()

        seen = await read(client, cart)

        assert (seen["total"], seen["coupon_problems"]) == (order["total"], [])

    async def test_rules_that_changed_a_moment_ago_are_never_charged(self, client, cart):
        promotion = await promote(client)
        shown = await read(client, cart)
        await change(client, promotion, percent="5")

        refused = await place(client, cart, expected_total=shown["total"])

        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/total-changed")
        assert refused.json()["total"]["amount"] == 9_500

    async def test_a_coupon_that_was_used_up_meanwhile_refuses_the_order(self, client, shop, cart):
        await coupon(client, limits={"uses_max": 1})
        late = await ready_cart(client, shop)
        for one in (cart, late):
            shown = (await enter(client, one, "SPRING")).json()
        await place(client, cart)

        refused = await place(client, late)
        changed = await place(client, late, expected_total=shown["total"])

        assert (refused.status_code, refused.json()["reason"]) == (422, "used_up")
        assert changed.json()["type"] == "/problems/total-changed"

    async def test_a_customer_uses_it_as_often_as_the_coupon_says(self, client, shop, cart):
        await coupon(client, limits={"uses_per_customer_max": 1})
        await enter(client, cart, "SPRING")
        await place(client, cart)
        again = await ready_cart(client, shop)

        assert (await enter(client, again, "SPRING")).json()["reason"] == "used_by_you"

    @pytest.mark.parametrize("limit", ["uses_max", "uses_per_customer_max"])
    async def test_a_promotion_without_a_code_that_is_used_up_is_charged_no_more(
        self, client, shop, cart, limit
    ):
        await promote(client, **{limit: 1})
        shown = await read(client, cart)
        late = await ready_cart(client, shop)

        first = await place(client, cart, expected_total=shown["total"])
        second = await place(client, late, expected_total=shown["total"])

        assert (first.status_code, second.json()["type"]) == (201, "/problems/total-changed")
        assert second.json()["total"]["amount"] == 10_000

    async def test_an_order_that_is_declined_gives_the_use_back(self, client, cart):
        promotion = await coupon(client, limits={"uses_max": 1, "uses_per_customer_max": 1})
        await enter(client, cart, "SPRING")

        declined = await place(client, cart, token="tok_declined")
        after = await uses(client, promotion)
        placed = await place(client, cart)

        assert (declined.status_code, after, placed.status_code) == (402, [0], 201)
        assert await uses(client, promotion) == [1]

    async def test_an_order_that_is_cancelled_before_it_is_paid_gives_the_use_back(self, client, cart):
        promotion = await coupon(client, limits={"uses_max": 1})
        await enter(client, cart, "SPRING")
        order = (await place(client, cart, token="")).json()
        assert await uses(client, promotion) == [1]

        guest = {"x-cart-id": cart["id"]}
        await client.post(f"/v1/orders/{order['id']}/cancel", headers=guest)
        await until(client, order, cart, "cancelled")

        assert await uses(client, promotion) == [0]
        assert (await look(client, order, cart))["discounts"][0]["code"] == "SPRING"

    async def test_what_comes_back_is_worth_what_was_paid(self, client, shop):
        await coupon(client, kind="amount", amounts={"EUR": 1_000})
        cart = await ready_cart(client, shop, quantity=3, price=1_000)
        await enter(client, cart, "SPRING")
        order = (await place(client, cart)).json()
        staff = STAFF | {"x-user-scope": "orders:read orders:write orders:refund"}
        path = f"/v1/orders/{order['id']}"
        await client.post(f"{path}/fulfilments", json={}, headers=staff)
        body = {"lines": [{"id": order["lines"][0]["id"], "quantity": 1}], "reason": "broken"}
        back = [await client.post(f"{path}/returns", json=body, headers=staff) for _ in range(3)]

        assert [answer.json()["amount"]["amount"] for answer in back] == [666, 667, 667]
