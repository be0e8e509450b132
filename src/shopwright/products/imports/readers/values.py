"""Words of a file as values: prices, weights, counts, lists, slugs. Pure; a ValueError says what would be
right.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

from slugify import slugify

from shopwright.contracts.money import Money, exponent, parse_decimal
from shopwright.products.catalog.drafts import PictureDraft, PriceDraft

STOCK_MAX = 10_000_000  # as an adjustment by hand allows
SKU_MAX = 100
WEIGHT_MAX_G = 100_000_000
GRAMS = {
    "g": Decimal(1),
    "gr": Decimal(1),
    "gram": Decimal(1),
    "grams": Decimal(1),
    "kg": Decimal(1000),
    "kgs": Decimal(1000),
    "lb": Decimal("453.59237"),
    "lbs": Decimal("453.59237"),
    "oz": Decimal("28.349523125"),
}  # fmt: skip
_USUAL = re.compile(r"(\d{1,15})\.(\d{2,3})")
_TRUE, _FALSE = {"true", "yes", "1", "y", "t"}, {"false", "no", "0", "n", "f"}


def money(text: str, currency: str) -> Money:
    """`19.99`, `19,99`, `1,299.00` or `1.299,00`; what could be read in two ways is refused."""
    if (usual := _USUAL.fullmatch(text)) and len(usual[2]) == exponent(currency):
        return Money(int(usual[1] + usual[2]), currency)
    plain = text.replace("\u00a0", "").replace(" ", "").replace("'", "")
    point, comma = plain.rfind("."), plain.rfind(",")
    if point >= 0 and comma >= 0:
        plain = plain.replace("," if point > comma else ".", "").replace(",", ".")
    elif comma >= 0:
        whole, _, part = plain.partition(",")
        if "," in part or len(part) > max(exponent(currency), 1) or not whole:
            raise ValueError(f"{text!r} can be read in two ways; write it as 1299.00")
        plain = f"{whole}.{part}"
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{0,10})?|\.\d{1,10}", plain):
        raise ValueError(f"{text!r} is not a price such as 19.99")
    amount = parse_decimal(plain, currency)
    if amount.minor < 0:
        raise ValueError(f"{text!r} is below zero; a price is 0 or more")
    return amount


def offer(price: Money, before: Money | None) -> PriceDraft:
    """A price with what it cost before, if that was more."""
    return PriceDraft(price, before if before is not None and price < before else None)


def count(text: str) -> int:
    """Units on hand; decimals of nothing (`5.0`) are fine, and less than none is none."""
    if text.isdecimal() and len(text) < 8:
        return int(text)
    try:
        number = Decimal(text.replace(",", ".")) if text.count(",") <= 1 else Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number of units such as 12") from None
    if not number.is_finite() or number != number.to_integral_value():
        raise ValueError(f"{text!r} is not a whole number of units")
    if number > STOCK_MAX:
        raise ValueError(f"{text!r} is more than {STOCK_MAX:,} units")
    return max(0, int(number))


def grams(text: str, unit: str) -> int:
    """A weight in whole grams, rounded half up."""
    scale = GRAMS.get(unit.strip().casefold())
    if scale is None:
        raise ValueError(f"{unit!r} is not a unit of weight; use g, kg, lb or oz")
    try:
        weight = Decimal(text.strip().replace(",", ".")) * scale
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a weight such as 1.5") from None
    if not weight.is_finite() or weight < 0 or weight > WEIGHT_MAX_G:
        raise ValueError(f"{text!r} {unit} is not a weight of 0 to {WEIGHT_MAX_G:,} g")
    return int(weight + Decimal("0.5"))


def yes(text: str) -> bool:
    word = text.strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def listed(text: str, separator: str = ",") -> list[str]:
    r"""The words of a list; a backslash before the separator keeps it (`Bags\, small`)."""
    parts = re.split(rf"(?<!\\){re.escape(separator)}", text)
    words = (part.replace(f"\\{separator}", separator).strip() for part in parts)
    return list(dict.fromkeys(word for word in words if word))


def path(text: str, separator: str = ">") -> list[str]:
    """`Home > Lighting` as a path of names from the top."""
    return [name for part in text.split(separator) if (name := part.strip())]


def paths(texts: Iterable[str], separator: str = ">") -> list[list[str]]:
    found = [path(text, separator) for text in texts]
    return [names for index, names in enumerate(found) if names and names not in found[:index]]


def slug(text: str) -> str:
    return slugify(text, max_length=150)


def sku_of(product: str, options: Iterable[str]) -> str:
    """The SKU of a variant whose file gives none: always the same for the same product and options."""
    return "-".join(filter(None, (slug(part) for part in (product, *options))))[:SKU_MAX]


def as_html(text: str) -> str:
    """Plain text as paragraphs; what has tags already stays as it is."""
    if re.search(r"</?[a-zA-Z][^<>]*>", text):
        return text
    blocks = (block.strip() for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    escaped = (html.escape(block, quote=False).replace("\n", "<br>") for block in blocks if block)
    return "".join(f"<p>{block}</p>" for block in escaped)


def plain(text: str) -> str:
    """Text without its tags, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", text)).split())


def pictures(sources: Iterable[tuple[str, str]]) -> list[PictureDraft]:
    """Each source once, in order; given as (source, words for who cannot see it)."""
    found: dict[str, PictureDraft] = {}
    for source, alt in sources:
        if source and source not in found:
            found[source] = PictureDraft(source, alt)
    return list(found.values())


def attributes(pairs: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Attributes without empty ones; values of one name come together."""
    found: dict[str, list[str]] = {}
    for name, values in pairs:
        for value in values:
            if name and value and value not in found.setdefault(name, []):
                found[name].append(value)
    return {name: values for name, values in found.items() if values}
