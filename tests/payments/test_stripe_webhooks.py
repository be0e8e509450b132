"""Stripe's webhooks: signed, and then only a reason to ask; so they may come twice, late and in any order."""

import asyncio
import json
import time

import pytest
import stripe as sdk

import stripes
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import InvalidInput, Unavailable
from shopwright.payments.provider import WebhookNotGenuine
from shopwright.payments.store import payments as store
from shopwright.payments.stripe.account import Account, BadAccount
from shopwright.payments.stripe.reports import PAYMENT

MINUTE = 60


@pytest.fixture(scope="module")
def localstripe():
    with stripes.localstripe() as url:
        yield url


@pytest.fixture
async def shop(database, localstripe):
    async with stripes.shop(await database("payments"), localstripe) as shop:
        yield shop


def event(kind, about, *, event_id="evt_1", **members):
    return {"id": event_id, "object": "event", "type": kind, "data": {"object": about | members}}


def intent(payment, **members):
    about = {"id": payment.provider_ref, "object": "payment_intent"}
    return about | {"metadata": {PAYMENT: str(payment.id)}} | members


async def deliver(shop, told, *, secret=stripes.SECRET, age_s=0, header=None):
    body = json.dumps(told)
    sign = sdk.WebhookSignature.generate_signature_header
    signed = sign(body, secret, int(time.time()) - age_s) if header is None else header
    await shop.payments.receive("stripe", {"stripe-signature": signed}, body.encode())


async def stands(shop, payment):
    return await store.find(shop.db, payment.id)


async def events(shop, payment):
    timeline = (await store.timelines(shop.db, [payment]))[payment.id]
    return [(line.kind, line.outcome) for line in timeline if line.outcome != "requested"]


class TestSignature:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"secret": "whsec_of_somebody_else"},
            {"age_s": 6 * MINUTE},
            {"age_s": -6 * MINUTE},
            {"header": ""},
            {"header": "t=,v1="},
            {"header": "t=1,v0=aa"},
        ],
    )
    async def test_refuses_what_is_not_stripes_or_of_another_time(self, shop, wrong):
        payment = await shop.payments.authorise(stripes.by_card(await shop.front.card()))
        await shop.front.decide(payment.provider_ref, yes=True)

        with pytest.raises(WebhookNotGenuine):
            await deliver(shop, event("payment_intent.amount_capturable_updated", intent(payment)), **wrong)
        assert (await stands(shop, payment)).status == "requires_action"

    async def test_refuses_a_body_that_was_changed_on_the_way(self, shop):
        told = event("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1"})
        body = json.dumps(told)
        signed = sdk.WebhookSignature.generate_signature_header(body, stripes.SECRET)

        with pytest.raises(WebhookNotGenuine):
            await shop.payments.receive(
                "stripe", {"stripe-signature": signed}, body.replace("pi_1", "pi_2").encode()
            )

    @pytest.mark.parametrize("told", [{}, {"id": "evt_1", "type": "x", "data": {"object": []}}])
    async def test_names_what_is_no_event(self, shop, told):
        with pytest.raises(InvalidInput, match="/data"):
            await deliver(shop, told)


class TestTelling:
    async def test_the_buyers_yes_arrives_before_the_buyer(self, shop):
        payment = await shop.payments.authorise(stripes.by_card(await shop.front.card()))
        await shop.front.decide(payment.provider_ref, yes=True)

        await deliver(shop, event("payment_intent.amount_capturable_updated", intent(payment)))

        assert (await stands(shop, payment)).status == "authorised"

    async def test_twice_is_once(self, shop):
        payment = await shop.captured(1_000)
        await shop.front.ask("POST", "/v1/refunds", payment_intent=payment.provider_ref, amount="300")

        for _ in range(3):
            await deliver(
                shop, event("charge.refunded", {"object": "charge"}, payment_intent=payment.provider_ref)
            )

        assert (await stands(shop, payment)).refunded == 300
        assert (await events(shop, payment)).count(("refund", "succeeded")) == 1

    async def test_one_that_is_late_and_out_of_order_takes_nothing_back(self, shop):
        payment = await shop.captured(1_000)
        payment = await shop.payments.refund(new_id(), payment.id, 400)
        before = await events(shop, payment)

        for status in ("succeeded", "requires_capture", "requires_action", "canceled"):
            told = intent(payment, status=status, amount=1)
            await deliver(
                shop, event(f"payment_intent.{status}", told, event_id=f"evt_{status}"), age_s=4 * MINUTE
            )

        assert (await stands(shop, payment)).status == "partially_refunded"
        assert await events(shop, payment) == before

    async def test_what_it_claims_is_not_believed(self, shop):
        payment = await shop.authorised()

        await deliver(shop, event("payment_intent.succeeded", intent(payment, status="succeeded")))

        assert (await stands(shop, payment)).status == "authorised"
        assert await store.balances(shop.db) == {}

    async def test_it_overtakes_the_answer_that_was_lost(self, shop):
        payment = await shop.authorised()
        shop.front.faults["capture"] = ["silent"]
        await shop.payments.capture(payment.id)

        await deliver(shop, event("payment_intent.succeeded", intent(payment)))

        assert (await stands(shop, payment)).status == "captured"
        assert (await shop.payments.capture(payment.id)).status == "captured"
        assert shop.front.reached["capture"] == 1

    async def test_it_meets_the_buyer_who_returns_and_both_are_one(self, shop):
        for _ in range(5):
            payment = await shop.payments.authorise(stripes.by_card(await shop.front.card()))
            await shop.front.decide(payment.provider_ref, yes=True)
            told = event("payment_intent.amount_capturable_updated", intent(payment))

            await asyncio.gather(
                shop.payments.get(payment.id),
                deliver(shop, told),
                deliver(shop, told),
                shop.payments.get(payment.id),
            )

            assert (await stands(shop, payment)).status == "authorised"
            assert (await events(shop, payment)).count(("authorise", "succeeded")) == 1

    async def test_it_is_asked_for_again_when_stripe_does_not_say_more(self, shop):
        payment = await shop.authorised()
        shop.front.faults["find"] = ["lost", "lost"]  # the client asks once more

        with pytest.raises(Unavailable):
            await deliver(shop, event("payment_intent.succeeded", intent(payment)))

    async def test_one_about_another_shops_charge_changes_nothing(self, shop):
        stranger = {"object": "payment_intent", "id": "pi_stranger", "metadata": {PAYMENT: str(new_id())}}

        await deliver(shop, event("payment_intent.succeeded", stranger))
        await deliver(shop, event("customer.created", {"object": "customer", "id": "cus_1"}))
        await deliver(shop, event("balance.available", {"object": "balance"}))

        assert shop.front.reached["find"] == 0


class TestChargeback:
    async def test_is_booked_with_its_fee_once(self, shop):
        payment = await shop.captured(1_000)
        dispute = {
            "id": "dp_1", "object": "dispute", "amount": 1_000, "currency": "eur", "status": "needs_response",
            "balance_transactions": [{"id": "txn_9", "fee": 1_500, "currency": "eur"}],
        }  # fmt: skip
        shop.front.disputes[payment.provider_ref] = [dispute]

        for _ in range(2):
            told = {"id": "dp_1", "object": "dispute", "payment_intent": payment.provider_ref}
            await deliver(shop, event("charge.dispute.funds_withdrawn", told))

        assert (await stands(shop, payment)).charged_back == 1_000
        assert await store.balances(shop.db) == {
            ("provider_clearing", "EUR"): -1_500, ("revenue", "EUR"): -1_000, ("chargebacks", "EUR"): 1_000,
            ("fees", "EUR"): 1_500,
        }  # fmt: skip
        assert (await events(shop, payment)).count(("chargeback", "succeeded")) == 1

    @pytest.mark.parametrize("types", [("closed", "funds_reinstated"), ("funds_reinstated", "closed")])
    @pytest.mark.parametrize("told_before", [True, False])
    async def test_that_was_won_is_booked_back_once(self, shop, types, told_before):
        payment = await shop.captured(1_000)
        withdrawn = {"id": "txn_9", "amount": -1_000, "fee": 1_500, "currency": "eur"}
        dispute = {
            "id": "dp_1", "object": "dispute", "amount": 1_000, "currency": "eur", "status": "under_review",
            "balance_transactions": [withdrawn],
        }  # fmt: skip
        shop.front.disputes[payment.provider_ref] = [dispute]
        about = {"id": "dp_1", "object": "dispute", "payment_intent": payment.provider_ref}
        for _ in range(told_before):
            await deliver(shop, event("charge.dispute.funds_withdrawn", about))

        dispute["status"] = "won"
        dispute["balance_transactions"].append(
            {"id": "txn_10", "amount": 1_000, "fee": -1_500, "currency": "eur"}
        )
        for what in (*types, *types):
            await deliver(shop, event(f"charge.dispute.{what}", about))

        assert (await stands(shop, payment)).charged_back == 0
        assert {account: amount for account, amount in (await store.balances(shop.db)).items() if amount} == {
            ("provider_clearing", "EUR"): 1_000, ("revenue", "EUR"): -1_000,
        }  # fmt: skip
        assert (await events(shop, payment)).count(("chargeback", "succeeded")) == 2

    async def test_takes_nothing_while_it_is_a_warning(self, shop):
        payment = await shop.captured(1_000)
        dispute = {"id": "dp_1", "amount": 1_000, "currency": "eur", "status": "warning_needs_response"}
        shop.front.disputes[payment.provider_ref] = [dispute]

        told = {"id": "dp_1", "object": "dispute", "payment_intent": payment.provider_ref}
        await deliver(shop, event("charge.dispute.created", told))

        assert (await stands(shop, payment)).charged_back == 0


class TestAccount:
    @pytest.mark.parametrize(
        ("values", "name"),
        [
            (("pk_test_1", stripes.SECRET), "STRIPE_KEY"),
            ((stripes.KEY, "sk_test_2"), "STRIPE_WEBHOOK_SECRET"),
            ((stripes.KEY, stripes.SECRET, "http://stripe.example"), "STRIPE_API_BASE"),
            ((stripes.KEY, stripes.SECRET, "ftp://127.0.0.1"), "STRIPE_API_BASE"),
        ],
    )
    def test_names_the_setting_that_is_wrong_and_no_secret(self, values, name):
        with pytest.raises(BadAccount, match=name) as refused:
            Account(*values)
        assert not any(value in str(refused.value) for value in values)

    def test_does_not_show_its_keys(self):
        shown = repr(Account(stripes.KEY, stripes.SECRET))

        assert stripes.KEY not in shown
        assert stripes.SECRET not in shown
