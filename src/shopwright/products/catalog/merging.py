"""What a product shall be: a clean draft laid over what is stored. Pure but for new ids.

Also the category tree of one transaction, in which paths of names are found or made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problems import FieldError

from .cleaning import Clean, CleanVariant, slug_of
from .domain import Category, CategoryRef, Picture, Price, Product, Variant
from .drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft


class Tree:
    """All categories, and those that this transaction adds."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self._by_id = {category.id: category for category in categories}
        self._by_key = {(c.parent_id, c.key): c for c in self._by_id.values()}
        self._by_slug = {c.slug: c for c in self._by_id.values()}
        self.added: list[Category] = []

    def __getitem__(self, category_id: UUID) -> Category:
        return self._by_id[category_id]

    def find(self, slug_or_id: str) -> Category | None:
        if (found := self._by_slug.get(slug_or_id)) is not None:
            return found
        try:
            return self._by_id.get(UUID(slug_or_id))
        except ValueError:
            return None

    def ensure(self, names: Sequence[str]) -> Category:
        """The category at the end of a path of names; what is missing of the path is made."""
        found: Category | None = None
        for name in names:
            found = self._child(found, name)
        assert found is not None, "a path has at least one name"
        return found

    def _child(self, parent: Category | None, name: str) -> Category:
        key = slug_of(name)
        parent_id = parent.id if parent else None
        if (found := self._by_key.get((parent_id, key))) is not None:
            return found
        fresh = new_id()
        made = Category(
            id=fresh,
            slug=self.free_slug(key, parent),
            key=key,
            name=name,
            parent_id=parent_id,
            path=[*(parent.path if parent else []), fresh],
        )
        self.added.append(made)
        self._by_id[fresh] = self._by_key[parent_id, key] = self._by_slug[made.slug] = made
        return made

    def free_slug(self, key: str, parent: Category | None) -> str:
        """`key`, or with the parent's slug before it, or numbered: whichever no other category has."""
        wanted = key if parent is None or key not in self._by_slug else f"{parent.slug[:100]}-{key[:90]}"
        return free(wanted, self._by_slug)

    def child(self, parent_id: UUID | None, key: str) -> Category | None:
        return self._by_key.get((parent_id, key))

    def depth_below(self, category_id: UUID) -> int:
        """How many levels lie below a category."""
        below = (c.path[c.path.index(category_id) :] for c in self._by_id.values() if category_id in c.path)
        return max(len(path) for path in below) - 1


def free(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, numbered if it is taken."""
    known = taken if isinstance(taken, Mapping | set) else set(taken)
    slug, number = wanted, 2
    while slug in known:
        slug, number = f"{wanted[:190]}-{number}", number + 1
    return slug


def merge(clean: Clean, stored: Product | None, *, keep: bool) -> Product:
    """The product as it shall be but for its categories; equal to `stored` if nothing changes.

    `keep`: what the draft leaves empty stays as it is stored, and so do variants it does not name.
    """
    if stored is None:
        stored, keep = Product(id=new_id(), slug=clean.slug, name="", variants=[]), False
    pictures = _pictures(clean.pictures, stored.pictures, keep)
    shown = {picture.url for picture in pictures}
    variants = [
        variant if variant.picture in shown or variant.picture is None else _bare(variant)
        for variant in _variants(clean.variants, stored.variants, keep)
    ]
    named = [name for variant in clean.variants for name in variant.options]
    names = dict.fromkeys([*stored.options, *named] if keep else named)
    used = {name for variant in variants for name in variant.options}
    return msgspec.structs.replace(
        stored,
        slug=clean.slug,
        name=clean.name,
        status=clean.status,
        summary=clean.summary or (stored.summary if keep else ""),
        description=clean.description or (stored.description if keep else ""),
        brand=clean.brand or (stored.brand if keep else ""),
        attributes=clean.attributes or (stored.attributes if keep else {}),
        options=[name for name in names if name in used],
        pictures=pictures,
        variants=variants,
    )


def placed(product: Product, categories: list[CategoryRef]) -> Product:
    return msgspec.structs.replace(product, categories=categories)


def ref(category: Category) -> CategoryRef:
    return CategoryRef(category.slug, category.name, category.id)


def draft_of(product: Product) -> ProductDraft:
    """A product as somebody would write it, without its categories: what `clean` and `merge` take."""
    return ProductDraft(
        slug=product.slug,
        name=product.name,
        description=product.description,
        summary=product.summary,
        brand=product.brand,
        status=product.status,
        attributes=product.attributes,
        pictures=[PictureDraft(p.url, p.alt, p.width, p.height) for p in product.pictures],
        variants=[
            VariantDraft(
                sku=variant.sku,
                options=variant.options,
                prices=[price_draft(price) for price in variant.prices],
                barcode=variant.barcode,
                weight_g=variant.weight_g,
                picture=variant.picture,
            )
            for variant in product.variants
        ],
    )


def price_draft(price: Price) -> PriceDraft:
    before = None if price.compare_at is None else Money(price.compare_at, price.currency)
    return PriceDraft(Money(price.amount, price.currency), before)


def unpriced(product: Product) -> list[FieldError]:
    """Why an active product cannot be sold: the variants that have no price in any currency."""
    if product.status != "active":
        return []
    return [
        FieldError(f"/variants/{number}/prices", "needs a price while the product is active")
        for number, variant in enumerate(product.variants)
        if not variant.prices
    ]


def _bare(variant: Variant) -> Variant:
    return msgspec.structs.replace(variant, picture=None)


def _variants(wanted: Sequence[CleanVariant], stored: Sequence[Variant], keep: bool) -> list[Variant]:
    known = {variant.sku: variant for variant in stored}
    laid = {variant.sku: _variant(variant, known.get(variant.sku), keep) for variant in wanted}
    if not keep or known.keys() <= laid.keys():
        return list(laid.values())
    kept = [laid.pop(variant.sku, variant) for variant in stored]
    return [*kept, *laid.values()]


def _variant(wanted: CleanVariant, stored: Variant | None, keep: bool) -> Variant:
    if stored is None:
        return Variant(id=new_id(), **{name: getattr(wanted, name) for name in wanted.__struct_fields__})
    if not keep:
        return Variant(id=stored.id, **{name: getattr(wanted, name) for name in wanted.__struct_fields__})
    prices: dict[str, Price] = {price.currency: price for price in (*stored.prices, *wanted.prices)}
    return Variant(
        id=stored.id,
        sku=stored.sku,
        options=wanted.options or stored.options,
        prices=sorted(prices.values(), key=lambda price: price.currency),
        barcode=wanted.barcode or stored.barcode,
        weight_g=stored.weight_g if wanted.weight_g is None else wanted.weight_g,
        picture=wanted.picture or stored.picture,
    )


def _pictures(wanted: Sequence[PictureDraft], stored: Sequence[Picture], keep: bool) -> list[Picture]:
    known = {picture.url: picture for picture in stored}
    laid = {}
    for draft in wanted:
        before = known.get(draft.source)
        laid[draft.source] = Picture(
            before.id if before else new_id(),
            draft.source,
            draft.alt or (before.alt if before and keep else ""),
            draft.width or (before.width if before else None),
            draft.height or (before.height if before else None),
        )
    return list(laid.values()) if laid or not keep else list(stored)
