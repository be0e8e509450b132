"""What web is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Router
from litestar.di import Provide

from shopwright.chassis.api import create_asgi
from shopwright.chassis.db import open_database
from shopwright.chassis.http import Client
from shopwright.chassis.server import Service
from shopwright.chassis.settings import load

from . import api, backoffice, docs, machine
from .assets import Assets
from .clients.catalogue import Catalogue
from .clients.operations import Operations
from .clients.orders import Orders
from .clients.pay_links import PayLinks
from .clients.payments import Payments
from .clients.products import Products
from .clients.promotions import Promotions
from .clients.shop_rules import ShopRules
from .clients.staff_orders import StaffOrders
from .clients.stock import Stockroom
from .clients.users import Users
from .docs.reference import Reference
from .errors import error_pages
from .rendering import environment
from .sealing import Seal
from .sessions import Lifetimes, Sessions
from .settings import WebSettings
from .site import Site
from .store import SessionStore
from .storefront import (
    account,
    by_link,
    cart,
    catalogue,
    checkout,
    coupons,
    drafts,
    forgotten,
    outcome,
    profile,
    purchases,
    review,
    tender,
    wallet,
)
from .surface import Surface
from .visit import visit_of


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(WebSettings, environ)
    db = await open_database(settings.database_url, application="web", size=settings.database_pool)
    client = Client(settings.mesh_socket)
    users = Users(client)
    assets = Assets()
    sessions = Sessions(SessionStore(db), Seal(settings.session_key), users, _lifetimes(settings))
    site = Site(
        settings=settings,
        templates=environment(settings, assets),
        assets=assets,
        sessions=sessions,
        users=users,
        products=Products(client),
        catalogue=Catalogue(client),
        orders=Orders(client),
        staff_orders=StaffOrders(client),
        pay_links=PayLinks(client),
        payments=Payments(client),
        promotions=Promotions(client),
        stockroom=Stockroom(client),
        rules=ShopRules(client),
        operations=Operations(client),
    )
    draining = asyncio.Event()
    shared: dict[str, Any] = {
        "site": site,
        "operations": site.operations,
        "sitemap_paths": machine.sitemap_of(site),
    }
    shared["reference"] = Reference(site.operations, _servers(settings))

    async def close() -> None:
        await client.close()
        await db.close()

    asgi = Surface(
        create_asgi(
            "web",
            [_shop(site), backoffice.router(site), *machine.HANDLERS, *docs.HANDLERS, *api.HANDLERS],
            shared,
            draining=draining,
            ready=[db.ready],
        )
    )
    return Service(settings=settings, asgi=asgi, workers=[sessions.prune], close=close, draining=draining)


def _shop(site: Site) -> Router:
    pages: list[Any] = [
        *catalogue.HANDLERS, *cart.HANDLERS, *coupons.HANDLERS, *checkout.HANDLERS, *review.HANDLERS,
        *tender.HANDLERS, *outcome.HANDLERS, *account.HANDLERS, *profile.HANDLERS, *purchases.HANDLERS,
        *wallet.HANDLERS, *drafts.HANDLERS, *forgotten.HANDLERS, *by_link.HANDLERS,
        *machine.PAGES,
    ]  # fmt: skip
    return Router(
        "/",
        route_handlers=pages,
        dependencies={"visit": Provide(visit_of)},
        exception_handlers=error_pages(site),
    )


def _servers(settings: WebSettings) -> list[str]:
    return [url for url in (settings.public_url, settings.tls_url) if url]


def _lifetimes(settings: WebSettings) -> Any:
    return {
        "shop": Lifetimes(
            timedelta(seconds=settings.session_idle_s), timedelta(seconds=settings.session_max_s)
        ),
        "staff": Lifetimes(timedelta(seconds=settings.staff_idle_s), timedelta(seconds=settings.staff_max_s)),
    }
