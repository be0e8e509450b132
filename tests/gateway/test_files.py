"""What is written, and what a running Envoy does with it. A test that reloads takes `restored`."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from collector import Collector, collector
from gateway.node import ROUTES, Node, slug_of
from shopwright.gateway import envoy
from shopwright.gateway.table import Route


@pytest.fixture
def restored(node: Node) -> Iterator[Node]:
    yield node
    envoy.reload(node.settings)


def stamps(settings: envoy.GatewaySettings) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in settings.config.rglob("*.json")}


def eventually(holds: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.05)
    return held


class TestWrite:
    def test_what_is_unchanged_is_not_touched(self, node: Node):
        before = stamps(node.settings)

        envoy.write(node.settings)

        assert stamps(node.settings) == before

    def test_only_what_changed_is_replaced(self, restored: Node):
        before = stamps(restored.settings)

        envoy.write(replace(restored.settings, slots={"users": 3}))

        after = stamps(restored.settings)
        assert {path for path in after if after[path] != before[path]} == {
            str(restored.settings.xds / "cds.json")
        }

    def test_the_command_starts_the_wheels_server_in_the_foreground(self, node: Node):
        command = envoy.command(node.settings)

        assert command[0].endswith("/envoy/_bin/envoy")
        assert str(node.settings.bootstrap) in command


class TestBadConfiguration:
    def test_is_refused_with_the_reason_and_changes_nothing(self, node: Node):
        before = stamps(node.settings)
        broken = replace(node.settings, address="no address")

        with pytest.raises(envoy.InvalidConfiguration, match="no address"):
            envoy.reload(broken)

        assert stamps(node.settings) == before
        with node.client() as client:
            assert client.get("/healthz").status_code == 200

    def test_keys_that_cannot_be_read_are_named(self, node: Node):
        with pytest.raises(envoy.InvalidConfiguration, match="nowhere"):
            envoy.validate(replace(node.settings, jwks=node.home / "nowhere.json"))

    def test_a_runtime_directory_that_is_too_deep_is_named(self, node: Node):
        with pytest.raises(envoy.InvalidConfiguration, match="longer than 107 bytes"):
            envoy.validate(replace(node.settings, run=node.home / ("x" * 100)))

    def test_a_gateway_that_does_not_run_is_told(self, node: Node):
        elsewhere = replace(node.settings, config=node.home / "other", run=node.home / "other-run")

        with pytest.raises(envoy.NotApplied):
            envoy.reload(elsewhere, timeout_s=0.1)


class TestReload:
    def test_a_new_row_is_served(self, restored: Node):
        table = replace(
            restored.settings.table, routes=(*restored.settings.table.routes, Route("/v1/new", "web"))
        )
        with restored.client() as client:
            before = client.get("/v1/new")
        envoy.reload(replace(restored.settings, table=table))
        with restored.client() as client:
            after = client.get("/v1/new")

        assert (before.status_code, slug_of(before)) == (404, "not-found")
        assert after.json()["slot"] == "web-0"

    def test_lifted_limits_are_lifted(self, restored: Node):
        with restored.client(address="127.0.0.30") as client:
            strict = [client.get("/v1/scarce").status_code for _ in range(6)][-1]
        envoy.reload(replace(restored.settings, rate_limit=False))
        with restored.client(address="127.0.0.30") as client:
            lifted = {client.get("/v1/scarce").status_code for _ in range(10)}

        assert strict == 429
        assert lifted == {200}

    async def test_drops_nothing_under_load(self, restored: Node):
        settings = restored.settings
        fewer = replace(
            settings.table, routes=tuple(row for row in settings.table.routes if row != ROUTES[0])
        )
        versions = [replace(settings, table=fewer, slots={"orders": 3}), settings]
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=4)
        base = f"http://127.0.0.1:{settings.port}"
        async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60) as client:
            load = [asyncio.create_task(self.requests(client, 60)) for _ in range(8)]
            for version in versions:
                await asyncio.to_thread(envoy.reload, version)
            statuses = sum([await worker for worker in load], Counter())

        assert statuses == Counter({200: 480})

    def test_only_a_slot_that_answers_is_healthy(self, node: Node):
        assert envoy.healthy(node.settings, "users") == {str(node.settings.run / "users-0.sock")}

    async def requests(self, client: httpx.AsyncClient, count: int) -> Counter[int]:
        statuses: Counter[int] = Counter()
        for number in range(count):
            method = ("GET", "POST")[number % 2]
            statuses[(await client.request(method, "/v1/carts")).status_code] += 1
        return statuses

    async def test_a_replica_that_ends_takes_no_request_with_it(self, node: Node):
        spare = node.serve([node.settings.run / "orders-1.sock"])
        base = f"http://127.0.0.1:{node.settings.port}"
        async with httpx.AsyncClient(base_url=base, timeout=60) as client:
            while {(await client.get("/v1/carts")).json()["slot"] for _ in range(8)} != {
                "orders-0",
                "orders-1",
            }:
                await asyncio.sleep(0.1)
            load = [asyncio.create_task(self.reads(client, 80)) for _ in range(4)]
            await asyncio.sleep(0.2)
            spare.kill()
            statuses = sum([await worker for worker in load], Counter())

        assert statuses == Counter({200: 320})

    async def reads(self, client: httpx.AsyncClient, count: int) -> Counter[int]:
        return Counter([(await client.get("/v1/carts")).status_code for _ in range(count)])


TRACE = "0af7651916cd43dd8448eb211c80319c"


def traced(flag: str) -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-b7ad6b7169203331-{flag}"}


class TestTelemetry:
    @pytest.fixture
    def collected(self, restored: Node) -> Iterator[Collector]:
        with collector() as collecting:
            envoy.reload(replace(restored.settings, otlp_endpoint=collecting.endpoint))
            yield collecting

    def test_sampled_spans_reach_the_collector(self, collected: Collector, restored: Node):
        def arrived() -> bool:
            # a new connection each time: the listener that was replaced may still take the first
            with restored.client(headers=traced("01")) as client:
                client.get("/v1/carts")
            return collected.knows(TRACE, of="gateway")

        assert eventually(arrived)  # Envoy sends what it has every five seconds

    @pytest.mark.parametrize("flag", ["00", "01"])
    def test_keeps_the_callers_decision(self, collected: Collector, restored: Node, flag: str):
        def kept() -> bool:
            with restored.client(headers=traced(flag)) as client:
                told = [client.get("/v1/carts").json()["headers"]["traceparent"] for _ in range(10)]
            return {each.rpartition("-")[2] for each in told} == {flag}

        assert eventually(kept)

    def test_a_thinner_log_is_valid(self, node: Node):
        envoy.validate(replace(node.settings, access_log=Path("/dev/stdout"), access_log_percent=0.5))


class TestCertificates:
    def test_a_renewed_one_is_served_without_a_reload(self, node: Node):
        before = self.serial(node)

        certificate, key = node.authority.issue(x509.DNSName("localhost"))
        for name, content in (("gateway.crt", certificate), ("gateway.key", key)):
            fresh = node.settings.tls / f".{name}"
            fresh.write_bytes(content)
            fresh.rename(node.settings.tls / name)

        assert eventually(lambda: self.serial(node) != before)

    def test_a_service_keeps_calling_across_its_renewal(self, node: Node):
        with node.service("orders") as client:
            for _ in range(10):
                node.renew("orders")
                node.renew("products")
                assert client.get("http://products/internal/quotes").status_code == 200

    @staticmethod
    def serial(node: Node) -> int:
        pem = ssl.get_server_certificate(("localhost", node.settings.tls_port))
        return x509.load_pem_x509_certificate(pem.encode()).serial_number
