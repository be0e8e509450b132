"""Saleor's fixture (`manage.py dumpdata`): a JSON array of Django objects, joined here into products.

Channels become currencies, where the product is published; attributes that variants select become options,
the others and collections attributes; the category keeps its parents; each warehouse keeps its stock. Not
taken over: promotions, gift cards as such, pages and menus. What Saleor sells without counting gets
`UNTRACKED_STOCK` units. Lines are numbers of objects in the array.
"""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shopwright.products.catalog.drafts import PriceDraft, ProductDraft, VariantDraft

from . import documents, values
from .reading import Cells, Form, Note, Options, Read, Unit, lonely, read

NAME = "saleor"
TITLE = "Saleor fixture JSON"

DEPTH_MAX = 20  # of categories: more is a circle
UNTRACKED_STOCK = 1_000  # of a variant that is never sold out there: more than a line of an order may ask for
_MODELS = frozenset(
    {
        "product.category", "product.producttype", "product.product", "product.productchannellisting",
        "product.productvariant", "product.productvariantchannellisting", "product.productmedia",
        "product.collection", "product.collectionproduct", "attribute.attribute", "attribute.attributevalue",
        "attribute.assignedproductattribute", "attribute.assignedproductattributevalue",
        "attribute.assignedvariantattribute", "attribute.assignedvariantattributevalue", "channel.channel",
        "warehouse.warehouse", "warehouse.stock",
    }
)  # fmt: skip
#: Saleor's sample shop: its fixture names some pictures otherwise than the files of its repository.
_SAMPLE = {
    "balance-trail-720": ["saleor-pauls-blanace-420-1", "saleor-pauls-blanace-420-2"],
    "ascii-tee": ["saleor-ascii-shirt-front", "saleor-ascii-shirt-back"],
    "team-shirt": ["saleor-team-tee-front", "saleor-team-tee-back"],
    "darko-polo": ["saleor-polo-shirt-front", "saleor-polo-shirt-back"],
    "blue-polygon-shirt": ["saleor-blue-polygon-tee-front", "saleor-blue-polygon-tee-back"],
    "dark-polygon-tee": ["saleor-dark-polygon-tee-front", "saleor-dark-polygon-tee-back"],
    "tactical-neck-warmer": ["saleor-neck-warmer"],
    "the-dash-cushion": ["saleor-cushion-blue"],
    "reversed-monotype-tee": ["saleor-monospace-white-tee-front", "saleor-monospace-white-tee-back"],
    "cubes-fountain-tee": ["saleor-white-cubes-tee-front", "saleor-white-cubes-tee-back"],
}
_TAGS = {"header": "h3", "paragraph": "p", "quote": "blockquote"}


class _Record(msgspec.Struct, frozen=True):
    model: str = ""
    pk: int | str = ""
    fields: msgspec.Raw = msgspec.Raw(b"{}")


def fits(text: str, _columns: frozenset[str]) -> bool:
    start = text.lstrip("\ufeff \t\r\n")[:2_000]
    return start.startswith("[") and '"model"' in start and '"pk"' in start


def units(path: Path, form: Form) -> Iterator[Unit]:
    shop = _Shop(documents.decode(path, form, list[_Record]))
    for line, key, fields in shop.all["product.product"]:
        yield Unit(line, str(fields.get("slug") or "").casefold() or lonely(line), shop.cells(key, fields))


class _Shop:
    """The objects of the fixture by model, and how they hang together."""

    def __init__(self, records: Sequence[_Record]) -> None:
        self.all: dict[str, list[tuple[int, str, dict[str, Any]]]] = defaultdict(list)
        for number, record in enumerate(records, 1):
            if record.model in _MODELS:
                fields = msgspec.json.decode(record.fields)
                self.all[record.model].append((number, str(record.pk), fields))
        self._variants = self._children("product.productvariant", "product")
        self._listings = self._children("product.productchannellisting", "product")
        self._prices = self._children("product.productvariantchannellisting", "variant")
        self._media = self._children("product.productmedia", "product")
        self._stock = self._children("warehouse.stock", "product_variant")
        self._in_collections = self._children("product.collectionproduct", "product")
        self._categories = self._by_key("product.category")
        self._types = self._by_key("product.producttype")
        self._collections = self._by_key("product.collection")
        self._warehouses = self._by_key("warehouse.warehouse")
        self._channels = self._by_key("channel.channel")
        self._attributes = self._by_key("attribute.attribute")
        self._values = self._by_key("attribute.attributevalue")
        self._of_products = self._assigned("product")
        self._of_variants = self._assigned("variant")

    def _by_key(self, model: str) -> dict[str, dict[str, Any]]:
        return {key: fields for _, key, fields in self.all[model]}

    def _children(self, model: str, parent: str) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        found: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        for _, key, fields in self.all[model]:
            found[str(fields.get(parent))].append((key, fields))
        return found

    def _assigned(self, kind: str) -> dict[str, list[list[str]]]:
        """(attribute, value) of each product or variant; older Saleor names it through an assignment."""
        owners = {
            key: str(fields.get(kind)) for _, key, fields in self.all[f"attribute.assigned{kind}attribute"]
        }
        found: dict[str, list[list[str]]] = defaultdict(list)
        for _, _, fields in self.all[f"attribute.assigned{kind}attributevalue"]:
            owner = fields.get(kind) or owners.get(str(fields.get("assignment")))
            value = self._values.get(str(fields.get("value")), {})
            attribute = self._attributes.get(str(value.get("attribute")), {})
            if attribute.get("name") and value.get("name"):
                found[str(owner)].append([str(attribute["name"]), str(value["name"])])
        return found

    def cells(self, key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """All of one product as a plain document."""
        published = {
            str(listing.get("channel")) for _, listing in self._listings[key] if listing.get("is_published")
        }
        type_ = self._types.get(str(fields.get("product_type")), {})
        return {
            "slug": fields.get("slug") or "",
            "name": fields.get("name") or "",
            "description": _html(fields.get("description")),
            "summary": fields.get("seo_description") or "",
            "published": bool(published),
            "category": self._path(fields.get("category")),
            "type": type_.get("name", ""),
            "collections": [
                self._collections.get(str(member.get("collection")), {}).get("name", "")
                for _, member in self._in_collections[key]
            ],
            "attributes": self._of_products[key],
            "media": self._pictures(key, str(fields.get("slug"))),
            "variants": [
                self._variant(number, variant, published, fields.get("weight") or type_.get("weight"))
                for number, variant in sorted(
                    self._variants[key], key=lambda pair: pair[1].get("sort_order") or 0
                )
            ],
        }

    def _variant(
        self, key: str, fields: Mapping[str, Any], published: set[str], weight: str | None
    ) -> dict[str, Any]:
        return {
            "key": key,
            "sku": fields.get("sku") or "",
            "name": fields.get("name") or "",
            "options": self._of_variants[key],
            "weight": fields.get("weight") or weight or "",
            "untracked": fields.get("track_inventory") is False,
            "prices": [
                [
                    listing.get("currency")
                    or self._channels.get(str(listing.get("channel")), {}).get("currency_code", ""),
                    str(listing["price_amount"]),
                    str(listing.get("discounted_price_amount") or ""),
                ]
                for _, listing in self._prices[key]
                if listing.get("price_amount") is not None and str(listing.get("channel")) in published
            ],
            "stock": [
                [
                    values.slug(self._warehouses.get(str(row.get("warehouse")), {}).get("slug", ""))[:40],
                    str(row.get("quantity", 0)),
                ]
                for _, row in self._stock[key]
            ],
        }

    def _pictures(self, key: str, slug: str) -> list[list[str]]:
        if slug in _SAMPLE and self._media[key]:
            return [[name, ""] for name in _SAMPLE[slug]]
        return [
            [item.get("image") or item.get("external_url") or "", item.get("alt") or ""]
            for _, item in sorted(self._media[key], key=lambda pair: pair[1].get("sort_order") or 0)
        ]

    def _path(self, category: Any) -> list[str]:
        names: list[str] = []
        while category is not None and len(names) < DEPTH_MAX:
            fields = self._categories.get(str(category), {})
            names.insert(0, str(fields.get("name", "")))
            category = fields.get("parent")
        return [name for name in names if name]


def product(units: Sequence[Unit], options: Options) -> Read:
    notes: list[Note] = []
    cells = Cells(units[0], notes)
    whole = units[0].cells
    slug, name = whole["slug"], whole["name"]
    for other in units[1:]:
        cells.refuse("slug", f"{slug!r} is the slug of object {other.line} too")
    if not slug or not name:
        cells.refuse("slug" if not slug else "name", "is missing; every product has a slug and a name")
    several = len(whole["variants"]) > 1
    untracked = [raw for raw in whole["variants"] if _uncounted(raw, options)]
    variants = [_variant(cells, slug, raw, options, several=several) for raw in whole["variants"]]
    if not variants:
        cells.refuse("productvariant", "is missing; no variant of this product is in the file")
    draft = ProductDraft(
        slug=values.slug(slug),
        name=name,
        summary=whole["summary"],
        description=whole["description"],
        brand=next((value for key, value in whole["attributes"] if key.casefold() == "brand"), ""),
        status="active" if whole["published"] else "draft",
        categories=[whole["category"]] if whole["category"] else [],
        attributes=values.attributes(
            [
                ("Type", [whole["type"]]),
                *((key, [value]) for key, value in whole["attributes"] if key.casefold() != "brand"),
                ("Collection", whole["collections"]),
            ]
        ),
        pictures=values.pictures((source, alt) for source, alt in whole["media"]),
        variants=variants,
    )
    return read(units[0], slug or name, draft, notes)._replace(untracked=len(untracked))


def _uncounted(raw: Mapping[str, Any], options: Options) -> bool:
    """Whether a variant is sold there without being counted, and nothing here says how many there are."""
    counted = any(values.count(quantity) for _, quantity in raw["stock"])
    return raw.get("untracked", False) and not counted and options.stock is None


def _variant(
    cells: Cells, slug: str, raw: Mapping[str, Any], options: Options, *, several: bool
) -> VariantDraft:
    chosen = dict(raw["options"])
    if several and not chosen:
        chosen = {"Variant": raw["name"] or raw["key"]}
    stock: dict[str, int] = {}
    for warehouse, quantity in raw["stock"]:
        stock[warehouse or options.warehouse] = values.count(quantity)
    if _uncounted(raw, options):
        stock = {options.warehouse: UNTRACKED_STOCK}
    elif options.stock is not None and not (any(stock.values()) if raw.get("untracked") else stock):
        stock = {options.warehouse: options.stock}
    prices: dict[str, PriceDraft] = {}
    for currency, price, discounted in raw["prices"]:
        try:
            full = values.money(price, currency)
            now = values.money(discounted, currency) if discounted else full
        except ValueError as error:
            cells.refuse("price_amount", str(error))
        else:
            prices.setdefault(currency, values.offer(now, full))
    weight, _, unit = str(raw["weight"]).partition(":")
    return VariantDraft(
        sku=raw["sku"] or values.sku_of(slug, chosen.values()),
        options=chosen,
        prices=list(prices.values()),
        stock=stock,
        weight_g=(values.grams(weight, unit or "kg") if weight else 0) or None,
    )


def _html(description: Any) -> str:
    """EditorJS blocks as HTML; their texts are HTML already."""
    if not isinstance(description, dict):
        return values.as_html(str(description or ""))
    parts = []
    for block in description.get("blocks", []):
        data = block.get("data", {})
        if block.get("type") == "list":
            items = "".join(f"<li>{_item(item)}</li>" for item in data.get("items", []))
            parts.append(f"<ol>{items}</ol>" if data.get("style") == "ordered" else f"<ul>{items}</ul>")
        elif text := str(data.get("text", "")):
            tag = _TAGS.get(str(block.get("type")), "p")
            parts.append(f"<{tag}>{text}</{tag}>")
    return "".join(parts)


def _item(item: Any) -> str:
    return str(item.get("content", "")) if isinstance(item, dict) else html.escape(str(item), quote=False)
