"""Who is asked first, who next when that one cannot be reached, and never anybody when it is in doubt."""

from datetime import UTC, datetime, timedelta

import pytest

from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problems import InvalidInput
from shopwright.payments.domain import Circuit, Rule, in_reach, route
from shopwright.payments.domain.routing import FAILURES_MAX, PAUSE
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Wire, a_shop, an_order, wanted

STAFF = {"x-user-id": str(new_id()), "x-user-scope": "payments:read payments:write"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEN_EUROS = Money(1_000, "EUR")


@pytest.fixture
async def two(database):
    """A shop with the providers `first` and `second`."""
    db = await database("payments")
    books = Books(db)
    sandbox = SandboxProvider(books, SECRET, Sites((SITE,)), late=timedelta(seconds=0.6))
    made = a_shop(db, books, Wire(sandbox, "first"), Wire(sandbox, "second"))
    yield made
    await made.tenders.finish(5)
    await made.payments.finish(5)


def reached(shop):
    return {wire.name: wire.reached["authorise"] for wire in shop.wires}


class TestFailOver:
    async def test_the_next_takes_what_the_first_was_never_sent(self, two):
        two.wires[0].dead = True
        order = an_order(1_999)

        tender = await two.tenders.authorise(wanted(order))
        taken = await two.tenders.capture(order.id)
        back, status = await two.tenders.refund(new_id(), order.id, 500)

        assert [(part.provider, part.status) for part in tender.live] == [("second", "authorised")]
        assert (taken.status, taken.captured, back.refunded, status) == ("captured", 1_999, 500, "succeeded")
        assert reached(two) == {"first": 0, "second": 1}

    async def test_nobody_else_is_asked_while_the_outcome_is_unknown(self, two):
        two.wires[0].faults = ["silent", "refused"]
        order = an_order(1_999)

        unknown = await two.tenders.authorise(wanted(order))
        still = await two.tenders.authorise(wanted(order))
        known = await two.tenders.authorise(wanted(order))

        assert [tender.status for tender in (unknown, still, known)] == ["unknown", "unknown", "authorised"]
        assert reached(two) == {"first": 1, "second": 0}

    async def test_a_refused_connection_at_capture_fails_over_to_nobody(self, two):
        order = an_order(1_999)
        await two.tenders.authorise(wanted(order))
        two.wires[0].faults = ["refused"]

        doubtful = await two.tenders.capture(order.id)
        taken = await two.tenders.capture(order.id)

        assert (doubtful.status, taken.status, taken.captured) == ("unknown", "captured", 1_999)
        assert two.wires[1].tried["capture"] == 0

    async def test_is_declined_when_nobody_can_be_reached(self, two):
        two.wires[0].dead = two.wires[1].dead = True

        tender = await two.tenders.authorise(wanted(an_order(1_999)))

        assert (tender.status, tender.decline_code) == ("declined", "provider_unreachable")

    async def test_the_gift_card_beside_it_stays_held_for_the_next(self, two):
        two.wires[0].dead = True
        code = await two.gift_card(500)
        order = an_order(1_999)

        tender = await two.tenders.authorise(wanted(order, gift_cards=(code,)))
        again = await two.tenders.authorise(wanted(order, gift_cards=(code,)))

        assert [(part.method, part.amount, part.status) for part in again.live] == [
            ("gift_card", 500, "authorised"), ("card", 1_499, "authorised"),
        ]  # fmt: skip
        assert tender.status == "authorised"
        assert reached(two) == {"first": 0, "second": 1}

    async def test_no_other_takes_over_what_was_voided(self, two):
        two.wires[0].dead = two.wires[1].dead = True
        order = an_order(1_999)
        await two.tenders.authorise(wanted(order))
        voided = await two.tenders.void(order.id)
        two.wires[0].dead = two.wires[1].dead = False

        again = await two.tenders.authorise(wanted(order))

        assert (voided.status, again.status) == ("declined", "declined")
        assert reached(two) == {"first": 0, "second": 0}


class TestCircuit:
    async def test_a_dead_provider_is_not_tried_for_every_buyer(self, two):
        two.wires[0].dead = True

        for _ in range(FAILURES_MAX + 5):
            tender = await two.tenders.authorise(wanted(an_order(1_999)))
            assert tender.status == "authorised"

        assert two.wires[0].tried["authorise"] == FAILURES_MAX

    def test_rests_after_failures_in_a_row_and_is_tried_again_by_one(self):
        circuit = Circuit()
        for _ in range(FAILURES_MAX - 1):
            circuit = circuit.failed(NOW)
        before, resting = circuit, circuit.failed(NOW)
        later = NOW + PAUSE

        assert [before.rests(NOW), resting.rests(NOW), resting.rests(later)] == [False, True, False]
        assert resting.tried(later).rests(later)

    def test_one_that_rests_is_asked_last(self):
        dead = Circuit(FAILURES_MAX, NOW + PAUSE)

        assert in_reach(["a", "b"], {"a": dead}, NOW) == ["b", "a"]
        assert in_reach(["a", "b"], {"a": dead, "b": dead}, NOW) == ["a", "b"]


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "fits"),
        [
            ({}, True),
            ({"method": "wallet"}, False),
            ({"currency": "USD"}, False),
            ({"countries": ["DE", "AT"]}, True),
            ({"countries": ["FR"]}, False),
            ({"currency": "EUR", "minimum": 1_000, "maximum": 1_000}, True),
            ({"currency": "EUR", "minimum": 1_001}, False),
            ({"currency": "EUR", "maximum": 999}, False),
        ],
    )
    def test_fit_by_method_currency_country_and_amount(self, rule, fits):
        rules = [Rule(**rule, providers=["b"])]

        asked = route(rules, "card", TEN_EUROS, "DE", ["a", "b"])

        assert asked == (["b"] if fits else ["a", "b"])

    def test_that_name_only_providers_which_are_gone_are_passed_over(self):
        assert route([Rule(providers=["gone"])], "card", TEN_EUROS, "", ["a"]) == ["a"]

    async def test_are_followed_once_staff_have_written_them(self, two):
        await two.routing.replace([Rule(currency="USD", providers=["second"])])

        await two.tenders.authorise(wanted(an_order(Money(1_000, "USD"))))
        await two.tenders.authorise(wanted(an_order(TEN_EUROS)))

        assert reached(two) == {"first": 1, "second": 1}

    @pytest.mark.parametrize("rule", [{"providers": ["paypal"]}, {"providers": ["first"], "minimum": 5}])
    async def test_that_can_never_fit_are_refused(self, two, rule):
        with pytest.raises(InvalidInput):
            await two.routing.replace([Rule(**rule)])

    async def test_are_read_and_replaced_by_those_who_may(self, client):
        rules = {"rules": [{"method": "card", "currency": "EUR", "providers": ["sandbox"]}]}

        written = await client.put("/v1/payments/routing", json=rules, headers=STAFF)
        read = await client.get("/v1/payments/routing", headers=STAFF)
        guest = await client.put("/v1/payments/routing", json=rules)

        assert (written.status_code, guest.status_code) == (200, 401)
        assert read.json()["rules"][0]["providers"] == ["sandbox"]
