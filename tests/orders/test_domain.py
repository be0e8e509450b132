"""Totals and shipping: the one place where a sum is made."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address
from shopwright.orders import domain
from shopwright.orders.domain import Cart, CartLine, Seen, ShippingMethod

HOME = Address(name="Ada", line1="1 Long Lane", city="Berlin", postal_code="10115", country="DE")
STANDARD = ShippingMethod(
    code="standard", name="Standard", needs_address=True, days_min=2, days_max=4, amount=490, free_from=7_500
)
PICKUP = ShippingMethod(
    code="pickup", name="Pickup", needs_address=False, days_min=0, days_max=1, amount=0, free_from=None
)


def a_cart(**changes):
    values = {
        "id": uuid4(), "user_id": None, "currency": "EUR", "status": "open", "email": None, "address": None,
        "shipping_method": None, "version": 1, "lines": [],
    }  # fmt: skip
    return Cart(**values | changes)


def a_line(sku, quantity):
    seen = Seen(name=sku, slug=sku, unit_price=Money(1, "EUR"))
    return CartLine(id=uuid4(), sku=sku, quantity=quantity, seen=seen)


class TestTotals:
    @given(
        st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 999)), min_size=1, max_size=20),
        st.sampled_from(["EUR", "JPY", "KWD"]),
        st.none() | st.integers(0, 10**6),
    )
    def test_the_rows_always_sum_to_the_total(self, lines, currency, shipping):
        cart_lines = [a_line(str(number), quantity) for number, (_, quantity) in enumerate(lines)]
        prices = {str(number): Money(price, currency) for number, (price, _) in enumerate(lines)}

        subtotal = domain.subtotal_of(cart_lines, prices, currency)
        rows, total = domain.totals_of(subtotal, None if shipping is None else Money(shipping, currency))

        assert subtotal.minor == sum(price * quantity for price, quantity in lines)
        assert total == Money(sum(row.amount.minor for row in rows), currency)


class TestShipping:
    @pytest.mark.parametrize(("subtotal", "price"), [(7_499, 490), (7_500, 0), (7_501, 0)])
    def test_is_free_from_its_limit_on(self, subtotal, price):
        assert STANDARD.price(Money(subtotal, "EUR")) == Money(price, "EUR")

    def test_without_a_choice_an_address_means_delivery_and_none_collection(self):
        methods = [STANDARD, PICKUP]

        assert domain.choose_shipping(a_cart(address=HOME), methods) == STANDARD
        assert domain.choose_shipping(a_cart(), methods) == PICKUP

    def test_a_delivery_needs_an_address(self):
        with pytest.raises(domain.AddressMissing):
            domain.choose_shipping(a_cart(shipping_method="standard"), [STANDARD])

    def test_refuses_a_way_that_is_not_offered(self):
        with pytest.raises(domain.ShippingUnavailable):
            domain.choose_shipping(a_cart(shipping_method="drone"), [STANDARD])
