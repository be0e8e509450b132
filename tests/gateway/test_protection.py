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


class TestCircuitBreaker:
    async def test_refuses_at_once_what_would_be_served_too_late(self, restored: Node):
        table = replace(restored.settings.table, breaker=Breaker(max_requests=2))
        await asyncio.to_thread(envoy.reload, replace(restored.settings, table=table))
        base = f"http://127.0.0.1:{restored.settings.port}"

        async with httpx.AsyncClient(base_url=base, timeout=15) as client:
            slow = [client.post("/v1/carts", headers={"fake-sleep": "1"}) for _ in range(12)]
            answers = await asyncio.gather(*slow)
            others = await client.get("/v1/users/x")

        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert len(refused) >= 6
        assert {slug_of(answer) for answer in refused} == {"unavailable"}
        assert max(answer.elapsed.total_seconds() for answer in refused) < 1
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
