"""How amounts, dates and statuses read to a person. Pure; amounts stay integers until the last digit."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_currency

from shopwright.contracts.money import Money, exponent

from .clients.orders import Cart, Order, Refund
from .clients.sales import PaymentPart, Tax

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
    "shipping_discount": "Discount on delivery",
    "edited": "Changes to the order",
}
METHODS = {
    "card": "Card",
    "cash_on_delivery": "Cash on delivery",
    "bank_transfer": "Bank transfer",
    "wallet": "Wallet",
    "gift_card": "Gift card",
}
MINUS = "\u2212"  # a hyphen may part from its number at the end of a line
REFUND_STATUS = {"succeeded": "Paid back", "requested": "On its way"}
#: (method, status) → what a buyer reads where a card's word would mislead.
PART_STATUS = {
    ("cash_on_delivery", "authorised"): "To be paid on delivery",
    ("cash_on_delivery", "pending"): "To be paid on delivery",
    ("bank_transfer", "pending"): "Waiting for your transfer",
    ("bank_transfer", "requires_action"): "Waiting for your transfer",
    ("bank_transfer", "authorised"): "Waiting for your transfer",
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
    text = _CODE_EDGE.sub("\u00a0", format_currency(value, amount.currency, locale=locale))
    return text.replace("-", MINUS)


def decimal_text(amount: Money | None) -> str:
    """`Money(1999, "EUR")` as 19.99, for number fields and structured data."""
    return str(amount).partition(" ")[0] if amount else ""


def day(when: datetime | str, locale: str = "en") -> str:
    return format_date(_time(when), format="long", locale=locale)


def date_text(when: date, locale: str = "en") -> str:
    """A day that has no hour, so no time zone either."""
    return format_date(when, format="long", locale=locale)


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


class TotalRow(NamedTuple):
    """A summand of a total as it is shown; `code` is that of a coupon."""

    label: str
    amount: Money
    code: str = ""
    free: bool = False  # said instead of a zero


def total_rows(priced: Cart | Order, *, delivery: bool = True) -> list[TotalRow]:
    """What sums to the total: discounts by their names, added tax by its rates.

    `delivery` is false while nobody has said where to: a free default would promise too much.
    """
    rows: list[TotalRow] = []
    named = [TotalRow(d.name, -d.amount, d.code or "") for d in priced.discounts]
    added = [TotalRow(tax_text(tax), tax.amount) for tax in priced.taxes if not tax.included]
    for row in priced.totals:
        if row.type in {"discount", "shipping_discount"} and priced.discounts:
            rows += named
            named = []
        elif row.type == "tax" and added:
            rows += added
        elif row.type == "shipping":
            if delivery or row.amount.minor:
                rows.append(TotalRow(TOTALS["shipping"], row.amount, free=row.amount.minor == 0))
        else:
            rows.append(TotalRow(total_text(row.type), row.amount))
    return rows


def tax_text(tax: Tax) -> str:
    """`19 % VAT`; a name that says its rate stands alone."""
    return tax.name if tax.rate in tax.name else f"{tax.rate}\u00a0% {tax.name}"


def method_text(method: str) -> str:
    return METHODS.get(method, method.replace("_", " ").capitalize())


def part_text(part: PaymentPart) -> str:
    """How a part of a payment stands, as its buyer would say."""
    return PART_STATUS.get((part.method, part.status)) or payment_text(part.status)


def refund_text(refund: Refund) -> str:
    """How far money is on its way back; what failed is the shop's to mend."""
    return REFUND_STATUS.get(refund.status, "Being looked into")


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
