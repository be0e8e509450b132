"""The purchase as data: which reply leads where, without I/O."""

from datetime import UTC, datetime, timedelta

import pytest

from shopwright.chassis.saga import Done, Failed, Place, Refused, action, advance, first
from shopwright.contracts.problems import OutOfStock, PaymentDeclined, Shortage
from shopwright.orders.saga import PLACE_ORDER

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DEADLINE = NOW + timedelta(minutes=30)


def path(replies, place=None):
    """What is done in order when the acts named in `replies` answer so and all others succeed."""
    place, done = place or first(PLACE_ORDER), []
    while not place.ended and len(done) < 20:
        name = action(PLACE_ORDER, place)
        done.append(name)
        place = advance(PLACE_ORDER, place, replies.get(name, Done()), now=NOW, deadline=DEADLINE)
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
