from __future__ import annotations

import json
import time

import grpc
import httpx
import pytest
from cryptography import x509

from gateway.node import Authority, Node, slug_of
from shopwright.gateway.table import SERVICES, TABLE, spiffe_id

PERMITTED = {(call.caller, call.target): call for call in TABLE.calls if not call.grpc}
REFUSED = [
    (caller, target)
    for caller in SERVICES
    for target in SERVICES
    if caller != target and (caller, target) not in PERMITTED
]


class TestPermitted:
    @pytest.mark.parametrize(("caller", "target"), PERMITTED)
    def test_passes_and_the_target_knows_who_calls(self, node: Node, caller: str, target: str):
        path = PERMITTED[caller, target].paths[0]
        with node.service(caller) as client:
            arrived = client.get(f"http://{target}{path}/x").json()

        assert arrived["slot"] == f"{target}-0"
        assert arrived["headers"]["x-caller"] == spiffe_id(caller)

    def test_what_the_caller_wrote_about_itself_is_dropped(self, node: Node):
        forged = {"x-caller": spiffe_id("orders"), "x-user-id": "admin", "x-user-scope": "catalog:write"}
        with node.service("web") as client:
            arrived = client.get("http://products/v1/products", headers=forged).json()["headers"]

        assert arrived["x-caller"] == spiffe_id("web")
        assert not {"x-user-id", "x-user-scope"} & set(arrived)

    def test_a_buyers_token_tells_whose_call_it_is(self, node: Node):
        with node.service("web") as client:
            arrived = client.get("http://orders/v1/orders", headers=node.token(sub="buyer-2")).json()[
                "headers"
            ]

        assert (arrived["x-user-id"], arrived["x-caller"]) == ("buyer-2", spiffe_id("web"))
        assert "authorization" not in arrived

    def test_a_bad_token_is_refused_here_too(self, node: Node):
        with node.service("web") as client:
            response = client.get("http://orders/v1/orders", headers=node.token(lifetime_s=-60))

        assert (response.status_code, slug_of(response)) == (401, "not-authenticated")

    def test_keeps_the_request_and_its_trace(self, node: Node):
        sent = {
            "x-request-id": "0198c0de-0000-7000-8000-00000000000a",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        }
        with node.service("orders") as client:
            arrived = client.post("http://products/internal/quotes", headers=sent).json()["headers"]

        assert {name: arrived[name] for name in sent} == sent


class TestRefused:
    @pytest.mark.parametrize(("caller", "target"), REFUSED)
    def test_a_call_that_the_table_does_not_name(self, node: Node, caller: str, target: str):
        with node.service(caller) as client:
            response = client.get(f"http://{target}/internal/x")

        assert (response.status_code, slug_of(response)) == (403, "not-allowed")

    @pytest.mark.parametrize(
        ("caller", "url"),
        [
            ("web", "http://products/internal/reservations/1"),
            ("web", "http://users/internalx"),
            ("orders", "http://products/v1/products"),
            ("orders", "http://users/internal/../v1/users"),
            ("web", "http://payments/shopwright.payments.v1.Payments/Capture"),
        ],
    )
    def test_a_path_that_the_table_does_not_name(self, node: Node, caller: str, url: str):
        with node.service(caller) as client:
            response = client.post(url)

        assert (response.status_code, slug_of(response)) == (403, "not-allowed")

    def test_no_certificate(self, node: Node):
        with node.intruder("products", None) as client, pytest.raises(httpx.TransportError):
            client.get("/internal/quotes")

    def test_a_certificate_of_another_authority(self, node: Node):
        stranger = Authority().identity("orders")
        with node.intruder("products", stranger) as client, pytest.raises(httpx.TransportError):
            client.get("/internal/quotes")

    def test_a_name_that_is_no_service_of_ours(self, node: Node):
        name = x509.UniformResourceIdentifier("spiffe://elsewhere.example/ns/default/sa/orders")
        foreign = node.authority.issue(name)
        with node.intruder("products", foreign) as client, pytest.raises(httpx.TransportError):
            client.get("/internal/quotes")

    def test_a_service_that_goes_around_its_own_way_out(self, node: Node):
        users = node.authority.identity("users")
        forged = {"x-caller": spiffe_id("orders")}
        with node.intruder("products", users) as client:
            response = client.get("/internal/quotes", headers=forged)

        assert (response.status_code, slug_of(response)) == (403, "not-allowed")

    def test_the_same_straight_way_is_open_to_whom_the_table_names(self, node: Node):
        orders = node.authority.identity("orders")
        with node.intruder("products", orders) as client:
            response = client.get("/internal/quotes")

        assert response.json()["headers"]["x-caller"] == spiffe_id("orders")


class TestTimeAndRepeats:
    def test_the_callers_deadline_ends_the_call(self, node: Node):
        began = time.monotonic()
        with node.service("orders") as client:
            response = client.post(
                "http://products/internal/quotes", headers={"x-timeout-ms": "200", "fake-sleep": "3"}
            )

        assert (response.status_code, slug_of(response)) == (504, "deadline-exceeded")
        assert time.monotonic() - began < 1.5

    def test_a_write_is_never_repeated(self, node: Node):
        asked = {"fake-fail": "mesh-write", "idempotency-key": "k"}
        with node.service("orders") as client:
            response = client.post("http://products/internal/reservations", headers=asked)
            seen = client.get("http://products/internal/fake/count/mesh-write").json()

        assert response.status_code == 503
        assert seen == {"count": 1}

    def test_a_read_is_repeated(self, node: Node):
        with node.service("web") as client:
            response = client.get("http://orders/v1/orders", headers={"fake-fail": "mesh-read"})

        assert response.status_code == 200


class TestGrpc:
    def call(self, node: Node, caller: str, method: str, **more) -> dict:
        options = [("grpc.default_authority", "payments")]
        with grpc.insecure_channel(f"unix:{node.settings.egress(caller)}", options=options) as channel:
            return json.loads(channel.unary_unary(method)(b"{}", timeout=60, **more))

    def test_payments_is_reached_by_orders(self, node: Node):
        metadata = (("x-caller", spiffe_id("web")),)

        answer = self.call(node, "orders", "/shopwright.payments.v1.Payments/Authorise", metadata=metadata)

        assert answer["method"] == "/shopwright.payments.v1.Payments/Authorise"
        assert answer["metadata"]["x-caller"] == spiffe_id("orders")

    @pytest.mark.parametrize("caller", ["web", "users"])
    def test_payments_is_not_reached_by_others(self, node: Node, caller: str):
        with pytest.raises(grpc.RpcError) as refused:
            self.call(node, caller, "/shopwright.payments.v1.Payments/Authorise")

        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED

    def test_another_rpc_service_is_not_reached(self, node: Node):
        with pytest.raises(grpc.RpcError) as refused:
            self.call(node, "orders", "/grpc.reflection.v1.ServerReflection/Info")

        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
