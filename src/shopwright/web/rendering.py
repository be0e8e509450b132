"""Templates: one environment, autoescaped, strict about names, with the few filters that pages need."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from shopwright.contracts.money import Money

from . import formatting, prose
from .assets import Assets
from .forms import Form
from .settings import WebSettings

FOLDER = Path(__file__).parent / "templates"


class _Compiled(BytecodeCache):
    """Each template is compiled once per process, however many apps are built in it."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def environment(settings: WebSettings, assets: Assets) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    locale = settings.locale
    made.globals |= {
        "shop_name": settings.shop_name,
        "shop_tagline": settings.shop_tagline,
        "without": without,
        "empty_form": Form({}),
        "form_of": Form,
        "locale": locale,
        "static": assets.url,
        "countries": partial(formatting.countries, locale),
        "country_name": partial(formatting.country_name, locale=locale),
        "days_text": formatting.days_text,
        "buyer_steps": formatting.BUYER_STEPS,
        "total_rows": formatting.total_rows,
        "minor": lambda amount, currency: formatting.money(Money(amount, currency), locale),
    }
    made.filters |= {
        "money": partial(formatting.money, locale=locale),
        "decimal": formatting.decimal_text,
        "day": partial(formatting.day, locale=locale),
        "date": partial(formatting.date_text, locale=locale),
        "moment": partial(formatting.moment, locale=locale),
        "instant": partial(formatting.instant, locale=locale),
        "timestamp": formatting.timestamp,
        "browser": formatting.browser_name,
        "ago": partial(formatting.ago, locale=locale),
        "status": formatting.status_text,
        "payment_status": formatting.payment_text,
        "tax_name": formatting.tax_text,
        "method": formatting.method_text,
        "part_status": formatting.part_text,
        "refund_status": formatting.refund_text,
        "tone": formatting.tone,
        "query": query_text,
        "script_json": script_json,
        "pretty": pretty_json,
        "prose": prose.clean,
        "combine": lambda first, second: {**first, **second},
        "plain": prose.plain,
    }
    return made


def query_text(query: Mapping[str, Any]) -> str:
    """`?a=1&b=2` of the members that have a value; lists repeat their name."""
    pairs = {name: value for name, value in query.items() if value is not None and value not in ("", [])}
    return "?" + urlencode(pairs, doseq=True) if pairs else ""


def without(
    kept: Mapping[str, Any], chosen: Mapping[str, list[str]], name: str, value: str
) -> dict[str, Any]:
    """The query of the same results without one chosen filter (`price` means both limits)."""
    limits = {} if name != "price" else {"price_min": "", "price_max": ""}
    facets = {facet: [v for v in values if (facet, v) != (name, value)] for facet, values in chosen.items()}
    return {**kept, **limits, **facets}


def script_json(value: Any) -> Markup:
    """JSON for a `<script type="application/ld+json">`: nothing in it can end the element."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - every character that HTML could read is escaped above


def pretty_json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
