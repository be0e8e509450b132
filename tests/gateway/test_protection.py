"""What keeps one bad replica, or one slow service, from taking the shop with it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from gateway.node import Node, slug_of
from shopwright.gateway import envoy
from shopwright.gateway.table import Breaker


@pytest.fixture
def restored(node: Node) -> Iterator[Node]:
    yield node
    envoy.reload(node.settings)


class TestAServiceThatIsAway:
    @pytest.fixture
    def browser(self, restored: Node):
        """One whose every request finds no service to take it."""
        table = replace(restored.settings.table, breaker=Breaker(max_requests=0))
        envoy.reload(replace(restored.settings, table=table))
        accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        with restored.client(headers={"accept": accept}) as client:
            yield client

    def test_gives_a_browser_a_page_that_looks_again(self, browser: httpx.Client):
        page = browser.get("/product/oak-lamp")

        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "Back in a moment" in page.text
        assert '<meta http-equiv="refresh" content="3">' in page.text
        assert page.headers["x-request-id"] in page.text

    def test_asks_who_sent_a_form_to_send_it_again(self, browser: httpx.Client):
        page = browser.post("/cart/lines", data={"sku": "LAMP"})

        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "send it again in a moment" in page.text
        assert "http-equiv" not in page.text

    def test_tells_everybody_else_a_problem(self, browser: httpx.Client):
        assert (
            slug_of(browser.get("/product/oak-lamp", headers={"accept": "application/json"})) == "unavailable"
        )
        assert slug_of(browser.get("/product/oak-lamp", headers={"accept": "*/*"})) == "unavailable"


class TestCircuitBreaker:
    async def test_refuses_at_once_what_would_be_served_too_late(self, restored: Node):
        table = replace(restored.settings.table, breaker=Breaker(max_requests=2))
        await asyncio.to_thread(envoy.reload, replace(restored.settings, table=table))
        base = f"http://127.0.0.1:{restored.settings.port}"

        async with httpx.AsyncClient(base_url=base, timeout=60) as client:
            slow = [client.post("/v1/carts", headers={"fake-sleep": "2"}) for _ in range(12)]
            answers = await asyncio.gather(*slow)
            others = await client.get("/v1/users/x")

        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert len(refused) >= 6
        assert {slug_of(answer) for answer in refused} == {"unavailable"}
        served = [answer for answer in answers if answer.status_code == 200]
        assert max(answer.elapsed for answer in refused) < min(answer.elapsed for answer in served)
        assert others.status_code == 200


class TestOutlier:
    def test_a_replica_that_answers_nonsense_is_left_alone(self, restored: Node):
        broken = restored.serve([restored.settings.run / "orders-1.sock"], broken="orders-1")
        try:
            envoy.reload(replace(restored.settings, slots={"orders": 3}))  # two replicas and a spare
            with restored.client() as client:
                while not self.spoiled(client):
                    pass
                # writes are not tried again, so each answer is the replica's own
                statuses = Counter(client.post("/v1/carts").status_code for _ in range(40))
        finally:
            broken.kill()
            broken.wait()

        assert statuses == Counter({200: 40})

    @staticmethod
    def spoiled(client: httpx.Client) -> bool:
        """Whether Envoy has ejected it: it was asked until it had failed five times in a row."""
        client.post("/v1/carts")
        text = client.get("/stats/prometheus").text
        active = [
            line
            for line in text.splitlines()
            if line.startswith("envoy_cluster_outlier_detection_ejections_active") and '"orders"' in line
        ]
        return any(line.endswith(" 1") for line in active)
