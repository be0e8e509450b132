"""What web answers to programs for the whole platform: readiness, and dead letters of every service in one
list.
"""

from uuid import UUID, uuid4

import pytest

from shopwright.contracts.ids import new_id
from shopwright.web.testing import dead_letter

READER = {"x-user-id": str(uuid4()), "x-user-scope": "operations:read"}
WRITER = {"x-user-id": str(uuid4()), "x-user-scope": "operations:read operations:write"}
EDGE = {"x-caller": "edge"}


class TestReadiness:
    async def test_speaks_for_the_whole_platform_to_the_outside(self, web):
        answer = await web.get("/readyz", headers=EDGE)

        assert answer.status_code == 200
        assert answer.json()["status"] == "ready"
        assert answer.json()["services"].keys() == {
            "users", "products", "orders", "payments", "notifications", "web",
        }  # fmt: skip

    async def test_names_the_service_that_is_not_ready(self, web, mesh):
        mesh.away.add("orders")

        answer = await web.get("/readyz", headers=EDGE)

        services = answer.json()["services"]
        assert answer.status_code == 503
        assert (services["orders"], services["users"]) == ("orders is away", "ready")

    async def test_speaks_for_this_process_alone_to_the_gateway(self, web, mesh):
        mesh.away |= {"users", "products", "orders", "payments", "notifications"}

        assert (await web.get("/readyz")).text == "ok"

    async def test_metrics_are_not_for_the_outside(self, web):
        assert (await web.get("/metrics", headers=EDGE)).status_code == 404


class TestDeadLetters:
    @pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"x-user-id": str(uuid4())}, 403)])
    async def test_are_for_operators(self, web, headers, status):
        assert (await web.get("/v1/dead-letters", headers=headers)).status_code == status

    async def test_stand_in_one_list_newest_first_page_by_page(self, web, mesh):
        letters = [dead_letter(str(number)) for number in range(7)]
        mesh.operated.letters = {"orders": letters[::2], "payments": letters[1::2]}

        first = (await web.get("/v1/dead-letters?limit=4", headers=READER)).json()
        path = f"/v1/dead-letters?limit=4&cursor={first['next_cursor']}"
        second = (await web.get(path, headers=READER)).json()

        assert [item["subject"] for item in first["items"] + second["items"]] == list("6543210")
        assert second["next_cursor"] is None
        assert {item["service"] for item in first["items"]} == {"orders", "payments"}

    async def test_one_event_that_failed_in_two_services_is_two_lines_of_one_page(self, web, mesh):
        letters = [dead_letter(str(number)) for number in range(3)]
        mesh.operated.letters = {"orders": letters, "payments": letters[1:2]}

        page = (await web.get("/v1/dead-letters?limit=2", headers=READER)).json()

        assert [item["subject"] for item in page["items"]] == ["2", "1", "1"]
        assert len({item["id"] for item in page["items"]}) == 3

    async def test_a_service_that_is_away_is_named_and_hides_no_other(self, web, mesh):
        mesh.operated.letters = {"orders": [dead_letter("a")], "payments": [dead_letter("b")]}
        mesh.away.add("payments")

        page = (await web.get("/v1/dead-letters", headers=READER)).json()

        assert [item["subject"] for item in page["items"]] == ["a"]
        assert page["away"] == {"payments": "payments is away"}

    async def test_a_letter_is_tried_again_in_its_service(self, web, mesh):
        letter = dead_letter("a")
        mesh.operated.letters = {"orders": [letter]}

        by_name = await web.post(f"/v1/dead-letters/orders.{letter['id']}/replay", headers=WRITER)
        by_event = await web.post(f"/v1/dead-letters/{letter['id']}/replay", headers=WRITER)

        assert (by_name.status_code, by_event.status_code) == (204, 204)
        assert mesh.operated.replayed == [f"orders.{letter['id']}"] * 2

    async def test_all_are_tried_again_or_those_of_one_service_or_one_topic(self, web, mesh):
        kept, other = dead_letter("a"), dead_letter("b") | {"topic": "payments.payment_changed.v1"}
        mesh.operated.letters = {"orders": [kept, other], "notifications": [dead_letter("c")]}

        of_topic = {"service": "orders", "topic": other["topic"]}
        one = await web.post("/v1/dead-letters/replay", json=of_topic, headers=WRITER)
        mesh.away.add("users")
        every = await web.post("/v1/dead-letters/replay", headers=WRITER)
        unknown = await web.post("/v1/dead-letters/replay", json={"service": "moon"}, headers=WRITER)
        reader = await web.post("/v1/dead-letters/replay", headers=READER)

        assert one.json() == {"replayed": {"orders": 1}, "away": {}}
        assert mesh.operated.replayed[0] == f"orders.{other['id']}"
        assert (every.json()["replayed"]["orders"], every.json()["replayed"]["notifications"]) == (2, 1)
        assert every.json()["away"] == {"users": "users is away"}
        assert (unknown.status_code, reader.status_code) == (404, 403)

    @pytest.mark.parametrize(
        "letter", ["nonsense", "orders.nonsense", f"moon.{UUID(int=7)}", str(UUID(int=7))]
    )
    async def test_a_letter_that_nobody_has_is_not_found(self, web, letter):
        answer = await web.post(f"/v1/dead-letters/{letter}/replay", headers=WRITER)

        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")

    async def test_reading_is_not_enough_to_try_again(self, web):
        answer = await web.post(f"/v1/dead-letters/{new_id()}/replay", headers=READER)

        assert answer.status_code == 403
