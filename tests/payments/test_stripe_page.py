"""Stripe's hosted page, for buyers without a token: they may try several cards, leave, or be too late."""

import httpx
import pytest

import stripes
from shopwright.payments import domain
from shopwright.payments.testing import SITE


@pytest.fixture(scope="module")
def localstripe():
    with stripes.localstripe() as url:
        yield url


@pytest.fixture
async def shop(database, localstripe):
    async with stripes.shop(await database("payments"), localstripe) as shop:
        yield shop


def typed(**changes):
    return stripes.by_card("", **changes)


async def pay(payment, card):
    async with httpx.AsyncClient() as browser:
        return await browser.get(f"{payment.action_url}?card={card}")


class TestPage:
    async def test_takes_a_card_and_leads_back(self, shop):
        order = typed(return_url="/checkout/return")
        payment = await shop.payments.authorise(order)
        assert (payment.status, payment.action_url.startswith("http")) == ("requires_action", True)

        back = await pay(payment, stripes.OK)

        assert back.headers["location"] == f"{SITE}/checkout/return?payment={order.id}"
        payment = await shop.payments.get(order.id)
        assert (payment.status, payment.provider_ref[:3]) == ("authorised", "pi_")
        assert (await shop.payments.capture(order.id)).status == "captured"
        assert (await shop.payments.refund(order.order_id, order.id, 500)).refunded == 500

    async def test_a_declined_card_is_no_end_while_another_may_be_tried(self, shop):
        payment = await shop.payments.authorise(typed())

        assert (await pay(payment, stripes.DECLINED)).status_code == 402
        assert (await shop.payments.get(payment.id)).status == "requires_action"
        await pay(payment, stripes.OK)

        assert (await shop.payments.get(payment.id)).status == "authorised"

    async def test_a_page_that_is_over_is_a_decline(self, shop):
        payment = await shop.payments.authorise(typed())
        shop.front.pages.sessions[payment.provider_ref]["status"] = "expired"

        payment = await shop.payments.get(payment.id)
        assert (payment.status, payment.decline_code) == ("declined", "expired")

    async def test_a_purchase_that_is_given_up_closes_the_page(self, shop):
        payment = await shop.payments.authorise(typed())

        assert (await shop.payments.void(payment.id)).status == "voided"
        assert shop.front.pages.sessions[payment.provider_ref]["status"] == "expired"

    async def test_a_buyer_who_pays_in_the_last_moment_gets_the_money_back(self, shop):
        payment = await shop.payments.authorise(typed())
        await shop.front.pages.pay(payment.provider_ref, stripes.OK)

        assert (await shop.payments.void(payment.id)).status == "voided"
        (charge,) = await shop.charges()
        assert charge["captured"] is False
        intent = await shop.front.ask("GET", f"/v1/payment_intents/{charge['payment_intent']}")
        assert intent["status"] == "canceled"

    async def test_an_answer_that_was_lost_is_found_again(self, shop):
        shop.front.faults["authorise"] = ["silent"]
        order = typed()
        assert (await shop.payments.authorise(order)).status == "unknown"

        payment = await shop.payments.authorise(order)

        assert payment.status == "requires_action"
        await pay(payment, stripes.OK)
        assert (await shop.payments.get(order.id)).status == "authorised"
        assert shop.front.reached["authorise"] == 1

    async def test_one_that_never_arrived_is_opened_again(self, shop):
        shop.front.faults["authorise"] = ["lost"]
        order = typed()
        await shop.payments.authorise(order)
        async with shop.db.read() as connection:
            await connection.execute(
                "UPDATE payments SET open_since = open_since - $1::interval, look_at = now()",
                domain.FORGOTTEN,
            )

        payment = await shop.payments.authorise(order)

        assert (payment.status, shop.front.reached["authorise"]) == ("requires_action", 1)
        await pay(payment, stripes.OK)
        assert (await shop.payments.get(order.id)).status == "authorised"
