"""Home, category, search and product pages. Few calls each, in parallel; a part that is away leaves its
gap.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from litestar import Response, get

from shopwright.contracts.money import parse_decimal
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound

from .. import prose
from ..clients.reading import Category, Listing, Product, Variant, find_category
from ..clients.remote import is_away, unless_away
from ..visit import Visit

PAGE = 24
CATEGORIES_PAGE = 200
SHELF = 8
SHELF_MIN = 4  # fewer look like a mistake
SHELF_FROM = 48  # products that a shelf is picked from, so that it shows more than the last delivery
SORTS = {
    "relevance": "Best match",
    "newest": "Newest",
    "price_asc": "Price: low to high",
    "price_desc": "Price: high to low",
}
_OWN = {"q", "sort", "cursor", "price_min", "price_max", "category", "limit", "currency"}
PRICE_MAX = 10**13  # of a limit in minor units, as search has it
_FACET_NAME = re.compile(r"\w[\w .\-/&']{0,59}")
_TRACKING = re.compile(r"utm_.*|.*clid|mc_.id|_ga.*|ref|source")  # what other sites hang on
FACETS_MAX = 12
VALUES_MAX = 10


@get("/", include_in_schema=False)
async def home(visit: Visit) -> Response[bytes]:
    products = visit.site.products
    newest, wanted, _ = await asyncio.gather(
        unless_away(products.products(limit=SHELF_FROM, sort="newest", currency=_held(visit))),
        unless_away(products.products(limit=SHELF_FROM, sort="popular", currency=_held(visit))),
        visit.site.categories.get(),
    )
    fresh = _spread(newest.items if newest else [])
    new_ids = {product.id for product in fresh}
    best = _spread([product for product in (wanted.items if wanted else []) if product.id not in new_ids])
    return await visit.page(
        "home.html",
        public=newest is not None,
        newest=fresh,
        best=best if len(best) >= SHELF_MIN else [],
        away=newest is None,
    )


def _spread(products: list[Product]) -> list[Product]:
    """A shelf of these, in their order, with one of each category before any second."""
    seen: dict[str, int] = {}
    turns = []
    for product in products:
        kind = product.categories[0].slug if product.categories else ""
        seen[kind] = turn = seen.get(kind, 0) + 1
        turns.append((turn, product))
    return [product for _, product in sorted(turns, key=lambda pair: pair[0])][:SHELF]


@get("/categories", include_in_schema=False)
async def categories(visit: Visit) -> Response[bytes]:
    """All top categories by name; a big import brings hundreds."""
    tree = sorted(await visit.site.categories.get(), key=lambda category: category.name.casefold())
    asked = visit.request.query_params.get("page", "1")
    number = int(asked) if re.fullmatch("[0-9]{1,4}", asked) else 0
    shown = tree[(number - 1) * CATEGORIES_PAGE : number * CATEGORIES_PAGE] if number else []
    if not shown and (tree or number != 1):
        raise NotFound(detail=f"no page {asked} of categories")
    following = number + 1 if len(tree) > number * CATEGORIES_PAGE else None
    return await visit.page(
        "categories.html", public=bool(tree), shown=shown, page=number, following=following
    )


@get("/category/{slug:str}", include_in_schema=False)
async def category(visit: Visit, slug: str) -> Response[bytes]:
    tree = await visit.site.categories.get()
    path = find_category(tree, slug)
    if tree and not path:
        raise NotFound(detail=f"no category {slug}")
    asked = _asked(visit)
    listing, filtered = await _results(visit, asked, slug)
    return await visit.page(
        "listing.html", public=listing is not None, listing=listing, filtered=filtered, path=path,
        title=path[-1].name if path else "Products", base=f"/category/{slug}", sorts=_sorts(asked),
        within="", **asked,
    )  # fmt: skip


@get("/search", include_in_schema=False)
async def search(visit: Visit) -> Response[bytes]:
    """Everything, or what the words find; `category` keeps to one category and those below it."""
    asked = _asked(visit)
    within = visit.request.query_params.get("category", "")[:100]
    listing, filtered = await _results(visit, asked, within)
    title = f"Results for “{asked['q']}”" if asked["q"] else "All products"
    return await visit.page(
        "listing.html", public=listing is not None, listing=listing, filtered=filtered, path=[], title=title,
        base="/search", sorts=_sorts(asked), within=within, **asked,
    )  # fmt: skip


@get("/product/{slug:str}", include_in_schema=False)
async def product(visit: Visit, slug: str) -> Response[bytes]:
    (found, chosen), tree, tax_included = await asyncio.gather(
        _priced(visit, slug), visit.site.categories.get(), visit.site.prices_include_tax.get()
    )
    path: list[Category] = next((p for c in found.categories if (p := find_category(tree, c.slug))), [])
    pictures = sorted(found.pictures, key=lambda one: not chosen or one.url != chosen.picture)
    canonical = f"{visit.origin}/product/{found.slug}"
    return await visit.page(
        "product.html", public=True, product=found, chosen=chosen, choices=choices(found, chosen), path=path,
        pictures=pictures, elsewhere=_elsewhere(visit, chosen), tax_included=tax_included,
        canonical=canonical, linked=_linked(found, canonical, path, visit.origin),
    )  # fmt: skip


async def _priced(visit: Visit, slug: str) -> tuple[Product, Variant | None]:
    """The product and its chosen variant, priced in the currency of a filled cart if it is sold in that."""
    currency = visit.session.prices_in if visit.session else ""
    found = await visit.site.products.product(slug, currency)
    chosen = _chosen(visit, found)
    if currency and (chosen is None or chosen.price is None):
        found = await visit.site.products.product(slug)
        chosen = _chosen(visit, found)
    return found, chosen


def _chosen(visit: Visit, product: Product) -> Variant | None:
    sku = visit.request.query_params.get("variant", "")
    return next((v for v in product.variants if v.sku == sku), None) or _first_choice(product)


def _elsewhere(visit: Visit, chosen: Variant | None) -> str:
    """The currency of a filled cart that this variant cannot be put into."""
    held = visit.session.prices_in if visit.session else ""
    return held if held and chosen and chosen.price and chosen.price.currency != held else ""


def _held(visit: Visit) -> str:
    """The currency of a filled cart, where it is not the shop's own: lists show what can be put into it."""
    held = visit.session.prices_in if visit.session else ""
    return held if held != visit.site.settings.currency else ""


def choices(product: Product, chosen: Variant | None) -> list[dict[str, Any]]:
    """Each option with its values; a value leads to the variant that has it and differs least otherwise."""
    if chosen is None:
        return []
    found = []
    for name in dict.fromkeys(option for variant in product.variants for option in variant.options):
        having = dict.fromkeys(v.options[name] for v in product.variants if name in v.options)
        values = [(value, _nearest(product, chosen, name, value)) for value in having]
        if len(values) > 1:
            found.append({"name": name, "values": values, "chosen": chosen.options.get(name)})
    return found


def _nearest(product: Product, chosen: Variant, name: str, value: str) -> Variant:
    candidates = [variant for variant in product.variants if variant.options.get(name) == value]
    return max(
        candidates,
        key=lambda v: (sum(chosen.options.get(n) == o for n, o in v.options.items()), v.available > 0),
    )


def _first_choice(product: Product) -> Variant | None:
    buyable = (variant for variant in product.variants if variant.available > 0 and variant.price)
    return next(buyable, product.variants[0] if product.variants else None)


def _asked(visit: Visit) -> dict[str, Any]:
    """What the address asks for: words, sort, page, price limits and facets."""
    params = visit.request.query_params
    price_min, price_max = _limits(params, _held(visit) or visit.site.settings.currency)
    names = [name for name in dict.fromkeys(params) if _is_facet(name)][:FACETS_MAX]
    chosen = {name: [v[:100] for v in params.getall(name) if v][:VALUES_MAX] for name in names}
    return {
        "q": params.get("q", "").strip()[:200],
        "sort": params.get("sort", "") if params.get("sort", "") in SORTS else "",
        "cursor": params.get("cursor", "")[:500],
        "price_min": price_min,
        "price_max": price_max,
        "chosen": {name: values for name, values in chosen.items() if values},
        "held": _held(visit),
    }


def _limits(params: Mapping[str, str], currency: str) -> tuple[str, str]:
    """The price limits as typed; the lower one first, whichever field it was typed in."""
    first, second = (params.get(name, "").strip()[:12] for name in ("price_min", "price_max"))
    least, most = _minor(first, currency), _minor(second, currency)
    return (second, first) if least is not None and most is not None and least > most else (first, second)


def _is_facet(name: str) -> bool:
    return name not in _OWN and bool(_FACET_NAME.fullmatch(name)) and not _TRACKING.fullmatch(name)


def _sorts(asked: dict[str, Any]) -> dict[str, str]:
    return SORTS if asked["q"] else {name: text for name, text in SORTS.items() if name != "relevance"}


async def _results(visit: Visit, asked: dict[str, Any], category: str) -> tuple[Listing | None, bool]:
    """The products asked for, and whether filters worked: without search a category is a plain list."""
    held = _held(visit)
    currency = held or visit.site.settings.currency
    query = {
        "q": asked["q"], "category": category, "sort": asked["sort"], "cursor": asked["cursor"],
        "limit": PAGE, "price_min": _minor(asked["price_min"], currency),
        "price_max": _minor(asked["price_max"], currency), "currency": held, **_filters(asked["chosen"]),
    }  # fmt: skip
    try:
        return await visit.site.products.search(query), True
    except Problem as problem:
        if problem.kind == "invalid" and asked["cursor"]:  # a cursor of another time or another list
            raise NotFound(detail="this page of results has passed") from problem
        if not is_away(problem):
            raise
    if asked["q"]:
        return None, False
    plain = visit.site.products.products(category=category, cursor=asked["cursor"], limit=PAGE, currency=held)
    return await unless_away(plain), False


def _filters(chosen: dict[str, list[str]]) -> dict[str, list[str]]:
    """What search is asked of the chosen facets: in stock or not is one question, and both is no question."""
    stock = [value for value in dict.fromkeys(chosen.get("in_stock", [])) if value in {"true", "false"}]
    return {**chosen, "in_stock": stock if len(stock) == 1 else []}


def _minor(text: str, currency: str) -> int | None:
    """A price limit as typed, in minor units; what is no amount limits nothing."""
    try:
        amount = parse_decimal(text.replace(",", "."), currency) if text else None
    except ValueError:
        return None
    return min(amount.minor, PRICE_MAX) if amount and amount.minor >= 0 else None


def _linked(product: Product, canonical: str, path: list[Category], origin: str) -> list[dict[str, Any]]:
    """Structured data (schema.org) for search engines."""
    offers = [
        {
            "@type": "Offer",
            "sku": variant.sku,
            "price": str(variant.price).partition(" ")[0],
            "priceCurrency": variant.price.currency,
            "availability": f"https://schema.org/{_availability(variant)}",
            "url": f"{canonical}?variant={variant.sku}",
        }
        for variant in product.variants[:50]
        if variant.price
    ]
    item: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.name,
        "image": [_absolute(picture.url, origin) for picture in product.pictures[:6]],
        "description": prose.plain(product.description)[:500],
        "offers": offers,
    }
    if product.brand:
        item["brand"] = {"@type": "Brand", "name": product.brand}
    trail = [
        ("Home", origin + "/"),
        *((c.name, f"{origin}/category/{c.slug}") for c in path),
        (product.name, canonical),
    ]
    crumbs = [
        {"@type": "ListItem", "position": place, "name": name, "item": url}
        for place, (name, url) in enumerate(trail, 1)
    ]
    return [item, {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": crumbs}]


def _availability(variant: Variant) -> str:
    if variant.available <= 0:
        return "OutOfStock"
    if variant.preorder_from is not None:
        return "PreOrder"
    return "BackOrder" if variant.back_ordered else "InStock"


def _absolute(url: str, origin: str) -> str:
    return url if "://" in url else origin + url


HANDLERS: list[Any] = [home, categories, category, search, product]
