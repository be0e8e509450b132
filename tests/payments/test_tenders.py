"""Several parts pay one order: all of it or nothing, whatever is declined, repeats or dies in between."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shopwright.contracts.ids import new_id
from shopwright.contracts.payments import PaymentAlreadyCaptured, PaymentDiffers, RefundTooLarge
from shopwright.payments import domain
from shopwright.payments.store import parts
from shopwright.payments.store import payments as store
from shopwright.payments.testing import a_shop, an_order, wanted

STAFF = {"x-user-id": str(new_id()), "x-user-scope": "payments:read"}


async def ledger(shop):
    return {account: amount for (account, _), amount in (await store.balances(shop.db)).items()}


async def on_cards(shop):
    """(balance, held) of every gift card, oldest first."""
    return [(card.balance, card.held) for card in reversed(await shop.stored.gift_cards(None, 50))]


def methods(tender):
    return [(part.method, part.amount, part.status) for part in tender.live]


class TestAuthorise:
    async def test_spends_the_gift_card_first_and_the_card_for_the_rest(self, shop):
        code = await shop.gift_card(1_500)

        tender = await shop.tenders.authorise(wanted(an_order(1_999), gift_cards=(code,)))

        assert tender.status == "authorised"
        assert methods(tender) == [("gift_card", 1_500, "authorised"), ("card", 499, "authorised")]
        assert await on_cards(shop) == [(1_500, 1_500)]

    async def test_needs_no_card_when_gift_cards_suffice(self, shop):
        first, second = await shop.gift_card(1_000), await shop.gift_card(5_000)

        tender = await shop.tenders.authorise(wanted(an_order(1_999), gift_cards=(first, second)))

        assert methods(tender) == [("gift_card", 1_000, "authorised"), ("gift_card", 999, "authorised")]
        assert shop.wire.reached["authorise"] == 0

    async def test_is_one_payment_as_ever_without_stored_value(self, shop):
        order = an_order(1_999)

        tender = await shop.tenders.authorise(wanted(order))

        assert [part.payment_id for part in tender.live] == [order.id]
        assert not tender.in_parts

    async def test_gives_the_gift_card_back_when_the_card_is_declined(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999, token="tok_insufficient_funds")

        tender = await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        assert (tender.status, tender.decline_code) == ("declined", "insufficient_funds")
        assert await on_cards(shop) == [(1_500, 0)]

    async def test_waits_for_the_buyer_with_the_gift_card_held(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999, token="tok_3ds")

        tender = await shop.tenders.authorise(wanted(order, gift_cards=(code,)))
        voided = await shop.tenders.void(order.id)

        assert tender.status == "requires_action"
        assert tender.action_url
        assert (voided.status, await on_cards(shop)) == ("voided", [(1_500, 0)])

    @pytest.mark.parametrize(
        ("card", "refused"),
        [
            ({"expires_at": datetime.now(UTC) - timedelta(days=1)}, "gift_card_expired"),
            ({"currency": "USD"}, "gift_card_other_currency"),
        ],
    )
    async def test_declines_a_gift_card_that_pays_nothing(self, shop, card, refused):
        code = await shop.gift_card(1_500, **card)

        tender = await shop.tenders.authorise(wanted(an_order(1_999), gift_cards=(code,)))

        assert (tender.status, tender.decline_code) == ("declined", refused)
        assert shop.wire.reached["authorise"] == 0

    async def test_declines_an_unknown_and_a_disabled_gift_card(self, shop):
        code = await shop.gift_card(1_500)
        [card] = await shop.stored.gift_cards(None, 1)
        await shop.stored.disable(card.id)

        codes = [
            (await shop.tenders.authorise(wanted(an_order(1_999), gift_cards=(given,)))).decline_code
            for given in ("ABCD-ABCD-ABCD-ABCD", code)
        ]

        assert codes == ["gift_card_unknown", "gift_card_disabled"]

    async def test_takes_a_code_as_people_type_it(self, shop):
        code = await shop.gift_card(5_000)

        tender = await shop.tenders.authorise(
            wanted(an_order(1_999), gift_cards=(f" {code.lower().replace('-', ' ')} ",))
        )

        assert tender.status == "authorised"

    async def test_a_gift_card_alone_that_does_not_suffice_is_declined_whole(self, shop):
        code = await shop.gift_card(1_500)

        tender = await shop.tenders.authorise(wanted(an_order(1_999, method="gift_card"), gift_cards=(code,)))

        assert (tender.status, tender.decline_code) == ("declined", "insufficient_funds")
        assert await on_cards(shop) == [(1_500, 0)]

    async def test_one_that_was_spent_after_it_was_planned_with_tells_what_is_left(self, shop):
        code, order = await shop.gift_card(2_500), an_order(1_999)
        [card] = await shop.stored.gift_cards(None, 1)
        plan = domain.plan(order, [domain.Source("gift_card", card.id, card.available)], "sandbox")
        planned = domain.Tender(
            id=order.id, order_id=order.order_id, amount=1_999, currency="EUR", parts=tuple(plan)
        )
        await parts.open_group(shop.db, planned)
        await shop.tenders.authorise(wanted(an_order(2_100), gift_cards=(code,)))

        tenders = [await shop.tenders.authorise(wanted(order, gift_cards=(code,))) for _ in range(2)]

        assert {(tender.status, tender.gift_card_left) for tender in tenders} == {("declined", 400)}
        assert (
            await shop.tenders.authorise(wanted(an_order(400), gift_cards=(code,)))
        ).status == "authorised"

    async def test_fifty_orders_cannot_spend_one_gift_card_twice(self, shop):
        code = await shop.gift_card(5 * 1_999)

        tenders = await asyncio.gather(
            *[
                shop.tenders.authorise(wanted(an_order(1_999, method="gift_card"), gift_cards=(code,)))
                for _ in range(50)
            ]
        )

        assert sum(tender.status == "authorised" for tender in tenders) == 5
        assert await on_cards(shop) == [(5 * 1_999, 5 * 1_999)]

    async def test_a_repeat_without_the_codes_is_the_same_payment(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        again = await shop.tenders.authorise(wanted(order))

        assert methods(again) == [("gift_card", 1_500, "authorised"), ("card", 499, "authorised")]
        assert shop.wire.reached["authorise"] == 1

    async def test_two_processes_at_once_are_one_payment(self, shop):
        other = a_shop(shop.db, shop.books, shop.wire)
        code = await shop.gift_card(1_999)
        order = an_order(1_999, method="card")

        tenders = await asyncio.gather(
            *[
                process.tenders.authorise(wanted(order, gift_cards=(code,)))
                for process in (shop, other)
                for _ in range(6)
            ]
        )

        assert {tender.status for tender in tenders} == {"authorised"}
        assert await on_cards(shop) == [(1_999, 1_999)]

    async def test_refuses_another_amount_under_the_same_id(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        with pytest.raises(PaymentDiffers):
            await shop.tenders.authorise(wanted(an_order(1_000, id=order.id), gift_cards=(code,)))

    async def test_never_begins_what_was_voided_before_it_came(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        await shop.tenders.void(order.id)

        tender = await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        assert tender.status == "voided"
        assert await on_cards(shop) == [(1_500, 0)]


class TestCaptureAndVoid:
    async def test_takes_every_part_and_books_what_was_owed(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        tender = await shop.tenders.capture(order.id)

        assert (tender.status, tender.captured) == ("captured", 1_999)
        assert await on_cards(shop) == [(0, 0)]
        books = await ledger(shop)
        assert (books["revenue"], books["gift_cards"], books["given_away"]) == (-1_999, 0, 1_500)
        assert books["provider_clearing"] + books["fees"] == 499

    async def test_refuses_to_void_once_captured(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))
        await shop.tenders.capture(order.id)

        with pytest.raises(PaymentAlreadyCaptured):
            await shop.tenders.void(order.id)

    async def test_an_unknown_part_makes_the_whole_unknown_and_is_asked_for(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        shop.wire.faults = ["silent"]

        unknown = await shop.tenders.authorise(wanted(order, gift_cards=(code,)))
        known = await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        assert (unknown.status, known.status) == ("unknown", "authorised")
        assert shop.wire.reached["authorise"] == 1


class TestRefund:
    @pytest.fixture
    async def paid(self, shop):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))
        await shop.tenders.capture(order.id)
        return order.id

    async def test_gives_back_to_the_provider_first_then_to_the_gift_card(self, shop, paid):
        small, _ = await shop.tenders.refund(new_id(), paid, 300)
        large, status = await shop.tenders.refund(new_id(), paid, 1_000)

        assert [part.payment.refunded for part in small.live] == [0, 300]
        assert [part.payment.refunded for part in large.live] == [801, 499]
        assert (large.status, status) == ("partially_refunded", "succeeded")
        assert await on_cards(shop) == [(801, 0)]

    async def test_is_once_per_id_and_never_more_than_was_paid(self, shop, paid):
        refund = new_id()
        await asyncio.gather(*[shop.tenders.refund(refund, paid, 1_000) for _ in range(10)])

        with pytest.raises(RefundTooLarge):
            await shop.tenders.refund(new_id(), paid, 1_000)
        tender, _ = await shop.tenders.refund(new_id(), paid, 999)

        assert (tender.status, tender.refunded) == ("refunded", 1_999)

    async def test_two_processes_at_once_never_give_more_than_was_paid(self, shop, paid):
        other = a_shop(shop.db, shop.books, shop.wire)

        results = await asyncio.gather(
            *[process.tenders.refund(new_id(), paid, 400) for process in (shop, other) for _ in range(5)],
            return_exceptions=True,
        )

        assert sum(isinstance(result, tuple) for result in results) == 4
        assert (await shop.tenders.get(paid)).refunded == 1_600

    async def test_goes_to_the_wallet_when_asked(self, shop, paid):
        user = new_id()

        tender, status = await shop.tenders.refund(new_id(), paid, 1_000, user)

        [wallet] = await shop.stored.wallets(user)
        assert (wallet.balance, status, tender.refunded) == (1_000, "succeeded", 1_000)
        assert shop.wire.reached["refund"] == 0
        assert (await ledger(shop))["buyer_wallet"] == -1_000

    async def test_to_the_wallet_leaves_that_much_less_for_the_source(self, shop):
        payment = await shop.captured(1_999)
        await shop.tenders.refund(new_id(), payment.id, 1_500, new_id())

        with pytest.raises(RefundTooLarge):
            await shop.tenders.refund(new_id(), payment.id, 500)
        shop.wire.faults = ["silent"]
        lost = new_id()
        await shop.tenders.refund(lost, payment.id, 499)
        tender, status = await shop.tenders.refund(lost, payment.id, 499)

        assert (status, tender.status, tender.refunded) == ("succeeded", "refunded", 1_999)


class TestRead:
    async def test_staff_see_the_whole_and_its_parts(self, shop, client):
        code = await shop.gift_card(1_500)
        order = an_order(1_999)
        await shop.tenders.authorise(wanted(order, gift_cards=(code,)))
        await shop.tenders.capture(order.id)

        answer = await client.get(f"/v1/payments/{order.id}", headers=STAFF)

        whole = answer.json()
        assert (whole["status"], whole["captured"]["amount"]) == ("captured", 1_999)
        assert [(part["method"], part["part_of"]) for part in whole["parts"]] == [
            ("gift_card", str(order.id)),
            ("card", str(order.id)),
        ]
        assert len(whole["events"]) == 8

    async def test_the_buyer_comes_back_to_the_whole(self, shop, client):
        code = await shop.gift_card(1_500)
        order = an_order(1_999, token="tok_3ds")
        tender = await shop.tenders.authorise(wanted(order, gift_cards=(code,)))

        answer = await client.post(tender.action_url, data={"decision": "confirm"})

        assert answer.headers["location"].endswith(f"payment={order.id}")
