"""What products is made of: the one place where catalogue, inventory, search and imports meet."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from shopwright.chassis.api import create_asgi
from shopwright.chassis.bus import Consumer
from shopwright.chassis.db import Database, Transaction, open_database
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.chassis.server import Service, every
from shopwright.chassis.settings import load
from shopwright.chassis.streams import Valkey, open_valkey
from shopwright.contracts.orders import OrderConfirmed
from shopwright.contracts.products import CategoryChanged, ProductChanged, ProductDeleted, StockChanged

from .catalog import api as catalog_api
from .catalog.commands import Catalog, Categories, Intake
from .catalog.domain import Count, Described
from .catalog.drafts import PictureDraft, ProductDraft
from .catalog.pictures import Pictures
from .catalog.subscribers import Subscribers
from .catalog.tail import Tail
from .imports import api as imports_api
from .imports.commands import Imports
from .imports.exporting import Drafts, Exports
from .imports.illustrating import StorePicture
from .imports.worker import Importer, Put, Within
from .inventory import api as inventory_api
from .inventory.commands import Inventory, Rules, Warehouses
from .inventory.domain import Movement
from .search import api as search_api
from .search import domain as searching
from .search.commands import Search
from .search.index import TantivyIndex
from .search.keeper import Keeper
from .search.subscribers import Subscribers as SearchSubscribers
from .settings import ProductsSettings

EXPIRY_S = 1  # a hold that ended must not keep the last unit from the next buyer for long
PREORDERS_S = 60  # how late after midnight a pre-order ends
FOLD_S = 10  # how late a sale counts for what is popular
SWEEP_S = 600
RELIST_S = 3_600  # at the start above all: the shop's currency changes with a restart


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(ProductsSettings, environ)
    db = await open_database(settings.database_url, application="products", size=settings.database_pool)
    valkey = open_valkey(settings.valkey_url)
    inventory = Inventory(db, low_stock_at=settings.low_stock_at)
    warehouses = Warehouses(db, low_stock_at=settings.low_stock_at)
    rules = Rules(db, low_stock_at=settings.low_stock_at)
    catalog = Catalog(db, currency=settings.currency, intake=intake_of(inventory), available=inventory.offers)
    inventory.labels = rules.labels = catalog
    categories = Categories(db, catalog.shelf, settings.currency)
    pictures = Pictures(settings.media_folder, db)
    imports = Imports(db, settings.home / "data" / "imports", currency=settings.currency)
    exports = Exports(_drafts(catalog, inventory), settings.home / "data")
    importer = Importer(db, imports, _put(catalog), _store_picture(pictures))
    index = TantivyIndex(settings.search_folder, settings.currency)
    source = _Searched(catalog, categories, inventory)
    keeper = Keeper(db, source, index)
    noting = SearchSubscribers(db, source, keeper.wake)
    relay = Relay(db, valkey, "products")
    consumer = _consumer(db, valkey, settings.slot, Subscribers(catalog), noting)
    draining = asyncio.Event()

    async def close() -> None:
        index.close()
        await valkey.aclose()
        await db.close()

    handlers: list[object] = [
        *inventory_api.HANDLERS, *catalog_api.HANDLERS, *imports_api.HANDLERS, *search_api.HANDLERS
    ]  # fmt: skip
    asgi = create_asgi(
        "products",
        handlers,
        {
            "inventory": inventory,
            "warehouses": warehouses,
            "rules": rules,
            "catalog": catalog,
            "categories": categories,
            "pictures": pictures,
            "imports": imports,
            "exports": exports,
            "search": Search(db, index, catalog.cards, settings.currency),
        },
        draining=draining,
        ready=[db.ready],
        dead_letters=DeadLetters(db),
    )
    workers = [
        relay.run,
        consumer.run,
        Tail(valkey, catalog.shelf).run,
        every(EXPIRY_S, inventory.expire),
        every(PREORDERS_S, rules.end_preorders),
        every(FOLD_S, catalog.fold_sales),
        every(RELIST_S, catalog.relist),
        every(SWEEP_S, pictures.sweep),
        every(SWEEP_S, inventory.forget_old),
        importer.run,
        keeper.run,
        every(SWEEP_S, imports.prune),
    ]
    return Service(settings=settings, asgi=asgi, workers=workers, close=close, draining=draining)


def _consumer(
    db: Database, valkey: Valkey, slot: int, selling: Subscribers, noting: SearchSubscribers
) -> Consumer:
    return Consumer(
        db,
        valkey,
        group="products",
        name=f"products-{slot}",
        sources=["orders", "products"],
        handlers={CategoryChanged: noting.on_category_changed},
        together={
            OrderConfirmed: selling.on_orders_confirmed,
            ProductChanged: noting.on_products,
            ProductDeleted: noting.on_products,
            StockChanged: noting.on_stock,
        },
    )


def intake_of(inventory: Inventory) -> Intake:
    async def intake(
        tx: Transaction, counts: Sequence[Count], reason: str, told: Collection[str]
    ) -> list[str]:
        return await inventory.intake(tx, [Movement(*count) for count in counts], reason, told=told)

    return intake


def _put(catalog: Catalog) -> Put:
    async def put(drafts: Sequence[ProductDraft], within: Within) -> None:
        await catalog.put(drafts, within=within)

    return put


def _store_picture(pictures: Pictures) -> StorePicture:
    async def store_picture(content: bytes, name: str) -> PictureDraft:
        stored = await pictures.store_picture(content, name)
        return PictureDraft(stored.path, width=stored.width, height=stored.height)

    return store_picture


def _drafts(catalog: Catalog, inventory: Inventory) -> Drafts:
    """Products as drafts with their stock, for exports."""

    async def drafts(after: UUID | None, limit: int) -> tuple[list[ProductDraft], UUID | None]:
        page, last = await catalog.drafts_after(after, limit)
        stock = await inventory.on_hand([variant.sku for draft in page for variant in draft.variants])
        return [
            replace(draft, variants=[replace(v, stock=stock.get(v.sku, {})) for v in draft.variants])
            for draft in page
        ], last

    return drafts


class _Searched:
    """The catalogue and what is available of it, as search reads them."""

    def __init__(self, catalog: Catalog, categories: Categories, inventory: Inventory) -> None:
        self._catalog, self._categories, self._inventory = catalog, categories, inventory

    async def documents(self, ids: Sequence[UUID]) -> list[searching.Document]:
        active = [one for one in await self._catalog.described(ids) if one.status == "active"]
        stock = await self._inventory.available([sku for one in active for sku in one.skus])
        return [_document(one, any(stock.get(sku, 0) > 0 for sku in one.skus)) for one in active]

    async def ids(self, after: UUID | None, limit: int) -> list[UUID]:
        return await self._catalog.ids_after(after, limit)

    async def owners(self, skus: Sequence[str]) -> list[UUID]:
        return list((await self._catalog.owners(skus)).values())

    async def below(self, category_id: UUID) -> list[UUID]:
        return await self._categories.members(category_id)


def _document(one: Described, in_stock: bool) -> searching.Document:
    return searching.Document(
        id=one.id,
        slug=one.slug,
        name=one.name,
        created_at=one.created_at,
        summary=one.summary,
        description=one.text,
        brand=one.brand,
        categories=[searching.Category(category.slug, category.name) for category in one.categories],
        attributes=one.attributes,
        options=one.options,
        codes=[*one.skus, *one.barcodes],
        prices={currency: [prices.min, prices.max] for currency, prices in one.prices.items()},
        in_stock=in_stock,
    )
