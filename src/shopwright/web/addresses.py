"""The address form that checkout and account share: its fields, its checks, and what a service is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .forms import Form

FIELDS = ("name", "line1", "line2", "postal_code", "city", "region", "country", "phone")
REQUIRED: Mapping[str, str] = {
    "name": "Enter the name of who receives the parcel",
    "line1": "Enter street and number",
    "postal_code": "Enter the postal code",
    "city": "Enter the town or city",
    "country": "Choose the country",
}


def address_of(form: Form) -> dict[str, Any]:
    """The typed address; fields left empty are absent. Errors stand in the form."""
    form.require(REQUIRED)
    return {name: form[name] for name in FIELDS if form[name]}


def typed(address: Any, **more: str) -> dict[str, str]:
    """Form values of a stored address."""
    values = {name: getattr(address, name, None) or "" for name in FIELDS} if address is not None else {}
    return values | {name: value for name, value in more.items() if value}
