"""Whom orders calls: products for quotes and stock, payments for money, users for who a buyer is.

Each call says how long it may take and what makes a repeat harmless.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.gathering import Gathering
from shopwright.chassis.http import Client
from shopwright.chassis.rpc import RpcClient
from shopwright.contracts.money import Money
from shopwright.contracts.payments_rpc import (
    AUTHORISE,
    CAPTURE,
    GET,
    REFUND,
    VOID,
    AuthoriseRequest,
    PaymentId,
    PaymentState,
    RefundRequest,
)
from shopwright.contracts.problems import NotFound
from shopwright.contracts.products import (
    Quote,
    QuoteRequest,
    Quotes,
    Reservation,
    Reserve,
    ReserveLine,
    Restock,
)

from .domain import Order

QUOTE_TIMEOUT_S = 2.0
STOCK_TIMEOUT_S = 5.0
PAYMENT_TIMEOUT_S = 5.0  # payments gives the provider three seconds
QUOTE_AGE_S = 2.0  # for showing a cart; placing an order always asks anew
QUOTES_MAX = 20_000
ASKED_MAX = 200  # SKUs of one question


class Wanted(NamedTuple):
    """Whose quotes are asked for."""

    skus: Sequence[str]
    currency: str


class Products:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._asking: Gathering[Wanted, list[Quote]] = Gathering(self._ask)
        self._seen: OrderedDict[tuple[str, str], tuple[float, Quote]] = OrderedDict()

    async def quotes(self, skus: Sequence[str], currency: str, *, fresh: bool = False) -> dict[str, Quote]:
        """What each SKU costs and is called; those not for sale in `currency` are absent.

        Answers may be `QUOTE_AGE_S` old unless `fresh`.
        """
        now = time.monotonic()
        known = {} if fresh else self._recent(skus, currency, now)
        missing = [sku for sku in dict.fromkeys(skus) if sku not in known]
        if missing:
            for quote in await self._asking.ask(Wanted(missing, currency)):
                known[quote.sku] = quote
                self._seen[quote.sku, currency] = (now, quote)
            while len(self._seen) > QUOTES_MAX:
                self._seen.popitem(last=False)
        return known

    async def _ask(self, many: Sequence[Wanted]) -> list[list[Quote]]:
        """Who wants quotes while others' are on their way is asked for with all who do."""
        skus: dict[str, dict[str, None]] = {}
        for wanted in many:
            skus.setdefault(wanted.currency, {}).update(dict.fromkeys(wanted.skus))
        found: dict[tuple[str, str], Quote] = {}
        for currency, names in skus.items():
            for first in range(0, len(names), ASKED_MAX):
                answer = await self._client.call(
                    "products",
                    "POST",
                    "/internal/quotes",
                    body=QuoteRequest(list(names)[first : first + ASKED_MAX], currency),
                    timeout_s=QUOTE_TIMEOUT_S,
                    answer=Quotes,
                )
                found |= {(quote.sku, currency): quote for quote in answer.items}
        return [
            [found[sku, wanted.currency] for sku in wanted.skus if (sku, wanted.currency) in found]
            for wanted in many
        ]

    def _recent(self, skus: Sequence[str], currency: str, now: float) -> dict[str, Quote]:
        found = {sku: self._seen.get((sku, currency)) for sku in skus}
        return {sku: entry[1] for sku, entry in found.items() if entry and now - entry[0] < QUOTE_AGE_S}

    async def reserve(
        self, reservation: UUID, lines: Sequence[ReserveLine], expires_in_s: int, country: str | None = None
    ) -> None:
        """Hold stock for a destination in `country`; raises OutOfStock. Idempotent by `reservation`."""
        await self._client.call(
            "products",
            "PUT",
            f"/internal/reservations/{reservation}",
            body=Reserve(list(lines), expires_in_s, country),
            timeout_s=STOCK_TIMEOUT_S,
            answer=Reservation,
        )

    async def claim(self, reservation: UUID) -> None:
        """Take what was held. Idempotent."""
        await self._settle(reservation, "claim")

    async def release(self, reservation: UUID) -> None:
        """Give back what was held, if anything was. Idempotent."""
        await self._settle(reservation, "release")

    async def restock(self, restock_id: UUID, lines: Sequence[ReserveLine], reason: str) -> None:
        """Put what was sold back on hand. Idempotent by `restock_id`."""
        await self._client.call(
            "products",
            "PUT",
            f"/internal/restocks/{restock_id}",
            body=Restock(list(lines), reason),
            timeout_s=STOCK_TIMEOUT_S,
        )

    async def _settle(self, reservation: UUID, how: str) -> None:
        await self._client.call(
            "products",
            "POST",
            f"/internal/reservations/{reservation}/{how}",
            timeout_s=STOCK_TIMEOUT_S,
            answer=Reservation,
        )


class Buyer(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    name: str
    groups: list[str] = []


class Users:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def buyer(self, user_id: UUID) -> Buyer | None:
        try:
            return await self._client.call(
                "users", "GET", f"/internal/users/{user_id}", timeout_s=2.0, answer=Buyer
            )
        except NotFound:
            return None


class Payments:
    """Every call is idempotent by the payment's id, which was chosen with the order."""

    def __init__(self, mesh_socket: Path) -> None:
        self._rpc = RpcClient(mesh_socket, "payments")

    async def close(self) -> None:
        await self._rpc.close()

    async def authorise(self, order: Order) -> PaymentState:
        """Ask for the order's total; declined, requires_action and unknown are answers."""
        request = AuthoriseRequest(
            payment_id=str(order.payment_id),
            order_id=str(order.id),
            amount=order.total.minor,
            currency=order.total.currency,
            method=order.payment_method,
            token=order.payment_token,
            return_url=order.return_url,
            description=f"Order {order.number}",
            gift_cards=order.tender.gift_cards if order.tender else (),
            use_wallet=order.tender is not None and order.tender.use_wallet,
            user_id=str(order.user_id or ""),
            country=order.address.country if order.address else "",
        )
        return await self._rpc.call(AUTHORISE, request, timeout_s=PAYMENT_TIMEOUT_S)

    async def capture(self, payment_id: UUID) -> PaymentState:
        """Take what was authorised."""
        return await self._rpc.call(
            CAPTURE, PaymentId(payment_id=str(payment_id)), timeout_s=PAYMENT_TIMEOUT_S
        )

    async def void(self, payment_id: UUID) -> PaymentState:
        """Give it back, or make sure that it never will be taken."""
        return await self._rpc.call(VOID, PaymentId(payment_id=str(payment_id)), timeout_s=PAYMENT_TIMEOUT_S)

    async def refund(
        self, refund_id: UUID, payment_id: UUID, amount: Money, *, wallet_of: UUID | None = None
    ) -> PaymentState:
        """Give `amount` of what was captured back: to where it came from, or to the wallet of an account.

        Idempotent by `refund_id`.
        """
        request = RefundRequest(
            refund_id=str(refund_id),
            payment_id=str(payment_id),
            amount=amount.minor,
            to="wallet" if wallet_of else "source",
            user_id=str(wallet_of or ""),
        )
        return await self._rpc.call(REFUND, request, timeout_s=PAYMENT_TIMEOUT_S)

    async def get(self, payment_id: UUID) -> PaymentState:
        """How it stands; payments asks the provider first where an outcome is open."""
        return await self._rpc.call(GET, PaymentId(payment_id=str(payment_id)), timeout_s=PAYMENT_TIMEOUT_S)
