"""What Stripe tells in the shapes of its documents, where localstripe tells less: fees, disputes, lapses."""

from datetime import UTC, datetime

import msgspec
import pytest
import stripe as sdk
from hypothesis import given
from hypothesis import strategies as some

import stripes
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.payments.stripe.account import read
from shopwright.payments.stripe.amounts import NOT_TAKEN, NotExpressible, from_stripe, to_stripe
from shopwright.payments.stripe.reports import KEY, PAYMENT, BalanceLine, Intent, Refund, report, row

CURRENCIES = ["EUR", "USD", "JPY", "KRW", "ISK", "HUF", "MGA", "KWD", "BHD", "TND"]
PAID = {"id": "pi_1", "status": "succeeded", "amount": 1_999, "currency": "eur"}


def told(**members):
    return msgspec.convert(PAID | members, Intent)


def a_charge(**members):
    return {
        "id": "ch_1",
        "amount": 1_999,
        "currency": "eur",
        "captured": True,
        "amount_captured": 1_999,
    } | members


def a_line(kind, source, **members):
    line = {"id": "txn_1", "created": 1_795_523_569, "amount": -1_999, "fee": 0, "currency": "eur"}
    return msgspec.convert(line | {"type": kind, "source": source} | members, BalanceLine)


class TestAmounts:
    @given(some.sampled_from(CURRENCIES), some.integers(0, 10**12))
    def test_what_can_be_said_comes_back_as_it_was(self, currency, minor):
        try:
            at_stripe = to_stripe(Money(minor, currency))
        except NotExpressible:
            assert currency in {"MGA", "KWD", "BHD", "TND"}
        else:
            assert from_stripe(at_stripe, currency.lower()) == minor

    @pytest.mark.parametrize("currency", sorted(NOT_TAKEN))
    def test_what_stripe_does_not_take_is_refused(self, currency):
        with pytest.raises(NotExpressible, match=currency):
            to_stripe(Money(1_000, currency))


class TestReport:
    def test_tells_the_fee_of_a_charge(self):
        charge = a_charge(balance_transaction={"id": "txn_1", "fee": 54, "currency": "eur"})

        assert report(told(latest_charge=charge)).fee == 54

    def test_tells_no_fee_that_is_paid_in_another_currency(self):
        charge = a_charge(balance_transaction={"id": "txn_1", "fee": 54, "currency": "usd"})

        assert report(told(latest_charge=charge)).fee == 0

    def test_counts_no_refund_that_failed(self):
        refunds = [
            Refund("re_1", 500, "eur", "succeeded", {KEY: "ours"}), Refund("re_2", 300, "eur", "failed"),
            Refund("re_3", 200, "eur", "canceled"), Refund("re_4", 100, "eur", "pending"),
        ]  # fmt: skip

        assert report(told(), refunds).refunds == {"ours": 500, "stripe:re_4": 100}

    def test_an_authorisation_that_ran_out_is_void(self):
        assert report(told(status="canceled", latest_charge=a_charge(captured=False))).state == "voided"

    def test_a_status_that_is_new_to_us_is_not_known_to_have_ended(self):
        assert report(told(status="requires_something_new")).state == "processing"

    def test_a_shape_that_is_new_to_us_leaves_it_in_doubt(self):
        found = sdk.PaymentIntent.construct_from({"id": "pi_1", "status": {"new": True}}, stripes.KEY)

        with pytest.raises(TimeoutError, match="cannot read"):
            read(found, Intent)

    def test_the_banks_reason_comes_before_stripes(self):
        failure = {"code": "card_declined", "decline_code": "insufficient_funds"}

        refused = report(told(status="requires_payment_method", last_payment_error=failure))
        assert (refused.state, refused.decline_code) == ("declined", "insufficient_funds")


class TestRow:
    def test_is_the_capture_of_a_payment(self):
        payment = new_id()
        charge = a_charge(object="charge", payment_intent="pi_1", metadata={PAYMENT: str(payment)})

        line = row(a_line("charge", charge, amount=1_999, fee=54))

        assert (line.kind, line.ref, line.reference) == ("capture", "pi_1", payment)
        assert (line.amount, line.fee, line.currency) == (1_999, 54, "EUR")
        assert line.at == datetime(2026, 11, 24, 12, 32, 49, tzinfo=UTC)

    def test_is_a_refund_under_its_key(self):
        refund = {
            "id": "re_1",
            "object": "refund",
            "amount": 500,
            "currency": "eur",
            "payment_intent": "pi_1",
        }

        ours = row(a_line("refund", refund | {"metadata": {KEY: "ours"}}))
        desk = row(a_line("refund", refund))
        failed = row(a_line("refund_failure", refund))

        assert [(line.key, line.amount) for line in (ours, desk, failed)] == [
            ("ours", 500), ("stripe:re_1", 500), ("stripe:re_1:refund_failure", -500),
        ]  # fmt: skip

    @pytest.mark.parametrize(("amount", "back"), [(-1_999, 1_999), (1_999, -1_999)])
    def test_is_a_chargeback_or_one_that_was_won(self, amount, back):
        dispute = {
            "id": "dp_1",
            "object": "dispute",
            "amount": 1_999,
            "currency": "eur",
            "payment_intent": "pi_1",
        }

        line = row(a_line("adjustment", dispute, amount=amount))
        assert (line.kind, line.amount) == ("chargeback", back)

    @pytest.mark.parametrize("kind", ["payout", "stripe_fee", "transfer", "adjustment"])
    def test_is_nothing_that_is_no_payment(self, kind):
        assert row(a_line(kind, "po_1")) is None
