"""How amounts, dates and statuses read to a person. Pure; amounts stay integers until the last digit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_currency

from shopwright.contracts.money import Money, exponent

ORDER_STATUS = {
    "in_progress": "Being placed",
    "awaiting_buyer": "Waiting for payment",
    "confirmed": "Confirmed",
    "refused": "Not placed",
    "cancelled": "Cancelled",
    "partially_fulfilled": "Partly sent",
    "fulfilled": "Sent",
    "returned": "Returned",
    "expired": "Not paid in time",
}
PAYMENT_STATUS = {
    "pending": "Not yet paid",
    "requires_action": "Waiting for you",
    "authorised": "Authorised",
    "captured": "Paid",
    "partially_refunded": "Partly refunded",
    "refunded": "Refunded",
    "voided": "Given back",
    "declined": "Declined",
    "unknown": "Being checked",
}
TOTALS = {
    "subtotal": "Subtotal",
    "shipping": "Delivery",
    "tax_included": "Tax included",
    "tax": "Tax",
    "discount": "Discount",
}

#: status → tone of its badge
TONES = {
    "confirmed": "good", "fulfilled": "good", "captured": "good", "authorised": "good", "active": "good",
    "ready": "good", "completed": "good", "done": "good", "refused": "bad", "declined": "bad", "dead": "bad",
    "failed": "bad", "expired": "bad", "cancelled": "muted", "voided": "muted", "archived": "muted",
    "draft": "muted",
}  # fmt: skip

#: What a buyer reads for a step of the purchase: (done, waiting).
BUYER_STEPS = {
    ("reserve", "forward"): ("We set your items aside", "Setting your items aside"),
    ("authorise", "forward"): ("Your payment was authorised", "Waiting for your payment"),
    ("confirm", "forward"): ("Your order was confirmed", "Confirming your order"),
    ("claim", "forward"): ("Your items were taken from the shelf", "Taking your items from the shelf"),
    ("capture", "forward"): ("Your payment was taken", "Taking your payment"),
    ("void", "back"): ("Your payment was given back", "Giving your payment back"),
    ("release", "back"): ("Your items were put back", "Putting your items back"),
}


def money(amount: Money | None, locale: str = "en") -> str:
    """`Money(1999, "EUR")` as €19.99."""
    if amount is None:
        return ""
    value = Decimal(amount.minor).scaleb(-exponent(amount.currency))
    return _CODE_EDGE.sub("\u00a0", format_currency(value, amount.currency, locale=locale))


def decimal_text(amount: Money | None) -> str:
    """`Money(1999, "EUR")` as 19.99, for number fields and structured data."""
    return str(amount).partition(" ")[0] if amount else ""


def day(when: datetime | str, locale: str = "en") -> str:
    return format_date(_time(when), format="long", locale=locale)


def moment(when: datetime | str, locale: str = "en") -> str:
    """Day and minute; pages with JavaScript show it in the reader's own time zone."""
    time = _time(when).astimezone(UTC)
    return f"{format_date(time, format='medium', locale=locale)}, {time:%H:%M} UTC"


def instant(when: datetime | str, locale: str = "en") -> str:
    """Day and second, for those who compare times."""
    time = _time(when).astimezone(UTC)
    return f"{format_date(time, format='medium', locale=locale)}, {time:%H:%M:%S} UTC"


def timestamp(when: datetime | str) -> str:
    """For the `datetime` attribute of a `<time>`."""
    return _time(when).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(when: datetime | str, locale: str = "en") -> str:
    return format_timedelta(_time(when) - datetime.now(UTC), add_direction=True, locale=locale)


def status_text(status: str) -> str:
    return ORDER_STATUS.get(status) or PAYMENT_STATUS.get(status) or status.replace("_", " ").capitalize()


def payment_text(status: str) -> str:
    return PAYMENT_STATUS.get(status, status.replace("_", " ").capitalize())


def total_text(kind: str) -> str:
    return TOTALS.get(kind, kind.replace("_", " ").capitalize())


def tone(status: str) -> str:
    return TONES.get(status, "wait")


def days_text(least: int | None, most: int | None) -> str:
    """`1–3 working days`, `today`, …"""
    if most is None:
        return ""
    if most == 0:
        return "Today"
    if least is None or least == most:
        return f"{most} working day{'s' if most > 1 else ''}"
    return f"{least}–{most} working days" if least else f"Within {most} working day{'s' if most > 1 else ''}"


def browser_name(agent: str) -> str:
    """What a person calls the browser that calls itself `agent`: `Firefox on Linux`."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or agent.partition("/")[0][:40] or "Unknown device"


@lru_cache(maxsize=8)
def countries(locale: str = "en") -> list[tuple[str, str]]:
    """ISO 3166-1 countries by their names."""
    territories = Locale.parse(locale).territories
    found = [
        (code, name)
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    ]
    return sorted(found, key=lambda pair: pair[1])


def country_name(code: str, locale: str = "en") -> str:
    return str(Locale.parse(locale).territories.get(code, code))


#: The first mark that is found counts: later browsers also name earlier ones.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
_CODE_EDGE = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")  # CLDR: a code keeps its distance
_NO_COUNTRIES = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "AC", "CP", "DG", "EA", "IC", "TA", "XK", "CQ"}


def _time(when: datetime | str) -> datetime:
    parsed = datetime.fromisoformat(when) if isinstance(when, str) else when
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
