"""The purchase as data: which reply leads where, without I/O."""

from datetime import UTC, datetime, timedelta

import pytest

from shopwright.chassis.saga import Done, Failed, Place, Refused, action, advance, first
from shopwright.contracts.problems import OutOfStock, PaymentDeclined, Shortage
from shopwright.orders.domain import WrongTransition
from shopwright.orders.saga import EDIT_ORDER, PLACE_ORDER

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DEADLINE = NOW + timedelta(minutes=30)


def path(replies, place=None, saga=PLACE_ORDER):
    """What is done in order when the acts named in `replies` answer so and all others succeed."""
    place, done = place or first(saga), []
    while not place.ended and len(done) < 20:
        name = action(saga, place)
        done.append(name)
        place = advance(saga, place, replies.get(name, Done()), now=NOW, deadline=DEADLINE)
    return done, place


class TestForward:
    def test_reserves_before_it_authorises_and_charges_after_it_confirms(self):
        done, place = path({})

        assert done == ["reserve", "authorise", "confirm", "claim", "capture"]
        assert place.status == "completed"


class TestBackward:
    def test_a_sold_out_product_releases_and_never_asks_for_money(self):
        short = OutOfStock(shortages=[Shortage("A", 1, 0)])

        done, place = path({"reserve": Refused(short)})

        assert (done, place.status) == (["reserve", "release"], "undone")
        assert place.reason["type"] == "out-of-stock"

    def test_a_declined_card_voids_then_releases(self):
        done, place = path({"authorise": Refused(PaymentDeclined(code="card_declined"))})

        assert done == ["reserve", "authorise", "void", "release"]
        assert (place.status, place.reason["code"]) == ("undone", "card_declined")


class TestPivot:
    @pytest.mark.parametrize("step", ["claim", "capture"])
    @pytest.mark.parametrize("reply", [Failed("no answer"), Refused(PaymentDeclined(code="late"))])
    def test_behind_it_nothing_is_undone(self, step, reply):
        place = advance(PLACE_ORDER, Place(step), reply, now=DEADLINE, deadline=NOW)

        assert (place.step, place.direction, place.status) == (step, "forward", "running")


class TestEdit:
    def test_reserves_before_it_changes_the_lines_and_gives_back_after(self):
        done, place = path({}, saga=EDIT_ORDER)

        assert done == ["reserve", "authorise", "apply", "claim", "capture", "give_back", "restock"]
        assert place.status == "completed"

    def test_an_order_that_was_shipped_meanwhile_voids_its_payment_and_gives_the_reservation_back(self):
        shipped = WrongTransition(order_status="fulfilled", wanted="edit")

        done, place = path({"apply": Refused(shipped)}, saga=EDIT_ORDER)

        assert (done, place.status) == (["reserve", "authorise", "apply", "void", "release"], "undone")
        assert place.reason["order_status"] == "fulfilled"

    def test_a_refused_card_releases_what_was_reserved(self):
        done, place = path({"authorise": Refused(PaymentDeclined(code="stolen"))}, saga=EDIT_ORDER)

        assert (done, place.status) == (["reserve", "authorise", "void", "release"], "undone")

    @pytest.mark.parametrize("step", ["claim", "capture", "give_back", "restock"])
    @pytest.mark.parametrize("reply", [Failed("no answer"), Refused(PaymentDeclined(code="late"))])
    def test_once_the_lines_are_changed_it_only_goes_on(self, step, reply):
        place = advance(EDIT_ORDER, Place(step), reply, now=DEADLINE, deadline=NOW)

        assert (place.step, place.direction, place.status) == (step, "forward", "running")
