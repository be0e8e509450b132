"""Money is exact: nothing appears or vanishes, in any currency."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopwright.contracts.money import Money, parse_decimal, total

CURRENCIES = st.sampled_from(["JPY", "EUR", "KWD"])
AMOUNTS = st.integers(-(10**12), 10**12)


@given(amount=AMOUNTS, currency=CURRENCIES, weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_shares_sum_to_the_whole(amount, currency, weights):
    parts = Money(amount, currency).share(weights)

    assert total(parts, currency) == Money(amount, currency)
    assert all(part.minor == 0 or (part.minor > 0) == (amount > 0) for part in parts)


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_reads_what_it_writes(amount, currency):
    money = Money(amount, currency)

    assert parse_decimal(str(money).split()[0], currency) == money
    assert msgspec.json.decode(msgspec.json.encode(money), type=Money) == money


@pytest.mark.parametrize(
    ("text", "currency"), [("1.999", "EUR"), ("1.5", "JPY"), ("abc", "EUR"), ("NaN", "EUR"), ("", "EUR")]
)
def test_refuses_what_the_currency_cannot_hold(text, currency):
    with pytest.raises(ValueError, match=r"digits|decimal"):
        parse_decimal(text, currency)


def test_does_not_add_across_currencies():
    with pytest.raises(ValueError, match="do not add"):
        Money(1, "EUR") + Money(1, "USD")


def test_stays_within_64_bits():
    with pytest.raises(ValueError, match="64 bits"):
        Money(2**63, "EUR")
