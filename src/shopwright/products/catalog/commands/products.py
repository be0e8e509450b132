"""Products: put by the batch, edited one by one, shown from the shelf.

Everything is written by one way, `_store`: as many statements for one product as for 500. One writer works at
a time (`store.lock`), so what was checked still holds when it is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Database, Once, Transaction
from shopwright.contracts.problems import FieldError, InvalidInput, NotFound, RequestInFlight
from shopwright.contracts.products import Offer, ProductChanged, ProductDeleted, Quote

from ..cleaning import Clean, Faults, clean, clean_path, is_slug, one_line, plain_text, slug_of
from ..domain import (
    PUT_MAX,
    CategoryRef,
    Count,
    Described,
    EditedMeanwhile,
    Outcome,
    PriceRange,
    Product,
    Put,
    SkuTaken,
    SlugTaken,
)
from ..drafts import ProductDraft
from ..edits import CategoryName, NewProduct, NewVariant
from ..merging import Tree, draft_of, free, merge, placed, ref, unpriced
from ..shelf import Shelf, Shelved
from ..store import categories as category_store
from ..store import listings
from ..store import products as store

Intake = Callable[[Transaction, Sequence[Count], str, Collection[str]], Awaitable[list[str]]]
Available = Callable[[Sequence[str]], Awaitable[dict[str, Offer]]]
Edit = Callable[[Product, Tree], Product]


class Catalog:
    """Products. `intake` sets stock within a transaction, tells of it except for the SKUs named last, and
    returns those that changed; `available` tells what can be bought of SKUs; both are inventory's.
    `currency` is the shop's own.
    """

    def __init__(self, db: Database, *, currency: str, intake: Intake, available: Available) -> None:
        self._db, self.currency, self._intake = db, currency, intake
        self.shelf = Shelf(self._load, available)

    async def put(
        self,
        drafts: Sequence[ProductDraft],
        *,
        keep_missing: bool = True,
        within: Callable[[Transaction, list[Put]], Awaitable[None]] | None = None,
    ) -> list[Put]:
        """Create or change up to `PUT_MAX` products in one transaction; the answers are in their order.

        A product is recognised by its slug, a variant by its SKU. One that is refused does not stop the rest.
        Unless `keep_missing` is false, what a draft leaves empty is kept: descriptions, categories, pictures,
        attributes, variants it does not name and prices in other currencies. Publishes ProductChanged for
        what really changed. `within` is given the answers before they commit: what it writes commits with
        them.

        Raises:
            RequestInFlight: other writers of the catalogue took too long; nothing was done, try again.
        """
        if len(drafts) > PUT_MAX:
            raise ValueError(f"{len(drafts)} products at once; at most {PUT_MAX}")
        cleaned = [clean(draft) for draft in drafts]
        fine = [one for one in cleaned if isinstance(one, Clean)]
        async with self._db.begin() as tx:
            await store.lock(tx)
            batch = _Batch(
                {product.slug: product for product in await store.by_slugs(tx, [one.slug for one in fine])},
                await store.owners(tx, [variant.sku for one in fine for variant in one.variants]),
                Tree(await category_store.every(tx)),
                keep=keep_missing,
            )
            answers = [
                batch.take(one)
                if isinstance(one, Clean)
                else Put(slug_of(draft.slug or draft.name), "refused", one)
                for draft, one in zip(drafts, cleaned, strict=True)
            ]
            moved = set(
                await self._store(tx, batch.created, batch.changed, batch.tree, batch.counts, "import")
            )
            answers = [batch.told(answer, moved) for answer in answers]
            if within is not None:
                await within(tx, answers)
        self.shelf.drop(product.id for product in (*batch.created, *batch.changed))
        return answers

    async def create(self, new: NewProduct, once: Once | None = None) -> UUID:
        """Add a product.

        Raises:
            InvalidInput: names every field that is wrong.
            SlugTaken, SkuTaken: another product has it.
        """
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return UUID(bytes=tx.stored)
            await store.lock(tx)
            cleaned = _clean(new.draft())
            if new.slug and await store.by_slugs(tx, [cleaned.slug]):
                raise SlugTaken(detail=f"a product is called {cleaned.slug}", slug_wanted=cleaned.slug)
            if not new.slug:
                slug = free(cleaned.slug, await store.slugs_like(tx, cleaned.slug))
                cleaned = msgspec.structs.replace(cleaned, slug=slug)
            tree = Tree(await category_store.every(tx))
            product = placed(merge(cleaned, None, keep=False), refs(tree, new.categories))
            _refuse(unpriced(product))
            await self._refuse_taken(tx, product)
            await self._store(tx, [product], [], tree, cleaned.counts, "new product")
            tx.remember(product.id.bytes)
        self.shelf.drop([product.id])
        return product.id

    async def edit(
        self, name: str, edit: Edit, *, version: int | None = None, once: Once | None = None,
        counts: Sequence[Count] = (),
    ) -> UUID:  # fmt: skip
        """Change the product that has this id or slug; `version` is the one that was read.

        Raises:
            NotFound: there is none.
            EditedMeanwhile: it is newer than `version`.
            InvalidInput, SlugTaken, SkuTaken, and what `edit` raises: nothing was changed.
        """
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return UUID(bytes=tx.stored)
            await store.lock(tx)
            before = await self._named(tx, name)
            if version is not None and version != before.version:
                raise EditedMeanwhile(
                    detail=f"the product is at version {before.version}",
                    version=before.version,
                    your_version=version,
                )
            tree = Tree(await category_store.every(tx))
            wanted = edit(before, tree)
            after = placed(merge(_clean(draft_of(wanted)), wanted, keep=False), wanted.categories)
            _refuse(unpriced(after))
            if after.slug != before.slug and await store.by_slugs(tx, [after.slug]):
                raise SlugTaken(detail=f"a product is called {after.slug}", slug_wanted=after.slug)
            await self._refuse_taken(tx, after)
            await self._store(tx, [], [after] if after != before else [], tree, counts, "staff")
            tx.remember(before.id.bytes)
        self.shelf.drop([before.id])
        return before.id

    async def add_variant(self, name: str, new: NewVariant, once: Once | None = None) -> UUID:
        """Add a variant to the product of this id or slug; raises as `edit` does."""
        one = _clean(ProductDraft(slug="one", name="a variant", variants=[new.draft()]), "/variants/0")

        def add(product: Product, _tree: Tree) -> Product:
            if new.sku in product.skus:
                raise SkuTaken(detail=f"the product has {new.sku}", skus=[new.sku])
            more = merge(one, None, keep=False)
            known = {picture.url for picture in product.pictures}
            return msgspec.structs.replace(
                product,
                variants=[*product.variants, *more.variants],
                pictures=[*product.pictures, *(p for p in more.pictures if p.url not in known)],
            )

        return await self.edit(name, add, once=once, counts=one.counts)

    async def delete(self, name: str, once: Once | None = None) -> None:
        """Forget a product; its stock and its orders stay. Publishes ProductDeleted."""
        async with self._db.begin(once) as tx:
            if tx.repeated:
                return
            await store.lock(tx)
            product = await self._named(tx, name)
            await store.delete(tx, product.id)
            tx.publish(ProductDeleted(product_id=product.id, slug=product.slug))
        self.shelf.drop([product.id])

    async def shown(self, name: str) -> Shelved:
        """The product of an id or slug, with current stock, hidden or not; raises NotFound."""
        id_ = _uuid(name)
        if id_ is not None:
            found = (await self.shelf.fetch([id_])).get(id_)
        else:
            found = await self.shelf.find(name, self._by_slug)
        if found is None:
            raise NotFound(detail=f"no product {name}")
        return found

    async def read(self, name: str) -> Shelved:
        """As `shown`, but read now: for who edits it, perhaps on another replica a moment ago."""
        async with self._db.read() as connection:
            product = await self._named(connection, name)
        return (await self.shelf.fresh([product]))[product.id]

    async def cards(self, ids: Sequence[UUID], currency: str) -> list[msgspec.Raw]:
        """Encoded list items in the order of `ids`, prices in `currency` or else in one the product has;
        unknown and inactive products are left out.
        """
        return _cards(ids, await self.shelf.fetch(ids), currency, every=False)

    async def cards_for_staff(self, ids: Sequence[UUID], currency: str) -> list[msgspec.Raw]:
        """As `cards`, but of products of every status, and read now."""
        found = await self.shelf.fresh(await self._load(ids))
        return _cards(ids, found, currency, every=True)

    async def described(self, ids: Sequence[UUID]) -> list[Described]:
        """What projections need of products of any status; unknown ids are left out. Three statements."""
        async with self._db.read() as connection:
            products = await store.by_ids(connection, ids)
            popularity = await store.popularity_of(connection, ids)
            tree = Tree(await category_store.every(connection))
        return [_described(product, tree, popularity.get(product.id, 0)) for product in products]

    async def owners(self, skus: Sequence[str]) -> dict[str, UUID]:
        """The product of each SKU that exists."""
        async with self._db.read() as connection:
            return await store.owners(connection, skus)

    async def ids_after(self, after: UUID | None, limit: int) -> list[UUID]:
        """Ids of all products, oldest first: to build a projection page by page."""
        async with self._db.read() as connection:
            return await store.ids_after(connection, after, limit)

    async def drafts_after(self, after: UUID | None, limit: int) -> tuple[list[ProductDraft], UUID | None]:
        """A page of all products as drafts without their stock, oldest first, and the id to go on after
        (None: these were the last).
        """
        ids = await self.ids_after(after, limit)
        async with self._db.read() as connection:
            products = {product.id: product for product in await store.by_ids(connection, ids)}
            tree = Tree(await category_store.every(connection))
        drafts = [
            msgspec.structs.replace(
                draft_of(product),
                categories=[
                    [tree[id_].name for id_ in tree[category.id].path] for category in product.categories
                ],
            )
            for id_ in ids
            if (product := products.get(id_)) is not None
        ]
        return drafts, ids[-1] if len(ids) == limit else None

    async def listed(self, wanted: listings.Wanted, limit: int) -> list[listings.Position]:
        """Which products a page holds; at most a moment old."""

        async def read() -> list[listings.Position]:
            async with self._db.read() as connection:
                return await listings.listed(connection, wanted, limit)

        return await self.shelf.page((wanted, limit), read)

    async def listed_for_staff(self, wanted: listings.StaffWanted, limit: int) -> list[UUID]:
        async with self._db.read() as connection:
            return await listings.listed_for_staff(connection, wanted, limit)

    async def quotes(self, skus: Sequence[str], currency: str) -> list[Quote]:
        """What is for sale in `currency`, with what is left of it."""
        skus = [sku for sku in skus if "\0" not in sku]  # which PostgreSQL has no text for
        async with self._db.read() as connection:
            return await listings.quotes(connection, skus, currency)

    async def names(self, skus: Sequence[str]) -> dict[str, str]:
        """What the product of each SKU is called; unknown ones are left out."""
        async with self._db.read() as connection:
            return await store.names(connection, skus)

    async def skus_called(self, words: str, limit: int) -> list[str]:
        """SKUs of products whose name has `words` in it."""
        async with self._db.read() as connection:
            return await store.skus_called(connection, one_line(words), limit)

    async def sold(self, sales: Sequence[listings.Sale]) -> None:
        """Remember units sold, for popularity; a sale whose `once` was seen before counts no more."""
        await listings.sold(self._db, sales)

    async def fold_sales(self) -> int:
        """Count a batch of what was sold since the last time into popularity; returns how many sales. They
        wait for the next time while the catalogue is being written.
        """
        async with self._db.read() as connection:
            if not await listings.has_sales(connection):
                return 0
        try:
            async with self._db.begin() as tx:
                await store.lock(tx)
                return await listings.fold_sales(tx)
        except RequestInFlight:
            return 0

    async def relist(self) -> int:
        """After the shop's own currency was changed, list by it what was listed by another; returns how many
        products.
        """
        done = 0
        while True:
            async with self._db.read() as connection:
                ids = await listings.not_listed_in(connection, self.currency, PUT_MAX)
            if not ids:
                return done
            async with self._db.begin() as tx:
                await store.lock(tx)
                await listings.relist(tx, ids, self.currency)
            self.shelf.clear()
            done += len(ids)

    async def _load(self, ids: Sequence[UUID]) -> list[Product]:
        async with self._db.read() as connection:
            return await store.by_ids(connection, ids)

    async def _by_slug(self, slug: str) -> Product | None:
        if not is_slug(slug):
            return None
        async with self._db.read() as connection:
            found = await store.by_slugs(connection, [slug])
        return found[0] if found else None

    async def _named(self, connection: Connection, name: str) -> Product:
        id_ = _uuid(name)
        slugs = [name] if is_slug(name) else []
        found = await (store.by_ids(connection, [id_]) if id_ else store.by_slugs(connection, slugs))
        if not found:
            raise NotFound(detail=f"no product {name}")
        return found[0]

    async def _refuse_taken(self, tx: Transaction, product: Product) -> None:
        owners = await store.owners(tx, product.skus)
        if taken := [sku for sku, owner in owners.items() if owner != product.id]:
            raise SkuTaken(detail=f"{', '.join(taken)} belongs to another product", skus=taken)

    async def _store(
        self, tx: Transaction, created: Sequence[Product], changed: Sequence[Product], tree: Tree,
        counts: Sequence[Count], reason: str,
    ) -> list[str]:  # fmt: skip
        """Write, set stock, publish; returns the SKUs whose stock changed."""
        if tree.added:
            await category_store.put(tx, tree.added)
        if created or changed:
            await store.write(tx, created, changed, self.currency)
        tx.publish(
            *(ProductChanged(product_id=p.id, slug=p.slug, status=p.status) for p in (*created, *changed))
        )
        told = {variant.sku for product in created for variant in product.variants}
        return await self._intake(tx, counts, reason, told) if counts else []


class _Batch:
    """The drafts of one `put`, taken one by one against what is stored and what the batch itself claims."""

    def __init__(
        self, stored: dict[str, Product], owners: dict[str, UUID], tree: Tree, *, keep: bool
    ) -> None:
        self._stored, self._owners, self.tree, self._keep = stored, owners, tree, keep
        self._seen: set[str] = set()
        self._claimed: set[str] = set()
        self._counted: dict[str, list[str]] = {}
        self.created: list[Product] = []
        self.changed: list[Product] = []
        self.counts: list[Count] = []

    def take(self, one: Clean) -> Put:
        stored = self._stored.get(one.slug)
        product = merge(one, stored, keep=self._keep)
        if faults := [*self._faults(one, stored), *unpriced(product)]:
            return Put(one.slug, "refused", faults, stored.id if stored else None)
        categories = [ref(self.tree.ensure(path)) for path in one.categories]
        if categories or not self._keep:
            product = placed(product, list(dict.fromkeys(categories)))
        self._seen.add(one.slug)
        self._claimed.update(variant.sku for variant in one.variants)
        self._counted[one.slug] = [count.sku for count in one.counts]
        self.counts += one.counts
        if stored is None:
            self.created.append(product)
            return Put(one.slug, "created", [], product.id)
        if product == stored:
            return Put(one.slug, "unchanged", [], product.id)
        self.changed.append(product)
        return Put(one.slug, "changed", [], product.id)

    def told(self, answer: Put, moved: set[str]) -> Put:
        """`answer`, but changed if only the stock did."""
        if answer.outcome != "unchanged" or moved.isdisjoint(self._counted[answer.slug]):
            return answer
        outcome: Outcome = "changed"
        return Put(answer.slug, outcome, [], answer.product_id)

    def _faults(self, one: Clean, stored: Product | None) -> list[FieldError]:
        faults = []
        if one.slug in self._seen:
            faults.append(FieldError("/slug", f"{one.slug} stands twice in this batch"))
        for number, variant in enumerate(one.variants):
            owner = self._owners.get(variant.sku)
            if variant.sku in self._claimed or (owner and (stored is None or owner != stored.id)):
                faults.append(
                    FieldError(f"/variants/{number}/sku", f"{variant.sku} belongs to another product")
                )
        return faults


def _cards(
    ids: Sequence[UUID], found: Mapping[UUID, Shelved], currency: str, *, every: bool
) -> list[msgspec.Raw]:
    return [
        msgspec.Raw(shelved.card(currency).fill(shelved.stock))
        for id_ in ids
        if (shelved := found.get(id_)) is not None and (every or shelved.active)
    ]


def refs(tree: Tree, names: Sequence[CategoryName]) -> list[CategoryRef]:
    """Categories by slug or path; raises InvalidInput naming every one that is not there or cannot be."""
    found: list[CategoryRef] = []
    faults = Faults()
    for number, name in enumerate(names):
        place = f"/categories/{number}"
        if not isinstance(name, str):
            path = clean_path(name, place, faults)
            if path and not faults.found:
                found.append(ref(tree.ensure(path)))
        elif (known := tree.find(name)) is not None:
            found.append(ref(known))
        else:
            faults.add(place, f"there is no category {name}")
    _refuse(faults.found)
    return list(dict.fromkeys(found))


def _clean(draft: ProductDraft, below: str = "") -> Clean:
    """What may be stored; raises InvalidInput with pointers relative to `below`."""
    result = clean(draft)
    if isinstance(result, Clean):
        return result
    _refuse([FieldError(fault.pointer.removeprefix(below), fault.detail) for fault in result])
    raise AssertionError("unreachable: there are faults")


def _refuse(faults: Sequence[FieldError]) -> None:
    if faults:
        told = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3])
        raise InvalidInput(detail=told, errors=list(faults))


def _uuid(text: str) -> UUID | None:
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def _described(product: Product, tree: Tree, popularity: int) -> Described:
    ids = dict.fromkeys(id_ for category in product.categories for id_ in tree[category.id].path)
    options = {
        name: list(dict.fromkeys(v.options[name] for v in product.variants if name in v.options))
        for name in product.options
    }
    amounts: dict[str, list[int]] = {}
    for variant in product.variants:
        for price in variant.prices:
            amounts.setdefault(price.currency, []).append(price.amount)
    assert product.created_at is not None, "it was read from the database"
    return Described(
        id=product.id,
        slug=product.slug,
        name=product.name,
        summary=product.summary,
        text=plain_text(product.description),
        brand=product.brand,
        status=product.status,
        categories=[ref(tree[id_]) for id_ in ids],
        attributes=product.attributes,
        options=options,
        skus=product.skus,
        barcodes=[variant.barcode for variant in product.variants if variant.barcode],
        prices={currency: PriceRange(min(all_), max(all_)) for currency, all_ in amounts.items()},
        popularity=popularity,
        created_at=product.created_at,
    )
