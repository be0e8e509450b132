"""The category tree: add, change, move, remove; and the tree as it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import Database, Once, Transaction
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound
from shopwright.contracts.products import CategoryChanged

from ..cleaning import clean_html, fits_url, one_line, slug_of
from ..domain import DEPTH_MAX, ROOT, Category, CategoryNotEmpty, CategoryTooDeep, SlugTaken
from ..edits import CategoryChange, NewCategory
from ..merging import Tree
from ..shelf import Shelf
from ..store import categories as store
from ..store import listings
from ..store import products as product_store

SHOWN_S = 5.0  # how old the counts of products may be


class CategoryView(msgspec.Struct, frozen=True, kw_only=True):
    """`products` are the active ones in it and below."""

    id: UUID
    slug: str
    name: str
    parent: str | None
    description: str
    picture: str | None
    position: int
    products: int


class CategoryTree(msgspec.Struct, frozen=True):
    """All categories, parents before their children, siblings in their order."""

    items: list[CategoryView]


class Categories:
    """`shelf` shows products with the names of their categories; `currency` is the shop's own."""

    def __init__(
        self, db: Database, shelf: Shelf, currency: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db, self._shelf, self._currency, self._clock = db, shelf, currency, clock
        self._shown: tuple[float, bytes] | None = None
        self._known: tuple[float, Tree] | None = None

    async def shown(self) -> bytes:
        """The encoded `CategoryTree`, at most `SHOWN_S` old."""
        if self._shown is None or self._clock() - self._shown[0] > SHOWN_S:
            now = self._clock()
            self._shown = now, msgspec.json.encode(await self.all())
        return self._shown[1]

    async def all(self) -> CategoryTree:
        async with self._db.read() as connection:
            categories = await store.every(connection)
            counts = await store.counts(connection)
        slugs = {category.id: category.slug for category in categories}
        return CategoryTree([_view(c, slugs, counts.get(c.id, 0)) for c in categories])

    async def members(self, category_id: UUID) -> list[UUID]:
        """Products in a category or below it, whatever their status."""
        async with self._db.read() as connection:
            return await store.members(connection, category_id)

    async def id_of(self, slug: str) -> UUID:
        """The id of a category's slug, or of everything for none; raises NotFound."""
        if not slug:
            return ROOT
        if self._known is None or self._clock() - self._known[0] > SHOWN_S:
            self._known = self._clock(), await self._tree()
        found = self._known[1].find(slug)
        if found is None:  # it may be new
            self._known = self._clock(), await self._tree()
            found = self._known[1].find(slug)
        if found is None:
            raise NotFound(detail=f"there is no category {slug}")
        return found.id

    async def create(self, new: NewCategory, once: Once | None = None) -> CategoryView:
        """Add a category; raises InvalidInput, SlugTaken, CategoryTooDeep."""
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return msgspec.json.decode(tx.stored, type=CategoryView)
            await product_store.lock(tx)
            tree = Tree(await store.every(tx))
            parent = _parent(tree, new.parent)
            name = one_line(new.name)
            key, fresh = slug_of(name), new_id()
            category = Category(
                id=fresh,
                slug=slug_of(new.slug) or tree.free_slug(key, parent),
                key=key,
                name=name,
                parent_id=parent.id if parent else None,
                path=[*(parent.path if parent else []), fresh],
                description=clean_html(new.description),
                picture=one_line(new.picture or "") or None,
                position=new.position,
            )
            _check(tree, category)
            view = await self._put(tx, tree, category)
            tx.remember(msgspec.json.encode(view))
        self._forget()
        return view

    async def change(
        self, name: str, change: CategoryChange, given: AbstractSet[str], once: Once | None = None
    ) -> CategoryView:
        """Change the category of this slug or id; moving it takes all below along.

        Raises:
            NotFound, InvalidInput, SlugTaken, CategoryTooDeep.
        """
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return msgspec.json.decode(tx.stored, type=CategoryView)
            await product_store.lock(tx)
            tree = Tree(await store.every(tx))
            before = _named(tree, name)
            after = _changed(tree, before, change, given)
            _check(tree, after)
            view = await self._put(tx, tree, after)
            if after.path != before.path:
                if tree.depth_below(before.id) + len(after.path) > DEPTH_MAX or before.id in after.path[:-1]:
                    raise CategoryTooDeep
                await store.replant(tx, before.path, after.path)
                await listings.relist(tx, await store.members(tx, before.id), self._currency)
            tx.remember(msgspec.json.encode(view))
        self._forget()
        return view

    async def delete(self, name: str, once: Once | None = None) -> None:
        """Remove an empty category; raises NotFound, CategoryNotEmpty."""
        async with self._db.begin(once) as tx:
            if tx.repeated:
                return
            await product_store.lock(tx)
            category = _named(Tree(await store.every(tx)), name)
            products, categories = await store.holds(tx, category.id)
            if products or categories:
                raise CategoryNotEmpty(
                    detail=f"{category.name} holds {products} products and {categories} categories",
                    products=products,
                    categories=categories,
                )
            await store.delete(tx, category.id)
            tx.publish(CategoryChanged(category_id=category.id, slug=category.slug))
        self._forget()

    async def _put(self, tx: Transaction, tree: Tree, category: Category) -> CategoryView:
        await store.put(tx, [category])
        tx.publish(CategoryChanged(category_id=category.id, slug=category.slug))
        counts = await store.counts(tx)
        slugs = {id_: tree[id_].slug for id_ in category.path[:-1]}
        return _view(category, slugs, counts.get(category.id, 0))

    async def _tree(self) -> Tree:
        async with self._db.read() as connection:
            return Tree(await store.every(connection))

    def _forget(self) -> None:
        self._shown = self._known = None
        self._shelf.clear()


def _changed(tree: Tree, before: Category, change: CategoryChange, given: AbstractSet[str]) -> Category:
    changes: dict[str, Any] = {}
    for name in given & {"name", "slug", "position"}:
        if getattr(change, name) is None:
            raise invalid(f"/{name}", "cannot be null")
    if "name" in given:
        changes["name"] = one_line(change.name or "")
        changes["key"] = slug_of(changes["name"])
    if "slug" in given:
        changes["slug"] = slug_of(change.slug or "")
    if "position" in given:
        changes["position"] = change.position
    if "description" in given:
        changes["description"] = clean_html(change.description or "")
    if "picture" in given:
        changes["picture"] = one_line(change.picture or "") or None
    if "parent" in given:
        parent = _parent(tree, change.parent)
        changes["parent_id"] = parent.id if parent else None
        changes["path"] = [*(parent.path if parent else []), before.id]
    return msgspec.structs.replace(before, **changes)


def _check(tree: Tree, category: Category) -> None:
    if not category.name or not category.key:
        raise invalid("/name", "must have letters or digits")
    if not category.slug:
        raise invalid("/slug", "must have letters or digits")
    if category.picture is not None and not fits_url(category.picture):
        raise invalid("/picture", "must be an https:// address or a /media/ path")
    if len(category.path) > DEPTH_MAX or category.id in category.path[:-1]:
        raise CategoryTooDeep
    other = tree.find(category.slug)
    if other is not None and other.id != category.id:
        raise SlugTaken(detail=f"a category is called {category.slug}", slug_wanted=category.slug)
    sibling = tree.child(category.parent_id, category.key)
    if sibling is not None and sibling.id != category.id:
        raise invalid("/name", f"there is {sibling.name} in the same place")


def _named(tree: Tree, name: str) -> Category:
    found = tree.find(name)
    if found is None:
        raise NotFound(detail=f"there is no category {name}")
    return found


def _parent(tree: Tree, slug: str | None) -> Category | None:
    if not slug:
        return None
    found = tree.find(slug)
    if found is None:
        raise invalid("/parent", f"there is no category {slug}")
    return found


def _view(category: Category, slugs: dict[UUID, str], products: int) -> CategoryView:
    return CategoryView(
        id=category.id,
        slug=category.slug,
        name=category.name,
        parent=slugs.get(category.parent_id) if category.parent_id else None,
        description=category.description,
        picture=category.picture,
        position=category.position,
        products=products,
    )
