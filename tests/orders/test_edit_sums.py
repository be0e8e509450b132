"""What a change does to an order's sum: rows, total, taxes and what is paid back agree in both tax modes."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Total
from shopwright.orders.domain import Order, OrderLine, Tax
from shopwright.orders.domain.edits import Added, EditNeedsPayment, NothingLeft, TaxModeDiffers, change_of


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
        except (EditNeedsPayment, NothingLeft):
            return

        assert change.back.minor >= 0
        assert (
            total((row.amount for row in change.totals), "EUR") == change.total == order.total - change.back
        )
        assert change.total.minor + change.taken_off == order.total.minor
        if not included:
            told = next(row.amount for row in change.totals if row.type == "tax")
            assert told == total((row.amount for row in change.taxes), "EUR")

    def test_of_an_order_whose_prices_meant_tax_otherwise_are_not_mixed(self, included):
        first, other = line(2, 1_000, tax=200), line(1, 100, tax=20)
        order = order_of([first], included=included)

        with pytest.raises(TaxModeDiffers):
            change_of(order, {first.id: 1}, Added([other], [tax_row([other], included=not included)]))


def test_the_tax_of_what_goes_out_leaves_the_row_of_its_rate():
    full, reduced = line(2, 1_200, tax=400), line(1, 1_050, tax=50)
    order = order_of([full, reduced], included=True)
    rows = [tax_row([full], included=True), tax_row([reduced], included=True, rate="5")]

    change = change_of(replace(order, taxes=rows), {reduced.id: 1}, Added())

    assert [(row.rate, row.amount.minor, row.base.minor) for row in change.taxes] == [("20", 400, 2_000)]
