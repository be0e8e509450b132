"""Calls over HTTP between services: what was raised over there is raised here, in the time that is left."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from litestar import post

from shopwright.chassis import deadline, problems, telemetry
from shopwright.chassis.api import create_asgi
from shopwright.chassis.http import Client
from shopwright.contracts.problems import (
    DeadlineExceeded,
    InternalError,
    OutOfStock,
    Shortage,
    Unavailable,
)


class Answer(msgspec.Struct):
    headers: dict[str, str]
    path: str


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"headers": dict(request.headers), "path": request.path_qs})


@asynccontextmanager
async def service(folder, answer):
    """A service at the end of the wire, and a client of it."""
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "mesh.sock")).start()
    client = Client(folder / "mesh.sock")
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


async def refuse(request: web.Request) -> web.Response:
    problem = OutOfStock(detail="too few", shortages=[Shortage("MUG", 3, 1)])
    return web.Response(
        body=problems.encode(problem, "r"), status=409, headers={"content-type": problems.MEDIA_TYPE}
    )


class TestCall:
    async def test_raises_the_same_class_that_was_raised_over_there(self, tmp_path):
        async with service(tmp_path, refuse) as client:
            with pytest.raises(OutOfStock) as caught:
                await client.call("products", "POST", "/internal/reservations", timeout_s=5, body={})

        assert caught.value.shortages == [Shortage("MUG", 3, 1)]
        assert caught.value.detail == "too few"

    async def test_an_answer_that_is_no_problem_document_becomes_one(self, tmp_path):
        async def broken(request):
            return web.Response(status=500, text="Traceback: the secret is 42")

        async with service(tmp_path, broken) as client:
            with pytest.raises(InternalError) as caught:
                await client.call("products", "GET", "/internal/x", timeout_s=5)

        assert "42" not in str(caught.value)

    async def test_sends_key_query_trace_and_request_id(self, tmp_path):
        async with service(tmp_path, echo) as client:
            with telemetry.span("test", request_id="request-1") as span:
                seen = await client.call(
                    "products", "PUT", "/v1/x", timeout_s=5, answer=Answer, body={"a": 1},
                    idempotency_key="key-1", query={"q": "a&b"},
                )  # fmt: skip

        headers = {name.lower(): value for name, value in seen.headers.items()}
        assert headers["idempotency-key"] == "key-1"
        assert headers["x-request-id"] == "request-1"
        assert headers["traceparent"].split("-")[1] == span.trace_id
        assert headers["host"] == "products"
        assert seen.path == "/v1/x?q=a%26b"

    async def test_passes_the_time_that_is_left(self, tmp_path):
        async with service(tmp_path, echo) as client:
            deadline.start(2)
            seen = await client.call("products", "GET", "/v1/x", timeout_s=30, answer=Answer)
            deadline.clear()

        headers = {name.lower(): value for name, value in seen.headers.items()}
        assert 1_000 < int(headers["x-timeout-ms"]) <= 2_000

    async def test_does_not_wait_beyond_its_limit(self, tmp_path):
        async def sleep(request):
            await asyncio.sleep(30)

        async with service(tmp_path, sleep) as client:
            with pytest.raises(DeadlineExceeded) as caught:
                await client.call("products", "GET", "/v1/x", timeout_s=0.1)

        assert caught.value.part == "products"

    async def test_does_not_call_without_time(self, tmp_path):
        async with service(tmp_path, echo) as client:
            deadline.start(0)
            with pytest.raises(DeadlineExceeded, match="no time left"):
                await client.call("products", "GET", "/v1/x", timeout_s=5)
            deadline.clear()

    async def test_tells_when_nobody_is_there(self, tmp_path):
        client = Client(tmp_path / "nobody.sock")

        with pytest.raises(Unavailable):
            await client.call("products", "GET", "/v1/x", timeout_s=5)
        await client.close()

    async def test_an_answer_that_broke_off_has_an_unknown_outcome(self, tmp_path):
        async def hang_up(request):
            request.transport.close()
            return web.Response()

        async with service(tmp_path, hang_up) as client:
            with pytest.raises(DeadlineExceeded):
                await client.call("products", "POST", "/v1/x", timeout_s=5)

    async def test_is_refused_inside_a_transaction(self, tmp_path, database):
        db = await database("chassis")
        async with service(tmp_path, echo) as client, db.begin():
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                await client.call("products", "GET", "/v1/x", timeout_s=5)


class Wanted(msgspec.Struct):
    sku: str
    quantity: int


@post("/v1/things")
async def things(data: Wanted) -> dict[str, int]:
    if data.sku == "bug":
        raise ValueError("the secret is 42")
    raise OutOfStock(shortages=[Shortage(data.sku, data.quantity, 0)])


class Shelf(msgspec.Struct):
    labels: list[str]


@post("/v1/shelves")
async def shelves(data: Shelf, labels: dict[str, str]) -> dict[str, int]:
    return {"labels": len(data.labels) + len(labels)}


@pytest.fixture
def draining():
    return asyncio.Event()


@pytest.fixture
async def client(draining):
    import httpx

    asgi = create_asgi("things", [things, shelves], {"labels": {}}, draining=draining)
    transport = httpx.ASGITransport(app=asgi, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://things", headers={"x-request-id": "request-1"}
    ) as opened:
        yield opened


class TestServer:
    async def test_a_refusal_is_a_problem_document(self, client):
        answer = await client.post("/v1/things", json={"sku": "MUG", "quantity": 2})

        assert (answer.status_code, answer.headers["content-type"]) == (409, problems.MEDIA_TYPE)
        assert answer.json()["type"] == "/problems/out-of-stock"
        assert answer.json()["shortages"] == [{"sku": "MUG", "requested": 2, "available": 0}]
        assert answer.json()["request_id"] == answer.headers["x-request-id"] == "request-1"

    async def test_malformed_input_names_every_field_at_once(self, client):
        answer = await client.post("/v1/things", json={"sku": 5, "quantity": "many"})

        assert answer.status_code == 422
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/sku", "/quantity"}

    async def test_a_wrong_field_with_the_name_of_a_part_of_the_service_is_malformed_input(self, client):
        answer = await client.post("/v1/shelves", json={"labels": "all"})

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/labels"]

    async def test_a_bug_is_told_by_its_request_id_only(self, client):
        answer = await client.post("/v1/things", json={"sku": "bug", "quantity": 1})

        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
        assert "42" not in answer.text
        assert answer.json()["request_id"] == "request-1"

    async def test_a_path_that_is_none_is_a_problem(self, client):
        answer = await client.get("/v1/nowhere")

        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")

    async def test_a_method_that_a_path_does_not_take_is_told_with_those_it_takes(self, client):
        answer = await client.delete("/v1/things")

        assert (answer.status_code, answer.json()["type"]) == (405, "/problems/wrong-method")
        assert "POST" in answer.headers["allow"]

    async def test_while_it_drains_it_lives_but_is_not_ready(self, client, draining):
        assert (await client.get("/readyz")).status_code == 200

        draining.set()

        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200

    async def test_its_metrics_are_for_the_mesh_only(self, client):
        await client.get("/healthz")

        outside = await client.get("/metrics", headers={"x-caller": "edge"})
        inside = await client.get("/metrics", headers={"x-caller": "web"})

        assert outside.status_code == 404
        assert "shopwright_request_seconds_bucket" in inside.text

    async def test_its_spans_are_for_operators_only(self, client):
        trace = "0af7651916cd43dd8448eb211c80319c"
        await client.get("/healthz", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})

        refused = await client.get(f"/internal/traces/{trace}", headers={"x-caller": "orders"})
        spans = await client.get(f"/internal/traces/{trace}", headers={"x-caller": "web"})

        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-allowed")
        assert [span["name"] for span in spans.json()] == ["http GET"]
        assert spans.json()[0]["parent_id"] == "b7ad6b7169203331"
