"""What products is made of: the one place where catalogue, inventory, search and imports meet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from shopwright.chassis.api import create_asgi
from shopwright.chassis.bus import Consumer
from shopwright.chassis.db import Transaction, open_database
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.chassis.server import Service, every
from shopwright.chassis.settings import load
from shopwright.chassis.streams import open_valkey
from shopwright.contracts.orders import OrderConfirmed

from .catalog import api as catalog_api
from .catalog.commands import Catalog, Categories, Intake
from .catalog.domain import Count
from .catalog.pictures import Pictures
from .catalog.subscribers import Subscribers
from .catalog.tail import Tail
from .inventory import api as inventory_api
from .inventory.commands import Inventory
from .inventory.domain import Movement
from .settings import ProductsSettings

EXPIRY_S = 1  # a hold that ended must not keep the last unit from the next buyer for long
FOLD_S = 10  # how late a sale counts for what is popular
SWEEP_S = 600


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(ProductsSettings, environ)
    db = await open_database(settings.database_url, application="products", size=settings.database_pool)
    valkey = open_valkey(settings.valkey_url)
    inventory = Inventory(db)
    catalog = Catalog(
        db, currency=settings.currency, intake=_intake(inventory), available=inventory.available
    )
    categories = Categories(db, catalog.shelf, settings.currency)
    pictures = Pictures(settings.media_folder, db)
    relay = Relay(db, valkey, "products")
    consumer = Consumer(
        db,
        valkey,
        group="products",
        name=f"products-{settings.slot}",
        sources=["orders"],
        handlers={OrderConfirmed: Subscribers(catalog).on_order_confirmed},
    )
    draining = asyncio.Event()

    async def close() -> None:
        await valkey.aclose()
        await db.close()

    handlers: list[object] = [*inventory_api.HANDLERS, *catalog_api.HANDLERS]
    asgi = create_asgi(
        "products",
        handlers,
        {"inventory": inventory, "catalog": catalog, "categories": categories, "pictures": pictures},
        draining=draining,
        ready=[db.ready],
        dead_letters=DeadLetters(db),
    )
    workers = [
        relay.run,
        consumer.run,
        Tail(valkey, catalog.shelf).run,
        every(EXPIRY_S, inventory.expire),
        every(FOLD_S, catalog.fold_sales),
        every(SWEEP_S, pictures.sweep),
    ]
    return Service(settings=settings, asgi=asgi, workers=workers, close=close, draining=draining)


def _intake(inventory: Inventory) -> Intake:
    async def intake(tx: Transaction, counts: Sequence[Count], reason: str) -> list[str]:
        return await inventory.intake(tx, [Movement(*count) for count in counts], reason)

    return intake
