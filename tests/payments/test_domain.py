"""The state machine, every kind against every status; and what a provider's report adds."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest

from shopwright.contracts.ids import new_id
from shopwright.contracts.payments import (
    PaymentAlreadyCaptured,
    PaymentNotAuthorised,
    PaymentNotCaptured,
    PaymentStatus,
    RefundTooLarge,
)
from shopwright.payments.domain import (
    TRANSITIONS,
    Kind,
    Operation,
    Payment,
    PaymentEvent,
    Report,
    decide,
    is_stray,
    never_arrived,
    news,
    no_answer,
    refuse_too_large,
    sent_again,
    status_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS, STATUSES = get_args(Kind), get_args(PaymentStatus)
REFUSED = {
    "not_authorised": PaymentNotAuthorised,
    "captured": PaymentAlreadyCaptured,
    "not_captured": PaymentNotCaptured,
}


def payment(status="pending", *, opened=None, phase="in_flight", **changes):
    identity = new_id()
    operation = None
    if opened:
        operation = Operation(opened, f"{identity}:{opened}", 1_000, phase, NOW)
    values = {
        "id": identity, "order_id": new_id(), "amount": 1_000, "currency": "EUR", "method": "card",
        "provider": "sandbox", "open": operation, "status": status,
    }  # fmt: skip
    return Payment(**values | changes)


def report(state="authorised", **changes):
    return Report(**{"ref": "ch_1", "state": state, "amount": 1_000} | changes)


def told(events):
    return [(event.kind, event.outcome, event.amount) for event in events]


class TestTransitions:
    def test_say_something_about_every_kind_in_every_status(self):
        assert {(kind, status) for kind, row in TRANSITIONS.items() for status in row} == set(
            product(KINDS, STATUSES)
        )

    @pytest.mark.parametrize(("kind", "status"), list(product(KINDS, STATUSES)))
    def test_a_wrong_one_is_refused_and_a_right_one_is_not(self, kind, status):
        verdict = TRANSITIONS[kind][status]

        if verdict in REFUSED:
            with pytest.raises(REFUSED[verdict], match=f"the payment is {status}"):
                decide(payment(status), kind, asked=False)
        else:
            assert decide(payment(status), kind, asked=False) == verdict

    @pytest.mark.parametrize(("kind", "status"), list(product(KINDS, STATUSES)))
    def test_the_provider_is_asked_once_at_most(self, kind, status):
        try:
            assert decide(payment(status), kind, asked=True) in {"go", "answer"}
        except tuple(REFUSED.values()):
            assert TRANSITIONS[kind][status] in {*REFUSED, "ask"}

    @pytest.mark.parametrize("status", STATUSES)
    def test_money_is_taken_or_given_back_from_the_right_status_only(self, status):
        assert (TRANSITIONS["capture"][status] == "go") == (status == "authorised")
        assert (TRANSITIONS["authorise"][status] == "go") is False
        assert (TRANSITIONS["refund"][status] == "go") == (
            status in {"captured", "partially_refunded", "refunded"}
        )

    def test_nothing_is_begun_while_an_operation_was_left_in_flight(self):
        assert decide(payment("authorised", opened="capture"), "capture", asked=False) == "ask"

    def test_a_capture_is_refused_while_the_buyer_has_to_act(self):
        with pytest.raises(PaymentNotAuthorised):
            decide(payment("requires_action"), "capture", asked=True)


class TestStatus:
    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, "pending"),
            ({"opened": "authorise"}, "pending"),
            ({"opened": "authorise", "phase": "action"}, "requires_action"),
            ({"opened": "authorise", "phase": "unknown"}, "unknown"),
            ({"authorised": 1_000}, "authorised"),
            ({"authorised": 1_000, "opened": "capture"}, "authorised"),
            ({"authorised": 1_000, "opened": "capture", "phase": "unknown"}, "unknown"),
            ({"authorised": 1_000, "captured": 1_000}, "captured"),
            ({"authorised": 1_000, "captured": 1_000, "refunded": 1}, "partially_refunded"),
            ({"authorised": 1_000, "captured": 1_000, "refunded": 1_000}, "refunded"),
            ({"authorised": 1_000, "voided": True}, "voided"),
            ({"voided": True}, "voided"),
            ({"decline_code": "x"}, "declined"),
            ({"decline_code": "x", "voided": True}, "declined"),
        ],
    )
    def test_follows_from_the_amounts(self, changes, status):
        assert status_of(payment(**changes)) == status


class TestNews:
    def test_tells_an_authorisation_once(self):
        new = payment(opened="authorise")

        assert told(news(new, report())) == [("authorise", "succeeded", 1_000)]
        assert news(payment("authorised", authorised=1_000), report()) == []

    def test_tells_a_decline_with_its_code(self):
        (event,) = news(payment(opened="authorise"), report("declined", decline_code="lost_card"))

        assert (event.outcome, event.code) == ("failed", "lost_card")

    def test_a_stale_report_never_takes_anything_back(self):
        done = payment("captured", authorised=1_000, captured=1_000, refunded=200)

        for state in ("processing", "requires_action", "authorised"):
            assert news(done, report(state)) == []

    def test_tells_what_it_missed_in_the_order_it_happened(self):
        late = payment(opened="authorise", phase="unknown")

        events = news(late, report(captured=1_000, fee=14, refunds={"a": 100, "b": 200}))

        assert told(events) == [
            ("authorise", "succeeded", 1_000), ("capture", "succeeded", 1_000),
            ("refund", "succeeded", 100), ("refund", "succeeded", 200),
        ]  # fmt: skip

    @pytest.mark.parametrize("state", ["declined", "voided"])
    def test_an_open_capture_ends_with_the_authorisation(self, state):
        waiting = payment("authorised", opened="capture", authorised=1_000)

        assert ("capture", "failed", 1_000) in told(news(waiting, report(state)))

    def test_a_refusal_ends_the_operation_and_not_the_charge(self):
        waiting = payment("captured", opened="refund", authorised=1_000, captured=1_000)

        events = news(waiting, report(captured=1_000, refused="more_than_captured"))

        assert told(events) == [("refund", "failed", 1_000)]

    def test_a_void_that_the_buyers_cancel_overtook_has_nothing_left_to_do(self):
        waiting = payment("requires_action", opened="void")

        events = news(waiting, report("declined", decline_code="cancelled_by_buyer"))

        assert [(event.kind, event.outcome) for event in events] == [
            ("authorise", "failed"),
            ("void", "failed"),
        ]


class TestSilence:
    def test_makes_the_outcome_unknown_once(self):
        assert told(no_answer(payment(opened="capture"))) == [("capture", "unknown", 1_000)]
        assert no_answer(payment(opened="capture", phase="unknown")) == []
        assert no_answer(payment()) == []

    @pytest.mark.parametrize(
        ("kind", "after_s", "outcome"),
        [
            ("authorise", 1, "unknown"), ("authorise", 599, "unknown"), ("authorise", 600, "failed"),
            ("refund", 9_999, "unknown"), ("capture", 9_999, "unknown"), ("void", 9_999, "unknown"),
        ],
    )  # fmt: skip
    def test_ends_a_charge_that_nobody_asks_for_any_more_and_nothing_else(self, kind, after_s, outcome):
        events = never_arrived(payment(opened=kind), NOW + timedelta(seconds=after_s))

        assert [event.outcome for event in events] == [outcome]

    @pytest.mark.parametrize(("after_s", "outcome"), [(19, "unknown"), (20, "failed")])
    @pytest.mark.parametrize(("purpose", "unwanted"), [("order", True), ("top_up", False)])
    def test_ends_one_that_is_not_wanted_once_it_cannot_be_on_its_way(
        self, purpose, unwanted, after_s, outcome
    ):
        lost, now = payment(opened="authorise", purpose=purpose), NOW + timedelta(seconds=after_s)

        assert [event.outcome for event in never_arrived(lost, now, unwanted=unwanted)] == [outcome]

    @pytest.mark.parametrize(("after_s", "again"), [(19, False), (20, True)])
    @pytest.mark.parametrize("kind", ["authorise", "refund"])
    def test_has_money_moved_again_once_it_can_no_longer_be_on_its_way(self, kind, after_s, again):
        now = NOW + timedelta(seconds=after_s)

        assert (kind in sent_again(payment(opened=kind), now)) == again
        assert {"capture", "void"} < sent_again(payment(opened=kind, provider="wallet"), now)
        assert kind in sent_again(payment(opened=kind, provider="wallet"), now)


class TestStray:
    @pytest.mark.parametrize(
        ("changes", "state", "captured", "stray"),
        [
            ({"decline_code": "never_arrived"}, "authorised", 0, True),
            ({"voided": True}, "authorised", 0, True),
            ({"voided": True}, "voided", 0, False),
            ({"decline_code": "x"}, "declined", 0, False),
            ({"authorised": 1_000}, "authorised", 0, False),
            ({"decline_code": "x"}, "authorised", 1_000, False),
        ],
    )
    def test_is_money_held_for_a_payment_that_is_over(self, changes, state, captured, stray):
        assert is_stray(payment(**changes), report(state, captured=captured)) is stray


def test_more_than_what_is_left_is_not_given_back():
    some = payment("partially_refunded", authorised=1_000, captured=1_000, refunded=400)

    refuse_too_large(some, 600)
    with pytest.raises(RefundTooLarge) as caught:
        refuse_too_large(some, 601)
    assert caught.value.refundable.minor == 600


def test_a_repeat_of_an_operation_has_the_same_key():
    one = payment(opened="authorise")

    assert news(one, report())[0].key == one.open.key
    assert isinstance(news(one, report())[0], PaymentEvent)
