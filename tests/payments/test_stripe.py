"""Stripe by its official SDK, against localstripe: it ignores idempotency keys and refunds more than was
paid, so whatever holds here is held by our side.
"""

import asyncio

import httpx
import pytest

import stripes
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentAlreadyCaptured, ProviderRefused, RefundTooLarge
from shopwright.contracts.problems import InvalidInput
from shopwright.payments import domain
from shopwright.payments.store import payments as store
from shopwright.payments.testing import SITE


@pytest.fixture(scope="module")
def localstripe():
    with stripes.localstripe() as url:
        yield url


@pytest.fixture
async def shop(database, localstripe):
    async with stripes.shop(await database("payments"), localstripe) as shop:
        yield shop


async def age(shop, seconds):
    async with shop.db.read() as connection:
        await connection.execute(
            """UPDATE payments SET open_since = open_since - make_interval(secs => $1),
            created_at = created_at - make_interval(secs => $1),
            look_at = look_at - make_interval(secs => $1)""",
            seconds,
        )


class TestPaying:
    async def test_holds_the_money_then_takes_it(self, shop):
        order = stripes.by_card(amount=Money(1_999, "EUR"))

        payment = await shop.payments.authorise(order)
        assert (payment.status, payment.provider) == ("authorised", "stripe")
        payment = await shop.payments.capture(payment.id)

        (charge,) = await shop.charges()
        assert (payment.status, payment.captured, charge["captured"]) == ("captured", 1_999, True)
        assert await store.balances(shop.db) == {
            ("provider_clearing", "EUR"): 1_999, ("revenue", "EUR"): -1_999,
        }  # fmt: skip
        assert shop.front.keys == [f"{order.id}:authorise", f"{order.id}:capture"]

    async def test_tells_that_the_card_was_declined(self, shop):
        payment = await shop.payments.authorise(stripes.by_card(stripes.DECLINED))

        assert (payment.status, payment.decline_code) == ("declined", "card_declined")
        assert payment.provider_ref.startswith("pi_")

    async def test_declines_a_payment_method_that_stripe_does_not_know(self, shop):
        for _ in range(2):
            payment = await shop.payments.authorise(stripes.by_card("pm_of_another_shop"))
            assert payment.status == "declined"
        assert await shop.charges() == []

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"token": "tok_ok"}, "/token"),
            ({"token": "4242424242424242"}, "/token"),
            ({"amount": Money(5_124, "KWD")}, "/amount"),
            ({"amount": Money(1_999, "MGA")}, "/amount"),
            ({"amount": Money(5_000, "UGX")}, "/amount"),
            ({"return_url": "https://evil.example/"}, "/return_url"),
        ],
    )
    async def test_refuses_what_stripe_cannot_take_before_it_is_asked(self, shop, changes, field):
        with pytest.raises(InvalidInput, match=field):
            await shop.payments.authorise(stripes.by_card(**{"token": stripes.OK} | changes))
        assert shop.front.reached.total() == 0

    @pytest.mark.parametrize(
        ("amount", "at_stripe"),
        [(Money(500, "ISK"), 50_000), (Money(500, "JPY"), 500), (Money(5_120, "KWD"), 5_120),
         (Money(500_00, "MGA"), 500)],
    )  # fmt: skip
    async def test_means_the_same_amount_in_every_currency(self, shop, amount, at_stripe):
        payment = await shop.payments.authorise(stripes.by_card(amount=amount))
        payment = await shop.payments.capture(payment.id)

        assert (payment.status, payment.captured) == ("captured", amount.minor)
        assert [charge["amount"] for charge in await shop.charges()] == [at_stripe]

    async def test_gives_an_authorisation_back(self, shop):
        payment = await shop.payments.authorise(stripes.by_card())

        assert (await shop.payments.void(payment.id)).status == "voided"
        intent = await shop.front.ask("GET", f"/v1/payment_intents/{payment.provider_ref}")
        assert intent["status"] == "canceled"

    async def test_does_not_void_what_is_captured(self, shop):
        payment = await shop.captured()

        with pytest.raises(PaymentAlreadyCaptured):
            await shop.payments.void(payment.id)

    async def test_tells_when_the_authorisation_has_ended_at_stripe(self, shop):
        payment = await shop.payments.authorise(stripes.by_card())
        await shop.front.ask("POST", f"/v1/payment_intents/{payment.provider_ref}/cancel")

        with pytest.raises(ProviderRefused):
            await shop.payments.capture(payment.id)
        assert (await store.find(shop.db, payment.id)).status == "voided"
        assert await store.balances(shop.db) == {}


class TestThreeDSecure:
    @pytest.mark.parametrize(("answer", "status"), [("", "authorised"), ("?no", "declined")])
    async def test_the_buyer_decides_on_the_banks_page(self, shop, answer, status):
        order = stripes.by_card(await shop.front.card(), return_url=f"{SITE}/checkout/done?cart=7")
        payment = await shop.payments.authorise(order)
        assert payment.status == "requires_action"

        async with httpx.AsyncClient() as browser:
            back = await browser.get(payment.action_url + answer)

        assert back.headers["location"] == f"{SITE}/checkout/done?cart=7&payment={order.id}"
        assert (await shop.payments.get(order.id)).status == status

    async def test_a_purchase_that_is_given_up_meanwhile_ends_at_stripe_too(self, shop):
        payment = await shop.payments.authorise(stripes.by_card(await shop.front.card()))

        assert (await shop.payments.void(payment.id)).status == "voided"
        intent = await shop.front.ask("GET", f"/v1/payment_intents/{payment.provider_ref}")
        assert intent["status"] == "canceled"


class TestTwice:
    """Nothing happens twice, though localstripe would let it."""

    async def test_fifty_at_once_are_one_charge_and_one_capture(self, shop):
        order = stripes.by_card()

        answers = await asyncio.gather(*[shop.payments.authorise(order) for _ in range(50)])
        answers += await asyncio.gather(*[shop.payments.capture(order.id) for _ in range(50)])

        assert {answer.status for answer in answers} == {"authorised", "captured"}
        assert len(await shop.charges()) == 1
        assert (shop.front.reached["authorise"], shop.front.reached["capture"]) == (1, 1)

    @pytest.mark.parametrize("token", [stripes.OK, stripes.DECLINED])
    async def test_a_charge_whose_answer_was_lost_is_asked_for(self, shop, token):
        shop.front.faults["authorise"] = ["silent"]
        order = stripes.by_card(token)
        assert (await shop.payments.authorise(order)).status == "unknown"

        payment = await shop.payments.authorise(order)

        assert payment.status == {stripes.OK: "authorised", stripes.DECLINED: "declined"}[token]
        assert shop.front.reached["authorise"] == 1
        assert len(await shop.charges()) == 1

    async def test_a_charge_that_is_answered_too_late_is_asked_for(self, shop):
        shop.front.faults["authorise"] = ["late"]
        order = stripes.by_card()
        assert (await shop.payments.authorise(order)).status == "unknown"

        assert (await shop.payments.get(order.id)).status == "authorised"
        assert len(await shop.charges()) == 1

    @pytest.mark.parametrize("token", [stripes.OK, stripes.DECLINED])
    async def test_a_charge_that_never_arrived_is_sent_again_and_found_by_whoever_asks(self, shop, token):
        """Its second request comes much later than our row of it, and its answer is lost as well."""
        shop.front.faults["authorise"] = ["lost", "silent"]
        order = stripes.by_card(token)
        await shop.payments.authorise(order)
        await age(shop, 240)
        assert (await shop.payments.authorise(order)).status == "unknown"

        payment = await shop.payments.authorise(order)

        assert payment.status == {stripes.OK: "authorised", stripes.DECLINED: "declined"}[token]
        assert shop.front.reached["authorise"] == 1
        assert len(await shop.charges()) == 1

    async def test_a_charge_that_never_arrived_is_given_up_when_it_is_not_wanted(self, shop):
        shop.front.faults["authorise"] = ["lost"]
        order = stripes.by_card()
        assert (await shop.payments.authorise(order)).status == "unknown"
        await age(shop, domain.FORGOTTEN.total_seconds())

        payment = await shop.payments.void(order.id)

        assert (payment.status, payment.decline_code) == ("declined", "never_arrived")
        assert await shop.charges() == []

    @pytest.mark.parametrize("fault", ["silent", "lost"])
    async def test_a_capture_without_answer_is_found_or_sent_again(self, shop, fault):
        payment = await shop.payments.authorise(stripes.by_card())
        shop.front.faults["capture"] = [fault]
        assert (await shop.payments.capture(payment.id)).status == "unknown"

        assert (await shop.payments.capture(payment.id)).status == "captured"
        assert shop.front.reached["capture"] == 1

    async def test_a_refund_whose_answer_was_lost_is_asked_for(self, shop):
        payment = await shop.captured(1_000)
        refund = new_id()
        shop.front.faults["refund"] = ["silent"]
        assert (await shop.payments.refund(refund, payment.id, 400)).status == "unknown"

        payment = await shop.payments.refund(refund, payment.id, 400)

        assert (payment.status, payment.refunded) == ("partially_refunded", 400)
        assert await shop.refunds(payment) == [400]

    async def test_a_refund_is_looked_for_before_it_is_sent(self, shop):
        payment = await shop.captured(1_000)
        key = domain.key_of("refund", payment.id, new_id())

        reports = [await shop.provider.refund(payment, 400, key=key) for _ in range(2)]

        assert [report.refunds for report in reports] == [{key: 400}] * 2
        assert await shop.refunds(payment) == [400]


class TestRefunds:
    async def test_in_parts_up_to_what_was_paid(self, shop):
        payment = await shop.captured(1_000)

        for amount in (250, 250, 500):
            payment = await shop.payments.refund(new_id(), payment.id, amount)

        assert (payment.status, payment.refunded) == ("refunded", 1_000)
        assert await shop.refunds(payment) == [250, 250, 500]

    async def test_more_than_that_is_refused_by_us(self, shop):
        payment = await shop.captured(1_000)
        await shop.payments.refund(new_id(), payment.id, 600)

        with pytest.raises(RefundTooLarge):
            await shop.payments.refund(new_id(), payment.id, 401)

        assert await shop.refunds(payment) == [600]

    async def test_what_was_given_back_at_the_desk_counts(self, shop):
        payment = await shop.captured(1_000)
        await shop.front.ask("POST", "/v1/refunds", payment_intent=payment.provider_ref, amount="700")

        with pytest.raises(ProviderRefused, match="more_than_captured"):
            await shop.payments.refund(new_id(), payment.id, 600)

        assert await shop.refunds(payment) == [700]
        assert (await store.find(shop.db, payment.id)).refunded == 700

    async def test_that_stripe_cannot_express_is_refused(self, shop):
        payment = await shop.captured(Money(5_120, "KWD"))

        with pytest.raises(ProviderRefused, match="amount_not_expressible"):
            await shop.payments.refund(new_id(), payment.id, 1_001)
        assert await shop.refunds(payment) == []
