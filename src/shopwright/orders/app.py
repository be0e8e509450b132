"""What orders is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from shopwright.chassis.api import create_asgi
from shopwright.chassis.bus import Consumer
from shopwright.chassis.db import open_database
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.http import Client
from shopwright.chassis.outbox import Relay
from shopwright.chassis.server import Service, every
from shopwright.chassis.settings import load
from shopwright.chassis.streams import open_valkey
from shopwright.contracts.payments import PaymentChanged
from shopwright.contracts.users import UserErased

from .api import after_sale as after_sale_api
from .api import carts as carts_api
from .api import documents as documents_api
from .api import drafts as drafts_api
from .api import edits as edits_api
from .api import exchanges as exchanges_api
from .api import orders as orders_api
from .api import pay_links as pay_links_api
from .api import promotions as promotions_api
from .api import shipping as shipping_api
from .api import taxes as taxes_api
from .clients import Payments, Products, Users
from .commands.after_sale import AfterSale
from .commands.carts import Carts
from .commands.documents import Documents
from .commands.drafts import Drafts
from .commands.edit_steps import EditSteps
from .commands.edits import Edits, Times
from .commands.elsewhere import PaidBackElsewhere
from .commands.exchanges import Exchanges
from .commands.orders import Orders
from .commands.pay_links import PayLinks
from .commands.pricing import Pricing
from .commands.promotions import Promotions
from .commands.purchase import LINK_TIME
from .commands.shop import Shop
from .commands.timelines import Timelines
from .documents import Seller
from .domain import RateTable
from .settings import OrdersSettings
from .subscribers import Subscribers

HOUSEKEEPING_S = 30
SETTLE_S = 3  # an exchange that was paid by a link is booked about then
HANDLERS: list[object] = [
    *carts_api.HANDLERS, *promotions_api.HANDLERS, *taxes_api.HANDLERS, *shipping_api.HANDLERS,
    *orders_api.HANDLERS, *after_sale_api.HANDLERS, *documents_api.HANDLERS, *edits_api.HANDLERS,
    *drafts_api.HANDLERS, *exchanges_api.HANDLERS, *pay_links_api.HANDLERS,
]  # fmt: skip


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(OrdersSettings, environ)
    db = await open_database(settings.database_url, application="orders", size=settings.database_pool)
    valkey = open_valkey(settings.valkey_url)
    client = Client(settings.mesh_socket)
    payments = Payments(settings.mesh_socket)
    products, users = Products(client), Users(client)
    pricing = Pricing(db, users, RateTable())
    carts = Carts(db, products, pricing, settings.currency)
    lease = timedelta(seconds=settings.saga_lease_s)
    orders = Orders(
        db, products, payments, users, pricing, lease=lease,
        buyer_time=timedelta(seconds=settings.buyer_time_s),
        transfer_time=timedelta(days=settings.transfer_days),
    )  # fmt: skip
    after_sale = AfterSale(db, products, payments, lease)
    steps = EditSteps(db, products, payments, after_sale, lease)
    edits = Edits(db, products, pricing, after_sale, steps, _times(settings))
    exchanges = Exchanges(db, pricing, orders, after_sale, edits)
    timelines = Timelines(db, users, [orders.runner, after_sale.runner, edits.runner])
    subscribers = Subscribers(orders, edits, PaidBackElsewhere(db, payments))
    consumer = Consumer(
        db,
        valkey,
        group="orders",
        name=f"orders-{settings.slot}",
        sources=["payments", "users"],
        handlers={UserErased: subscribers.on_user_erased},
        together={PaymentChanged: subscribers.on_payments_changed},
    )
    relay = Relay(db, valkey, "orders")
    draining = asyncio.Event()

    async def keep_house() -> None:
        await carts.forget_old(settings.cart_days)
        await orders.runner.measure()

    async def close() -> None:
        await client.close()
        await payments.close()
        await valkey.aclose()
        await db.close()

    asgi = create_asgi(
        "orders",
        HANDLERS,
        {
            "carts": carts,
            "promotions": Promotions(db, pricing.forget),
            "shop": Shop(db, pricing.forget),
            "orders": orders,
            "after_sale": after_sale,
            "papers": Documents(db, _seller(settings)),
            "timelines": timelines,
            "edits": edits,
            "exchanges": exchanges,
            "pay_links": PayLinks(db, orders, edits),
            "drafts": Drafts(db, products, users, carts, orders, settings.currency),
        },
        draining=draining,
        ready=[db.ready],
        dead_letters=DeadLetters(db),
    )
    workers = [
        relay.run, consumer.run, orders.runner.run, after_sale.runner.run, edits.runner.run,
        every(HOUSEKEEPING_S, keep_house), every(SETTLE_S, exchanges.settle_open),
    ]  # fmt: skip
    return Service(settings=settings, asgi=asgi, workers=workers, close=close, draining=draining)


def _seller(settings: OrdersSettings) -> Seller:
    return Seller.of(
        settings.seller_name, settings.seller_address, settings.seller_tax_id, settings.seller_email
    )


def _times(settings: OrdersSettings) -> Times:
    """How long the difference of a change may take to be paid."""
    return Times(timedelta(seconds=settings.buyer_time_s), timedelta(days=settings.transfer_days), LINK_TIME)
