"""What products is made of: the one place where catalogue, inventory, search and imports meet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from shopwright.chassis.api import create_asgi
from shopwright.chassis.db import Transaction, open_database
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.chassis.server import Service, every
from shopwright.chassis.settings import load
from shopwright.chassis.streams import open_valkey

from .catalog.commands import Catalog, Intake
from .catalog.domain import Count
from .inventory import api as inventory_api
from .inventory.commands import Inventory
from .inventory.domain import Movement
from .settings import ProductsSettings

EXPIRY_S = 1  # a hold that ended must not keep the last unit from the next buyer for long


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(ProductsSettings, environ)
    db = await open_database(settings.database_url, application="products", size=settings.database_pool)
    valkey = open_valkey(settings.valkey_url)
    inventory = Inventory(db)
    catalog = Catalog(
        db, currency=settings.currency, intake=_intake(inventory), available=inventory.available
    )
    relay = Relay(db, valkey, "products")
    draining = asyncio.Event()

    async def close() -> None:
        await valkey.aclose()
        await db.close()

    handlers: list[object] = [*inventory_api.HANDLERS]
    asgi = create_asgi(
        "products",
        handlers,
        {"inventory": inventory, "catalog": catalog},
        draining=draining,
        ready=[db.ready],
        dead_letters=DeadLetters(db),
    )
    workers = [relay.run, every(EXPIRY_S, inventory.expire)]
    return Service(settings=settings, asgi=asgi, workers=workers, close=close, draining=draining)


def _intake(inventory: Inventory) -> Intake:
    async def intake(tx: Transaction, counts: Sequence[Count], reason: str) -> list[str]:
        return await inventory.intake(tx, [Movement(*count) for count in counts], reason)

    return intake
