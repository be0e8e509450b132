"""Cash on delivery and bank transfers: promised or awaited, and received when staff say so."""

import asyncio

import pytest

from shopwright.contracts.ids import new_id
from shopwright.contracts.payments import PaymentNotAuthorised
from shopwright.payments.manual.commands import NotByHand
from shopwright.payments.store import payments as store
from shopwright.payments.testing import an_order, wanted

STAFF = {"x-user-id": str(new_id()), "x-user-scope": "payments:read payments:write"}


async def ledger(shop):
    return {account: amount for (account, _), amount in (await store.balances(shop.db)).items()}


async def received(shop, payment_id, reference="till 1"):
    return await shop.by_hand.received(payment_id, reference, new_id())


class TestCashOnDelivery:
    async def test_is_promised_at_once_and_taken_when_it_is_received(self, shop):
        order = an_order(1_999, method="cash_on_delivery")

        promised = await shop.tenders.authorise(wanted(order))
        asked = await shop.tenders.capture(order.id)
        taken = await received(shop, order.id)

        assert [tender.status for tender in (promised, asked, taken)] == [
            "authorised",
            "authorised",
            "captured",
        ]
        assert await ledger(shop) == {"cash": 1_999, "revenue": -1_999}
        assert await shop.facts() == ["authorised", "captured"]

    async def test_is_received_once_however_often_staff_say_so(self, shop):
        order = an_order(1_999, method="cash_on_delivery")
        await shop.tenders.authorise(wanted(order))

        await asyncio.gather(*[received(shop, order.id, f"note {number}") for number in range(10)])

        assert await ledger(shop) == {"cash": 1_999, "revenue": -1_999}

    async def test_a_gift_card_beside_it_is_held_until_the_cash_is_there(self, shop):
        code = await shop.gift_card(500)
        order = an_order(1_999, method="cash_on_delivery")
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        before = await shop.tenders.capture(order.id)
        after = await received(shop, order.id)

        assert (before.status, before.captured) == ("authorised", 0)
        assert (after.status, after.captured) == ("captured", 1_999)
        [card] = await shop.stored.gift_cards(None, 1)
        assert (card.balance, card.held) == (0, 0)

    async def test_cannot_be_received_once_it_was_given_up(self, shop):
        order = an_order(1_999, method="cash_on_delivery")
        await shop.tenders.authorise(wanted(order))
        voided = await shop.tenders.void(order.id)

        with pytest.raises(PaymentNotAuthorised):
            await received(shop, order.id)

        assert voided.status == "voided"
        assert await ledger(shop) == {}

    async def test_goes_back_as_cash(self, shop):
        order = an_order(1_999, method="cash_on_delivery")
        await shop.tenders.authorise(wanted(order))
        await received(shop, order.id)

        tender, status = await shop.tenders.refund(new_id(), order.id, 500)

        assert (tender.status, status) == ("partially_refunded", "succeeded")
        assert (await ledger(shop))["cash"] == 1_499


class TestBankTransfer:
    async def test_is_awaited_with_instructions_and_then_captured(self, shop):
        order = an_order(1_999, method="bank_transfer")

        awaited = await shop.tenders.authorise(wanted(order))
        told = shop.by_hand.instructions(awaited)
        came = await received(shop, order.id)

        assert (awaited.status, came.status) == ("requires_action", "captured")
        assert told.startswith("Transfer 19.99 EUR to IBAN 1. Give as reference: SW")
        assert shop.by_hand.instructions(came) == ""
        assert await shop.facts() == ["requires_action", "captured"]

    async def test_one_that_never_comes_is_given_up_with_what_else_was_held(self, shop):
        code = await shop.gift_card(500)
        order = an_order(1_999, method="bank_transfer")
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        tender = await shop.tenders.void(order.id)

        [card] = await shop.stored.gift_cards(None, 1)
        assert (tender.status, card.held) == ("voided", 0)

    async def test_received_or_given_up_but_never_both(self, shop):
        for _ in range(10):
            order = an_order(1_999, method="bank_transfer")
            await shop.tenders.authorise(wanted(order))

            await asyncio.gather(
                received(shop, order.id), shop.tenders.void(order.id), return_exceptions=True
            )

            tender = await shop.tenders.get(order.id)
            assert (tender.status, tender.captured) in {("captured", 1_999), ("voided", 0)}


class TestApi:
    async def test_staff_tell_what_came_in(self, shop, client):
        order = an_order(1_999, method="cash_on_delivery")
        await shop.tenders.authorise(wanted(order))

        answer = await client.post(
            f"/v1/payments/{order.id}/received", json={"reference": "till 1"}, headers=STAFF
        )

        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["captured"]["amount"]) == ("captured", 1_999)

    async def test_a_card_payment_is_not_received_by_hand(self, shop):
        payment = await shop.authorised()

        with pytest.raises(NotByHand):
            await received(shop, payment.id)

    async def test_others_may_not(self, shop, client):
        answer = await client.post(
            f"/v1/payments/{new_id()}/received", json={"reference": "x"}, headers={"x-user-id": str(new_id())}
        )

        assert answer.status_code == 403

    async def test_buyers_are_told_how_they_can_pay(self, client):
        answer = await client.get("/v1/payments/methods?currency=EUR&country=DE")

        assert [item["method"] for item in answer.json()["items"]] == [
            "card", "wallet", "gift_card", "cash_on_delivery", "bank_transfer",
        ]  # fmt: skip
