"""The catalogue over HTTP: what everybody reads, what staff change, what orders is told."""

import asyncio
from uuid import UUID, uuid4

import pytest

from cataloguing import STAFF, euros, lamp, made

READER = {"x-user-id": str(uuid4()), "x-user-scope": "catalog:read"}
BUYER = {"x-user-id": str(uuid4()), "x-user-scope": "shop"}
ORDERS = {"x-caller": "spiffe://shopwright.local/ns/default/sa/orders"}


@pytest.fixture
async def client(run_service):
    return await run_service("products")


async def names(client, query="", headers=None):
    answer = await client.get(f"/v1/products{query}", headers=headers or {})
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


class TestReadProduct:
    async def test_shows_it_by_id_and_by_slug(self, client):
        product = await made(client, summary="Bright")

        by_slug = await client.get("/v1/products/oak-lamp")
        by_id = await client.get(f"/v1/products/{product['id']}")

        assert by_slug.json() == by_id.json() == product
        assert (product["name"], product["price"], product["available"]) == ("Oak lamp", euros(1_999), 3)
        assert product["categories"] == [{"slug": "lighting", "name": "Lighting"}]
        assert product["variants"][0]["available"] == 3

    async def test_can_be_kept_for_a_second_and_is_not_sent_twice(self, client):
        await made(client)
        first = await client.get("/v1/products/oak-lamp")

        again = await client.get(
            "/v1/products/oak-lamp", headers={"if-none-match": f"W/{first.headers['etag']}"}
        )

        assert first.headers["cache-control"] == "public, max-age=1"
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    async def test_hides_drafts_from_everybody_but_staff(self, client):
        await made(client, status="draft")

        hidden = [await client.get("/v1/products/oak-lamp", headers=who) for who in ({}, BUYER)]
        seen = await client.get("/v1/products/oak-lamp", headers=READER)

        assert [answer.status_code for answer in hidden] == [404, 404]
        assert (seen.status_code, seen.headers["cache-control"]) == (200, "private, no-store")
        assert await names(client) == []
        assert await names(client, headers=READER) == ["Oak lamp"]

    @pytest.mark.parametrize("name", ["nothing", str(UUID(int=7)), "%00", "a%2Fb", "No Slug", "x" * 300])
    async def test_says_so_when_there_is_none(self, client, name):
        answer = await client.get(f"/v1/products/{name}")

        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")

    async def test_shows_prices_in_the_currency_that_was_asked_for(self, client):
        dollars = {"amount": 2_500, "currency": "USD"}
        both = {"sku": "A", "prices": [{"price": euros(2_000)}, {"price": dollars}]}
        await made(client, variants=[both, {"sku": "B", "price": euros(900)}])

        in_dollars = (await client.get("/v1/products/oak-lamp?currency=USD")).json()
        in_yen = (await client.get("/v1/products/oak-lamp?currency=JPY")).json()

        assert [variant["price"] for variant in in_dollars["variants"]] == [dollars, None]
        assert (in_dollars["price"], in_dollars["price_max"]) == (dollars, dollars)
        assert [variant["price"] for variant in in_yen["variants"]] == [None, None]
        assert (await client.get("/v1/products/oak-lamp?currency=euro")).status_code == 422

    async def test_without_a_currency_shows_another_where_the_shops_own_is_missing(self, client):
        dollars = {"amount": 2_500, "currency": "USD"}
        await made(client, variants=[{"sku": "A", "price": dollars}])

        assert (await client.get("/v1/products/oak-lamp")).json()["price"] == dollars
        assert await names(client, "?sort=price_asc") == ["Oak lamp"]
        assert (
            await names(client, "?currency=EUR") == await names(client, "?currency=EUR&sort=price_asc") == []
        )
        assert await names(client, "?currency=USD") == ["Oak lamp"]


class TestList:
    @pytest.fixture
    async def shop(self, client):
        for name, amount in (("b one", 300), ("Äpfel", 100), ("C three", 200), ("d four", 200)):
            await made(client, name, variants=[{"sku": name, "price": euros(amount)}])
        return client

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("newest", ["d four", "C three", "Äpfel", "b one"]),
            ("name", ["Äpfel", "b one", "C three", "d four"]),
            ("price_asc", ["Äpfel", "C three", "d four", "b one"]),
            ("price_desc", ["b one", "d four", "C three", "Äpfel"]),
            ("popular", ["d four", "C three", "Äpfel", "b one"]),
        ],
    )
    async def test_goes_page_by_page_in_order(self, shop, sort, expected):
        found, cursor = [], ""
        while cursor is not None:
            page = (await shop.get(f"/v1/products?sort={sort}&limit=1&cursor={cursor}")).json()
            found += [item["name"] for item in page["items"]]
            cursor = page["next_cursor"]

        assert found == expected

    async def test_shows_cards(self, shop):
        card = (await shop.get("/v1/products?limit=1")).json()["items"][0]

        assert set(card) == {
            "id", "slug", "name", "summary", "brand", "status", "categories", "picture", "price", "price_max",
            "compare_at", "available", "variants_count", "sku",
        }  # fmt: skip

    async def test_of_a_category_holds_what_lies_below_it(self, client):
        await made(client, "Lamp")
        await made(client, "Rake", categories=[["Garden"]])
        await made(client, "Chair", categories=[["Home"]])

        assert await names(client, "?category=home") == ["Chair", "Lamp"]
        assert await names(client, "?category=lighting") == ["Lamp"]
        assert (await client.get("/v1/products?category=nowhere")).status_code == 404

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=101", "sort=random", "cursor=x", "currency=eur", "status=lost", "limit=x"]
    )
    async def test_names_what_is_wrong_with_a_question(self, client, query):
        answer = await client.get(f"/v1/products?{query}")

        assert answer.status_code == 422
        name = query.partition("=")[0]
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/query/{name}"]

    async def test_refuses_the_cursor_of_another_list(self, shop):
        by_name = (await shop.get("/v1/products?sort=name&limit=1")).json()["next_cursor"]

        answers = [await shop.get(f"/v1/products?sort={s}&cursor={by_name}") for s in ("price_asc", "newest")]

        assert [answer.status_code for answer in answers] == [422, 422]

    async def test_shows_staff_what_they_look_for(self, client):
        await made(client, "Oak lamp")
        await made(client, "Oak chair", status="draft", categories=[["Home", "Seats"]])
        await made(client, "Rake", status="archived", categories=[])

        assert await names(client, "?status=draft", STAFF) == ["Oak chair"]
        assert await names(client, "?q=oak", STAFF) == ["Oak chair", "Oak lamp"]
        assert await names(client, "?q=rak", STAFF) == ["Rake"]
        assert await names(client, "?q=oak-ch", STAFF) == ["Oak chair"]
        assert await names(client, "?q=%25", STAFF) == []
        assert await names(client, "?q=oak&status=active", STAFF) == ["Oak lamp"]
        assert await names(client, "?category=home", STAFF) == ["Oak chair", "Oak lamp"]
        assert await names(client, "?sort=price_asc", STAFF) == ["Oak lamp"]

    @pytest.mark.parametrize("query", ["status=draft", "q=oak"])
    async def test_keeps_that_from_others(self, client, query):
        answers = [await client.get(f"/v1/products?{query}", headers=who) for who in ({}, BUYER)]

        assert [answer.status_code for answer in answers] == [401, 403]

    async def test_shows_what_sold_best_first(self, client, valkey):
        from shopwright.chassis.streams import stream_of

        for name in ("Slow", "Quick", "New"):
            await made(client, name)
        event = (
            b'{"id":"%b","source":"/orders","type":"orders.order_confirmed.v1","subject":"%b","sequence":1,'
            b'"time":"2026-01-01T00:00:00Z","data":{"order_id":"%b","number":"1","user_id":null,"email":"",'
            b'"name":"","lines":[{"sku":"QUICK","name":"Quick","quantity":3,"unit_price":%b,"total":%b},'
            b'{"sku":"SLOW","name":"Slow","quantity":1,"unit_price":%b,"total":%b}],"totals":[],"total":%b}}'
        )
        money = b'{"amount":1,"currency":"EUR"}'
        id_ = str(uuid4()).encode()
        for _ in range(2):
            await valkey.xadd(stream_of("orders"), {"e": event % (id_, id_, id_, *[money] * 5)})

        async with asyncio.timeout(60):
            while await names(client, "?sort=popular") != ["Quick", "Slow", "New"]:
                await asyncio.sleep(0.2)


class TestChange:
    async def test_changes_what_is_given_and_nothing_else(self, client):
        before = await made(client, summary="Bright", brand="Nordlund")
        assert (await client.get("/v1/products/oak-lamp")).json() == before

        answer = await client.patch(
            "/v1/products/oak-lamp",
            json={"name": "Elm lamp", "brand": None, "categories": ["home", ["Sale"]]},
            headers=STAFF,
        )

        after = answer.json()
        assert answer.status_code == 200, answer.text
        assert (after["name"], after["brand"], after["summary"]) == ("Elm lamp", "", "Bright")
        assert [category["slug"] for category in after["categories"]] == ["home", "sale"]
        assert (after["slug"], after["version"]) == (before["slug"], before["version"] + 1)
        assert (await client.get("/v1/products/oak-lamp")).json() == after

    async def test_takes_a_product_off_the_shop_and_puts_it_back(self, client):
        await made(client, "Chair")
        await made(client)

        for status, shown in (("archived", ["Chair"]), ("active", ["Oak lamp"])):
            await client.patch("/v1/products/oak-lamp", json={"status": status}, headers=STAFF)
            assert await names(client, "?limit=1") == shown

    @pytest.mark.parametrize("how", ["member", "header"])
    async def test_refuses_to_overwrite_what_somebody_else_changed(self, client, how):
        await made(client)
        read = await client.get("/v1/products/oak-lamp", headers=STAFF)
        await client.patch("/v1/products/oak-lamp", json={"name": "First"}, headers=STAFF)

        body = {"name": "Second"} | ({"version": read.json()["version"]} if how == "member" else {})
        headers = STAFF | ({"if-match": read.headers["etag"]} if how == "header" else {})
        answer = await client.patch("/v1/products/oak-lamp", json=body, headers=headers)

        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (409, "/problems/edited-meanwhile")
        assert (problem["version"], problem["your_version"]) == (2, 1)
        assert await names(client) == ["First"]

    async def test_moves_to_another_slug_unless_it_is_taken(self, client):
        await made(client)
        await made(client, "Chair")

        taken = await client.patch("/v1/products/oak-lamp", json={"slug": "chair"}, headers=STAFF)
        moved = await client.patch("/v1/products/oak-lamp", json={"slug": "Elm Lamp"}, headers=STAFF)

        assert (taken.status_code, taken.json()["type"]) == (409, "/problems/slug-taken")
        assert moved.json()["slug"] == "elm-lamp"
        assert (await client.get("/v1/products/oak-lamp")).status_code == 404
        assert (await client.get("/v1/products/elm-lamp")).status_code == 200

    async def test_numbers_the_slug_of_a_second_product_of_the_same_name(self, client):
        slugs = [(await made(client, variants=[{"sku": sku, "price": euros(1)}]))["slug"] for sku in "ABC"]

        assert slugs == ["oak-lamp", "oak-lamp-2", "oak-lamp-3"]

    async def test_does_not_activate_what_has_no_price(self, client):
        await made(client, status="draft", variants=[{"sku": "A"}])

        answer = await client.patch("/v1/products/oak-lamp", json={"status": "active"}, headers=STAFF)

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/variants/0/prices"]

    async def test_names_every_field_that_is_wrong(self, client):
        body = {"name": 5, "variants": [{"sku": "", "price": {"amount": "x"}}], "status": "lost"}

        answer = await client.post("/v1/products", json=body, headers=STAFF)

        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert answer.status_code == 422
        assert pointers >= {"/name", "/status", "/variants/0/sku", "/variants/0/price/amount"}

    async def test_with_the_same_key_happens_once(self, client):
        headers = STAFF | {"idempotency-key": uuid4().hex}

        answers = await asyncio.gather(
            *(client.post("/v1/products", json=lamp(), headers=headers) for _ in range(4))
        )
        other = await client.post("/v1/products", json=lamp("Chair"), headers=headers)

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert (await names(client), other.status_code) == (["Oak lamp"], 422)

    async def test_forgets_a_product(self, client):
        await made(client)

        answer = await client.delete("/v1/products/oak-lamp", headers=STAFF)

        assert answer.status_code == 204
        assert (await client.get("/v1/products/oak-lamp")).status_code == 404
        assert await names(client) == []

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", ""), ("PATCH", "/oak-lamp"), ("DELETE", "/oak-lamp"), ("POST", "/oak-lamp/variants"),
            ("PATCH", f"/oak-lamp/variants/{UUID(int=7)}"), ("DELETE", f"/oak-lamp/variants/{UUID(int=7)}"),
            ("POST", "/oak-lamp/pictures"), ("PUT", "/oak-lamp/pictures"),
            ("DELETE", f"/oak-lamp/pictures/{UUID(int=7)}"),
        ],
    )  # fmt: skip
    async def test_is_for_staff_only(self, client, method, path):
        body = lamp() | {"sku": "A", "pictures": []}

        for who, status in (({}, 401), (BUYER, 403), (READER, 403)):
            answer = await client.request(method, f"/v1/products{path}", json=body, headers=who)
            assert answer.status_code == status


class TestVariants:
    async def test_come_and_change_and_go(self, client):
        await made(client)
        new = {"sku": "XL", "price": euros(2_500), "options": {"Size": "XL"}, "stock": {"main": 2}}

        added = (await client.post("/v1/products/oak-lamp/variants", json=new, headers=STAFF)).json()
        path = f"/v1/products/oak-lamp/variants/{added['variants'][1]['id']}"
        change = {"price": euros(2_000), "compare_at": euros(2_500), "barcode": "4001", "sku": "XXL"}
        changed = (await client.patch(path, json=change, headers=STAFF)).json()["variants"][1]
        cleared = (await client.patch(path, json={"compare_at": None, "barcode": None}, headers=STAFF)).json()
        left = (await client.delete(path, headers=STAFF)).json()

        assert (added["variants"][1]["available"], added["options"]) == (2, ["Size"])
        assert (changed["sku"], changed["price"], changed["compare_at"]) == (
            "XXL",
            euros(2_000),
            euros(2_500),
        )
        assert changed["id"] == added["variants"][1]["id"]
        assert (cleared["variants"][1]["compare_at"], cleared["variants"][1]["barcode"]) == (None, None)
        assert [variant["sku"] for variant in left["variants"]] == ["OAK-LAMP"]

    async def test_never_take_a_sku_of_another_product(self, client):
        await made(client)
        other = await made(client, "Chair")
        path = f"/v1/products/chair/variants/{other['variants'][0]['id']}"

        stolen = await client.patch(path, json={"sku": "OAK-LAMP"}, headers=STAFF)
        new = {"sku": "OAK-LAMP", "price": euros(1)}
        added = await client.post("/v1/products/chair/variants", json=new, headers=STAFF)

        assert stolen.json()["type"] == added.json()["type"] == "/problems/sku-taken"

    async def test_of_a_product_are_never_none(self, client):
        product = await made(client)

        answer = await client.delete(
            f"/v1/products/oak-lamp/variants/{product['variants'][0]['id']}", headers=STAFF
        )

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/last-variant")


class TestCategories:
    async def test_are_added_changed_moved_and_removed(self, client):
        await made(client)
        await client.post("/v1/categories", json={"name": "Garden"}, headers=STAFF)

        moved = await client.patch("/v1/categories/lighting", json={"parent": "garden"}, headers=STAFF)
        change = {"name": "Lights", "slug": "lights", "description": "Bright."}
        renamed = await client.patch("/v1/categories/lighting", json=change, headers=STAFF)
        gone = await client.delete("/v1/categories/home", headers=STAFF)

        tree = (await client.get("/v1/categories")).json()["items"]
        assert (moved.json()["parent"], renamed.json()["description"], gone.status_code) == (
            "garden", "<p>Bright.</p>", 204,
        )  # fmt: skip
        assert [(c["slug"], c["parent"], c["products"]) for c in tree] == [
            ("garden", None, 1),
            ("lights", "garden", 1),
        ]
        assert await names(client, "?category=garden") == ["Oak lamp"]
        shown = (await client.get("/v1/products/oak-lamp")).json()
        assert shown["categories"] == [{"slug": "lights", "name": "Lights"}]

    async def test_take_along_all_that_lies_below_them(self, client):
        await made(client, categories=[["Home", "Rooms", "Kitchen"]])
        await client.post("/v1/categories", json={"name": "Garden"}, headers=STAFF)

        await client.patch("/v1/categories/rooms", json={"parent": "garden"}, headers=STAFF)
        await made(client, "Chair", categories=[["Garden", "Rooms", "Kitchen"]])

        assert await names(client, "?category=garden") == ["Chair", "Oak lamp"]
        assert await names(client, "?category=kitchen") == ["Chair", "Oak lamp"]
        assert await names(client, "?category=home") == []
        await client.patch("/v1/categories/rooms", json={"parent": None}, headers=STAFF)
        assert await names(client, "?category=garden") == []

    async def test_hold_on_to_what_is_in_them(self, client):
        await made(client)

        answers = [
            await client.delete(f"/v1/categories/{slug}", headers=STAFF) for slug in ("home", "lighting")
        ]

        assert [answer.json()["type"] for answer in answers] == ["/problems/category-not-empty"] * 2

    async def test_never_lie_below_themselves(self, client):
        await made(client)

        answer = await client.patch("/v1/categories/home", json={"parent": "lighting"}, headers=STAFF)

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/category-too-deep")

    async def test_are_told_apart(self, client):
        await client.post("/v1/categories", json={"name": "Garden"}, headers=STAFF)

        same_name = await client.post("/v1/categories", json={"name": "GARDEN"}, headers=STAFF)
        same_slug = await client.post(
            "/v1/categories", json={"name": "Other", "slug": "garden"}, headers=STAFF
        )
        no_parent = await client.post("/v1/categories", json={"name": "Other", "parent": "x"}, headers=STAFF)

        assert [a.status_code for a in (same_name, same_slug, no_parent)] == [422, 409, 422]

    async def test_are_for_staff_only(self, client):
        answer = await client.post("/v1/categories", json={"name": "Garden"}, headers=BUYER)

        assert answer.status_code == 403


class TestReference:
    async def test_tells_the_shapes(self, client):
        schema = (await client.get("/internal/schema/openapi.json", headers=ORDERS)).json()

        shown = schema["paths"]["/v1/products/{name}"]["get"]["responses"]["200"]
        assert "ProductView" in str(shown)
        assert schema["components"]["schemas"]["VariantView"]["properties"]["available"] == {
            "type": "integer"
        }
