"""Search over HTTP: parameters, the answer's shape, refusals; and the service from a write to a find."""

import asyncio
import time

import httpx
import msgspec
import pytest

from shopwright.chassis.api import create_asgi
from shopwright.products.search import api
from shopwright.products.search.commands import Search
from shopwright.products.search.index import TantivyIndex
from shopwright.products.search.testing import product, products

STAFF = {"x-user-id": "01890000-0000-7000-8000-000000000001", "x-user-scope": "catalog:write"}


class Catalogue:
    """Cards of all products but those that are gone."""

    def __init__(self, given):
        self.given = {one.id: one for one in given}
        self.asked = []

    async def cards(self, ids, currency):
        self.asked.append(currency)
        cards = [self.given[one] for one in ids if one in self.given]
        return [msgspec.Raw(b'{"name": %s , "odd":1.50}' % msgspec.json.encode(one.name)) for one in cards]


@pytest.fixture
async def serve(database, tmp_path):
    opened = []

    async def start(*given, gone=()):
        index = TantivyIndex(tmp_path / "index", "EUR")
        opened.append(index)
        await index.rebuild()
        await index.add(given)
        await index.switch()
        catalogue = Catalogue(one for one in given if one not in gone)
        search = Search(await database("products"), index, catalogue.cards, "EUR")
        asgi = create_asgi("products", api.HANDLERS, {"search": search}, draining=asyncio.Event())
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=asgi), base_url="http://service")
        client.catalogue = catalogue
        return client

    yield start
    for index in opened:
        index.close()


def names(answer):
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


class TestSearch:
    async def test_answers_with_cards_total_facets_cursor_and_suggestion(self, serve):
        client = await serve(product("Oak chair", 1, brand="Acme"), product("Oak table", 2, brand="Zeta"))

        answer = await client.get("/v1/search", params={"q": "oak", "limit": 1})

        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "public, max-age=1"
        body = answer.json()
        assert set(body) == {"items", "total", "facets", "next_cursor", "suggestion"}
        assert (body["total"], body["suggestion"], len(body["items"])) == (2, None, 1)
        assert body["facets"]["brand"] == [
            {"value": "Acme", "count": 1, "label": "Acme"}, {"value": "Zeta", "count": 1, "label": "Zeta"}
        ]  # fmt: skip
        second = await client.get(
            "/v1/search", params={"q": "oak", "limit": 1, "cursor": body["next_cursor"]}
        )
        assert {*names(answer), *names(second)} == {"Oak chair", "Oak table"}
        assert second.json()["next_cursor"] is None

    async def test_passes_the_bytes_of_cards_through(self, serve):
        client = await serve(product("Oak chair", 1))

        answer = await client.get("/v1/search")

        assert b'{"name": "Oak chair" , "odd":1.50}' in answer.content

    async def test_leaves_out_what_was_deleted_meanwhile(self, serve):
        given = products("Chair one", "Chair two", "Chair three")
        client = await serve(*given, gone=[given[1]])

        assert names(await client.get("/v1/search?q=chair&sort=name")) == ["Chair one", "Chair three"]

    async def test_chooses_from_facets_by_any_name(self, serve):
        client = await serve(
            product("Red M", 1, options={"Color": ["Red"], "Frame size": ["M"]}),
            product("Blue M", 2, options={"Color": ["Blue"], "Frame size": ["M"]}),
            product("Blue L", 3, options={"Color": ["Blue"], "Frame size": ["L"]}, in_stock=False),
        )

        async def found(query):
            return set(names(await client.get(f"/v1/search?{query}")))

        assert await found("color=red&color=blue&Frame%20size=M") == {"Red M", "Blue M"}
        assert await found("color=blue&in_stock=true") == {"Blue M"}
        assert await found("utm_source=mail&color=&brand=") == {"Red M", "Blue M", "Blue L"}
        assert await found("color=mauve") == set()

    async def test_takes_category_brand_prices_and_currency(self, serve):
        client = await serve(
            product(
                "Cup", 1, categories=["Kitchen", "Cups"], brand="Acme", prices={"EUR": [500], "USD": [600]}
            ),
            product("Pan", 2, categories=["Kitchen"], brand="Zeta", prices={"EUR": [2_500]}),
        )

        assert names(await client.get("/v1/search?category=cups")) == ["Cup"]
        assert len(names(await client.get("/v1/search?category=kitchen"))) == 2
        assert names(await client.get("/v1/search?brand=Zeta&brand=Nobody")) == ["Pan"]
        assert names(await client.get("/v1/search?price_min=501&price_max=2500")) == ["Pan"]
        assert names(await client.get("/v1/search?currency=USD&price_max=600")) == ["Cup"]
        assert client.catalogue.asked == ["EUR"] * 4 + ["USD"]

    async def test_of_somebody_logged_in_is_kept_by_no_shared_cache(self, serve):
        client = await serve(product("Cup", 1))

        answer = await client.get("/v1/search", headers=STAFF)

        assert answer.headers["cache-control"] == "private, no-cache"

    @pytest.mark.parametrize(
        ("query", "fields"),
        [
            ("limit=0", {"limit"}),
            ("limit=101&price_min=-1&sort=best&in_stock=perhaps&currency=euro",
             {"limit", "price_min", "sort", "in_stock", "currency"}),
            ("price_min=abc&price_max=99999999999999999999", {"price_min", "price_max"}),
            ("price_min=5&price_max=4", {"price_min"}),
            ("cursor=%F0%9F%99%82", {"cursor"}),
            ("cursor=bm9uc2Vuc2U", {"cursor"}),
            ("color=" + "&color=".join("abcdefgh" * 7), {"color"}),
        ],
    )  # fmt: skip
    async def test_refuses_bad_parameters_naming_each(self, serve, query, fields):
        client = await serve(product("Cup", 1))

        answer = await client.get(f"/v1/search?{query}")

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input")
        assert {error["pointer"] for error in answer.json()["errors"]} == {
            f"/query/{name}" for name in fields
        }

    @pytest.mark.parametrize(
        "query",
        ["q=%00", "q=%ff%fe", "q=" + "a" * 10_000, "q=%22%27%28%29AND+OR", "q=%F0%9F%99%82&x=%F0%9F%99%82",
         "q=a&q=b", "%00=%00&color%1f=red", "=x&&&=", "q=" + "%22+" * 2_000],
        ids=lambda query: query[:12],
    )  # fmt: skip
    async def test_hostile_input_is_only_words(self, serve, query):
        client = await serve(product("Cup", 1, options={"Color": ["Red"]}))

        assert (await client.get(f"/v1/search?{query}")).status_code == 200
        assert (await client.get(f"/v1/search/suggest?{query}")).status_code == 200

    async def test_without_an_index_is_unavailable(self, database, tmp_path):
        index = TantivyIndex(tmp_path / "none", "EUR")
        search = Search(await database("products"), index, Catalogue([]).cards, "EUR")
        asgi = create_asgi("products", api.HANDLERS, {"search": search}, draining=asyncio.Event())
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=asgi), base_url="http://service")

        answer = await client.get("/v1/search")

        assert (answer.status_code, answer.json()["part"]) == (503, "search")
        index.close()


class TestReference:
    async def test_tells_parameters_and_answers(self, serve):
        client = await serve(product("Cup", 1))

        paths = (await client.get("/internal/schema/openapi.json")).json()["paths"]

        asked = {one["name"] for one in paths["/v1/search"]["get"]["parameters"]}
        assert asked == {
            "q", "category", "brand", "in_stock", "price_min", "price_max", "currency", "sort", "limit",
            "cursor",
        }  # fmt: skip
        for path in ("/v1/search", "/v1/search/suggest"):
            assert "$ref" in paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


class TestSuggest:
    async def test_tells_what_is_being_typed(self, serve):
        client = await serve(product("Desk lamp", 1, categories=["Lamps"]), product("Chair", 2))

        answer = await client.get("/v1/search/suggest?q=lam")

        assert answer.headers["cache-control"] == "public, max-age=30"
        assert answer.json() == {
            "items": [
                {"text": "Lamps", "slug": "lamps", "kind": "category"},
                {"text": "Desk lamp", "slug": "desk-lamp-1", "kind": "product"},
            ]
        }


class TestRebuild:
    async def test_needs_the_right_scope(self, serve):
        client = await serve(product("Cup", 1))

        assert (await client.post("/v1/search/rebuild")).status_code == 401
        refused = await client.post("/v1/search/rebuild", headers=STAFF | {"x-user-scope": "shop"})
        assert refused.status_code == 403
        assert (await client.post("/v1/search/rebuild", headers=STAFF)).status_code == 202


async def eventually(check, seconds=60):
    until = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


class TestService:
    """The whole service: what staff write is found by buyers."""

    @pytest.fixture
    async def client(self, run_service):
        return await run_service("products")

    async def make(self, client, name, **changes):
        variant = {"sku": name.upper(), "price": {"amount": 1_999, "currency": "EUR"}, "stock": {"main": 3}}
        body = {"name": name, "status": "active", "categories": [["Home", "Lighting"]], "variants": [variant]}
        answer = await client.post("/v1/products", json=body | changes, headers=STAFF)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def finds(self, client, query, expected):
        async def found():
            answer = await client.get(f"/v1/search?{query}")
            return answer.status_code == 200 and [one["name"] for one in answer.json()["items"]] == expected

        await eventually(found)

    async def test_finds_what_was_made_and_answers_with_the_catalogues_cards(self, client):
        made = await self.make(client, "Walnut lamp", brand="Acme", attributes={"Wood": ["Walnut"]})

        await self.finds(client, "q=walnut", ["Walnut lamp"])

        card = (await client.get("/v1/search?category=home&wood=walnut")).json()["items"][0]
        listed = (await client.get("/v1/products")).json()["items"][0]
        assert card == listed
        assert (card["id"], card["price"], card["available"]) == (made["id"], made["price"], 3)

    async def test_follows_edits_stock_categories_and_deletion(self, client):
        made = await self.make(client, "Walnut lamp")
        await self.finds(client, "q=lamp&in_stock=true", ["Walnut lamp"])

        gone = {"sku": "WALNUT LAMP", "delta": -3, "reason": "broken"}
        staff = STAFF | {"x-user-scope": "inventory:write"}
        assert (await client.post("/v1/inventory/adjustments", json=gone, headers=staff)).status_code == 201
        await self.finds(client, "q=lamp&in_stock=true", [])

        await client.patch(f"/v1/products/{made['id']}", json={"name": "Walnut torch"}, headers=STAFF)
        await self.finds(client, "q=torch", ["Walnut torch"])

        await client.patch("/v1/categories/lighting", json={"name": "Beacons"}, headers=STAFF)
        await self.finds(client, "q=beacon", ["Walnut torch"])

        await client.patch(f"/v1/products/{made['id']}", json={"status": "archived"}, headers=STAFF)
        await self.finds(client, "q=torch", [])

        await client.patch(f"/v1/products/{made['id']}", json={"status": "active"}, headers=STAFF)
        await self.finds(client, "q=torch", ["Walnut torch"])
        assert (await client.delete(f"/v1/products/{made['id']}", headers=STAFF)).status_code == 204
        await self.finds(client, "q=torch", [])

    async def test_loses_its_index_and_has_it_again(self, client, tmp_path):
        await self.make(client, "Walnut lamp")
        await self.finds(client, "q=walnut", ["Walnut lamp"])

        answer = await client.post("/v1/search/rebuild", headers=STAFF)

        assert answer.status_code == 202
        first = (tmp_path / "data" / "search" / "current").read_text()

        async def another():
            return (tmp_path / "data" / "search" / "current").read_text() != first

        await eventually(another)
        await self.finds(client, "q=walnut", ["Walnut lamp"])
