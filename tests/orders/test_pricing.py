"""What a cart costs: every sum exact in every currency and both tax modes, and each rule by an example."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address
from shopwright.orders.domain import pricing, taxes
from shopwright.orders.domain.pricing import Basket, Rules
from shopwright.orders.domain.promotions import Candidate, Item, Promotion
from shopwright.orders.domain.shipping import ShippingMethod, ShippingRule
from shopwright.orders.domain.taxes import TaxRate

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HOME = Address(name="Ada", line1="1 Long Lane", city="Berlin", postal_code="10115", country="DE")
CURRENCIES = ["EUR", "JPY", "KWD"]
VAT = TaxRate(id=UUID(int=1), name="VAT", country="DE", percent=Decimal(19))
REDUCED = TaxRate(id=UUID(int=2), name="VAT", country="DE", tax_class="books", percent=Decimal(7))
STANDARD = ShippingMethod(
    code="standard", name="Standard", needs_address=True, days_min=2, days_max=4,
    rules=[ShippingRule(currency=c, amount=490, free_from=7_500) for c in CURRENCIES],
)  # fmt: skip


def item(sku="MUG", price=1_000, quantity=1, currency="EUR", **more):
    return Item(sku=sku, slug=sku.lower(), quantity=quantity, unit_price=Money(price, currency), **more)


def promotion(number=1, kind="percentage", **terms):
    return Promotion(id=UUID(int=number), name=f"Promotion {number}", kind=kind, **terms)


def price(items, *candidates, included=True, rates=(VAT, REDUCED), methods=(STANDARD,), **more):
    rules = Rules(version=1, rates=list(rates), methods=list(methods), prices_include_tax=included)
    values = {"groups": frozenset({"guest"}), "address": HOME, "shipping_method": None, "now": NOW}
    basket = Basket(
        currency=items[0].unit_price.currency, items=list(items),
        candidates=[c if isinstance(c, Candidate) else Candidate(c) for c in candidates], **values | more,
    )  # fmt: skip
    reckoned = pricing.reduce_and_ship(basket, rules)
    taxed = taxes.by_rates(reckoned.taxables, reckoned.destination, rules.rates, included=included)
    return pricing.with_taxes(reckoned, taxed, included=included)


def rows(priced):
    return [(row.type, row.amount.minor) for row in priced.totals]


@st.composite
def baskets(draw):
    currency = draw(st.sampled_from(CURRENCIES))
    count = draw(st.integers(1, 6))
    items = [
        item(
            f"SKU-{number}", draw(st.integers(0, 10**7)), draw(st.integers(1, 999)), currency,
            categories=draw(st.lists(st.sampled_from(["a", "b"]), unique=True)),
            tax_class=draw(st.sampled_from(["standard", "books", "other"])),
        )
        for number in range(count)
    ]  # fmt: skip
    percents = st.decimals("0.001", 100, places=3)
    terms = st.one_of(
        st.fixed_dictionaries({"kind": st.just("percentage"), "percent": percents}),
        st.fixed_dictionaries({
            "kind": st.just("amount"), "amounts": st.fixed_dictionaries({currency: st.integers(1, 10**9)})
        }),
        st.fixed_dictionaries({
            "kind": st.just("buy_x_get_y"), "buy_quantity": st.integers(1, 5),
            "get_quantity": st.integers(1, 5), "get_percent": percents,
        }),
        st.just({"kind": "free_shipping"}),
    )  # fmt: skip
    promotions = [
        promotion(
            number, **draw(terms), priority=draw(st.integers(0, 2)),
            categories=draw(st.lists(st.sampled_from(["a", "b"]), unique=True)),
            stacking=draw(st.sampled_from(["combinable", "combinable", "exclusive"])),
        )
        for number in range(draw(st.integers(0, 4)))
    ]  # fmt: skip
    rates = [
        TaxRate(id=UUID(int=n), name=f"Tax {n}", country="DE", tax_class=c, percent=draw(percents))
        for n, c in enumerate(draw(st.lists(st.sampled_from(["standard", "books"]), unique=True)))
    ]
    return items, promotions, rates


class TestSums:
    @given(baskets(), st.booleans())
    def test_every_sum_is_exact_and_nothing_is_negative(self, drawn, included):
        items, promotions, rates = drawn

        priced = price(items, *promotions, rates=rates, included=included)
        amounts = dict(rows(priced))
        lines = list(priced.items.values())
        off = sum(line.discount.minor for line in lines) - amounts.get("shipping_discount", 0)

        assert priced.total.minor == sum(amounts.values()) >= 0
        assert amounts["subtotal"] == sum(item.total.minor for item in items)
        assert amounts.get("discount", 0) == -sum(line.discount.minor for line in lines)
        assert sum(discount.amount.minor for discount in priced.discounts) == off
        assert all(0 <= line.discount.minor <= line.total.minor for line in lines)
        assert all(line.tax.minor >= 0 for line in lines)
        assert all(discount.amount.minor > 0 for discount in priced.discounts)
        assert len(priced.claims) == len(priced.discounts)

    @given(baskets(), st.booleans())
    def test_the_tax_rows_are_the_lines_shares_and_the_shippings(self, drawn, included):
        items, promotions, rates = drawn

        priced = price(items, *promotions, rates=rates, included=included, methods=())
        tax = sum(row.amount.minor for row in priced.taxes)
        gross = sum(row.base.minor + row.amount.minor for row in priced.taxes)

        assert tax == sum(line.tax.minor for line in priced.items.values())
        assert dict(rows(priced)).get("tax", 0) == (0 if included else tax)
        assert gross == priced.total.minor or not {"standard"} & {rate.tax_class for rate in rates}

    @given(baskets(), st.booleans(), st.randoms())
    def test_the_order_of_lines_and_promotions_changes_nothing(self, drawn, included, random):
        items, promotions, rates = drawn
        shuffled = random.sample(items, len(items)), random.sample(promotions, len(promotions))

        assert price(items, *promotions, rates=rates, included=included) == price(
            shuffled[0], *shuffled[1], rates=rates, included=included
        )

    @given(baskets())
    def test_one_promotion_more_never_costs_the_buyer_more_than_the_shipping_it_stops_being_free(self, drawn):
        items, promotions, _ = drawn
        plain = price(items, rates=())

        reduced = price(items, *promotions, rates=())

        assert reduced.total.minor <= plain.total.minor + 490

    def test_half_a_unit_is_rounded_away_from_zero_once_for_all_lines(self):
        halves = [item(sku, 5) for sku in ("A", "B", "C")]

        priced = price(halves, promotion(percent=Decimal(10)), methods=(), rates=())

        assert [line.discount.minor for line in priced.items.values()] == [1, 1, 0]

    def test_which_line_gets_the_odd_cent_does_not_hang_on_the_carts_order(self):
        fifth, lines = promotion(percent=Decimal(20)), [item(sku, 3) for sku in ("A", "B")]

        assert price(lines, fifth).items == price(lines[::-1], fifth).items

    def test_a_provider_whose_shares_are_not_its_rows_is_refused(self):
        basket = Basket(
            currency="EUR", items=[item()], candidates=[], groups=frozenset(), address=None,
            shipping_method=None, now=NOW,
        )  # fmt: skip
        reckoned = pricing.reduce_and_ship(basket, Rules(version=1))

        with pytest.raises(ValueError, match="shares"):
            pricing.with_taxes(reckoned, taxes.Taxed([], [Money(1, "EUR")]), included=True)


class TestPromotions:
    def test_amounts_are_shared_by_worth_and_never_exceed_it(self):
        priced = price(
            [item("A", 300), item("B", 100)], promotion(kind="amount", amounts={"EUR": 1_000}), methods=()
        )

        assert (priced.total.minor, priced.discounts[0].amount.minor) == (0, 400)

    def test_what_combines_is_taken_off_one_after_the_other_the_highest_priority_first(self):
        half = promotion(1, percent=Decimal(50))
        fiver = promotion(2, kind="amount", amounts={"EUR": 500}, priority=1)

        priced = price([item(price=2_500)], half, fiver, methods=())

        assert [(d.name, d.amount.minor) for d in priced.discounts] == [
            ("Promotion 2", 500), ("Promotion 1", 1_000),
        ]  # fmt: skip

    def test_an_exclusive_one_stands_alone_when_that_is_cheaper(self):
        alone = promotion(1, percent=Decimal(30), stacking="exclusive")
        small = [promotion(n, percent=Decimal(10)) for n in (2, 3)]

        assert price([item(price=10_000)], alone, *small).discounts[0].amount.minor == 3_000
        assert price([item(price=10_000)], *small).total.minor == 8_100

    def test_a_code_that_loses_against_a_better_promotion_is_told_so(self):
        code = Candidate(promotion(1, percent=Decimal(5), stacking="exclusive"), "FIVE")

        priced = price([item()], code, promotion(2, percent=Decimal(10)))

        assert [(p.code, p.reason) for p in priced.problems] == [("FIVE", "does_not_combine")]

    @pytest.mark.parametrize(("units", "free"), [(2, 0), (3, 1), (5, 1), (6, 2)])
    def test_buy_two_get_one(self, units, free):
        third_free = promotion(kind="buy_x_get_y", buy_quantity=2, get_quantity=1)

        priced = price([item(price=100, quantity=units)], third_free, methods=())

        assert priced.total.minor == 100 * (units - free)

    def test_of_a_mixed_group_the_cheapest_unit_is_free(self):
        third_free = promotion(kind="buy_x_get_y", buy_quantity=2, get_quantity=1)
        mixed = [item("A", 900), item("B", 500), item("C", 700)]

        priced = price(mixed, third_free, methods=())

        assert priced.items["B"].discount.minor == 500
        assert priced.total.minor == 1_600

    def test_free_shipping_takes_off_what_shipping_costs(self):
        free = Candidate(promotion(kind="free_shipping"), "SEND")

        priced = price([item()], free, rates=())

        assert rows(priced) == [("subtotal", 1_000), ("shipping", 490), ("shipping_discount", -490)]
        assert [(d.code, d.amount.minor) for d in priced.discounts] == [("SEND", 490)]

    def test_is_for_its_products_and_categories_only(self):
        both = promotion(percent=Decimal(50), products=["A", "b"], categories=["cups"])
        goods = [item("A", 100), item("B", 100), item("C", 100, categories=["cups"]), item("D", 100)]

        priced = price(goods, both, methods=())

        assert [line.discount.minor for line in priced.items.values()] == [50, 50, 50, 0]

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            ({"active": False}, "ended"),
            ({"ends_at": NOW}, "ended"),
            ({"starts_at": NOW + timedelta(seconds=1)}, "not_started"),
            ({"minimum": {"EUR": 1_001}}, "minimum_not_met"),
            ({"minimum": {"USD": 1}}, "not_in_this_currency"),
            ({"products": ["CUP"]}, "not_for_these_products"),
            ({"customer_groups": ["registered"]}, "not_for_you"),
        ],
    )
    def test_says_why_a_code_gives_nothing(self, terms, reason):
        priced = price([item()], Candidate(promotion(percent=Decimal(10), **terms), "CODE"))

        assert ([(p.code, p.reason) for p in priced.problems], priced.discounts) == ([("CODE", reason)], [])

    def test_two_codes_of_one_promotion_count_once(self):
        ten = promotion(percent=Decimal(10))

        priced = price([item()], Candidate(ten, "A"), Candidate(ten, "B"))

        assert [d.code for d in priced.discounts] == ["A"]
        assert [(p.code, p.reason) for p in priced.problems] == [("B", "does_not_combine")]


class TestTaxes:
    def test_included_tax_adds_nothing_and_is_told(self):
        priced = price([item(price=11_900)], rates=[VAT])

        assert rows(priced) == [("subtotal", 11_900), ("shipping", 0)]
        assert [(t.name, t.rate, t.base.minor, t.amount.minor, t.included) for t in priced.taxes] == [
            ("VAT", "19", 10_000, 1_900, True)
        ]

    def test_exclusive_tax_is_a_row_of_its_own_and_shipping_bears_it(self):
        priced = price([item(price=1_000)], included=False)

        assert rows(priced) == [("subtotal", 1_000), ("shipping", 490), ("tax", 283)]
        assert priced.items["MUG"].tax.minor == 190

    def test_a_discount_lowers_the_tax(self):
        priced = price([item(price=10_000)], promotion(percent=Decimal(50)), included=False, methods=())

        assert (priced.taxes[0].amount.minor, priced.total.minor) == (950, 5_950)

    def test_classes_bear_their_own_rate_and_others_the_standard(self):
        goods = [item("A", 10_000), item("B", 10_000, tax_class="books"), item("C", 100, tax_class="toys")]

        priced = price(goods, included=False, methods=())

        assert [(t.rate, t.amount.minor) for t in priced.taxes] == [("19", 1_919), ("7", 700)]

    def test_a_region_replaces_its_country(self):
        texas = Address(
            name="Bo", line1="1", city="Austin", postal_code="1", country="US", region=" tx"
        )  # fmt: skip
        rates = [
            TaxRate(id=UUID(int=5), name="US", country="US", percent=Decimal(1)),
            TaxRate(id=UUID(int=6), name="TX", country="US", region="TX", percent=Decimal("6.25")),
        ]

        priced = price([item()], included=False, rates=rates, address=texas, methods=())

        assert [(t.name, t.rate, t.amount.minor) for t in priced.taxes] == [("TX", "6.25", 63)]

    def test_elsewhere_no_tax_is_due(self):
        there = Address(name="Bo", line1="1", city="Oslo", postal_code="1", country="NO")

        assert price([item()], included=False, address=there).taxes == []
