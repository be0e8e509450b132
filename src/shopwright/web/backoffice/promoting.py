"""Promotions as forms: which fields fit a kind, what stands in them, what a form sends. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from ..clients.promotions import Promotion
from ..forms import Form
from . import fields

READ, WRITE = "promotions:read", "promotions:write"
PATH: Final = "/admin/promotions"
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "percentage": ("Percentage", "A share of the price, such as 10 % off."),
    "amount": ("Amount", "A sum off the order, such as 5 € off."),
    "buy_x_get_y": ("Buy some, get some", "Such as three for the price of two."),
    "free_shipping": ("Free delivery", "Delivery costs nothing."),
}
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "active": ("Running", "good"),
    "planned": ("Planned", "wait"),
    "ended": ("Ended", "muted"),
    "off": ("Switched off", "muted"),
}
STACKING: Final = (("combinable", "Together with others"), ("exclusive", "Alone, if it is the best"))
#: kind → the fields that no other kind has
OWN: Final[Mapping[str, tuple[str, ...]]] = {
    "percentage": ("percent",),
    "amount": ("amounts",),
    "buy_x_get_y": ("buy_quantity", "get_quantity", "get_percent"),
    "free_shipping": (),
}
FIELDS: Final = (
    "name", "percent", "amounts", "buy_quantity", "get_quantity", "get_percent", "products", "categories",
    "customer_groups", "minimum", "starts_at", "ends_at", "needs_code", "stacking", "priority", "uses_max",
    "uses_per_customer_max", "active",
)  # fmt: skip
COUPON: Final = ("code", "uses_max", "uses_per_customer_max", "count", "prefix")
CODES_MAX: Final = 200  # of one form; each is a call
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is read for another


def new_form(kind: str, key: str) -> Form:
    return Form({"kind": kind, "key": key, "active": "1", "stacking": "combinable", "get_percent": "100"})


def form_of(promotion: Promotion) -> Form:
    """The form of a promotion as it is."""
    counts = ("buy_quantity", "get_quantity", "uses_max", "uses_per_customer_max", "priority")
    numbers = {name: getattr(promotion, name) for name in counts}
    return Form(
        {
            "kind": promotion.kind, "name": promotion.name, "stacking": promotion.stacking,
            "percent": fields.percent_text(promotion.percent),
            "get_percent": fields.percent_text(promotion.get_percent),
            "amounts": fields.amounts_text(promotion.amounts),
            "minimum": fields.amounts_text(promotion.minimum),
            "products": fields.names_text(promotion.products),
            "categories": fields.names_text(promotion.categories),
            "customer_groups": fields.names_text(promotion.customer_groups),
            "starts_at": fields.moment_text(promotion.starts_at),
            "ends_at": fields.moment_text(promotion.ends_at),
            "needs_code": "1" if promotion.needs_code else "",
            "active": "1" if promotion.active else "",
            **{name: "" if value is None else str(value) for name, value in numbers.items()},
        }
    )  # fmt: skip


def terms_of(form: Form, kind: str) -> dict[str, Any]:
    """What the form says, of the fields that fit its kind; errors stand in the form."""
    form.require({"name": "Enter the name that buyers read beside the discount"})
    terms: dict[str, Any] = {
        "name": form["name"],
        "products": fields.names(form, "products"),
        "categories": fields.names(form, "categories"),
        "customer_groups": fields.names(form, "customer_groups"),
        "minimum": fields.amounts(form, "minimum"),
        "starts_at": fields.moment(form, "starts_at"),
        "ends_at": fields.moment(form, "ends_at"),
        "needs_code": bool(form["needs_code"]),
        "stacking": form["stacking"] or "combinable",
        "priority": fields.whole(form, "priority", least=-1_000, most=1_000) or 0,
        "uses_max": fields.whole(form, "uses_max"),
        "uses_per_customer_max": fields.whole(form, "uses_per_customer_max"),
        "active": bool(form["active"]),
    }
    if terms["starts_at"] and terms["ends_at"] and terms["ends_at"] <= terms["starts_at"]:
        form.errors["ends_at"] = "The end comes after the start"
    return terms | _own_terms(form, kind)


def _own_terms(form: Form, kind: str) -> dict[str, Any]:
    form.require({name: _MISSING[name] for name in OWN[kind]})
    if kind == "percentage":
        return {"percent": fields.percent(form, "percent")}
    if kind == "amount":
        return {"amounts": fields.amounts(form, "amounts")}
    if kind == "buy_x_get_y":
        return {
            "buy_quantity": fields.whole(form, "buy_quantity", most=999),
            "get_quantity": fields.whole(form, "get_quantity", most=999),
            "get_percent": fields.percent(form, "get_percent"),
        }
    return {}


def codes(prefix: str, count: int, key: str) -> list[str]:
    """Codes that nobody guesses; the same form makes the same ones, so sending it twice makes no more."""
    found = []
    for number in range(count):
        digest = hashlib.sha256(f"{key}.{number}".encode()).digest()
        found.append(prefix.upper() + "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:10]))
    return found


_MISSING: Final[Mapping[str, str]] = {
    "percent": "Enter how many percent are off",
    "amounts": "Enter at least one currency and amount, such as EUR 5.00",
    "buy_quantity": "Enter how many are to be bought",
    "get_quantity": "Enter how many of them are reduced",
    "get_percent": "Enter how many percent are off those; 100 makes them free",
}
