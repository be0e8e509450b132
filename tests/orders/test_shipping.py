"""Shipping: what is offered where, at what price, and which way is taken."""

from uuid import UUID

import pytest

from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address
from shopwright.orders import domain
from shopwright.orders.domain import Offer, Place, ShippingMethod, ShippingRule, ShippingZone, shipping

HOME = Address(name="Ada", line1="1 Long Lane", city="Berlin", postal_code="10115", country="DE")
ISLES, EUROPE = UUID(int=1), UUID(int=2)
ZONES = [
    ShippingZone(id=EUROPE, name="Europe", places=[Place("DE"), Place("PT")]),
    ShippingZone(id=ISLES, name="Isles", places=[Place("PT", "Azores")]),
]


def method(*rules, needs_address=True, code="standard"):
    return ShippingMethod(
        code=code, name=code, needs_address=needs_address, days_min=1, days_max=2, rules=list(rules)
    )


def rule(amount, **more):
    return ShippingRule(**{"currency": "EUR", "amount": amount} | more)


def cost(way, zone=None, goods=1_000, weight=0, currency="EUR"):
    found = way.price(zone, Money(goods, currency), weight)
    return None if found is None else found.minor


def offer(code, *, needs_address):
    return Offer(
        code=code, name=code, needs_address=needs_address, days_min=1, days_max=2, price=Money(490, "EUR")
    )


DELIVER, COLLECT = offer("standard", needs_address=True), offer("pickup", needs_address=False)


class TestRules:
    @pytest.mark.parametrize(("goods", "price"), [(7_499, 490), (7_500, 0), (7_501, 0)])
    def test_is_free_from_its_limit_on(self, goods, price):
        assert cost(method(rule(490, free_from=7_500)), goods=goods) == price

    @pytest.mark.parametrize(("weight", "price"), [(0, 500), (999, 500), (1_000, 900), (5_000, None)])
    def test_goes_by_weight(self, weight, price):
        way = method(rule(500, weight_below_g=1_000), rule(900, weight_from_g=1_000, weight_below_g=5_000))

        assert cost(way, weight=weight) == price

    @pytest.mark.parametrize(("goods", "price"), [(4_999, 500), (5_000, 300), (9_999, 300), (10_000, None)])
    def test_goes_by_the_worth_of_the_goods(self, goods, price):
        way = method(rule(500, total_below=5_000), rule(300, total_from=5_000, total_below=10_000))

        assert cost(way, goods=goods) == price

    def test_a_zones_rules_stand_in_for_those_of_everywhere(self):
        way = method(rule(490), rule(2_000, zone_id=ISLES))

        assert [cost(way, zone) for zone in (None, EUROPE, ISLES)] == [490, 490, 2_000]

    def test_is_not_offered_where_no_rule_fits(self):
        assert cost(method(rule(490, zone_id=EUROPE)), ISLES) is None
        assert cost(method(rule(490)), currency="USD") is None

    def test_collecting_costs_nothing_unless_a_rule_says_so(self):
        assert cost(method(needs_address=False), currency="USD") == 0
        assert cost(method(rule(100), needs_address=False)) == 100


class TestZones:
    @pytest.mark.parametrize(
        ("place", "zone"),
        [(Place("PT"), EUROPE), (Place("PT", " azores"), ISLES), (Place("FR"), None), (None, None)],
    )
    def test_a_region_comes_before_its_country(self, place, zone):
        assert shipping.zone_of(ZONES, place) == zone


class TestChoice:
    def test_without_one_an_address_means_delivery_and_none_collection(self):
        offered = [DELIVER, COLLECT]

        assert shipping.choose_shipping(None, HOME, offered) == DELIVER
        assert shipping.choose_shipping(None, None, offered) == COLLECT

    def test_a_delivery_needs_an_address(self):
        with pytest.raises(domain.AddressMissing):
            shipping.choose_shipping("standard", None, [DELIVER])

    def test_refuses_a_way_that_is_not_offered(self):
        with pytest.raises(domain.ShippingUnavailable):
            shipping.choose_shipping("drone", HOME, [DELIVER])
