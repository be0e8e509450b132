"""What a mail says, as HTML and as plain text that is worth reading: one pair of templates per kind.

Everything that comes from outside is escaped in the HTML and kept on its line in the text. Amounts are
exact: they stay integers until the last digit.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import jinja2
from babel import Locale

from shopwright.contracts.money import Money, exponent
from shopwright.contracts.orders import Address

from .domain import Letter, greeting, one_line

FOLDER: Final = Path(__file__).parent / "templates"
SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}  # unmistakable in English; others by code
TOTALS: Final = {
    "subtotal": "Subtotal", "shipping": "Delivery", "discount": "Discount", "tax": "Tax",
    "tax_included": "Tax included", "shipping_discount": "Discount on delivery",
}  # fmt: skip
NBSP: Final = "\u00a0"
_COUNTRIES: Final = Locale("en").territories


class Rendered(NamedTuple):
    subject: str
    text: str
    html: str


class Shop(NamedTuple):
    """Whose mails these are and where the links lead; `url` without a slash at the end."""

    name: str
    url: str


def money(amount: Money) -> str:
    """`Money(123456, "EUR")` as €1,234.56, `Money(1234, "KWD")` as KWD 1.234."""
    digits = exponent(amount.currency)
    number = f"{abs(Decimal(amount.minor)).scaleb(-digits):,.{digits}f}"
    symbol = SYMBOLS.get(amount.currency, amount.currency + NBSP)
    return f"{'-' if amount.minor < 0 else ''}{symbol}{number}"


def total_name(kind: str) -> str:
    return TOTALS.get(kind, kind.replace("_", " ").capitalize())


def address_lines(address: Address) -> list[str]:
    """As it stands on a parcel; the country by its English name, as mails are in English."""
    town = f"{address.postal_code} {address.city}"
    country = _COUNTRIES.get(address.country, address.country)
    parts = [address.name, address.line1, address.line2, town, address.region, country]
    return [one_line(part) for part in parts if part]


def unsubscribe_url(letter: Letter, shop: Shop) -> str:
    """Where one switches this kind off; empty for a kind that is always sent."""
    return f"{shop.url}/unsubscribe/{letter.unsubscribe_token}" if letter.unsubscribe_token else ""


def render(letter: Letter, shop: Shop) -> Rendered:
    values = {
        "shop": shop,
        "letter": letter,
        "content": letter.content,
        "name": greeting(letter.name),
        "url": shop.url + letter.link,
        "unsubscribe_url": unsubscribe_url(letter, shop),
    }
    text = _TEMPLATES.get_template(f"{letter.kind}.txt").render(values)
    html = _TEMPLATES.get_template(f"{letter.kind}.html").render(values)
    return Rendered(one_line(letter.title, 200), text.strip() + "\n", html)


_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER),
    autoescape=jinja2.select_autoescape(enabled_extensions=["html"], default=False),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.filters |= {
    "money": money,
    "line": one_line,
    "total_name": total_name,
    "address_lines": address_lines,
}
