"""The demo shop's tables as drafts: exact prices in every currency, and products in a good order."""

import hashlib
import os
import subprocess
import sys
from fractions import Fraction
from math import ceil

import msgspec
import pytest

from shopwright.contracts.money import Money
from shopwright.demo import shop
from shopwright.demo.drawing import Picture, draw
from shopwright.products.catalog.drafts import ProductDraft

#: currency → (per euro in minor units of both, step in minor units, what a price lacks of a full step)
RATES = {
    "EUR": (Fraction(1), 1, 0),
    "USD": (Fraction("1.12"), 100, 0),
    "GBP": (Fraction("0.87"), 100, 0),
    "JPY": (Fraction("1.7"), 100, 20),
    "KWD": (Fraction("3.45"), 500, 50),
}


def drafts():
    return msgspec.convert([shop.draft(item) for item in shop.items()], list[ProductDraft])


def amounts(field):
    """Minor units by currency of every variant that has such a price."""
    variants = [variant for draft in drafts() for variant in draft.variants]
    prices = [[(price.price.currency, getattr(price, field)) for price in v.prices] for v in variants]
    return [{name: money.minor for name, money in each if money} for each in prices]


class TestPrices:
    @pytest.mark.parametrize("field", ["price", "compare_at"])
    @pytest.mark.parametrize("currency", RATES)
    def test_follow_from_euros_exactly(self, currency, field):
        rate, step, less = RATES[currency]
        every = [each for each in amounts(field) if each]

        assert len(every) > 30
        assert [each[currency] for each in every] == [
            ceil(each["EUR"] * rate / step) * step - less for each in every
        ]

    @pytest.mark.parametrize("currency", RATES)
    def test_keep_their_order_in_every_currency(self, currency):
        every = [shop.converted(Money(euros, "EUR"), currency).minor for euros in range(50, 50_000, 50)]

        assert min(every) >= 0
        assert every == sorted(every)


class TestOrder:
    def test_keeps_that_of_the_tables_within_a_category(self):
        numbers = {}
        for item in shop.items():
            numbers.setdefault(item.table["in"], []).append(item.table["sku"])

        assert list(numbers.values()) == [sorted(each) for each in numbers.values()]

    def test_makes_the_newest_a_bit_of_everything(self):
        newest = [item.range.category for item in shop.items()[-16:]]

        assert set(newest) == {item.range.category for item in shop.items()}


class TestPictures:
    def test_of_something_nobody_has_drawn_are_refused(self):
        with pytest.raises(KeyError, match="zeppelin"):
            draw(Picture("zeppelin.svg", "", "Kids", "zeppelin", "Rust", {}, 1))

    def test_are_the_same_in_every_process(self):
        code = (
            "import hashlib; from shopwright.demo import shop; from shopwright.demo.drawing import draw; "
            "drawn = ''.join(draw(picture) for item in shop.items() for picture in item.pictures); "
            "print(hashlib.sha256(drawn.encode()).hexdigest())"
        )
        drawn = "".join(draw(picture) for item in shop.items() for picture in item.pictures)

        told = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": "7"},
            capture_output=True,
            text=True,
            check=True,
        )

        assert told.stdout.strip() == hashlib.sha256(drawn.encode()).hexdigest()
