"""What every page has at hand: settings, templates, sessions and the services; made once by `app`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog
from jinja2 import Environment

from shopwright.chassis.settings import own_origins
from shopwright.contracts.problem import Problem

from .assets import Assets
from .clients.catalogue import Catalogue
from .clients.operations import Operations
from .clients.orders import Orders
from .clients.pay_links import PayLinks
from .clients.payments import Payments
from .clients.products import Products
from .clients.promotions import Promotions
from .clients.reading import Category
from .clients.shop_rules import ShopRules
from .clients.staff_orders import StaffOrders
from .clients.stock import Stockroom
from .clients.users import Users
from .sessions import Sessions
from .settings import WebSettings

log = structlog.get_logger()
Value = TypeVar("Value")

CATEGORIES_S = 60.0
RETRY_S = 5.0  # after a failure the old value stands this long before the owner is asked again


class Remembered(Generic[Value]):
    """A value of another service, asked for once per `keep_s` however many pages need it.

    While its owner is away the last value stands; before the first one, `default`.
    """

    def __init__(self, ask: Callable[[], Awaitable[Value]], default: Value, keep_s: float) -> None:
        self._ask, self.value, self._keep_s = ask, default, keep_s
        self._until = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def get(self) -> Value:
        if time.monotonic() >= self._until:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._renew())
            await asyncio.shield(self._asking)
        return self.value

    def expire(self) -> None:
        self._until = 0.0

    async def _renew(self) -> None:
        try:
            self.value = await self._ask()
            self._until = time.monotonic() + self._keep_s
        except Problem as problem:
            self._until = time.monotonic() + RETRY_S
            log.warning("an old value stands", problem=problem.slug, detail=problem.detail)


@dataclass(kw_only=True)
class Site:
    settings: WebSettings
    templates: Environment
    assets: Assets
    sessions: Sessions
    users: Users
    products: Products
    catalogue: Catalogue
    orders: Orders
    staff_orders: StaffOrders
    pay_links: PayLinks
    payments: Payments
    promotions: Promotions
    stockroom: Stockroom
    rules: ShopRules
    operations: Operations
    categories: Remembered[list[Category]] = field(init=False)
    prices_include_tax: Remembered[bool | None] = field(init=False)
    origins: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.origins = own_origins(self.settings.public_url, self.settings.tls_url)
        self.categories = Remembered(self.products.categories, [], CATEGORIES_S)
        self.prices_include_tax = Remembered(self.rules.prices_include_tax, None, CATEGORIES_S)
