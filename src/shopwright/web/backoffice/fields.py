"""What staff type beside plain text: amounts by currency, percentages, whole numbers, times, lists.

Each reads one field of a form; what it cannot read stands as an error beside the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from shopwright.contracts.money import Money, parse_decimal

from ..formatting import decimal_text
from ..forms import Form

_PERCENT: Final = re.compile(r"(?:100(?:\.0{1,3})?|[0-9]{1,2}(?:\.[0-9]{1,3})?)")
_CODE: Final = re.compile(r"[A-Z]{3}")
NOT_WHOLE: Final = "Enter a whole number, such as 100"


def whole(form: Form, name: str, *, least: int = 1, most: int = 2_000_000_000) -> int | None:
    """A whole number; None where nothing was typed."""
    text = form[name]
    if not text:
        return None
    if not text.isascii() or not text.lstrip("-").isdigit() or len(text) > 12:
        form.errors[name] = NOT_WHOLE
        return None
    if not least <= int(text) <= most:
        form.errors[name] = f"Enter a whole number from {least:,} to {most:,}"
        return None
    return int(text)


def percent(form: Form, name: str) -> str | None:
    """A percentage as a decimal string; None where nothing was typed."""
    text = form[name].replace(",", ".").removesuffix("%").strip()
    if not text:
        return None
    if not _PERCENT.fullmatch(text):
        form.errors[name] = "Enter a percentage from 0 to 100, such as 19 or 7.5"
        return None
    return text


def percent_text(value: str | None) -> str:
    """`19.000` as 19."""
    return f"{Decimal(value).normalize():f}" if value else ""


def minor(form: Form, name: str, currency: str) -> int | None:
    """An amount in minor units; None where nothing was typed."""
    amount = form.money(name, currency) if form[name] else None
    if amount is not None and amount.minor < 0:
        form.errors[name] = "An amount cannot be below zero"
    return None if amount is None else amount.minor


def minor_text(value: int | None, currency: str) -> str:
    return "" if value is None else decimal_text(Money(value, currency))


def amounts(form: Form, name: str) -> dict[str, int]:
    """Amounts in minor units by currency, typed one a line as `EUR 5.00`."""
    found: dict[str, int] = {}
    for line in form[name].splitlines():
        words = line.upper().split()
        currency = next((word for word in words if _CODE.fullmatch(word)), "")
        number = next((word for word in words if word != currency), "").replace(",", ".")
        if not words:
            continue
        try:
            amount = parse_decimal(number, currency) if currency and len(words) == 2 else None
        except ValueError:
            amount = None
        if amount is None or amount.minor <= 0:
            form.errors[name] = f"“{line.strip()[:40]}” is not a currency and an amount, such as EUR 5.00"
        elif currency in found:
            form.errors[name] = f"{currency} stands here twice"
        else:
            found[currency] = amount.minor
    return found


def amounts_text(values: Mapping[str, int]) -> str:
    return "\n".join(f"{code} {decimal_text(Money(value, code))}" for code, value in values.items())


def moment(form: Form, name: str) -> datetime | None:
    """A time in UTC, as a browser's field for date and time sends it."""
    if not form[name]:
        return None
    try:
        return datetime.fromisoformat(form[name]).replace(tzinfo=UTC)
    except ValueError:
        form.errors[name] = "Enter a date and a time, such as 2027-01-31T18:00"
        return None


def moment_text(when: datetime | None) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if when else ""


def names(form: Form, name: str) -> list[str]:
    """One a line, or parted by commas; each once."""
    return list(dict.fromkeys(part.strip() for part in re.split(r"[\n,]", form[name]) if part.strip()))


def names_text(values: Iterable[str]) -> str:
    return "\n".join(values)
