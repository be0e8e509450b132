from __future__ import annotations

import http.client
import json
import re
import time

import httpx
import pytest
from joserfc.jwk import ECKey

from gateway.node import STAFF, Node, slug_of

TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]")


def logged(node: Node, request_id: str) -> str:
    """The line of a request, once Envoy wrote it."""
    until = time.monotonic() + 60
    while True:
        lines = node.settings.access_log.read_text().splitlines()
        if found := [line for line in lines if request_id in line and line.endswith("}")]:
            return found[0]
        assert time.monotonic() < until, request_id
        time.sleep(0.02)


def cache_hits(client: httpx.Client) -> int:
    text = client.get("/stats/prometheus").text
    return sum(map(int, re.findall(r"^envoy_http_jwt_authn_jwt_cache_hit\S* (\d+)$", text, re.MULTILINE)))


class TestRouting:
    def test_lives_without_asking_anybody(self, client: httpx.Client):
        response = client.get("/healthz")

        assert response.status_code == 200
        assert response.json() == {"status": "ok"}

    @pytest.mark.parametrize("path", ["/v1/unheard-of", "/v1", "/internal/quotes", "/internal", "/metrics"])
    def test_a_path_without_a_row_is_a_problem(self, client: httpx.Client, path: str):
        response = client.get(path)

        assert response.status_code == 404
        assert slug_of(response) == "not-found"

    @pytest.mark.parametrize(
        "path",
        ["/v1/products/../../internal/quotes", "//internal/quotes", "/%69nternal/quotes", "/x/../internal"],
    )
    def test_no_spelling_of_internal_reaches_a_service_that_has_it(self, node: Node, path: str):
        connection = http.client.HTTPConnection("127.0.0.1", node.settings.port)
        connection.request("GET", path)

        response = connection.getresponse()

        answer = json.loads(response.read())
        connection.close()
        assert answer.get("slot", "web-0") == "web-0"
        assert "internal" not in answer.get("path", "") or answer["slot"] == "web-0"

    @pytest.mark.parametrize(
        ("path", "slot"),
        [
            ("/v1/users/x", "users-0"),
            ("/v1/products/red%2Fshirt", "products-0"),
            ("/v1/carts", "orders-0"),
            ("/sandbox/pay", "payments-0"),
            ("/mailbox", "notifications-0"),
            ("/", "web-0"),
            ("/admin", "web-0"),
        ],
    )
    def test_each_prefix_reaches_its_service(self, client: httpx.Client, path: str, slot: str):
        assert client.get(path).json()["slot"] == slot

    def test_an_absent_slot_costs_no_request(self, client: httpx.Client):
        answers = [client.get("/v1/carts") for _ in range(40)]

        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["slot"] for answer in answers} == {"orders-0"}

    def test_speaks_http_2_to_the_services(self, client: httpx.Client):
        assert client.get("/v1/carts").json()["http"] == "2"

    def test_a_late_answer_is_a_problem(self, client: httpx.Client):
        response = client.get("/v1/hasty", headers={"fake-sleep": "1"})

        assert response.status_code == 504
        assert slug_of(response) == "deadline-exceeded"
        assert response.json()["part"] == "products"

    def test_a_late_answer_is_a_page_for_a_browser(self, client: httpx.Client):
        response = client.get("/v1/hasty", headers={"fake-sleep": "1", "accept": "text/html"})

        assert (response.status_code, response.headers["content-type"]) == (504, "text/html; charset=utf-8")
        assert "Back in a moment" in response.text

    def test_speaks_http_2_and_http_1_over_tls(self, node: Node):
        with node.tls_client() as second, node.tls_client(http2=False) as first:
            assert second.get("/").http_version == "HTTP/2"
            assert first.get("/").http_version == "HTTP/1.1"


class TestIdentity:
    def test_headers_that_name_an_identity_are_the_gateways_alone(self, client: httpx.Client):
        forged = {
            "x-user-id": "admin",
            "x-user-scope": "catalog:write",
            "x-session-id": "stolen",
            "x-caller": "spiffe://shopwright.local/ns/default/sa/web",
            "x-timeout-ms": "999999",
            "x-envoy-upstream-rq-timeout-ms": "999999",
            "x-envoy-retry-on": "5xx",
            "x-request-id": "mine",
            "x-forwarded-client-cert": "URI=spiffe://shopwright.local/ns/default/sa/web",
        }

        arrived = client.post("/v1/carts", headers=forged).json()["headers"]

        assert arrived["x-caller"] == "edge"
        assert arrived["x-timeout-ms"] == "15000"
        assert arrived["x-request-id"] != "mine"
        names = set(arrived)
        assert not names & {"x-user-id", "x-user-scope", "x-session-id", "x-forwarded-client-cert"}
        assert not {name for name in names if name.startswith("x-envoy-")}

    def test_the_service_is_told_the_address_that_the_client_really_has(self, node: Node):
        with node.client(address="127.0.0.40", headers={"x-forwarded-for": "203.0.113.7"}) as client:
            arrived = client.get("/v1/carts").json()["headers"]

        assert arrived["x-forwarded-for"] == "127.0.0.40"

    def test_a_stream_has_no_deadline_even_if_the_client_names_one(self, node: Node, client: httpx.Client):
        headers = node.token() | {
            "x-timeout-ms": "1",
            "x-envoy-upstream-rq-timeout-ms": "1",
            "fake-sleep": "0.1",
        }

        response = client.get("/v1/notifications/stream", headers=headers)

        assert response.status_code == 200
        assert "x-timeout-ms" not in response.json()["headers"]

    def test_a_good_token_becomes_headers_and_goes_no_further(self, node: Node, client: httpx.Client):
        arrived = client.get("/v1/orders", headers=node.token(sub="buyer-1", sid="s-9")).json()["headers"]

        assert arrived["x-user-id"] == "buyer-1"
        assert arrived["x-user-scope"] == "shop"
        assert arrived["x-session-id"] == "s-9"
        assert "authorization" not in arrived

    def test_a_token_seen_before_is_not_checked_anew(self, node: Node, client: httpx.Client):
        before = cache_hits(client)
        token = node.token(sub="regular")

        for _ in range(3):
            client.get("/v1/orders", headers=token)

        # each of the gateway's two threads keeps tokens of its own
        assert cache_hits(client) > before

    def test_a_guest_may_where_the_table_says_so(self, client: httpx.Client):
        assert client.get("/v1/orders").status_code == 200

    def test_a_guest_may_not_where_a_token_is_required(self, client: httpx.Client):
        response = client.get("/v1/wallet")

        assert response.status_code == 401
        assert slug_of(response) == "not-authenticated"
        assert response.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("path", ["/v1/orders", "/v1/wallet", "/v1/products"])
    def test_an_expired_token_is_refused_with_the_reason(self, node: Node, client: httpx.Client, path: str):
        response = client.get(path, headers=node.token(lifetime_s=-60))

        assert response.status_code == 401
        assert slug_of(response) == "not-authenticated"
        assert "expired" in response.json()["detail"]

    def test_a_token_signed_by_somebody_else_is_refused(self, node: Node, client: httpx.Client):
        stranger = ECKey.generate_key("P-256", {"kid": "test", "alg": "ES256"})

        response = client.get("/v1/orders", headers=node.token(key=stranger))

        assert response.status_code == 401
        assert slug_of(response) == "not-authenticated"

    @pytest.mark.parametrize("claims", [{"iss": "elsewhere"}, {"aud": "elsewhere"}])
    def test_a_token_for_somebody_else_is_refused(
        self, node: Node, client: httpx.Client, claims: dict[str, str]
    ):
        response = client.get("/v1/orders", headers=node.token(**claims))

        assert response.status_code in {401, 403}
        assert slug_of(response) in {"not-authenticated", "not-allowed"}

    def test_a_word_that_is_no_token_is_refused(self, client: httpx.Client):
        response = client.get("/v1/orders", headers={"authorization": "Bearer nonsense"})

        assert response.status_code == 401
        assert slug_of(response) == "not-authenticated"

    def test_an_old_token_does_not_keep_anyone_from_logging_in(self, node: Node, client: httpx.Client):
        response = client.post("/v1/sessions", headers=node.token(lifetime_s=-60), json={})

        assert response.status_code == 200
        assert "x-user-id" not in response.json()["headers"]

    def test_a_staff_prefix_needs_its_scope(self, node: Node, client: httpx.Client):
        buyer = client.post("/v1/products", headers=node.token(), json={})
        staff = client.post("/v1/products", headers=node.token(scope=STAFF), json={})
        other = client.post("/v1/inventory/adjustments", headers=node.token(scope=STAFF), json={})

        assert (buyer.status_code, slug_of(buyer)) == (403, "not-allowed")
        assert staff.status_code == 200
        assert (other.status_code, slug_of(other)) == (403, "not-allowed")

    def test_a_scope_that_only_contains_the_word_is_not_the_scope(self, node: Node, client: httpx.Client):
        response = client.post(
            "/v1/products", headers=node.token(scope="xcatalog:write catalog:writer"), json={}
        )

        assert response.status_code == 403


class TestBodies:
    def test_a_body_up_to_the_limit_passes(self, client: httpx.Client):
        assert client.post("/v1/carts", content=b"x" * 1_048_576).json()["length"] == 1_048_576

    def test_a_longer_body_is_a_problem(self, client: httpx.Client):
        response = client.post("/v1/carts", content=b"x" * 1_048_577)

        assert response.status_code == 413
        assert slug_of(response) == "request-too-large"

    def test_a_longer_body_of_undeclared_length_is_a_problem(self, client: httpx.Client):
        response = client.post("/v1/carts", content=(b"x" * 65_536 for _ in range(17)))

        assert response.status_code == 413
        assert slug_of(response) == "request-too-large"

    def test_an_upload_streams_past_that_limit(self, node: Node, client: httpx.Client):
        chunks = (b"x" * 65_536 for _ in range(64))

        response = client.post("/v1/imports", headers=node.token(scope=STAFF), content=chunks)

        assert response.json()["length"] == 64 * 65_536

    def test_an_upload_that_declares_too_much_is_refused_before_it_is_sent(self, node: Node):
        connection = http.client.HTTPConnection("127.0.0.1", node.settings.port, timeout=60)
        connection.putrequest("POST", "/v1/imports")
        connection.putheader("authorization", node.token(scope=STAFF)["authorization"])
        connection.putheader("content-length", str(513 * 1_048_576))
        connection.endheaders()

        response = connection.getresponse()

        assert response.status == 413
        assert json.loads(response.read())["type"] == "/problems/request-too-large"
        connection.close()


class TestRepeats:
    def test_a_read_is_tried_again(self, client: httpx.Client):
        response = client.get("/v1/carts/1", headers={"fake-fail": "read"})

        assert response.status_code == 200

    def test_a_write_is_not(self, client: httpx.Client):
        response = client.post("/v1/carts", headers={"fake-fail": "write"})

        assert response.status_code == 503
        assert client.get("/v1/fake/count/write").json()["count"] == 1

    def test_a_write_with_an_idempotency_key_is(self, client: httpx.Client):
        response = client.post("/v1/orders", headers={"fake-fail": "keyed", "idempotency-key": "k"})

        assert response.status_code == 200
        assert client.get("/v1/fake/count/keyed").json()["count"] == 2

    def test_the_key_means_nothing_where_the_service_does_not_honour_it(self, client: httpx.Client):
        response = client.post("/v1/sessions", headers={"fake-fail": "unkeyed", "idempotency-key": "k"})

        assert response.status_code == 503
        assert client.get("/v1/fake/count/unkeyed").json()["count"] == 1


class TestCors:
    def test_a_preflight_is_answered_for_the_api(self, client: httpx.Client):
        asked = {
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,idempotency-key",
        }

        response = client.options("/v1/wallet/top-ups", headers=asked)

        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] in {"*", "https://shop.example"}
        assert "POST" in response.headers["access-control-allow-methods"]
        assert "idempotency-key" in response.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in response.headers

    def test_a_page_of_another_origin_may_read_the_answer(self, client: httpx.Client):
        response = client.get("/v1/products", headers={"origin": "https://shop.example"})

        assert response.headers["access-control-allow-origin"] in {"*", "https://shop.example"}
        assert "ratelimit" in response.headers["access-control-expose-headers"]

    @pytest.mark.parametrize("path", ["/", "/admin", "/oauth/authorize"])
    def test_pages_with_cookies_are_closed_to_other_origins(self, client: httpx.Client, path: str):
        response = client.get(path, headers={"origin": "https://shop.example"})

        assert "access-control-allow-origin" not in response.headers


class TestHeaders:
    def test_answers_and_refusals_carry_the_security_headers(self, client: httpx.Client):
        for path in ("/", "/v1/unheard-of", "/v1/wallet"):
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
            assert "strict-transport-security" not in headers

    def test_tls_is_remembered_but_not_for_localhost(self, node: Node):
        with node.tls_client() as client:
            local = client.get("/")
            public = client.get("/", headers={"host": "shop.example"})

        assert "strict-transport-security" not in local.headers
        assert public.headers["strict-transport-security"].startswith("max-age=")

    def test_starts_a_trace_and_keeps_one(self, client: httpx.Client):
        mine = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

        started = client.get("/v1/carts").json()["headers"]["traceparent"]
        kept = client.get("/v1/carts", headers={"traceparent": mine}).json()["headers"]["traceparent"]

        assert TRACEPARENT.fullmatch(started)
        assert kept.split("-")[1] == mine.split("-")[1]

    def test_names_the_request_to_the_service_and_to_the_client(self, client: httpx.Client):
        response = client.get("/v1/carts")

        assert response.headers["x-request-id"] == response.json()["headers"]["x-request-id"]

    @pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
    def test_compresses_text(self, client: httpx.Client, encoding: str):
        asked = {"accept-encoding": encoding, "fake-size": "5000"}

        with client.stream("GET", "/v1/carts", headers=asked) as response:
            sent = sum(len(chunk) for chunk in response.iter_raw())

        assert response.headers["content-encoding"] == encoding
        assert sent < 2_000

    @pytest.mark.parametrize("media_type", ["image/webp", "text/event-stream"])
    def test_compresses_neither_pictures_nor_streams(self, client: httpx.Client, media_type: str):
        asked = {"accept-encoding": "gzip", "fake-size": "5000", "fake-type": media_type}

        assert "content-encoding" not in client.get("/v1/carts", headers=asked).headers


class TestCache:
    def test_keeps_an_anonymous_read_as_long_as_the_service_says(self, client: httpx.Client):
        asked = {"fake-cache": "public, max-age=60", "fake-key": "kept"}

        first = client.get("/v1/products/kept", headers=asked)
        again = client.get("/v1/products/kept", headers=asked)

        assert first.json() == again.json()
        assert client.get("/v1/fake/count/kept").json()["count"] == 1
        assert first.headers["x-request-id"] != again.headers["x-request-id"]

    def test_asks_again_for_whoever_shows_a_token(self, node: Node, client: httpx.Client):
        asked = {"fake-cache": "public, max-age=60", "fake-key": "staff"}

        client.get("/v1/products/staff", headers=asked)
        staff = client.get("/v1/products/staff", headers=asked | node.token(sub="staff-1"))

        assert staff.json()["headers"]["x-user-id"] == "staff-1"

    def test_keeps_nothing_that_the_service_does_not_offer(self, client: httpx.Client):
        for _ in range(2):
            client.get("/v1/products/fresh", headers={"fake-key": "fresh"})

        assert client.get("/v1/fake/count/fresh").json()["count"] == 2

    def test_what_it_misses_is_asked_for_with_all_the_edge_promises(self, client: httpx.Client):
        response = client.get("/v1/products/missed", headers={"fake-fail": "missed"})

        arrived = response.json()["headers"]
        assert response.status_code == 200
        assert arrived["x-caller"] == "edge"
        assert arrived["x-timeout-ms"] == "15000"
        assert arrived["x-request-id"] == response.headers["x-request-id"]
        assert TRACEPARENT.fullmatch(arrived["traceparent"])


class TestOperators:
    def test_metrics_are_shown_on_loopback(self, client: httpx.Client):
        response = client.get("/stats/prometheus")

        assert response.status_code == 200
        assert "envoy_cluster_upstream_rq" in response.text

    def test_metrics_are_not_shown_to_who_comes_through_a_proxy(self, client: httpx.Client):
        response = client.get("/stats/prometheus", headers={"x-forwarded-for": "203.0.113.7"})

        assert "envoy_cluster" not in response.text

    def test_metrics_are_not_shown_over_tls(self, node: Node):
        with node.tls_client() as client:
            assert "envoy_cluster" not in client.get("/stats/prometheus").text

    def test_logs_a_line_without_secrets(self, node: Node, client: httpx.Client):
        token = node.token(sub="logged")
        answer = client.get("/v1/orders?code=secret-code", headers=token)
        line = logged(node, answer.headers["x-request-id"])

        told = json.loads(line)
        assert (told["path"], told["status"], told["user"]) == ("/v1/orders", 200, "logged")
        assert "secret-code" not in line
        assert token["authorization"][7:] not in line
