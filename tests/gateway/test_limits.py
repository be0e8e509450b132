from __future__ import annotations

import re
from dataclasses import replace

from gateway.node import Node, slug_of
from shopwright.gateway.envoy.files import render

POLICY = re.compile(r'"(client|user)";q=(\d+);w=60')
STATE = re.compile(r'"(client|user)";r=(\d+);t=(\d+)')


class TestPerClient:
    def test_tells_what_is_left(self, node: Node):
        with node.client(address="127.0.0.10") as client:
            first, second = client.get("/v1/scarce"), client.get("/v1/scarce")

        assert POLICY.fullmatch(first.headers["ratelimit-policy"]).groups() == ("client", "5")
        assert STATE.fullmatch(first.headers["ratelimit"]).groups()[:2] == ("client", "4")
        assert STATE.fullmatch(second.headers["ratelimit"]).groups()[:2] == ("client", "3")
        assert not [name for name in first.headers if name.startswith("x-ratelimit")]

    def test_refuses_with_the_time_to_wait(self, node: Node):
        with node.client(address="127.0.0.11") as client:
            statuses = [client.get("/v1/scarce").status_code for _ in range(5)]
            refused = client.get("/v1/scarce")

        assert statuses == [200] * 5
        assert refused.status_code == 429
        assert slug_of(refused) == "too-many-requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 12  # one of five a minute
        assert STATE.fullmatch(refused.headers["ratelimit"]).groups()[1] == "0"

    def test_gives_a_browser_a_page_that_looks_again(self, node: Node):
        with node.client(address="127.0.0.17", headers={"accept": "text/html,*/*;q=0.8"}) as client:
            page = [client.get("/v1/scarce") for _ in range(6)][-1]

        assert (page.status_code, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
        assert "One moment, please" in page.text
        assert '<meta http-equiv="refresh"' in page.text
        assert "retry-after" in page.headers

    def test_one_client_does_not_use_up_another_ones(self, node: Node):
        with node.client(address="127.0.0.12") as greedy, node.client(address="127.0.0.13") as modest:
            last = [greedy.get("/v1/scarce").status_code for _ in range(6)][-1]
            other = modest.get("/v1/scarce").status_code

        assert (last, other) == (429, 200)

    def test_a_made_up_forwarding_header_gives_no_new_bucket(self, node: Node):
        with node.client(address="127.0.0.14") as client:
            statuses = [
                client.get("/v1/scarce", headers={"x-forwarded-for": f"203.0.113.{number}"}).status_code
                for number in range(6)
            ]

        assert statuses == [200] * 5 + [429]

    def test_bad_tokens_count_too(self, node: Node):
        with node.client(address="127.0.0.15", headers={"authorization": "Bearer nonsense"}) as client:
            statuses = [client.get("/v1/scarce").status_code for _ in range(6)]

        assert statuses == [401] * 5 + [429]

    def test_what_passes_says_nothing_of_waiting(self, node: Node):
        with node.client(address="127.0.0.16") as client:
            assert "retry-after" not in client.get("/v1/scarce").headers


class TestPerUser:
    def test_counts_a_user_wherever_they_come_from(self, node: Node):
        token = node.token(sub="busy")
        with node.client(address="127.0.0.20") as home, node.client(address="127.0.0.21") as office:
            statuses = [each.get("/v1/rationed", headers=token).status_code for each in (home, office, home)]
            refused = office.get("/v1/rationed", headers=token)
            other = office.get("/v1/rationed", headers=node.token(sub="idle"))
            guest = office.get("/v1/rationed")

        assert statuses == [200] * 3
        assert (refused.status_code, slug_of(refused)) == (429, "too-many-requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 20  # one of three a minute
        assert (other.status_code, guest.status_code) == (200, 200)

    def test_tells_both_limits(self, node: Node):
        with node.client(address="127.0.0.22") as client:
            headers = client.get("/v1/rationed", headers=node.token(sub="curious")).headers

        assert dict(POLICY.findall(headers["ratelimit-policy"])) == {"client": "1000", "user": "3"}
        assert {name for name, _, _ in STATE.findall(headers["ratelimit"])} == {"client", "user"}


class TestSwitchedOff:
    def test_nothing_is_counted(self, node: Node):
        off = replace(node.settings, rate_limit=False)

        assert "local_ratelimit" not in str(render(off))
        assert "local_ratelimit" in str(render(node.settings))
