"""Authorise, capture, void and refund: once each, whatever repeats, is lost or dies."""

import asyncio

import pytest

from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import (
    PaymentAlreadyCaptured,
    PaymentDiffers,
    PaymentNotAuthorised,
    PaymentNotCaptured,
    ProviderRefused,
    RefundTooLarge,
)
from shopwright.contracts.problems import InvalidInput, NotFound
from shopwright.payments import domain
from shopwright.payments.commands import Payments
from shopwright.payments.store import payments as store
from shopwright.payments.testing import an_order


async def age(shop, seconds):
    """Let `seconds` pass for the open operations."""
    async with shop.db.read() as connection:
        await connection.execute(
            """UPDATE payments SET open_since = open_since - make_interval(secs => $1),
            look_at = look_at - make_interval(secs => $1)""",
            seconds,
        )


async def journals(shop):
    async with shop.db.read() as connection:
        return await connection.fetchval("SELECT count(*) FROM ledger_journals")


class TestAuthorise:
    async def test_holds_the_amount_at_the_provider(self, shop):
        payment = await shop.payments.authorise(an_order(1_999))

        assert (payment.status, payment.authorised) == ("authorised", 1_999)
        assert await shop.events(payment) == [("authorise", "requested"), ("authorise", "succeeded")]
        assert await shop.facts() == ["authorised"]
        assert await journals(shop) == 0

    @pytest.mark.parametrize(
        ("token", "status", "code"),
        [
            ("tok_declined", "declined", "card_declined"),
            ("tok_insufficient_funds", "declined", "insufficient_funds"),
            ("tok_3ds", "requires_action", None),
            ("", "requires_action", None),
            ("tok_of_another_world", "declined", "unknown_token"),
        ],
    )
    async def test_answers_what_the_card_does(self, shop, token, status, code):
        payment = await shop.payments.authorise(an_order(token=token))

        assert (payment.status, payment.decline_code) == (status, code)
        assert bool(payment.action_url) == (status == "requires_action")

    async def test_fifty_at_once_are_one_charge(self, shop):
        order = an_order()

        answers = await asyncio.gather(*[shop.payments.authorise(order) for _ in range(50)])

        assert {answer.status for answer in answers} == {"authorised"}
        assert shop.wire.reached["authorise"] == 1
        assert await shop.facts() == ["authorised"]

    async def test_two_processes_at_once_are_one_charge(self, shop):
        other = Payments(shop.db, {shop.wire.name: shop.wire}, provider_timeout_s=5)
        order = an_order()

        answers = await asyncio.gather(
            *[commands.authorise(order) for commands in (shop.payments, other) for _ in range(20)]
        )

        assert {answer.status for answer in answers} == {"authorised"}
        assert shop.wire.reached["authorise"] == 1

    async def test_refuses_other_terms_under_the_same_id(self, shop):
        payment = await shop.authorised(1_999)

        for changes in ({"amount": Money(1, "EUR")}, {"amount": Money(1_999, "USD")}, {"order_id": new_id()}):
            same = {"id": payment.id, "order_id": payment.order_id, "amount": Money(1_999, "EUR")}
            with pytest.raises(PaymentDiffers):
                await shop.payments.authorise(an_order(**same | changes))

    @pytest.mark.parametrize(
        "changes", [{"amount": Money(0, "EUR")}, {"amount": Money(-1, "EUR")}, {"method": "gold"}]
    )
    async def test_refuses_what_makes_no_sense(self, shop, changes):
        with pytest.raises(InvalidInput):
            await shop.payments.authorise(an_order(**changes))

    @pytest.mark.parametrize("url", ["https://evil.example/", "http://[shop"])
    async def test_refuses_a_way_back_to_elsewhere_before_anything_is_asked(self, shop, url):
        order = an_order(token="", return_url=url)

        with pytest.raises(InvalidInput, match="/return_url"):
            await shop.payments.authorise(order)

        assert (await shop.payments.void(order.id)).status == "voided"
        assert shop.wire.reached["authorise"] == 0

    async def test_goes_on_when_its_caller_gives_up(self, shop):
        shop.wire.gate = asyncio.Event()
        order = an_order()
        call = asyncio.ensure_future(shop.payments.authorise(order))
        while await store.find(shop.db, order.id) is None:
            await asyncio.sleep(0.01)

        call.cancel()
        shop.wire.gate.set()
        await shop.payments.finish(5)

        assert (await store.find(shop.db, order.id)).status == "authorised"


class TestUnknown:
    """No answer came: the outcome is asked for, and only what surely never arrived is sent again."""

    @pytest.mark.parametrize("token", ["tok_ok", "tok_declined"])
    async def test_an_answer_that_was_lost_is_found_by_asking(self, shop, token):
        shop.wire.faults = ["silent"]
        order = an_order(token=token)
        assert (await shop.payments.authorise(order)).status == "unknown"

        payment = await shop.payments.get(order.id)

        assert payment.status == {"tok_ok": "authorised", "tok_declined": "declined"}[token]
        assert shop.wire.reached["authorise"] == 1

    async def test_a_repeat_asks_instead_of_charging(self, shop):
        shop.wire.faults = ["silent"]
        order = an_order()
        await shop.payments.authorise(order)

        assert (await shop.payments.authorise(order)).status == "authorised"
        assert shop.wire.reached["authorise"] == 1

    async def test_stays_unknown_while_the_request_may_still_arrive(self, shop):
        shop.wire.faults = ["lost"]
        order = an_order()
        await shop.payments.authorise(order)

        assert (await shop.payments.authorise(order)).status == "unknown"
        assert (await shop.payments.void(order.id)).status == "unknown"
        assert shop.wire.reached["authorise"] == 0

    @pytest.mark.parametrize(("token", "status"), [("tok_ok", "authorised"), ("tok_declined", "declined")])
    async def test_a_charge_that_must_have_been_lost_is_sent_again_by_who_repeats_it(
        self, shop, token, status
    ):
        shop.wire.faults = ["lost"]
        order = an_order(token=token)
        await shop.payments.authorise(order)
        await age(shop, domain.FORGOTTEN.total_seconds())

        answers = await asyncio.gather(*[shop.payments.authorise(order) for _ in range(20)])

        assert {answer.status for answer in answers} == {status}
        assert shop.wire.reached["authorise"] == 1

    async def test_a_charge_that_is_sent_again_may_be_lost_again(self, shop):
        order = an_order()
        shop.wire.faults = ["lost"]
        await shop.payments.authorise(order)
        for fault in ("lost", "refused"):
            await age(shop, domain.FORGOTTEN.total_seconds())
            shop.wire.faults = ["", fault]
            assert (await shop.payments.authorise(order)).status == "unknown"
            assert (await shop.payments.authorise(order)).status == "unknown"
        await age(shop, domain.FORGOTTEN.total_seconds())

        assert (await shop.payments.authorise(order)).status == "authorised"
        assert (shop.wire.tried["authorise"], shop.wire.reached["authorise"]) == (4, 1)

    async def test_a_charge_is_never_sent_again_while_its_provider_does_not_say(self, shop):
        shop.wire.faults = ["silent"]
        order = an_order()
        await shop.payments.authorise(order)
        await age(shop, domain.FORGOTTEN.total_seconds())
        shop.wire.faults = ["lost"]

        assert (await shop.payments.authorise(order)).status == "unknown"
        assert (await shop.payments.authorise(order)).status == "authorised"
        assert shop.wire.reached["authorise"] == 1

    async def test_a_lost_charge_that_is_no_longer_wanted_is_given_up(self, shop):
        shop.wire.faults = ["lost"]
        order = an_order()
        await shop.payments.authorise(order)
        await age(shop, domain.FORGOTTEN.total_seconds())

        payment = await shop.payments.void(order.id)

        assert (payment.status, payment.decline_code) == ("declined", "never_arrived")
        assert (await shop.payments.authorise(order)).status == "declined"
        assert shop.wire.reached["authorise"] == 0

    async def test_a_lost_charge_waits_for_its_order_and_not_for_ever(self, shop):
        shop.wire.faults = ["lost"]
        order = an_order()
        await shop.payments.authorise(order)
        await age(shop, domain.FORGOTTEN.total_seconds())
        await one_look(shop)
        assert (await shop.payments.get(order.id)).status == "unknown"
        await age(shop, domain.ABANDONED.total_seconds())

        await one_look(shop)

        payment = await store.find(shop.db, order.id)
        assert (payment.status, payment.decline_code) == ("declined", "never_arrived")

    async def test_nobody_asks_again_for_a_top_up_that_was_lost(self, shop):
        shop.wire.faults = ["lost"]
        top_up = an_order(order_id=None, purpose="top_up", user_id=new_id())
        await shop.payments.authorise(top_up)
        await age(shop, domain.FORGOTTEN.total_seconds())

        assert (await shop.payments.get(top_up.id)).status == "declined"

    async def test_a_charge_that_came_through_after_all_is_given_back(self, shop):
        shop.wire.faults = ["lost"]
        order = an_order()
        await shop.payments.authorise(order)
        await age(shop, domain.FORGOTTEN.total_seconds())
        await shop.payments.void(order.id)
        await shop.wire.authorise(order, key=domain.authorise_key(order.id))

        await age(shop, domain.LAST_LOOK.total_seconds())
        await one_look(shop)

        assert (await shop.books.by_key(domain.authorise_key(order.id))).state == "voided"
        payment = await store.find(shop.db, order.id)
        assert (payment.status, payment.look_at) == ("declined", None)
        assert (await shop.events(payment))[-1] == ("void", "succeeded")

    async def test_the_worker_finds_what_nobody_asks_about(self, shop):
        shop.wire.faults = ["silent"]
        order = an_order()
        await shop.payments.authorise(order)
        await age(shop, 60)

        await one_look(shop)

        assert (await store.find(shop.db, order.id)).status == "authorised"
        assert await shop.facts() == ["unknown", "authorised"]

    async def test_the_worker_asks_less_and_less_often(self, shop):
        payment = await shop.payments.authorise(an_order(token=""))
        pauses = []
        for _ in range(4):
            await age(shop, 10_000)
            (seen,) = await store.due(shop.db, 10)
            pauses.append((seen.look_at - seen.updated_at).total_seconds())

        assert pauses == sorted(pauses)
        assert await store.due(shop.db, 10) == []
        assert payment.status == "requires_action"

    async def test_a_capture_without_answer_is_found_or_sent_again(self, shop):
        for fault in ("silent", "lost"):
            payment = await shop.authorised()
            shop.wire.faults = [fault]
            assert (await shop.payments.capture(payment.id)).status == "unknown"

            assert (await shop.payments.capture(payment.id)).status == "captured"
        assert await journals(shop) == 2

    async def test_a_void_of_it_asks_first(self, shop):
        shop.wire.faults = ["silent"]
        order = an_order()
        await shop.payments.authorise(order)

        payment = await shop.payments.void(order.id)

        assert payment.status == "voided"
        assert (await shop.events(payment))[-3:] == [
            ("authorise", "succeeded"), ("void", "requested"), ("void", "succeeded"),
        ]  # fmt: skip

    async def test_a_refund_without_answer_is_found(self, shop):
        payment = await shop.captured(1_000)
        refund = new_id()
        shop.wire.faults = ["silent"]
        assert (await shop.payments.refund(refund, payment.id, 400)).status == "unknown"

        payment = await shop.payments.refund(refund, payment.id, 400)

        assert (payment.status, payment.refunded) == ("partially_refunded", 400)
        assert shop.wire.reached["refund"] == 1

    async def test_a_refund_that_never_arrived_is_sent_again_when_it_cannot_be_on_its_way(self, shop):
        payment = await shop.captured(1_000)
        refund = new_id()
        shop.wire.faults = ["lost"]
        await shop.payments.refund(refund, payment.id, 400)
        assert (await shop.payments.refund(refund, payment.id, 400)).status == "unknown"
        assert shop.wire.reached["refund"] == 0
        await age(shop, domain.FORGOTTEN.total_seconds())

        for _ in range(2):
            payment = await shop.payments.refund(refund, payment.id, 400)

        assert (payment.status, payment.refunded) == ("partially_refunded", 400)
        assert shop.wire.reached["refund"] == 1

    async def test_nobody_has_to_ask_again_for_a_refund_that_never_arrived(self, shop):
        payment = await shop.captured(1_000)
        shop.wire.faults = ["lost"]
        await shop.payments.refund(new_id(), payment.id, 400)
        await age(shop, domain.FORGOTTEN.total_seconds())

        await one_look(shop)

        payment = await store.find(shop.db, payment.id)
        assert (payment.status, payment.refunded, payment.look_at) == ("partially_refunded", 400, None)
        assert await journals(shop) == 2

    async def test_a_refund_that_arrived_after_all_is_not_given_twice(self, shop):
        payment = await shop.captured(1_000)
        refund = new_id()
        shop.wire.faults = ["lost"]
        await shop.payments.refund(refund, payment.id, 400)
        await age(shop, domain.FORGOTTEN.total_seconds())
        await shop.books.refund(payment.provider_ref, 400, domain.key_of("refund", payment.id, refund))

        payment = await shop.payments.refund(refund, payment.id, 400)

        assert (payment.status, payment.refunded) == ("partially_refunded", 400)
        assert await journals(shop) == 2


class TestCapture:
    async def test_takes_the_money_and_books_it(self, shop):
        payment = await shop.captured(10_000)

        assert (payment.status, payment.captured) == ("captured", 10_000)
        assert await store.balances(shop.db) == {
            ("provider_clearing", "EUR"): 9_860, ("fees", "EUR"): 140, ("revenue", "EUR"): -10_000,
        }  # fmt: skip
        assert await shop.facts() == ["authorised", "captured"]

    async def test_fifty_at_once_take_it_once(self, shop):
        payment = await shop.authorised()
        other = Payments(shop.db, {shop.wire.name: shop.wire}, provider_timeout_s=5)

        answers = await asyncio.gather(
            *[commands.capture(payment.id) for commands in (shop.payments, other) for _ in range(25)]
        )

        assert {answer.status for answer in answers} == {"captured"}
        assert shop.wire.reached["capture"] == 1
        assert await journals(shop) == 1
        assert (await shop.events(payment)).count(("capture", "succeeded")) == 1

    @pytest.mark.parametrize("token", ["tok_declined", "tok_3ds"])
    async def test_refuses_what_is_not_authorised(self, shop, token):
        payment = await shop.payments.authorise(an_order(token=token))

        with pytest.raises(PaymentNotAuthorised):
            await shop.payments.capture(payment.id)

    async def test_refuses_an_unknown_payment(self, shop):
        with pytest.raises(NotFound):
            await shop.payments.capture(new_id())

    async def test_tells_when_the_provider_will_never_pay(self, shop):
        payment = await shop.authorised()
        await shop.books.void(payment.provider_ref)

        for _ in range(2):
            with pytest.raises((ProviderRefused, PaymentNotAuthorised)):
                await shop.payments.capture(payment.id)
        assert (await store.find(shop.db, payment.id)).status == "voided"
        assert await journals(shop) == 0


class TestVoid:
    async def test_gives_an_authorisation_back(self, shop):
        payment = await shop.authorised()

        assert (await shop.payments.void(payment.id)).status == "voided"
        assert (await shop.books.by_id(payment.provider_ref)).state == "voided"
        assert (await shop.payments.void(payment.id)).status == "voided"
        assert shop.wire.reached["void"] == 1

    async def test_overtakes_its_payment(self, shop):
        order = an_order()

        voided = await shop.payments.void(order.id)
        late = await shop.payments.authorise(order)

        assert (voided.status, late.status) == ("voided", "voided")
        assert shop.wire.reached["authorise"] == 0

    async def test_races_its_payment_and_one_wins(self, shop):
        for _ in range(20):
            order = an_order()

            await asyncio.gather(shop.payments.authorise(order), shop.payments.void(order.id))

            assert (await shop.payments.void(order.id)).status == "voided"
            charge = await shop.books.by_key(domain.authorise_key(order.id))
            assert charge is None or charge.state == "voided"

    async def test_leaves_a_declined_payment_alone(self, shop):
        payment = await shop.payments.authorise(an_order(token="tok_declined"))

        assert (await shop.payments.void(payment.id)).status == "declined"
        assert shop.wire.reached["void"] == 0

    async def test_ends_a_payment_the_buyer_has_not_made(self, shop):
        payment = await shop.payments.authorise(an_order(token=""))

        assert (await shop.payments.void(payment.id)).status == "voided"

    async def test_refuses_once_captured(self, shop):
        payment = await shop.captured()

        with pytest.raises(PaymentAlreadyCaptured):
            await shop.payments.void(payment.id)

    async def test_races_the_capture_and_one_wins(self, shop):
        for _ in range(20):
            payment = await shop.authorised()

            await asyncio.gather(
                shop.payments.capture(payment.id), shop.payments.void(payment.id), return_exceptions=True
            )

            ours = await shop.payments.get(payment.id)
            theirs = await shop.books.by_id(payment.provider_ref)
            assert (ours.status, theirs.captured) in {("captured", 1_999), ("voided", 0)}


class TestRefund:
    async def test_gives_back_in_parts_and_books_each(self, shop):
        payment = await shop.captured(10_000)

        part = await shop.payments.refund(new_id(), payment.id, 4_000)
        rest = await shop.payments.refund(new_id(), payment.id, 6_000)

        assert (part.status, part.refunded) == ("partially_refunded", 4_000)
        assert (rest.status, rest.refunded) == ("refunded", 10_000)
        assert (await store.balances(shop.db))["refunds", "EUR"] == 10_000
        assert await shop.facts() == ["authorised", "captured", "partially_refunded", "refunded"]

    async def test_thirty_at_once_under_one_id_are_one(self, shop):
        payment = await shop.captured(1_000)
        refund = new_id()

        await asyncio.gather(*[shop.payments.refund(refund, payment.id, 600) for _ in range(30)])

        assert (await store.find(shop.db, payment.id)).refunded == 600
        assert shop.wire.reached["refund"] == 1

    async def test_never_exceeds_what_was_captured(self, shop):
        payment = await shop.captured(1_000)

        outcomes = await asyncio.gather(
            *[shop.payments.refund(new_id(), payment.id, 300) for _ in range(10)], return_exceptions=True
        )

        assert sum(isinstance(outcome, RefundTooLarge) for outcome in outcomes) == 7
        assert (await store.find(shop.db, payment.id)).refunded == 900

    async def test_refuses_another_amount_under_the_same_id(self, shop):
        payment = await shop.captured(1_000)
        refund = new_id()
        await shop.payments.refund(refund, payment.id, 300)

        with pytest.raises(PaymentDiffers):
            await shop.payments.refund(refund, payment.id, 400)

    async def test_refuses_what_was_not_captured(self, shop):
        payment = await shop.authorised()

        with pytest.raises(PaymentNotCaptured):
            await shop.payments.refund(new_id(), payment.id, 1)

    async def test_books_one_that_was_made_at_the_providers_own_desk(self, shop):
        payment = await shop.captured(1_000)
        await shop.books.refund(payment.provider_ref, 250, "their own")

        payment = await shop.payments.refund(new_id(), payment.id, 750)

        assert (payment.status, payment.refunded) == ("refunded", 1_000)


async def one_look(shop):
    """One round of the worker."""
    await shop.payments.look(asyncio.Event())
