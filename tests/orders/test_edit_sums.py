"""What a change does to an order's sum: rows, total, taxes and what is paid back agree in both tax modes."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Total
from shopwright.orders.domain import FurtherPayment, Order, OrderLine, Tax, paid_for, shares, value_of
from shopwright.orders.domain.edits import Added, NothingLeft, TaxModeDiffers, change_of
from shopwright.orders.domain.exchanges import sent_for, worth_of


def euros(minor):
    return Money(minor, "EUR")


def line(quantity, unit, discount=0, tax=0):
    return OrderLine(
        id=uuid4(), sku=uuid4().hex, name="", slug="", quantity=quantity, unit_price=euros(unit),
        total=euros(unit * quantity), discount=euros(discount), tax=euros(tax),
    )  # fmt: skip


def tax_row(lines, *, included, rate="20"):
    amount = sum(item.tax.minor for item in lines)
    paid = sum(item.total.minor - item.discount.minor for item in lines)
    return Tax(
        name="VAT", rate=rate, base=euros(paid - amount if included else paid), amount=euros(amount),
        included=included,
    )  # fmt: skip


def order_of(lines, *, included):
    taxes = [tax_row(lines, included=included)]
    subtotal = sum(item.total.minor for item in lines)
    off = sum(item.discount.minor for item in lines)
    rows = [Total("subtotal", euros(subtotal)), Total("discount", euros(-off)), Total("shipping", euros(490))]
    if not included:
        rows.append(Total("tax", taxes[0].amount))
    return Order(
        id=uuid4(), number="SW-1", cart_id=uuid4(), user_id=None, email="a@b.example", name="",
        currency="EUR", status="confirmed", payment_id=uuid4(), payment_status="captured",
        payment_method="card",
        payment_token="", return_url="", action_url=None, totals=rows,
        total=total((row.amount for row in rows), "EUR"), address=None, shipping_method="", shipping_name="",
        refusal=None, created_at=datetime.now(UTC), lines=lines, refunding=euros(0), refunded=euros(0),
        taxes=taxes,
    )  # fmt: skip


def value(order, added):
    return total((paid_for(order, item) for item in added.lines), "EUR")


def parts(included):
    def make(quantity, unit, discount_percent):
        discount = quantity * unit * discount_percent // 100
        paid = quantity * unit - discount
        return line(quantity, unit, discount, paid // 6 if included else paid // 5)

    return st.builds(make, st.integers(1, 9), st.integers(0, 5_000), st.integers(0, 100))


@pytest.mark.parametrize("included", [True, False])
class TestSums:
    @given(data=st.data())
    def test_agree_after_any_change(self, included, data):
        lines = data.draw(st.lists(parts(included), min_size=1, max_size=4))
        more = data.draw(st.lists(parts(included), max_size=2))
        order = order_of(lines, included=included)
        removed = {
            item.id: count for item in lines if (count := data.draw(st.integers(0, item.quantity)))
        }  # fmt: skip
        added = Added(more, [tax_row(more, included=included)] if more else [])

        try:
            change = change_of(order, removed, added)
        except NothingLeft:
            return

        assert min(change.back.minor, change.due.minor) == 0 <= max(change.back.minor, change.due.minor)
        assert change.difference == value(order, added) - value_of(order, removed)
        assert total((row.amount for row in change.totals), "EUR") == change.total
        assert change.total == order.total + change.difference
        assert change.total.minor + change.taken_off == order.total.minor + change.due.minor
        if not included:
            told = next(row.amount for row in change.totals if row.type == "tax")
            assert told == total((row.amount for row in change.taxes), "EUR")

    def test_of_an_order_whose_prices_meant_tax_otherwise_are_not_mixed(self, included):
        first, other = line(2, 1_000, tax=200), line(1, 100, tax=20)
        order = order_of([first], included=included)

        with pytest.raises(TaxModeDiffers):
            change_of(order, {first.id: 1}, Added([other], [tax_row([other], included=not included)]))


@pytest.mark.parametrize("included", [True, False])
class TestExchange:
    @given(data=st.data())
    def test_costs_the_difference_and_gives_back_exactly_that(self, included, data):
        """In one tax row and in two, for lines of any price, down to nothing."""
        more = data.draw(st.lists(parts(included), min_size=1, max_size=4))
        more = [replace(item, discount=euros(0)) for item in more]
        added = Added(more, [tax_row(more, included=included)])
        order = order_of([line(1, 1_000)], included=included)
        gone = euros(data.draw(st.integers(0, 2 * worth_of(added, "EUR").minor)))

        sent = sent_for(order, added, gone)

        assert sent.total == max(worth_of(added, "EUR") - gone, euros(0))
        assert total((row.amount for row in sent.totals), "EUR") == sent.total
        assert total((paid_for(sent, item) for item in sent.lines), "EUR") == sent.total
        assert all(0 <= item.discount.minor <= item.total.minor for item in sent.lines)
        assert total((row.amount for row in sent.taxes), "EUR") == total(
            (item.tax for item in sent.lines if sent.total.minor), "EUR"
        )


class TestShares:
    @given(
        first=st.integers(0, 9_999),
        further=st.lists(
            st.tuples(st.integers(1, 9_999), st.sampled_from(["captured", "authorised", "voided"]), st.data())
        ),
        data=st.data(),
    )
    def test_sum_to_what_goes_back_and_take_from_no_payment_more_than_it_took(self, first, further, data):
        payments = [
            FurtherPayment(
                id=uuid4(), edit_id=uuid4(), method="card", amount=euros(amount), status=status,
                refunding=euros(own.draw(st.integers(0, amount)) if status == "captured" else 0),
            )
            for amount, status, own in further
        ]  # fmt: skip
        free = {payment.id: payment.refundable for payment in payments}
        first_id, amount = uuid4(), data.draw(st.integers(0, first + sum(free.values())))

        found = shares(first_id, payments, euros(amount))

        told = {share.payment_id: share.amount.minor for share in found}
        assert sum(told.values()) == amount or (not found and amount <= first)
        assert all(0 < taken <= (free | {first_id: first})[of] for of, taken in told.items())
        later = [free[payment.id] - told.get(payment.id, 0) for payment in reversed(payments)]
        used = [payment.id in told for payment in reversed(payments) if payment.refundable]
        assert used == sorted(used, reverse=True), later


def test_the_tax_of_what_goes_out_leaves_the_row_of_its_rate():
    full, reduced = line(2, 1_200, tax=400), line(1, 1_050, tax=50)
    order = order_of([full, reduced], included=True)
    rows = [tax_row([full], included=True), tax_row([reduced], included=True, rate="5")]

    change = change_of(replace(order, taxes=rows), {reduced.id: 1}, Added())

    assert [(row.rate, row.amount.minor, row.base.minor) for row in change.taxes] == [("20", 400, 2_000)]
