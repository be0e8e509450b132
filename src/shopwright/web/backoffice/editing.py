"""Products as forms: what stands in the fields, what a change sends, and where two people's changes differ.

A form carries the version it was made from. When somebody saved meanwhile, the page shows both: what was
typed stays in the fields, what is stored now stands beside it, and sending again is a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem

from ..clients.catalogue import Product, Variant
from ..clients.remote import is_away
from ..formatting import decimal_text
from ..forms import Form

READ, WRITE = "catalog:read", "catalog:write"
PATH: Final = "/admin/products"
STATUSES: Final = (("active", "Active"), ("draft", "Draft"), ("archived", "Archived"))
CURRENCIES: Final = ("EUR", "USD", "GBP", "PLN", "JPY", "CHF", "SEK")
DETAILS: Final = ("name", "slug", "status", "brand", "summary", "description", "attributes", "categories")
VARIANT: Final = ("sku", "options", "price", "compare_at", "barcode", "weight_g", "picture")
LABELS: Final[Mapping[str, str]] = {
    "name": "Name", "slug": "Slug", "status": "Status", "brand": "Brand", "summary": "Summary",
    "description": "Description", "attributes": "Attributes", "categories": "Categories",
}  # fmt: skip
_TAKEN: Final[Mapping[str, tuple[str, str]]] = {
    "slug-taken": ("slug", "Another product has this slug"),
    "sku-taken": ("sku", "This SKU belongs to another product"),
}


def path_of(product: str, currency: str = "") -> str:
    return f"{PATH}/{quote(product, safe='')}" + (f"?currency={currency}" if currency else "")


def details_of(product: Product) -> Form:
    """The form of what all variants share."""
    form = Form(
        {
            "name": product.name, "slug": product.slug, "status": product.status, "brand": product.brand,
            "summary": product.summary, "description": product.description,
            "attributes": lines_of(product.attributes), "version": str(product.version),
        }
    )  # fmt: skip
    form.repeated["categories"] = form.repeated["order"] = [category.slug for category in product.categories]
    return form


def change_of(form: Form) -> dict[str, Any]:
    """What the form asks to be changed; errors stand in the form."""
    form.require({"name": "Enter the product's name", "slug": "Enter the slug, the name in its address"})
    change: dict[str, Any] = {
        name: form[name] for name in ("name", "slug", "status", "brand", "summary", "description")
    }
    change["attributes"] = {name: list(values) for name, values in named_values(form, "attributes").items()}
    change["categories"] = _categories(form)
    return change | {"version": version_of(form)}


def _categories(form: Form) -> list[str]:
    """Those that are ticked: in their `order` from before, the main one first, then new ones."""
    order = form.repeated.get("order", [])
    chosen = form.repeated.get("categories", [])
    return sorted(chosen, key=lambda slug: order.index(slug) if slug in order else len(order))


def version_of(form: Form) -> int:
    return form.number("version", 1, 2**31 - 1, 1)


def differences(form: Form, product: Product) -> dict[str, str]:
    """By field, what is stored now where something else was typed."""
    stored = details_of(product)
    found = {
        name: stored[name] or "(empty)" for name in DETAILS[:-1] if form[name] != stored[name].strip()
    }  # fmt: skip
    if set(form.repeated.get("categories", [])) != set(stored.repeated["categories"]):
        found["categories"] = ", ".join(item.name or item.slug for item in product.categories) or "(none)"
    return found


def variant_form(variant: Variant, version: int) -> Form:
    return Form(
        {
            "sku": variant.sku, "options": lines_of({k: [v] for k, v in variant.options.items()}),
            "price": decimal_text(variant.price), "compare_at": decimal_text(variant.compare_at),
            "barcode": variant.barcode or "", "picture": variant.picture or "",
            "weight_g": "" if variant.weight_g is None else str(variant.weight_g), "version": str(version),
        }
    )  # fmt: skip


def variant_differences(form: Form, variant: Variant) -> dict[str, str]:
    """By field, what is stored now where something else was typed."""
    stored = variant_form(variant, 0)
    return {name: stored[name] or "(empty)" for name in VARIANT if form[name] != stored[name]}


def variant_of(form: Form, currency: str) -> dict[str, Any]:
    """A whole variant as the form has it; errors stand in the form."""
    form.require({"sku": "Enter the SKU, the code of this variant"})
    options = named_values(form, "options")
    if any(len(values) > 1 for values in options.values()):
        form.errors["options"] = "Give each option one value, such as Size: M"
    if form["weight_g"] and not (form["weight_g"].isascii() and form["weight_g"].isdigit()):
        form.errors["weight_g"] = "Enter whole grams, such as 350"
    return {
        "sku": form["sku"],
        "options": {name: values[0] for name, values in options.items() if values},
        "barcode": form["barcode"] or None,
        "picture": form["picture"] or None,
        "weight_g": int(form["weight_g"]) if form["weight_g"] and "weight_g" not in form.errors else None,
        **price_of(form, "price", "compare_at", currency),
    }


def price_of(form: Form, price: str, compare_at: str, currency: str) -> dict[str, Money | None]:
    """Both amounts as typed; nothing typed is None."""
    found = {
        name: form.money(field, currency) if form[field] else None
        for name, field in (("price", price), ("compare_at", compare_at))
    }
    now, before = found["price"], found["compare_at"]
    if now is not None and now.minor < 0:
        form.errors[price] = "A price cannot be below zero"
    if before is not None and now is None and price not in form.errors:
        form.errors[price] = "What it cost before needs a price of today"
    if before is not None and now is not None and before.minor <= now.minor:
        form.errors[compare_at] = "What it cost before is more than what it costs now"
    return found


def lines_of(values: Mapping[str, Iterable[str]]) -> str:
    """`Material: Oak | Walnut`, a line each."""
    return "\n".join(f"{name}: {' | '.join(several)}" for name, several in values.items())


def named_values(form: Form, field: str) -> dict[str, list[str]]:
    """The lines of `field` by their name; a line without a colon is an error of the form."""
    found: dict[str, list[str]] = {}
    for line in form[field].splitlines():
        name, colon, text = line.partition(":")
        values = [value.strip() for value in text.split("|") if value.strip()]
        if not line.strip():
            continue
        if not colon or not name.strip() or not values:
            form.errors[field] = f"“{line.strip()[:60]}” is not a name, a colon and a value"
            continue
        found.setdefault(name.strip(), []).extend(values)
    return found


def refuse(form: Form, problem: Problem, fields: Iterable[str]) -> bool:
    """Put a refusal into the form; whether it was somebody else's change. Raises what no form can tell."""
    if problem.kind not in {"invalid", "conflict", "too_large"} and not is_away(problem):
        raise problem
    if problem.slug == "edited-meanwhile":
        form.errors[""] = (
            "Somebody else saved this product while you were editing. Nothing of yours is lost: "
            "compare, then save again."
        )
        return True
    if problem.slug in _TAKEN and _TAKEN[problem.slug][0] in fields:
        field, text = _TAKEN[problem.slug]
        form.errors[field] = text
    else:
        form.refuse(problem, fields)
    return False
