"""From a draft as somebody wrote it to what may be stored: every fault named, safe HTML, plain words.

Pure and repeatable: what was cleaned once comes out the same. Nothing here looks at the database; whether a
SKU is another product's is decided in `commands`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec
import nh3
from slugify import slugify

from shopwright.contracts.problems import FieldError

from .domain import DEPTH_MAX, PICTURES_MAX, VARIANTS_MAX, Count, Price
from .drafts import PictureDraft, PriceDraft, ProductDraft, Status, VariantDraft

NAME_MAX, SUMMARY_MAX, DESCRIPTION_MAX, BRAND_MAX = 300, 1_000, 100_000, 200
SKU_MAX = SLUG_MAX = 200
ATTRIBUTES_MAX, VALUES_MAX, LABEL_MAX, VALUE_MAX = 80, 60, 100, 1_000
OPTIONS_MAX = 10
CATEGORIES_MAX = 20
CATEGORY_NAME_MAX = 200
URL_MAX = 2_000
AMOUNT_MAX = 10**13  # minor units: a sum of orders must stay far below 64 bits
UNITS_MAX = 10_000_000  # of a SKU in one warehouse, as for an adjustment
SETTLE_MAX = 8
WEIGHT_MAX = 100_000_000  # grams

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_HTML = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags={"script", "style"},
    attributes={"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}},
    url_schemes={"https", "http", "mailto"},
    link_rel="nofollow noopener",
)
_TEXT = nh3.Cleaner(tags=set(), clean_content_tags={"script", "style"})
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_URL = re.compile(r"(?:https?://[^\s/]+\S*|/media/[\w./-]+)", re.ASCII)
_WAREHOUSE = re.compile(r"[a-z0-9-]{1,40}")


class CleanVariant(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    options: dict[str, str]
    prices: list[Price]
    barcode: str | None
    weight_g: int | None
    picture: str | None


class Clean(msgspec.Struct, frozen=True, kw_only=True):
    """A draft without faults; `counts` is the stock it tells of."""

    slug: str
    name: str
    status: Status
    summary: str
    description: str
    brand: str
    attributes: dict[str, list[str]]
    categories: list[list[str]]
    pictures: list[PictureDraft]
    variants: list[CleanVariant]
    counts: list[Count]


class Faults:
    """What is wrong with a draft, by JSON Pointer."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, pointer: str, detail: str) -> None:
        self.found.append(FieldError(pointer, detail))

    def text(self, value: str, pointer: str, limit: int, *, required: bool = False) -> str:
        found = one_line(value)
        if required and not found:
            self.add(pointer, "is required")
        if len(found) > limit:
            self.add(pointer, f"must be at most {limit} characters, not {len(found)}")
        return found


def clean(draft: ProductDraft) -> Clean | list[FieldError]:
    """What may be stored of `draft`, or everything that is wrong with it."""
    faults = Faults()
    name = faults.text(draft.name, "/name", NAME_MAX, required=True)
    slug = slug_of(draft.slug or name)
    if not slug or _ID.fullmatch(slug):
        faults.add("/slug", "must have letters or digits, and not look like an id")
    description = clean_html(draft.description)
    if len(description) > DESCRIPTION_MAX:
        faults.add("/description", f"must be at most {DESCRIPTION_MAX} characters")
    pictures = _pictures(draft.pictures, draft.variants, faults)
    result = Clean(
        slug=slug,
        name=name,
        status=draft.status,
        summary=faults.text(draft.summary, "/summary", SUMMARY_MAX),
        description=description,
        brand=faults.text(draft.brand, "/brand", BRAND_MAX),
        attributes=_attributes(draft.attributes, faults),
        categories=_categories(draft.categories, faults),
        pictures=pictures,
        variants=_variants(draft.variants, faults),
        counts=list(_counts(draft.variants, faults)),
    )
    return faults.found or result


def one_line(text: str) -> str:
    """Without control characters, lone surrogates and surplus white space; in Unicode's normal form C."""
    if text.isascii() and text.isprintable():
        return text if "  " not in text and text.strip(" ") == text else " ".join(text.split())
    return " ".join(unicodedata.normalize("NFC", _UNWANTED.sub(" ", text)).split())


def clean_html(text: str) -> str:
    """Safe HTML of a description; text without markup becomes paragraphs."""
    text = _UNWANTED.sub("", text.replace("\r\n", "\n")).strip()
    if "<" in text:
        text = _settled(text)
    if "<" not in text and text:
        parts = (part.strip() for part in re.split(r"\n\s*\n", html.unescape(text)))
        text = "".join(f"<p>{html.escape(part, quote=False)}</p>" for part in parts if part)
        text = _settled(text.replace("\n", "<br>"))
    return text


def _settled(text: str) -> str:
    """Clean HTML that comes out the same again: misnested elements take more than one turn."""
    for _ in range(SETTLE_MAX):
        before, text = text, _HTML.clean(text).strip()
        if text == before:
            break
    return text


def plain_text(description: str) -> str:
    """The words of clean HTML."""
    if "<" not in description and "&" not in description:
        return description
    spaced = re.sub(r"<(?:/p|/li|/h\d|br|/t[dhr]|/d[dt]|/div)>", " ", description)
    return " ".join(html.unescape(_TEXT.clean(spaced)).split())


@lru_cache(4_096)  # an import asks for the same names of categories again and again
def slug_of(text: str) -> str:
    """`text` as a slug, empty when it has no letter or digit in any script."""
    if is_slug(text):
        return text
    return slugify(one_line(text), max_length=SLUG_MAX, word_boundary=False).strip("-")


def is_slug(text: str) -> bool:
    return len(text) <= SLUG_MAX and bool(_SLUG.fullmatch(text))


def sort_key(name: str) -> str:
    """The name without case and accents, so that a list is in the order people expect."""
    if name.isascii():
        return name.lower()
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def fits_url(url: str) -> bool:
    return len(url) <= URL_MAX and bool(_URL.fullmatch(url)) and ".." not in url.partition("/media/")[2]


def _pictures(
    drafts: Sequence[PictureDraft], variants: Sequence[VariantDraft], faults: Faults
) -> list[PictureDraft]:
    """The pictures, and those that only a variant names."""
    found: dict[str, PictureDraft] = {}
    for number, draft in enumerate(drafts):
        source = one_line(draft.source)
        if not fits_url(source):
            faults.add(f"/pictures/{number}/source", "must be an https:// address or a /media/ path")
        size = draft.width is not None and draft.height is not None and min(draft.width, draft.height) > 0
        size = size and max(draft.width or 0, draft.height or 0) < 2**31
        width, height = (draft.width, draft.height) if size else (None, None)
        found.setdefault(source, PictureDraft(source, one_line(draft.alt)[:500], width, height))
    for number, variant in enumerate(variants):
        source = one_line(variant.picture or "")
        if source and source not in found:
            if not fits_url(source):
                faults.add(f"/variants/{number}/picture", "must be one of the product's pictures")
            found[source] = PictureDraft(source)
    if len(found) > PICTURES_MAX:
        faults.add("/pictures", f"must be at most {PICTURES_MAX}")
    return list(found.values())


def _attributes(attributes: Mapping[str, Sequence[str]], faults: Faults) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for raw, values in attributes.items():
        place = f"/attributes/{raw.replace('~', '~0').replace('/', '~1')}"
        name = faults.text(raw, place, LABEL_MAX)
        cleaned = dict.fromkeys(faults.text(value, place, VALUE_MAX) for value in values)
        cleaned.pop("", None)
        if len(cleaned) > VALUES_MAX:
            faults.add(place, f"must have at most {VALUES_MAX} values")
        if name and cleaned:
            found[name] = list(cleaned)
    if len(found) > ATTRIBUTES_MAX:
        faults.add("/attributes", f"must be at most {ATTRIBUTES_MAX}")
    return found


def clean_path(path: Sequence[str], place: str, faults: Faults) -> list[str]:
    """A path of category names from the top."""
    names = [faults.text(name, place, CATEGORY_NAME_MAX) for name in path]
    names = [name for name in names if name]
    if any(not slug_of(name) for name in names):
        faults.add(place, "each name must have letters or digits")
    if len(names) > DEPTH_MAX:
        faults.add(place, f"must be at most {DEPTH_MAX} deep")
    return names


def _categories(paths: Sequence[Sequence[str]], faults: Faults) -> list[list[str]]:
    found: list[list[str]] = []
    for number, path in enumerate(paths):
        names = clean_path(path, f"/categories/{number}", faults)
        if names and names not in found:
            found.append(names)
    if len(found) > CATEGORIES_MAX:
        faults.add("/categories", f"must be at most {CATEGORIES_MAX}")
    return found


def _variants(drafts: Sequence[VariantDraft], faults: Faults) -> list[CleanVariant]:
    if not drafts:
        faults.add("/variants", "a product needs at least one")
    if len(drafts) > VARIANTS_MAX:
        faults.add("/variants", f"must be at most {VARIANTS_MAX}, not {len(drafts)}")
    found: dict[str, CleanVariant] = {}
    for number, draft in enumerate(drafts[: VARIANTS_MAX + 1]):
        place = f"/variants/{number}"
        sku = faults.text(draft.sku, f"{place}/sku", SKU_MAX, required=True)
        if sku in found:
            faults.add(f"{place}/sku", f"{sku} stands twice in this product")
        if draft.weight_g is not None and not 0 <= draft.weight_g <= WEIGHT_MAX:
            faults.add(f"{place}/weight_g", f"must be 0 to {WEIGHT_MAX} grams")
        found[sku] = CleanVariant(
            sku=sku,
            options=_options(draft.options, place, faults),
            prices=_prices(draft.prices, f"{place}/prices", faults),
            barcode=faults.text(draft.barcode or "", f"{place}/barcode", LABEL_MAX) or None,
            weight_g=draft.weight_g,
            picture=one_line(draft.picture or "") or None,
        )
    return list(found.values())


def _options(options: Mapping[str, str], place: str, faults: Faults) -> dict[str, str]:
    pairs = (
        (faults.text(name, f"{place}/options", LABEL_MAX), faults.text(value, f"{place}/options", VALUE_MAX))
        for name, value in options.items()
    )
    found = {name: value for name, value in pairs if name and value}
    if len(found) > OPTIONS_MAX:
        faults.add(f"{place}/options", f"must be at most {OPTIONS_MAX}")
    return found


def _prices(drafts: Sequence[PriceDraft], place: str, faults: Faults) -> list[Price]:
    found: dict[str, Price] = {}
    for number, draft in enumerate(drafts):
        amount, currency = draft.price.minor, draft.price.currency
        before = draft.compare_at
        if currency in found:
            faults.add(f"{place}/{number}", f"there are two prices in {currency}")
        if not 0 <= amount <= AMOUNT_MAX:
            faults.add(f"{place}/{number}/price", f"must be 0 to {AMOUNT_MAX} minor units")
        if before is not None and (before.currency != currency or before.minor > AMOUNT_MAX):
            faults.add(f"{place}/{number}/compare_at", f"must be an amount of {currency}")
        compare_at = before.minor if before is not None and before.minor > amount else None
        found[currency] = Price(currency, amount, compare_at)
    return sorted(found.values(), key=lambda price: price.currency)


def _counts(variants: Sequence[VariantDraft], faults: Faults) -> Iterator[Count]:
    for number, variant in enumerate(variants):
        for place, units in variant.stock.items():
            code = place if _WAREHOUSE.fullmatch(place) else slugify(place)[:40]
            if not code:
                faults.add(f"/variants/{number}/stock", f"{place!r} is no code of a warehouse")
            elif not -UNITS_MAX <= units <= UNITS_MAX:
                faults.add(f"/variants/{number}/stock", f"must be at most {UNITS_MAX} units")
            else:
                yield Count(one_line(variant.sku), code, max(0, units))
