"""What was paid for the units of a line: exact however they come back."""

from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shopwright.contracts.money import Money
from shopwright.orders import domain
from shopwright.orders.domain import Order, OrderLine, Tax


def a_line(price=1_000, quantity=3, discount=0, tax=0, currency="EUR"):
    unit = Money(price, currency)
    return OrderLine(
        id=uuid4(), sku="MUG", name="Mug", slug="mug", quantity=quantity, unit_price=unit,
        total=unit * quantity, discount=Money(discount, currency), tax=Money(tax, currency),
    )  # fmt: skip


def an_order(*lines, included=True):
    currency = lines[0].total.currency
    amount = Money(sum(line.tax.minor for line in lines), currency)
    tax = Tax(name="VAT", rate="19", base=Money(1, currency), amount=amount, included=included)
    return Order(
        id=uuid4(), number="SW-1", cart_id=uuid4(), user_id=None, email="ada@example.com", name="Ada",
        currency=currency, status="fulfilled", payment_id=uuid4(), payment_status="captured",
        payment_method="card", payment_token="tok_ok", return_url="", action_url=None, totals=[],
        total=Money(10**9, currency), address=None, shipping_method="", shipping_name="", refusal=None,
        created_at=datetime.now(UTC), lines=list(lines), refunding=Money(0, currency),
        refunded=Money(0, currency), taxes=[tax],
    )  # fmt: skip


class TestValue:
    @given(
        price=st.integers(0, 10**8),
        off=st.fractions(0, 1),
        tax=st.integers(0, 10**6),
        parts=st.lists(st.integers(1, 200), min_size=1, max_size=5),
        currency=st.sampled_from(["EUR", "JPY", "KWD"]),
        included=st.booleans(),
    )
    def test_units_that_come_back_in_parts_are_worth_what_was_paid(
        self, price, off, tax, parts, currency, included
    ):
        quantity = sum(parts)
        line = a_line(price, quantity, int(price * quantity * off), tax, currency)
        paid = line.total.minor - line.discount.minor + (0 if included else tax)

        values = []
        for part in parts:
            values.append(domain.value_of(an_order(line, included=included), {line.id: part}).minor)
            line = replace(line, returned=line.returned + part)

        assert sum(values) == paid
        assert min(values) >= 0

    def test_one_of_three_is_a_third_of_what_was_paid(self):
        line = a_line(discount=1_000)

        assert domain.value_of(an_order(line), {line.id: 1}) == Money(666, "EUR")

    def test_tax_that_was_added_comes_back_too(self):
        line = a_line(quantity=1, tax=190)

        assert domain.value_of(an_order(line, included=False), {line.id: 1}) == Money(1_190, "EUR")
        assert domain.value_of(an_order(line, included=True), {line.id: 1}) == Money(1_000, "EUR")
