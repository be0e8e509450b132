"""The API reference: one valid document of all services, and pages that show it."""

import asyncio
import importlib
import re

import httpx
import msgspec
import pytest
from openapi_spec_validator import validate

from browsing import Browser, Page
from shopwright.chassis.api import create_asgi
from shopwright.gateway.table import TABLE
from shopwright.web.docs.events import asyncapi, topics_told
from shopwright.web.docs.guide import chapters
from shopwright.web.docs.merging import merge
from shopwright.web.docs.reading import events_of, groups_of
from shopwright.web.docs.rules import rule_of

INFO = {"title": "API", "version": "1"}
ROOMS = {
    "users": ["users.api"],
    "products": [
        "products.catalog.api",
        "products.inventory.api",
        "products.imports.api",
        "products.search.api",
    ],
    "orders": ["orders.api.carts", "orders.api.orders", "orders.api.after_sale"],
    "payments": ["payments.api"],
    "notifications": ["notifications.api.notifications", "notifications.api.preferences"],
}
PARTS = (
    "users", "tokens", "catalog", "categories", "pictures", "inventory", "imports", "exports", "search",
    "carts", "orders", "after_sale", "payments", "db", "books", "notifications", "feed", "mailbox",
)  # fmt: skip


@pytest.fixture(scope="module")
def parts():
    """What each service really says of itself."""
    return {service: asyncio.run(described(service)) for service in ROOMS}


async def described(service):
    modules = [importlib.import_module(f"shopwright.{room}") for room in ROOMS[service]]
    handlers = [handler for module in modules for handler in module.HANDLERS]
    asgi = create_asgi(service, handlers, dict.fromkeys(PARTS), draining=asyncio.Event())
    transport = httpx.ASGITransport(app=asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return (await client.get("/internal/schema/openapi.json")).json()


@pytest.fixture(scope="module")
def document(parts):
    return merge(parts, INFO, ["http://shop.test"])


def calls_of(document):
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def part(name="Thing", path="/v1/things", **schema):
    """A service's document with one call that answers one component."""
    ref = {"$ref": f"#/components/schemas/{name}"}
    answer = {"description": "", "content": {"application/json": {"schema": ref}}}
    operation = {"summary": "ListThings", "operationId": "List", "responses": {"200": answer, "400": answer}}
    return {
        "paths": {path: {"get": operation}},
        "components": {"schemas": {name: {"type": "object", **schema}}},
    }


class TestDocument:
    def test_is_valid_openapi(self, document):
        assert document["openapi"] == "3.1.0"
        validate(document)

    def test_has_every_service(self, document):
        tags = {tag for _, _, operation in calls_of(document) for tag in operation["tags"]}

        assert {"users", "catalogue", "inventory", "imports", "carts", "orders", "payments"} <= tags

    def test_has_only_paths_that_the_gateway_lets_through(self, document):
        assert document["paths"]
        for method, path, _ in calls_of(document):
            assert gateway_row(method, path).service is not None, path

    def test_asks_for_no_less_than_the_gateway(self, document):
        for method, path, _ in calls_of(document):
            row, rule = gateway_row(method, path), rule_of(method, path)
            assert not (row.auth == "required" and rule.auth != "required"), f"{method} {path}"
            assert row.scope in {"", rule.scope}, f"{method} {path}"

    def test_names_every_call_once(self, document):
        names = [operation["operationId"] for _, _, operation in calls_of(document)]

        assert len(names) == len(set(names))
        assert "placeOrder" in names

    def test_every_call_says_what_it_does(self, document):
        assert [path for _, path, operation in calls_of(document) if not operation.get("description")] == []

    def test_every_refusal_is_a_problem_document(self, document):
        for _, path, operation in calls_of(document):
            bad = {s: a for s, a in operation["responses"].items() if not s.startswith(("2", "3"))}
            assert bad, path
            assert all(answer["$ref"].startswith("#/components/responses/") for answer in bad.values())
        assert "status_code" not in str(document)

    def test_tells_where_a_repeat_is_harmless(self, document):
        headers = [item["name"] for item in document["paths"]["/v1/orders"]["post"]["parameters"]]

        assert headers == ["Idempotency-Key"]
        assert "Idempotency-Key" not in str(document["paths"]["/v1/sessions"]["post"])


def gateway_row(method, path):
    sample = re.sub(r"\{[^}]+\}", "x", path)
    return next(
        row
        for row in TABLE.ordered()
        if (sample == row.path or (not row.exact and sample.startswith(row.path.rstrip("/") + "/")))
        and (not row.methods or method.upper() in row.methods)
    )


class TestMerge:
    def test_leaves_internal_paths_out(self):
        merged = merge({"a": part(path="/internal/things"), "b": part()}, INFO, ["/"])

        assert list(merged["paths"]) == ["/v1/things"]

    def test_shapes_that_are_alike_are_one(self):
        merged = merge({"a": part(path="/v1/a"), "b": part(path="/v1/b")}, INFO, ["/"])

        assert list(merged["components"]["schemas"]) == ["Problem", "Thing"]

    def test_shapes_that_differ_get_their_services_name(self):
        merged = merge(
            {"a": part(path="/v1/a", minProperties=1), "b": part(path="/v1/b", minProperties=2)}, INFO, ["/"]
        )

        assert list(merged["components"]["schemas"]) == ["AThing", "BThing", "Problem"]
        schema = merged["paths"]["/v1/b"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/BThing"}

    def test_shapes_alike_but_made_of_others_are_kept_apart(self):
        def whole(path, limit):
            made = part("Whole", path, properties={"part": {"$ref": "#/components/schemas/Part"}})
            made["components"]["schemas"]["Part"] = {"type": "string", "maxLength": limit}
            return made

        merged = merge({"a": whole("/v1/a", 1), "b": whole("/v1/b", 2)}, INFO, ["/"])

        assert {"AWhole", "BWhole", "APart", "BPart"} <= merged["components"]["schemas"].keys()
        inner = merged["components"]["schemas"]["BWhole"]["properties"]["part"]
        assert inner == {"$ref": "#/components/schemas/BPart"}

    def test_generic_pages_get_readable_names(self):
        merged = merge({"orders": part("Page_shopwright.orders.api.orders.OrderView_")}, INFO, ["/"])

        assert list(merged["components"]["schemas"]) == ["OrderViewPage", "Problem"]

    def test_two_of_one_name_in_one_service_are_named_by_their_rooms(self):
        one = part("documents_View", "/v1/a")
        other = part("commands_categories_View", "/v1/b")
        both = {"paths": one["paths"] | other["paths"]}
        both["components"] = {"schemas": one["components"]["schemas"] | other["components"]["schemas"]}

        merged = merge({"products": both}, INFO, ["/"])

        assert list(merged["components"]["schemas"]) == ["CategoriesView", "DocumentsView", "Problem"]

    def test_components_that_nothing_speaks_of_are_dropped(self):
        lonely = part()
        lonely["components"]["schemas"]["Unused"] = {"type": "string"}

        assert "Unused" not in merge({"a": lonely}, INFO, ["/"])["components"]["schemas"]

    def test_two_calls_of_one_name_are_told_apart(self):
        merged = merge({"a": part(path="/v1/a"), "b": part(path="/v1/b")}, INFO, ["/"])

        names = [operation["operationId"] for _, _, operation in calls_of(merged)]
        assert names == ["listThings", "bListThings"]


class TestServed:
    async def test_answers_the_merged_document_with_its_servers(self, web, mesh):
        answer = await web.get("/openapi.json")

        document = answer.json()
        validate(document)
        assert "/v1/orders" in document["paths"]
        assert "/v1/dead-letters" in document["paths"]
        assert document["servers"][0]["url"] == "http://127.0.0.1:8080"

    async def test_asks_each_service_once_for_many_requests(self, web, mesh):
        await asyncio.gather(*(web.get("/openapi.json") for _ in range(5)))
        await web.get("/docs")

        assert len(mesh.calls("/internal/schema/openapi.json")) == 5  # one of each service

    async def test_names_a_service_that_is_away(self, web, mesh):
        mesh.away.add("payments")

        document = (await web.get("/openapi.json")).json()

        assert (
            "payments does not answer right now; its part here is missing" in document["info"]["description"]
        )
        assert "/v1/orders" in document["paths"]

    async def test_is_not_sent_again_to_who_has_it(self, web, mesh):
        first = await web.get("/openapi.json")

        again = await web.get("/openapi.json", headers={"if-none-match": first.headers["etag"]})

        assert (again.status_code, again.content) == (304, b"")

    async def test_describes_the_events(self, web, mesh):
        document = (await web.get("/asyncapi.json")).json()

        assert document["asyncapi"] == "3.0.0"
        assert document["components"]["messages"]["OrderConfirmed"]["name"] == "orders.order_confirmed.v1"


class TestEvents:
    def test_every_topic_is_a_message_of_its_services_channel(self):
        document = asyncapi("1")

        for topic, cls in topics_told().items():
            channel = document["channels"][topic.partition(".")[0]]
            assert channel["messages"][cls.__name__] == {"$ref": f"#/components/messages/{cls.__name__}"}
            assert document["components"]["messages"][cls.__name__]["name"] == topic
            assert document["operations"][f"publish.{topic}"]["action"] == "send"

    def test_every_reference_leads_somewhere(self):
        document = asyncapi("1")

        refs = re.findall(r'"\$ref":"#/([^"]+)"', msgspec.json.encode(document).decode())
        assert refs
        for ref in refs:
            found = document
            for name in ref.split("/"):
                found = found[name]

    def test_fields_are_listed_with_their_types(self):
        confirmed = next(event for event in events_of(asyncapi("1")) if event.name == "OrderConfirmed")

        fields = {field.name: field for field in confirmed.fields}
        assert fields["order_id"].type == "text (uuid)"
        assert fields["lines"].type == "list of OrderedLine"
        assert [child.name for child in fields["lines"].children][:2] == ["sku", "name"]


class TestReading:
    def test_groups_calls_by_subject_in_a_settled_order(self, document):
        titles = [group.title for group in groups_of(document, "http://shop.test")]

        assert titles.index("Catalogue") < titles.index("Orders") < titles.index("Stock")

    def test_shows_a_command_that_can_be_pasted(self, document):
        call = find(document, "adjustStock")

        assert call.curl.startswith("curl -s -X POST 'http://shop.test/v1/inventory/adjustments'")
        assert '-H "authorization: Bearer $TOKEN"' in call.curl
        assert '-d \'{"sku":"MUG-RED","delta":1,"reason":"Count"}\'' in call.curl

    def test_shows_fields_with_limits_and_what_is_required(self, document):
        fields = {field.name: field for field in find(document, "adjustStock").body.fields}

        assert fields["reason"].required
        assert not fields["warehouse"].required
        assert fields["reason"].text == "1 to 200 characters"

    def test_names_the_scope(self, document):
        call = find(document, "adjustStock")

        assert (call.auth, call.scope) == ("required", "inventory:write")

    def test_finds_calls_by_words(self, document):
        found = [c.id for g in groups_of(document, "", "post cart") for c in g.calls]

        assert "createCart" in found
        assert "listOrders" not in found


def find(document, name):
    groups = groups_of(document, "http://shop.test")
    return next(call for group in groups for call in group.calls if call.id == name)


class TestPage:
    async def test_shows_every_call_with_an_anchor_and_the_guide(self, web, mesh, parts, document):
        mesh.operated.documents = parts
        page = Page(await web.get("/docs", headers={"accept": "text/html"}))

        ids = {attributes.get("id") for _, attributes in page.tags}
        assert {operation["operationId"] for _, _, operation in calls_of(document)} <= ids
        assert {chapter.id for chapter in chapters("")} <= ids
        assert set(topics_told()) <= set(page.text.split())
        assert all(link[1:] in ids for link in page.links if link.startswith("#"))

    async def test_tells_a_type_once_however_many_calls_answer_it(self, web, mesh, parts):
        mesh.operated.documents = parts
        page = Page(await web.get("/docs"))

        told = [a["id"] for name, a in page.tags if name == "details" and "type-" in a.get("id", "")]
        assert page.links.count("#type-PricedCart") >= 5
        assert len(told) == len(set(told))
        assert len(page.html) / page.html.count('<article class="call"') < 5_500

    async def test_has_the_chapters_that_callers_need(self, web, mesh):
        page = Page(await web.get("/docs"))

        for words in ("Authentication", "Idempotency", "Errors", "Lists and pages", "Rate limits", "tok_3ds"):
            assert words in page.text
        assert "/problems/out-of-stock" in page.text

    async def test_searches_on_the_server(self, web, mesh, parts):
        mesh.operated.documents = parts
        browser = Browser(web)

        page = await browser.send(await browser.get("/docs"), "/docs", q="wish list")
        assert "No call has “wish list” in it" in page.text

        page = await browser.get("/docs?q=cart")
        assert "Create cart" in page.text
        assert "Adjust stock" not in page.text

    async def test_names_a_service_that_is_away(self, web, mesh):
        mesh.away.add("orders")

        assert "Orders does not answer right now" in Page(await web.get("/docs")).text

    async def test_needs_nothing_from_elsewhere(self, web, mesh):
        page = Page(await web.get("/docs"))

        sources = [
            a.get("src") or a.get("href") for name, a in page.tags if name in {"script", "link", "img"}
        ]
        assert all(source.startswith("/") for source in sources)
        assert not [a for _, a in page.tags if "style" in a or any(name.startswith("on") for name in a)]

    async def test_words_typed_into_the_search_become_no_markup(self, web, mesh):
        page = await Browser(web).get("/docs", params={"q": '"><script>alert(1)</script>'})

        assert "<script>alert" not in page.html
