"""What payments is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shopwright.chassis.api import create_asgi
from shopwright.chassis.db import Database, open_database
from shopwright.chassis.deadletters import DeadLetters
from shopwright.chassis.outbox import Relay
from shopwright.chassis.server import Service
from shopwright.chassis.settings import load, own_origins
from shopwright.chassis.streams import open_valkey

from . import api
from .commands import Payments, Routing, Tenders
from .manual import api as manual_api
from .manual.books import Books as ManualBooks
from .manual.commands import ByHandPayments
from .manual.provider import ByHand
from .provider import Provider, Reporting
from .reconciliation import api as reconciliation_api
from .reconciliation.commands import Reconciliations
from .rpc import create_rpc
from .sandbox import pages
from .sandbox.books import Books
from .sandbox.courier import Courier
from .sandbox.provider import SandboxProvider
from .settings import PaymentsSettings
from .sites import Sites
from .store import payments as store
from .stored import api as stored_api
from .stored.books import Books as StoredBooks
from .stored.codes import Codes
from .stored.commands import GiftCards, Wallets
from .stored.provider import StoredValue

if TYPE_CHECKING:
    from .stripe.provider import StripeProvider

MIGRATIONS = [
    ("payments", Path(__file__).parent / "migrations"),
    ("sandbox", Path(__file__).parent / "sandbox" / "migrations"),
]
FINISH_S = 5.0
LATER_THAN_WE_WAIT = timedelta(seconds=1)
HANDLERS = [
    *api.HANDLERS, *stored_api.HANDLERS, *manual_api.HANDLERS, *reconciliation_api.HANDLERS, *pages.HANDLERS,
]  # fmt: skip


async def build(environ: Mapping[str, str]) -> Service:
    settings = load(PaymentsSettings, environ)
    db = await open_database(settings.database_url, application="payments", size=settings.database_pool)
    valkey = open_valkey(settings.valkey_url)
    books = Books(db)
    limit = timedelta(milliseconds=settings.provider_timeout_ms)
    own = own_origins(settings.public_url, settings.tls_url)
    others = tuple(
        origin.strip().rstrip("/") for origin in settings.return_origins.split(",") if origin.strip()
    )
    sites = Sites(own, others)
    sandbox = SandboxProvider(books, settings.sandbox_webhook_secret, sites, late=limit + LATER_THAN_WE_WAIT)
    stripe = _stripe(settings, sites, db)
    if stripe is not None:  # nobody may pay with test cards where money is real
        sandbox.methods = frozenset()
    stored, by_hand = StoredBooks(db), ManualBooks(db)
    providers: dict[str, Provider] = {sandbox.name: sandbox} | _ours(settings, stored, by_hand)
    reporting: dict[str, Reporting] = {sandbox.name: sandbox}
    if stripe is not None:
        providers[stripe.name] = reporting[stripe.name] = stripe
    reconciliations = Reconciliations(db, reporting)
    payments = Payments(db, providers, provider_timeout_s=limit.total_seconds())
    codes = Codes(settings.gift_card_key)
    routing = Routing(db, providers)
    tenders = Tenders(db, payments, routing, stored, codes)
    manual = ByHandPayments(tenders, payments, by_hand, settings.bank_account)
    wallets, gift_cards = Wallets(payments, routing, stored), GiftCards(stored, codes)
    courier = Courier(books, f"{own[0]}/v1/webhooks/{sandbox.name}", settings.sandbox_webhook_secret)
    relay = Relay(db, valkey, "payments")
    draining = asyncio.Event()

    async def close() -> None:
        await tenders.finish(FINISH_S)
        await payments.finish(FINISH_S)
        if stripe is not None:
            await stripe.close()
        await valkey.aclose()
        await db.close()

    asgi = create_asgi(
        "payments",
        HANDLERS,
        {
            "payments": payments,
            "db": db,
            "books": books,
            "reconciliations": reconciliations,
            "routing": routing,
            "by_hand": manual,
            "stored": stored,
            "wallets": wallets,
            "gift_cards": gift_cards,
        },
        draining=draining,
        ready=[db.ready],
        dead_letters=DeadLetters(db),
    )
    return Service(
        settings=settings,
        asgi=asgi,
        rpc=create_rpc(settings.grpc_socket, tenders, manual.instructions),
        workers=[relay.run, payments.look_after, wallets.run, routing.run, courier.run, reconciliations.run],
        close=close,
        draining=draining,
    )


def _ours(settings: PaymentsSettings, stored: StoredBooks, by_hand: ManualBooks) -> dict[str, Provider]:
    """What is paid without another company: from what buyers have here, or by hand."""
    providers: list[Provider] = [StoredValue(stored, "gift_card"), StoredValue(stored, "wallet")]
    if settings.cash_on_delivery:
        providers.append(ByHand(by_hand, "cash_on_delivery"))
    if settings.bank_account:
        providers.append(ByHand(by_hand, "bank_transfer"))
    return {provider.name: provider for provider in providers}


def _stripe(settings: PaymentsSettings, sites: Sites, db: Database) -> StripeProvider | None:
    if not settings.stripe_key:
        return None
    from .stripe.account import Account  # the SDK takes memory: only who uses it pays for it
    from .stripe.provider import StripeProvider

    account = Account(settings.stripe_key, settings.stripe_webhook_secret, settings.stripe_api_base)
    return StripeProvider(account, sites, partial(store.find, db))
