"""What pages show of the catalogue, read from answers whose members may vary from release to release.

Pure. A member that is missing or of another type becomes its default: a page that lacks a picture is
better than no page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shopwright.contracts.money import Money


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    alt: str = ""
    width: int = 800
    height: int = 800


class Category(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    name: str
    description: str = ""
    picture: Picture | None = None
    parent: str | None = None
    count: int | None = None
    children: list[Category] = []


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    sku: str
    name: str = ""
    price: Money | None = None
    compare_at: Money | None = None
    available: int = 0
    options: dict[str, str] = {}
    picture: str | None = None


class Product(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str
    description: str = ""
    summary: str = ""
    brand: str = ""
    status: str = "active"
    categories: list[str] = []
    attributes: dict[str, str] = {}
    pictures: list[Picture] = []
    variants: list[Variant] = []
    price: Money | None = None
    price_max: Money | None = None
    compare_at: Money | None = None
    available: bool = True

    @property
    def picture(self) -> Picture | None:
        return self.pictures[0] if self.pictures else None

    @property
    def many_prices(self) -> bool:
        return self.price is not None and self.price_max is not None and self.price != self.price_max


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    count: int
    label: str = ""


class Facet(msgspec.Struct, frozen=True):
    name: str
    values: list[FacetValue]
    label: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    items: list[Product] = []
    total: int | None = None
    facets: list[Facet] = []
    next_cursor: str | None = None
    suggestion: str = ""


def listing_of(raw: Any) -> Listing:
    answer = raw if isinstance(raw, dict) else {"items": raw}
    total = answer.get("total")
    return Listing(
        items=[product_of(item) for item in _items(answer.get("items")) if isinstance(item, dict)],
        total=total if isinstance(total, int) else None,
        facets=list(_facets(answer.get("facets"))),
        next_cursor=answer.get("next_cursor") or None,
        suggestion=_text(answer, "suggestion", "did_you_mean"),
    )


def product_of(raw: Mapping[str, Any]) -> Product:
    variants = [_variant(item) for item in _items(raw.get("variants")) if isinstance(item, dict)]
    prices = sorted((v.price for v in variants if v.price), key=lambda price: price.minor)
    price = _money(raw.get("price") or raw.get("price_from") or raw.get("price_min"))
    price_max = _money(raw.get("price_max") or raw.get("price_to"))
    pictures = list(_pictures(raw))
    return Product(
        id=_text(raw, "id"),
        slug=_text(raw, "slug", "handle", "id"),
        name=_text(raw, "name", "title") or "Unnamed product",
        description=_text(raw, "description", "description_html"),
        summary=_text(raw, "summary", "subtitle"),
        brand=_named(raw.get("brand") or raw.get("vendor")),
        status=_text(raw, "status") or "active",
        categories=list(_category_slugs(raw)),
        attributes=dict(_attributes(raw.get("attributes"))),
        pictures=pictures,
        variants=variants,
        price=prices[0] if prices else price,
        price_max=prices[-1] if prices else price_max,
        compare_at=_money(raw.get("compare_at") or raw.get("compare_at_price")),
        available=any(v.available > 0 for v in variants) if variants else _count(raw.get("available", 1)) > 0,
    )


def tree_of(raw: Any) -> list[Category]:
    """Top categories with their children; a flat list with parents becomes a tree."""
    flat = [_category(item) for item in _items(raw.get("items") if isinstance(raw, dict) else raw)]
    slugs = {category.slug for category in flat}
    children: dict[str, list[Category]] = {}
    for category in flat:
        if category.parent in slugs and category.parent != category.slug:
            children.setdefault(category.parent or "", []).append(category)
    nested = {child.slug for below in children.values() for child in below}
    return [_with_children(item, children, 4) for item in flat if item.slug not in nested]


def find_category(tree: list[Category], slug: str) -> list[Category]:
    """The path from a top category down to `slug`; empty if the tree has none."""
    for category in tree:
        if category.slug == slug:
            return [category]
        if below := find_category(category.children, slug):
            return [category, *below]
    return []


def _with_children(category: Category, below: Mapping[str, list[Category]], depth: int) -> Category:
    if depth == 0 or category.slug not in below:
        return category
    children = [_with_children(child, below, depth - 1) for child in below[category.slug]]
    return msgspec.structs.replace(category, children=children)


def _category(raw: Any) -> Category:
    parent = raw.get("parent") or raw.get("parent_slug")
    picture = raw.get("picture") or raw.get("image")
    count = raw.get("products", raw.get("count"))
    return Category(
        slug=_text(raw, "slug", "id"),
        name=_text(raw, "name", "title"),
        description=_text(raw, "description"),
        picture=_picture(picture) if picture else None,
        parent=_text(parent, "slug") if isinstance(parent, dict) else parent,
        count=count if isinstance(count, int) else None,
        children=[_category(child) for child in _items(raw.get("children"))],
    )


def _variant(raw: Mapping[str, Any]) -> Variant:
    options = raw.get("options")
    picture = raw.get("picture") or raw.get("image")
    return Variant(
        id=_text(raw, "id", "sku"),
        sku=_text(raw, "sku"),
        name=_text(raw, "name", "title"),
        price=_money(raw.get("price")),
        compare_at=_money(raw.get("compare_at") or raw.get("compare_at_price")),
        available=_count(raw.get("available")),
        options=dict(_attributes(options)),
        picture=_picture(picture).url if picture else None,
    )


def _facets(raw: Any) -> Iterator[Facet]:
    """Both `{name: [{value, count}]}` and `[{name, values: […]}]` are understood."""
    rows = raw.items() if isinstance(raw, dict) else ((item.get("name", ""), item) for item in _items(raw))
    for name, entry in rows:
        label = entry.get("label", "") if isinstance(entry, dict) else ""
        values = entry.get("values", entry) if isinstance(entry, dict) else entry
        found = list(_facet_values(values))
        if found:
            yield Facet(str(name), found, str(label or name).replace("_", " ").capitalize())


def _facet_values(raw: Any) -> Iterator[FacetValue]:
    if isinstance(raw, dict):
        raw = [{"value": value, "count": count} for value, count in raw.items() if isinstance(count, int)]
    for item in _items(raw):
        if isinstance(item, dict):
            value = _text(item, "value", "slug", "name")
            yield FacetValue(value, _count(item.get("count")), _text(item, "label", "name") or value)


def _pictures(raw: Mapping[str, Any]) -> Iterator[Picture]:
    many = raw.get("pictures") or raw.get("images") or raw.get("media")
    single = raw.get("picture") or raw.get("image") or raw.get("thumbnail")
    for item in _items(many) or ([single] if single else []):
        if (picture := _picture(item)).url:
            yield picture


def _picture(raw: Any) -> Picture:
    if isinstance(raw, str):
        return Picture(url=raw)
    if not isinstance(raw, dict):
        return Picture(url="")
    return Picture(
        url=_text(raw, "url", "src", "path"),
        alt=_text(raw, "alt", "alt_text"),
        width=raw.get("width") or 800,
        height=raw.get("height") or 800,
    )


def _category_slugs(raw: Mapping[str, Any]) -> Iterator[str]:
    for item in _items(raw.get("categories")) or [raw.get("category")]:
        if slug := _text(item, "slug", "id") if isinstance(item, dict) else item:
            yield str(slug)


def _attributes(raw: Any) -> Iterator[tuple[str, str]]:
    pairs = raw.items() if isinstance(raw, dict) else (
        (item.get("name"), item.get("value", item.get("values")))
        for item in _items(raw)
        if isinstance(item, dict)
    )  # fmt: skip
    for name, value in pairs:
        if value is None or value in ("", [], {}):
            continue
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield str(name), {"True": "Yes", "False": "No"}.get(text, text)


def _named(value: Any) -> str:
    return _text(value, "name", "slug") if isinstance(value, dict) else str(value or "")


def _text(raw: Any, *names: str) -> str:
    for name in names:
        value = raw.get(name) if isinstance(raw, dict) else None
        if isinstance(value, str | int) and value != "":
            return str(value)
    return ""


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int:
    """Stock may be told as a number or as whether there is any."""
    return int(value) if isinstance(value, int) else 0


def _money(value: Any) -> Money | None:
    try:
        return msgspec.convert(value, Money) if value else None
    except msgspec.ValidationError:
        return None
