"""Given a reply, expect the next place: every branch of the rule, without I/O."""

from datetime import UTC, datetime, timedelta

import pytest

from shopwright.chassis.saga import Done, Failed, Place, Refused, Saga, Step, Waiting, action, advance, first
from shopwright.contracts.problems import OutOfStock, PaymentDeclined, Shortage

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
SAGA = Saga(
    "buy",
    (
        Step("reserve", undo="release"),
        Step("authorise", undo="void"),
        Step("confirm", pivot=True),
        Step("claim"),
        Step("capture"),
    ),
)


def after(place, reply, now=NOW, deadline=LATER):
    return advance(SAGA, place, reply, now=now, deadline=deadline)


class TestForward:
    def test_takes_every_step_in_order_and_completes(self):
        place, taken = first(SAGA), []
        while not place.ended:
            taken.append(action(SAGA, place))
            place = after(place, Done())

        assert taken == ["reserve", "authorise", "confirm", "claim", "capture"]
        assert place.status == "completed"

    def test_waits_for_a_buyer_until_the_deadline(self):
        place = after(Place("authorise"), Waiting())

        assert (place.status, place.pause) == ("waiting", timedelta(minutes=5))

    @pytest.mark.parametrize("step", ["reserve", "authorise"])
    def test_tries_a_failed_step_again_with_growing_pauses(self, step):
        once = after(Place(step), Failed("no answer"))
        twice = after(once, Failed("no answer"))

        assert (once.step, once.attempts, twice.attempts) == (step, 1, 2)
        assert timedelta(0) < once.pause < twice.pause


class TestBeforeThePivot:
    def test_undoes_a_refused_payment_and_the_reservation(self):
        place = after(Place("authorise"), Refused(PaymentDeclined(code="insufficient_funds")))
        undone = []
        while not place.ended:
            undone.append(action(SAGA, place))
            place = after(place, Done())

        assert undone == ["void", "release"]
        assert place.status == "undone"
        assert place.reason["type"] == "payment-declined"
        assert place.reason["code"] == "insufficient_funds"

    def test_releases_even_a_refused_reservation_for_its_outcome_may_be_in_doubt(self):
        place = after(Place("reserve"), Refused(OutOfStock(shortages=[Shortage("a", 2, 1)])))

        assert action(SAGA, place) == "release"

    def test_turns_round_when_the_buyer_did_not_act_in_time(self):
        place = after(Place("authorise"), Waiting(), now=LATER)

        assert (place.direction, place.reason["type"]) == ("backward", "expired")

    def test_turns_round_when_a_step_fails_past_the_deadline(self):
        place = after(Place("reserve", attempts=9), Failed("no answer"), now=LATER)

        assert place.direction == "backward"


class TestAfterThePivot:
    @pytest.mark.parametrize("step", ["claim", "capture"])
    @pytest.mark.parametrize("reply", [Failed("x"), Refused(PaymentDeclined())])
    def test_only_goes_forward_whatever_happens(self, step, reply):
        place = after(Place(step, attempts=20), reply, now=LATER)

        assert (place.step, place.direction, place.status) == (step, "forward", "running")

    @pytest.mark.parametrize("reply", [Failed("x"), Refused(PaymentDeclined())])
    def test_an_undo_is_tried_until_it_succeeds(self, reply):
        place = after(Place("reserve", direction="backward", reason={"type": "x"}), reply, now=LATER)

        assert (place.step, place.direction, place.status) == ("reserve", "backward", "running")


def test_a_saga_without_a_pivot_is_refused():
    with pytest.raises(ValueError, match="exactly one pivot"):
        Saga("x", (Step("a"),))
