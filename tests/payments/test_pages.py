"""The hosted card page and its webhooks, through the service's HTTP as a browser and a provider use it."""

import asyncio
import json
import re
import time
from datetime import timedelta

import pytest

from shopwright.payments.commands import Payments
from shopwright.payments.sandbox import signature
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Wire, an_order

OK, CHALLENGED = "4242 4242 4242 4242", "4000-0027-6000-3184"
DECLINED, POOR = "4000000000000002", "4000 0000 0000 9995"
REAL = "5555 5555 5555 4444"  # passes Luhn and is not on the page


@pytest.fixture
async def payment(shop):
    return await shop.payments.authorise(an_order(token="", description="Order SW-1"))


async def pay(client, payment, number, **more):
    return await client.post(payment.action_url, data={"number": number, **more})


async def deliver(shop, client):
    """Send every webhook that is due, as the courier would."""
    answers = []
    for queued in await shop.books.to_send(50):
        header = signature.sign(SECRET, queued.body, int(time.time()))
        answers.append(await post_webhook(client, queued.body, header))
        await shop.books.sent(queued)
    return answers


async def post_webhook(client, body, header):
    return await client.post("/v1/webhooks/sandbox", content=body, headers={signature.HEADER: header})


async def queued_body(shop):
    return (await shop.books.to_send(1))[0].body


class TestPage:
    async def test_a_form_of_too_many_fields_is_shown_again(self, client, payment):
        answer = await client.post(payment.action_url, content="a&" * 40)

        assert answer.status_code == 422

    async def test_shows_what_is_paid_and_that_it_is_a_sandbox(self, client, payment):
        page = await client.get(payment.action_url)

        assert page.status_code == 200
        assert "19.99 EUR" in page.text
        assert "Order SW-1" in page.text
        assert "no money moves" in page.text

    async def test_needs_no_script_and_allows_none(self, client, payment):
        page = await client.get(payment.action_url)

        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"

    async def test_lets_the_form_lead_back_to_the_shop(self, client, payment):
        page = await client.get(payment.action_url)

        assert f"form-action 'self' {SITE};" in page.headers["content-security-policy"]

    async def test_escapes_what_the_shop_calls_the_payment(self, shop, client):
        evil = "<script>alert(1)</script>"
        payment = await shop.payments.authorise(an_order(token="", description=evil))

        page = await client.get(payment.action_url)

        assert evil not in page.text
        assert "&lt;script&gt;" in page.text

    async def test_repeats_nothing_of_the_query_or_the_form(self, client, payment):
        evil = '"><script>alert(1)</script>'

        shown = await client.get(payment.action_url, params={"payment": evil, "error": evil, "number": evil})
        refused = await pay(client, payment, evil, decision="pay")

        assert "alert(1)" not in shown.text + refused.text

    async def test_tells_nothing_of_a_session_that_is_none(self, client):
        assert (await client.get("/sandbox/pay/guessed")).status_code == 404
        assert (await client.post("/sandbox/pay/guessed", data={"number": OK})).status_code == 404

    async def test_refuses_a_large_form(self, client, payment):
        answer = await client.post(payment.action_url, data={"number": "4" * 10_000})

        assert answer.status_code == 413


class TestPay:
    async def test_authorises_and_sends_the_buyer_back(self, shop, client, payment):
        answer = await pay(client, payment, OK)

        assert answer.status_code == 303
        assert answer.headers["location"] == f"{SITE}/orders/1?payment={payment.id}"
        assert (await shop.payments.get(payment.id)).status == "authorised"

    async def test_keeps_the_query_of_the_return_url(self, shop, client):
        order = an_order(token="", return_url=f"{SITE}/orders/1?key=a%26b")
        payment = await shop.payments.authorise(order)

        answer = await pay(client, payment, OK)

        assert answer.headers["location"] == f"{SITE}/orders/1?key=a%26b&payment={payment.id}"

    @pytest.mark.parametrize(("number", "code"), [(DECLINED, "card_declined"), (POOR, "insufficient_funds")])
    async def test_declines_with_the_reason(self, shop, client, payment, number, code):
        answer = await pay(client, payment, number)

        declined = await shop.payments.get(payment.id)
        assert answer.status_code == 303
        assert (declined.status, declined.decline_code) == ("declined", code)

    async def test_cancels(self, shop, client, payment):
        answer = await client.post(payment.action_url, data={"number": "", "decision": "cancel"})

        assert answer.status_code == 303
        assert (await shop.payments.get(payment.id)).decline_code == "cancelled_by_buyer"

    @pytest.mark.parametrize(
        "number", ["", "4242", "4242 4242 4242 4241", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "x" * 39, REAL]
    )
    async def test_refuses_any_other_number_and_lets_the_buyer_try_again(self, shop, client, payment, number):
        answer = await pay(client, payment, number)

        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert (await shop.payments.get(payment.id)).status == "requires_action"

    async def test_warns_of_a_real_card(self, client, payment):
        assert "Only test cards work here" in (await pay(client, payment, REAL)).text

    @pytest.mark.parametrize(("decision", "status"), [("confirm", "authorised"), ("reject", "declined")])
    async def test_asks_the_bank(self, shop, client, payment, decision, status):
        answer = await pay(client, payment, CHALLENGED)
        challenge = await client.get(answer.headers["location"])

        assert (await shop.payments.get(payment.id)).status == "requires_action"
        assert "Is it you" in challenge.text
        await client.post(payment.action_url, data={"decision": decision})
        assert (await shop.payments.get(payment.id)).status == status

    async def test_a_challenge_is_not_confirmed_by_the_card_form(self, shop, client, payment):
        await pay(client, payment, CHALLENGED)

        await pay(client, payment, OK)

        assert (await shop.payments.get(payment.id)).status == "requires_action"

    async def test_a_decision_counts_once(self, shop, client, payment):
        answers = await asyncio.gather(*[pay(client, payment, OK) for _ in range(10)])
        late = await client.post(payment.action_url, data={"decision": "cancel"})

        assert {answer.status_code for answer in [*answers, late]} == {303}
        assert (await shop.payments.get(payment.id)).status == "authorised"
        assert len(await shop.books.to_send(50)) == 1
        assert "is done" in (await client.get(payment.action_url)).text

    async def test_a_voided_payment_can_no_longer_be_made(self, shop, client, payment):
        await shop.payments.void(payment.id)

        answer = await pay(client, payment, OK)

        assert answer.status_code == 303
        assert (await shop.payments.get(payment.id)).status == "voided"

    async def test_an_expired_session_is_declined(self, shop, client, payment):
        async with shop.db.read() as connection:
            await connection.execute("UPDATE sandbox.charges SET expires_at = now()")

        await pay(client, payment, OK)

        declined = await shop.payments.get(payment.id)
        assert (declined.status, declined.decline_code) == ("declined", "expired")

    async def test_the_number_is_in_no_table_and_no_log(self, shop, client, payment, capfd):
        await pay(client, payment, REAL)
        await pay(client, payment, OK)
        await deliver(shop, client)

        async with shop.db.read() as connection:
            tables = await connection.fetch(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'sandbox')"
            )
            rows = [await connection.fetch(f'SELECT * FROM "{name}"."{table}"') for name, table in tables]
        dump = str([dict(row) for found in rows for row in found])
        logged = "".join(capfd.readouterr())
        for number in (OK, REAL):
            assert not re.search(r"[ +-]?".join(number.replace(" ", "")), dump + logged)
        assert str(payment.id) in dump


class TestReturnUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.test/",
            "//evil.test/",
            "/\\evil.test",
            "javascript:alert(1)",
            f"{SITE}.evil.test/",
            "http://shop.test@evil.test/",
        ],
    )
    async def test_leads_nowhere_else(self, shop, url):
        with pytest.raises(Exception, match="return_url"):
            await shop.payments.authorise(an_order(token="", return_url=url))

    @pytest.mark.parametrize(("url", "target"), [("/orders/1", f"{SITE}/orders/1"), ("", f"{SITE}/")])
    async def test_may_be_a_path_of_the_shop(self, shop, client, url, target):
        payment = await shop.payments.authorise(an_order(token="", return_url=url))

        answer = await pay(client, payment, OK)

        assert answer.headers["location"].startswith(target)


class TestWebhook:
    async def test_tells_what_the_buyer_did(self, shop, client, payment):
        await pay(client, payment, OK)

        answers = await deliver(shop, client)

        assert [answer.status_code for answer in answers] == [200]
        assert await shop.facts() == ["requires_action", "authorised"]

    async def test_after_the_buyers_return_it_changes_nothing(self, shop, client, payment):
        await pay(client, payment, OK)
        await shop.payments.get(payment.id)

        await deliver(shop, client)

        assert await shop.facts() == ["requires_action", "authorised"]

    async def test_a_duplicate_changes_nothing(self, shop, client, payment):
        await pay(client, payment, OK)
        body = await queued_body(shop)
        header = signature.sign(SECRET, body, int(time.time()))

        answers = await asyncio.gather(*[post_webhook(client, body, header) for _ in range(20)])

        assert {answer.status_code for answer in answers} == {200}
        assert (await shop.events(payment)).count(("authorise", "succeeded")) == 1

    async def test_told_twice_about_a_duplicate_webhook_card(self, shop, client):
        payment = await shop.payments.authorise(an_order(token="tok_duplicate_webhook"))

        answers = await deliver(shop, client)

        assert [answer.status_code for answer in answers] == [200, 200]
        assert await shop.events(payment) == [("authorise", "requested"), ("authorise", "succeeded")]

    async def test_overtakes_the_answer_of_the_call(self, shop, client):
        shop.wire.faults = ["silent"]
        order = an_order(token="tok_duplicate_webhook")
        payment = await shop.payments.authorise(order)
        assert payment.status == "unknown"

        await deliver(shop, client)

        assert (await shop.payments.authorise(order)).status == "authorised"
        assert shop.wire.reached["authorise"] == 1

    async def test_from_before_the_capture_arrives_after_it(self, shop, client, payment):
        await pay(client, payment, OK)
        old = await queued_body(shop)
        await shop.payments.capture(payment.id)

        await post_webhook(client, old, signature.sign(SECRET, old, int(time.time())))

        assert (await shop.payments.get(payment.id)).status == "captured"

    async def test_from_before_the_void_gives_nothing_back_twice(self, shop, client, payment):
        await pay(client, payment, OK)
        old = await queued_body(shop)
        await shop.payments.void(payment.id)

        await post_webhook(client, old, signature.sign(SECRET, old, int(time.time())))

        assert (await shop.payments.get(payment.id)).status == "voided"
        assert shop.wire.reached["void"] == 1

    @pytest.mark.parametrize("forge", ["other secret", "no header", "other body", "old", "new", "half"])
    async def test_refuses_what_is_forged_or_stale(self, shop, client, payment, forge):
        await pay(client, payment, OK)
        body, now = await queued_body(shop), int(time.time())
        good = signature.sign(SECRET, body, now)
        header = {
            "other secret": signature.sign("another secret of somebody", body, now),
            "no header": "",
            "other body": signature.sign(SECRET, body + b" ", now),
            "old": signature.sign(SECRET, body, now - signature.TOLERANCE_S - 5),
            "new": signature.sign(SECRET, body, now + signature.TOLERANCE_S + 5),
            "half": good[:-1],
        }[forge]

        answer = await post_webhook(client, body, header)

        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/webhook-not-genuine")
        assert await shop.facts() == ["requires_action"]

    async def test_accepts_one_of_several_signatures(self, shop, client, payment):
        await pay(client, payment, OK)
        body, now = await queued_body(shop), int(time.time())
        header = f"{signature.sign(SECRET, body, now)},v1={'0' * 64}"

        assert (await post_webhook(client, body, header)).status_code == 200

    async def test_about_somebody_elses_charge_is_acknowledged(self, shop, client, payment):
        await pay(client, payment, OK)
        raw = json.loads(await queued_body(shop))
        for reference in ("0193a5b1-0000-7000-8000-000000000001", "not ours"):
            raw["charge"]["reference"] = reference
            body = json.dumps(raw).encode()

            answer = await post_webhook(client, body, signature.sign(SECRET, body, int(time.time())))

            assert answer.status_code == 200

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"id": 1}', b"\xff"])
    async def test_refuses_genuine_nonsense(self, client, body):
        answer = await post_webhook(client, body, signature.sign(SECRET, body, int(time.time())))

        assert answer.status_code == 422

    async def test_refuses_a_large_body_and_an_unknown_provider(self, client):
        assert (await post_webhook(client, b"x" * 70_000, "")).status_code == 413
        assert (await client.post("/v1/webhooks/nobody", content=b"{}")).status_code == 404


class TestStaff:
    async def test_read_a_payment_with_its_events(self, shop, client):
        payment = await shop.captured(1_999)
        staff = {"x-user-id": "0193a5b1-0000-7000-8000-000000000009", "x-user-scope": "payments:read"}

        one = (await client.get(f"/v1/payments/{payment.id}", headers=staff)).json()
        listed = await client.get("/v1/payments", params={"order_id": str(payment.order_id)}, headers=staff)

        assert (one["status"], one["captured"]) == ("captured", {"amount": 1_999, "currency": "EUR"})
        assert [(event["kind"], event["outcome"]) for event in one["events"]] == [
            ("authorise", "requested"), ("authorise", "succeeded"),
            ("capture", "requested"), ("capture", "succeeded"),
        ]  # fmt: skip
        assert listed.json()["items"] == [one]

    @pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"x-user-scope": "shop"}, 403)])
    async def test_nobody_else_does(self, shop, client, headers, status):
        payment = await shop.authorised()
        user = {"x-user-id": "0193a5b1-0000-7000-8000-000000000009"} if headers else {}

        for path in (f"/v1/payments/{payment.id}", f"/v1/payments?order_id={payment.order_id}"):
            assert (await client.get(path, headers=user | headers)).status_code == status


async def test_a_slow_provider_is_asked_and_told_of_by_webhook(shop, client):
    order = an_order(token="tok_timeout")
    wire = Wire(SandboxProvider(shop.books, SECRET, Sites((SITE,)), late=timedelta(0)))
    payments = Payments(shop.db, {wire.name: wire}, provider_timeout_s=5)
    wire.faults = ["silent"]

    first = await payments.authorise(order)
    await settles_in(shop, timedelta(hours=1))
    again = await payments.authorise(order)
    await settles_in(shop, timedelta(0))
    await deliver(shop, client)

    assert (first.status, again.status) == ("unknown", "unknown")
    async with shop.db.read() as connection:
        assert await connection.fetchval("SELECT status FROM payments") == "authorised"
    assert wire.reached["authorise"] == 1


async def settles_in(shop, time):
    """The bank of every charge takes so long."""
    async with shop.db.read() as connection:
        await connection.execute("UPDATE sandbox.charges SET settles_at = now() + $1::interval", time)
