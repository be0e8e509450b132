"""Own notifications, preferences and what staff see, over HTTP."""

import pytest

from notifying import STAFF, as_user
from shopwright.contracts.ids import new_id
from shopwright.notifications.domain import KINDS
from shopwright.notifications.testing import cancelled, changed_password, confirmed, registered


def preferences(*items):
    return {"items": [{"kind": kind, "channel": channel, "enabled": on} for kind, channel, on in items]}


class TestOwn:
    async def test_come_newest_first_by_the_page_with_the_number_of_unread(self, running):
        shop = await running()
        user = new_id()
        for number in range(5):
            await shop.tell(confirmed(user_id=user, number=f"SW-{number}"))
        await shop.tell(confirmed(user_id=new_id()))
        await shop.settled(6)

        first = (await shop.client.get("/v1/notifications?limit=3", headers=as_user(user))).json()
        cursor = first["next_cursor"]
        second = (
            await shop.client.get(f"/v1/notifications?limit=3&cursor={cursor}", headers=as_user(user))
        ).json()

        titles = [item["title"] for item in first["items"] + second["items"]]
        assert titles == [f"Order SW-{number} is confirmed" for number in reversed(range(5))]
        assert (first["unread"], second["unread"], second["next_cursor"]) == (5, 5, None)
        assert first["items"][0]["link"].startswith("/orders/")

    async def test_are_marked_as_read_by_their_owner_only(self, running):
        shop = await running()
        user = new_id()
        await shop.tell(registered(user_id=user))
        await shop.tell(cancelled(user_id=user))
        await shop.settled(2)
        listed = (await shop.client.get("/v1/notifications", headers=as_user(user))).json()
        path = f"/v1/notifications/{listed['items'][0]['id']}/read"

        stranger = await shop.client.post(path, headers=as_user(new_id()))
        answers = [await shop.client.post(path, headers=as_user(user)) for _ in range(2)]
        after = (await shop.client.get("/v1/notifications", headers=as_user(user))).json()
        unread = (await shop.client.get("/v1/notifications?unread=true", headers=as_user(user))).json()

        assert stranger.status_code == 404
        assert [answer.status_code for answer in answers] == [204, 204]
        assert after["unread"] == 1
        assert after["items"][0]["read_at"] is not None
        assert [item["id"] for item in unread["items"]] == [listed["items"][1]["id"]]

    async def test_need_an_account_and_a_cursor_of_ours(self, running):
        shop = await running()

        for method, path in [
            ("GET", "/v1/notifications"),
            ("POST", f"/v1/notifications/{new_id()}/read"),
            ("GET", "/v1/notifications/stream"),
            ("GET", "/v1/notifications/deliveries"),
            ("GET", "/v1/notification-preferences"),
        ]:
            assert (await shop.client.request(method, path)).status_code == 401, path
        answer = await shop.client.get("/v1/notifications?cursor=nonsense", headers=as_user(new_id()))
        assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


class TestPreferences:
    async def test_what_is_switched_off_is_not_told_by_that_channel(self, running):
        shop = await running()
        user = new_id()
        headers = as_user(user)
        choice = preferences(("welcome", "email", False), ("order_confirmed", "in_app", False))

        answer = await shop.client.put("/v1/notification-preferences", json=choice, headers=headers)
        await shop.tell(registered(user_id=user))
        await shop.tell(confirmed(user_id=user, email="order@example.com"))
        rows = await shop.settled(2)

        assert answer.status_code == 200
        assert {row["kind"]: row["state"] for row in rows} == {
            "welcome": "skipped",
            "order_confirmed": "sent",
        }
        assert [mail["to"] for mail in await shop.mails()] == ["order@example.com"]
        listed = (await shop.client.get("/v1/notifications", headers=headers)).json()
        assert [item["kind"] for item in listed["items"]] == ["welcome"]

    async def test_replacing_switches_on_what_is_left_out(self, running):
        shop = await running()
        headers = as_user(new_id())
        path = "/v1/notification-preferences"
        await shop.client.put(path, json=preferences(("welcome", "email", False)), headers=headers)

        answer = await shop.client.put(path, json=preferences(), headers=headers)

        items = (await shop.client.get(path, headers=headers)).json()["items"]
        assert items == answer.json()["items"]
        assert all(item["enabled"] for item in items)
        required = {(item["kind"], item["channel"]) for item in items if not item["optional"]}
        assert required == {(kind, "email") for kind in KINDS} - {("welcome", "email")}

    async def test_security_and_order_mails_cannot_be_switched_off(self, running):
        shop = await running()
        user = new_id()
        choice = preferences(("welcome", "email", False), ("password_changed", "email", False))

        answer = await shop.client.put("/v1/notification-preferences", json=choice, headers=as_user(user))

        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/always-sent")
        assert answer.json()["title"] == "Mails about security and orders cannot be switched off"
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/items/1/enabled"]
        await shop.tell(changed_password(user_id=user))
        assert (await shop.settled(1))[0]["state"] == "sent"
        await shop.tell(registered(user_id=user))
        assert {row["state"] for row in await shop.settled(2)} == {"sent"}

    @pytest.mark.parametrize(
        ("items", "pointer"),
        [
            ([{"kind": "nonsense", "channel": "email", "enabled": True}], "/items/0/kind"),
            ([{"kind": "welcome", "channel": "pigeon", "enabled": True}], "/items/0/channel"),
            ([{"kind": "welcome", "channel": "email"}], "/items/0/enabled"),
            ([{"kind": "welcome", "channel": "email", "enabled": True}] * 2, "/items/1"),
        ],
    )
    async def test_a_wrong_choice_is_named(self, running, items, pointer):
        shop = await running()

        answer = await shop.client.put(
            "/v1/notification-preferences", json={"items": items}, headers=as_user(new_id())
        )

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


class TestStaff:
    async def test_see_what_became_of_the_mails_to_an_address_masked(self, running):
        shop = await running()
        await shop.tell(registered(email="Ada@example.com"))
        await shop.tell(registered(email="bob@example.com"))
        await shop.settled(2)

        every = (await shop.client.get("/v1/notifications/deliveries", headers=STAFF)).json()
        one = (await shop.client.get("/v1/notifications/deliveries?to=ada@EXAMPLE.com", headers=STAFF)).json()

        assert [item["to"] for item in every["items"]] == ["b***@example.com", "A***@example.com"]
        assert [(item["to"], item["state"], item["dead"]) for item in one["items"]] == [
            ("A***@example.com", "sent", False)
        ]
        assert one["items"][0]["attempts"] == 1

    async def test_page_through_them(self, running):
        shop = await running()
        for number in range(3):
            await shop.tell(registered(email=f"b{number}@example.com"))
        await shop.settled(3)

        first = (await shop.client.get("/v1/notifications/deliveries?limit=2", headers=STAFF)).json()
        path = f"/v1/notifications/deliveries?limit=2&cursor={first['next_cursor']}"
        second = (await shop.client.get(path, headers=STAFF)).json()

        assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (2, 1, None)

    async def test_a_buyer_sees_nothing_of_it(self, running):
        shop = await running()

        answer = await shop.client.get("/v1/notifications/deliveries", headers=as_user(new_id()))

        assert (answer.status_code, answer.json()["scope"]) == (403, "notifications:read")


async def test_describes_itself(running):
    shop = await running()

    document = (await shop.client.get("/internal/schema/openapi.json")).json()

    for path in ("/v1/notifications", "/v1/notifications/stream", "/v1/notification-preferences"):
        assert path in document["paths"]
