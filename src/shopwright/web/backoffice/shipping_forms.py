"""Shipping zones and methods as forms: what stands in the fields, what they send. Pure.

A method's rules are rows of fields, `rule-0-amount` and so on; a row without a price is none, and there are
always a few empty ones more than there are rules.
"""

from __future__ import annotations

from typing import Any, Final

from ..clients.shop_rules import Method, Place, Rule, Zone
from ..forms import Form
from . import fields

EMPTY_ROWS: Final = 3
ROWS_MAX: Final = 500
METHOD: Final = ("code", "name", "days_min", "days_max", "position", "needs_address")
BOUNDS: Final = ("free_from", "total_from", "total_below")
WEIGHTS: Final = ("weight_from_g", "weight_below_g")


def zone_form(zone: Zone) -> Form:
    return Form({"name": zone.name, "places": "\n".join(_place_text(place) for place in zone.places)})


def zone_of(form: Form) -> dict[str, Any]:
    """A zone as typed: a country a line, or one region of it after a colon."""
    form.require({"name": "Enter the zone's name", "places": "Enter at least one country, such as DE"})
    places = []
    for line in form["places"].splitlines():
        country, _, region = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if len(country) != 2 or not country.isascii() or not country.isalpha():
            form.errors["places"] = f"“{line.strip()[:40]}” does not begin with a country's two letters"
        places.append({"country": country.upper(), "region": region})
    return {"name": form["name"], "places": places}


def method_form(method: Method) -> Form:
    values = {
        "code": method.code, "name": method.name, "days_min": str(method.days_min),
        "days_max": str(method.days_max), "position": str(method.position),
        "needs_address": "1" if method.needs_address else "",
    }  # fmt: skip
    for row, rule in enumerate(method.rules):
        values |= {f"rule-{row}-{name}": text for name, text in _rule_texts(rule).items()}
    return Form(values)


def rows_of(form: Form) -> range:
    """The rows that the page shows: those that are filled, and a few empty ones."""
    filled = [row for row in range(ROWS_MAX) if form[f"rule-{row}-amount"]]
    return range(min(ROWS_MAX, (filled[-1] + 1 if filled else 0) + EMPTY_ROWS))


def method_of(form: Form) -> dict[str, Any]:
    """A method with its rules as typed; errors stand in the form."""
    form.require({"name": "Enter the name that buyers read"})
    days = {name: fields.whole(form, name, least=0, most=365) for name in ("days_min", "days_max")}
    form.require(dict.fromkeys([name for name in days if name not in form.errors], "Enter how many days"))
    rows = [row for row in range(ROWS_MAX) if form[f"rule-{row}-amount"]]
    return {
        "name": form["name"],
        "needs_address": bool(form["needs_address"]),
        "position": fields.whole(form, "position", least=0, most=10_000) or 0,
        "rules": [_rule_of(form, row) for row in rows],
        **{name: value or 0 for name, value in days.items()},
    }


def _rule_of(form: Form, row: int) -> dict[str, Any]:
    at = f"rule-{row}-"
    currency = form[f"{at}currency"].upper()
    rule: dict[str, Any] = {"currency": currency, "zone_id": form[f"{at}zone_id"] or None}
    rule["amount"] = fields.minor(form, f"{at}amount", currency)
    bounds = {name: fields.minor(form, at + name, currency) for name in BOUNDS}
    bounds |= {name: fields.whole(form, at + name, least=0) for name in WEIGHTS}
    return rule | {name: value for name, value in bounds.items() if value is not None}


def _rule_texts(rule: Rule) -> dict[str, str]:
    texts = {name: fields.minor_text(getattr(rule, name) or None, rule.currency) for name in BOUNDS} | {
        name: str(getattr(rule, name) or "") for name in WEIGHTS
    }
    return texts | {
        "amount": fields.minor_text(rule.amount, rule.currency),
        "currency": rule.currency,
        "zone_id": str(rule.zone_id or ""),
    }


def _place_text(place: Place) -> str:
    return f"{place.country}: {place.region}" if place.region else place.country
