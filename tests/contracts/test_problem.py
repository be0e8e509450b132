"""A problem is the same class on both sides of a call."""

import msgspec
import pytest

from shopwright.chassis.problems import document, from_response
from shopwright.contracts.money import Money
from shopwright.contracts.problem import REGISTRY, Problem, revive
from shopwright.contracts.problems import OutOfStock, Shortage, TotalChanged


def test_travels_and_comes_back_as_its_own_class():
    sent = OutOfStock(shortages=[Shortage("mug", 3, 1)], detail="only one left")

    raised = from_response(409, msgspec.json.encode(document(sent, "r1")), "products")

    assert isinstance(raised, OutOfStock)
    assert (raised.shortages, raised.detail) == (sent.shortages, "only one left")


def test_carries_money_as_minor_units():
    body = document(TotalChanged(expected_total=Money(1, "EUR"), total=Money(2, "EUR")))

    assert body["total"] == {"amount": 2, "currency": "EUR"}
    assert body["status"] == 409


def test_a_strangers_answer_becomes_a_problem_of_the_same_kind():
    assert from_response(503, b"<html>", "products").kind == "unavailable"
    assert from_response(500, b'{"type": 5}', "products").kind == "internal"


def test_a_refusal_of_another_service_keeps_its_slug_kind_and_members():
    body = b'{"type": "/problems/drawer-full", "title": "Full", "status": 409, "detail": "3 fit", "fits": 3}'

    problem = from_response(409, body, "orders")

    assert (problem.slug, problem.kind, problem.members()) == ("drawer-full", "conflict", {"fits": 3})
    assert document(problem) == msgspec.json.decode(body)


def test_two_problems_of_one_name_are_refused():
    with pytest.raises(TypeError, match="two problems"):
        type("OutOfStock", (Problem,), {"__doc__": "Again.", "__annotations__": {}})
    assert REGISTRY["out-of-stock"] is OutOfStock
    assert revive("never-heard-of", {}) is None


def test_a_member_that_would_hide_one_of_the_standards_is_refused():
    with pytest.raises(TypeError, match="RFC 9457"):
        type("Shadowing", (Problem,), {"__doc__": "Hides.", "__annotations__": {"status": str}, "status": ""})


def test_a_problem_of_another_release_with_other_members_keeps_its_words():
    body = b'{"type": "/problems/out-of-stock", "status": 409, "title": "Gone", "detail": "none left"}'

    problem = from_response(409, body, "products")

    assert (problem.slug, problem.kind, problem.detail) == ("out-of-stock", "conflict", "none left")
