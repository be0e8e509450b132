"""Placing an order and everything that later moves it: one completion path for the request, redirect and
webhook.

`place` freezes the cart and starts the saga in one transaction, then drives it inline so that the buyer
gets the outcome at once. Whoever comes later (a repeat with the same key, the provider's webhook, the
buyer's return, a worker after a crash) drives the same saga, one at a time by its lease.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from shopwright.chassis import deadline
from shopwright.chassis.db import Database, Once, Transaction, UniqueViolation
from shopwright.chassis.saga import STUCK_AFTER, Done, Failed, Place, Refused, Reply, Waiting
from shopwright.chassis.sagarunner import LEASE, LogEntry, SagaRunner
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.orders import OrderCancelled, OrderConfirmed, OrderedLine, OrderRefused, OrderStatus
from shopwright.contracts.payments import PaymentNotAuthorised, ProviderRefused
from shopwright.contracts.problem import Problem, revive
from shopwright.contracts.problems import (
    IdempotencyKeyReused,
    NotFound,
    OutOfStock,
    PaymentDeclined,
    Shortage,
    TotalChanged,
)
from shopwright.contracts.products import Quote, ReserveLine

from .. import domain
from ..clients import Payments, Products, Users
from ..domain import Cart, Order, OrderLine
from ..saga import PLACE_ORDER
from ..store import after_sale, summary
from ..store import carts as cart_store
from ..store import orders as store
from ..store.summary import Summary
from .carts import visible

log = structlog.get_logger()

HOLD_MARGIN = timedelta(
    hours=1
)  # holds outlive the saga's deadline, so that after the pivot they still stand
UNPAID_TIME = timedelta(minutes=2)  # for the steps before the pivot when no buyer has to act
ANSWER_S = 8.0  # a request waits this long for the outcome, then answers 202
GRACE_S = 1.0  # for a step that is tried again: a worker does so within half a second
FROZEN_MAX = 5_000
SLOW = timedelta(minutes=2)  # an order that nobody waits for any more: an operator should look


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """How the buyer wants to pay; without a token the provider's own page asks for the card."""

    method: str = "card"
    token: str = ""
    return_url: str = ""


class Orders:
    def __init__(
        self,
        db: Database,
        products: Products,
        payments: Payments,
        users: Users,
        *,
        buyer_time: timedelta,
        lease: timedelta = LEASE,
    ) -> None:
        self._db, self._products, self._payments, self._users = db, products, payments, users
        self._buyer_time = buyer_time
        self._frozen: OrderedDict[UUID, Order] = OrderedDict()
        acts = {
            "reserve": self._reserve, "release": self._release,
            "authorise": self._authorise, "void": self._void,
            "confirm": self._confirm, "claim": self._claim, "capture": self._capture,
        }  # fmt: skip
        self.runner = SagaRunner(db, PLACE_ORDER, acts, self._ended, lease)

    async def place(
        self,
        cart_id: UUID,
        user_id: UUID | None,
        payment: Payment,
        *,
        email: str | None,
        expected_total: Money | None,
        once: Once | None,
    ) -> Order:
        """Turn a cart into an order and drive it to an outcome, or as far as it gets in `ANSWER_S`.

        Effects: the cart is closed; the saga reserves, authorises, confirms, claims and captures.
        Events: OrderConfirmed or OrderRefused.

        Raises:
        TotalChanged, OutOfStock, NotForSale, CartEmpty, CartAlreadyOrdered, CartChanged: nothing happened.
        PaymentDeclined, OutOfStock: refused in the saga; what was done is undone and the cart is open again.
        """
        known = await self._repeat(once)
        if known is not None:
            return await self._outcome(known, user_id)
        try:
            cart = await self._cart(cart_id, user_id)
            draft = await self._freeze(cart, user_id, payment, email)
            if expected_total is not None and expected_total != draft.total:
                raise TotalChanged(expected_total=expected_total, total=draft.total)
        except Problem:  # perhaps because of this very request, sent twice: it took the cart or the last unit
            if (known := await self._repeat(once)) is None:
                raise
            return await self._outcome(known, user_id)
        until = datetime.now(UTC) + (UNPAID_TIME if payment.token else self._buyer_time)
        try:
            async with self._db.begin(once) as tx:
                if tx.repeated and tx.stored:
                    known = UUID(bytes=tx.stored)
                else:
                    number = await store.place(tx, draft, cart.version)
                    if number is None:
                        raise await self._why_not(tx, cart_id)
                    held = await self.runner.start(tx, draft.id, until)
                    tx.remember(draft.id.bytes)
        except UniqueViolation as error:
            raise domain.CartAlreadyOrdered from error
        if known is not None:
            return await self._outcome(known, user_id)
        self._remember(msgspec.structs.replace(draft, number=number or ""))
        try:
            async with asyncio.timeout(deadline.remaining_s(ANSWER_S)):
                await asyncio.shield(asyncio.ensure_future(self.runner.drive(held)))
        except TimeoutError:
            log.info("order still in progress", order=str(draft.id))
            return await self._outcome(draft.id, user_id, wait_s=0)
        return await self._outcome(draft.id, user_id, wait_s=GRACE_S)

    async def _repeat(self, once: Once | None) -> UUID | None:
        """The order an earlier request with this key made, without opening a transaction for every first
        one.
        """
        if once is None:
            return None
        async with self._db.read() as connection:
            first = await connection.fetchrow(
                "SELECT fingerprint, outcome FROM once WHERE key = $1", once.key
            )
        if first is not None and first["fingerprint"] != once.fingerprint:
            raise IdempotencyKeyReused
        return UUID(bytes=first["outcome"]) if first and first["outcome"] else None

    async def _cart(self, cart_id: UUID, user_id: UUID | None) -> Cart:
        async with self._db.read() as connection:
            cart = visible(await cart_store.find(connection, cart_id), cart_id, user_id)
            if cart.status != "open":
                existing = await store.of_cart(connection, cart_id)
                raise domain.CartAlreadyOrdered(order_id=existing.id if existing else None)
        if not cart.lines:
            raise domain.CartEmpty
        return cart

    async def _freeze(self, cart: Cart, user_id: UUID | None, payment: Payment, email: str | None) -> Order:
        """The order that `cart` makes at the prices of this moment."""
        quotes = await self._products.quotes(cart.skus, cart.currency, fresh=True)
        if gone := [sku for sku in cart.skus if sku not in quotes]:
            raise domain.NotForSale(skus=gone)
        short = [
            Shortage(line.sku, line.quantity, quotes[line.sku].available)
            for line in cart.lines
            if quotes[line.sku].available < line.quantity
        ]
        if short:
            raise OutOfStock(shortages=short)
        async with self._db.read() as connection:
            methods = await cart_store.shipping_methods(connection, cart.currency)
        method = domain.choose_shipping(cart, methods)
        prices = {sku: quote.unit_price for sku, quote in quotes.items()}
        subtotal = domain.subtotal_of(cart.lines, prices, cart.currency)
        totals, total = domain.totals_of(subtotal, method.price(subtotal) if method else None)
        address, name = email or cart.email, cart.address.name if cart.address else ""
        if user_id is not None and not (address and name) and (buyer := await self._users.buyer(user_id)):
            address, name = address or buyer.email, name or buyer.name
        if not address:
            raise domain.EmailMissing(detail="give `email` with the order or with the cart's address")
        return Order(
            id=new_id(),
            number="",
            cart_id=cart.id,
            user_id=user_id,
            email=address,
            name=name,
            currency=cart.currency,
            status="in_progress",
            payment_id=new_id(),
            payment_status="pending",
            payment_method=payment.method,
            payment_token=payment.token,
            return_url=payment.return_url,
            action_url=None,
            totals=totals,
            total=total,
            address=cart.address,
            shipping_method=method.code if method else "",
            shipping_name=method.name if method else "",
            refusal=None,
            created_at=datetime.now(UTC),
            lines=[_line(line, quotes[line.sku]) for line in cart.lines],
            refunding=Money(0, cart.currency),
            refunded=Money(0, cart.currency),
        )

    async def _why_not(self, tx: Transaction, cart_id: UUID) -> Exception:
        existing = await store.of_cart(tx, cart_id)
        if existing is not None and existing.status not in {"refused", "cancelled", "expired"}:
            return domain.CartAlreadyOrdered(order_id=existing.id)
        return domain.CartChanged()

    async def _outcome(self, order_id: UUID, user_id: UUID | None, wait_s: float = ANSWER_S) -> Order:
        """The order once it is settled, or as it is after `wait_s`; a refusal is raised as what refused.

        A key may be guessed: an account's order is told to that account only.
        """
        order = await self._until(order_id, domain.SETTLED, wait_s)
        if order.user_id not in {None, user_id}:
            raise NotFound(detail=f"no cart {order.cart_id}")
        if order.refusal is not None and not order.payment_refused:
            raise _refusal_of(order)
        return order

    async def _until(self, order_id: UUID, states: Collection[OrderStatus], wait_s: float) -> Order:
        """The order as soon as it is in one of `states`; another driver, perhaps elsewhere, is at work."""
        until = time.monotonic() + deadline.remaining_s(wait_s)
        order = await self.find(order_id)
        while order.status not in states and time.monotonic() < until:
            await asyncio.sleep(0.05)
            order = await self.find(order_id)
        return order

    async def find(self, order_id: UUID) -> Order:
        async with self._db.read() as connection:
            order = await store.find(connection, order_id)
        if order is None:
            raise NotFound(detail=f"no order {order_id}")
        return order

    async def listing(self, wanted: store.Listing, limit: int) -> list[Order]:
        async with self._db.read() as connection:
            return await store.listing(connection, wanted, limit)

    async def summary(self, since: datetime) -> Summary:
        """What came in since then, and the orders that an operator should look at."""
        async with self._db.read() as connection:
            return await summary.read(connection, since, SLOW, STUCK_AFTER)

    async def timeline(self, order_id: UUID) -> list[LogEntry]:
        """What happened to an order and to everything that went back of it, oldest first."""
        async with self._db.read() as connection:
            reversals = await after_sale.ids_of(connection, order_id)
        entries = await self.runner.log_of(order_id, *reversals)
        order = await self.find(order_id)
        return [_as_refused(entry, order) for entry in entries] if order.payment_refused else entries

    async def look_again(self, order_id: UUID, once: str | None = None) -> None:
        """Something happened to the payment: drive the saga on, unless somebody does already."""
        async with self._db.begin(once) as tx:
            if tx.repeated:
                return
            woken = await self.runner.wake(tx, order_id)
        held = await self.runner.take(order_id) if woken else None
        if held is not None:
            await self.runner.drive(held)

    async def cancel(self, order_id: UUID, once: Once | None) -> Order:
        """Cancel an order that is not yet confirmed: release, void, reopen the cart.

        Raises:
            OrderNotCancellable: it is confirmed, perhaps just now, or over.
        """
        order = await self.find(order_id)
        if order.status not in domain.UNDECIDED:
            raise domain.OrderNotCancellable(order_status=order.status)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await self.runner.wake(tx, order_id, cancel=True)
        held = await self.runner.take(order_id)
        if held is not None:
            await self.runner.drive(held)
        order = await self._until(order_id, domain.DECIDED, ANSWER_S)
        if order.status in domain.BOUGHT:
            raise domain.OrderNotCancellable(order_status=order.status)
        return order

    async def forget_user(self, user_id: UUID, once: str) -> None:
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await store.forget_user(tx, user_id)
                await cart_store.forget_user(tx, user_id)

    # The saga's steps: each is idempotent by the order's id.

    async def _reserve(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        lines = [ReserveLine(line.sku, line.quantity) for line in order.lines]
        await self._products.reserve(order_id, lines, int((self._buyer_time + HOLD_MARGIN).total_seconds()))
        return Done()

    async def _release(self, order_id: UUID) -> Reply:
        await self._products.release(order_id)
        return Done()

    async def _authorise(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        state = await self._payments.authorise(order)
        match state.status:
            case "authorised" | "captured":
                return Done()
            case "requires_action":
                action_url = state.action_url

                async def await_buyer(tx: Transaction) -> None:
                    await store.set_status(
                        tx,
                        order_id,
                        "awaiting_buyer",
                        payment_status="requires_action",
                        action_url=action_url,
                    )

                return Waiting(await_buyer)
            case "declined" | "voided":
                return Refused(PaymentDeclined(code=state.decline_code or state.status))
            case other:
                return Failed(f"the payment is {other}")

    async def _void(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        state = await self._payments.void(order.payment_id)
        if state.status in {"voided", "declined"}:
            return Done()
        return Failed(f"the payment is {state.status} and not yet given back")

    async def _confirm(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)

        async def confirm(tx: Transaction) -> None:
            await store.set_status(tx, order_id, "confirmed", payment_status="authorised")
            tx.publish(
                OrderConfirmed(
                    order_id=order_id,
                    number=order.number,
                    user_id=order.user_id,
                    email=order.email,
                    name=order.name,
                    lines=[_ordered(line) for line in order.lines],
                    totals=order.totals,
                    total=order.total,
                    address=order.address,
                )
            )

        return Done(confirm)

    async def _claim(self, order_id: UUID) -> Reply:
        await self._products.claim(order_id)
        return Done()

    async def _capture(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        try:
            state = await self._payments.capture(order.payment_id)
        except (ProviderRefused, PaymentNotAuthorised) as refusal:
            return await self._never_paid(order, refusal)
        if state.status not in {"captured", "partially_refunded", "refunded"}:
            return Failed(f"the payment is {state.status}")

        async def captured(tx: Transaction) -> None:
            await store.set_payment_status(tx, order_id, state.status)

        return Done(captured)

    async def _never_paid(self, order: Order, why: Problem) -> Reply:
        """Give back what the provider may still hold, so that it never will be taken, and book the refusal.

        A payment that was captured after all cannot be voided: the capture is asked for again.
        """
        state = await self._payments.void(order.payment_id)
        if state.status not in {"voided", "declined"}:
            return Failed(f"the capture was refused, the payment is {state.status} and not yet given back")
        refusal = {
            "type": domain.PaymentRefused.slug,
            "title": domain.PaymentRefused.title,
            "detail": why.detail or why.title,
        }

        async def refused(tx: Transaction) -> None:
            await store.refuse_payment(tx, order.id, state.status, refusal)

        return Done(refused)

    async def _ended(self, tx: Transaction, order_id: UUID, place: Place) -> None:
        self._frozen.pop(order_id, None)
        if place.status == "completed":
            return
        order = await store.find(tx, order_id)
        assert order is not None, "the saga's order was deleted"
        reason = place.reason or {"type": "refused", "title": "The order was refused"}
        status: OrderStatus = domain.UNDONE.get(reason["type"], "refused")
        payment = "declined" if reason["type"] == "payment-declined" else "voided"
        await store.set_status(tx, order_id, status, payment_status=payment, refusal=reason)
        await cart_store.reopen(tx, order.cart_id)
        if status == "cancelled":
            tx.publish(
                OrderCancelled(
                    order_id=order_id,
                    number=order.number,
                    email=order.email,
                    name=order.name,
                    total=order.total,
                    user_id=order.user_id,
                )
            )
        else:
            tx.publish(OrderRefused(order_id=order_id, number=order.number, reason=reason["title"]))

    async def _order(self, order_id: UUID) -> Order:
        """What was frozen of an order; it never changes, so a driver need not read it at every step."""
        if order_id not in self._frozen:
            self._remember(await self.find(order_id))
        return self._frozen[order_id]

    def _remember(self, order: Order) -> None:
        self._frozen[order.id] = order
        while len(self._frozen) > FROZEN_MAX:
            self._frozen.popitem(last=False)


def _line(line: domain.CartLine, quote: Quote) -> OrderLine:
    return OrderLine(
        id=new_id(),
        sku=line.sku,
        name=quote.name,
        slug=quote.slug,
        quantity=line.quantity,
        unit_price=quote.unit_price,
        total=quote.unit_price * line.quantity,
        options=quote.options,
        picture=quote.picture,
    )


def _ordered(line: OrderLine) -> OrderedLine:
    return OrderedLine(
        sku=line.sku, name=line.name, quantity=line.quantity, unit_price=line.unit_price, total=line.total
    )


def _as_refused(entry: LogEntry, order: Order) -> LogEntry:
    """The capture that ended as refused: for the saga that is a step done, for people it is not."""
    if (entry.step, entry.outcome) != ("capture", "done"):
        return entry
    return msgspec.structs.replace(entry, outcome="refused", detail=(order.refusal or {})["detail"])


def _refusal_of(order: Order) -> Exception:
    """The problem that ended the order, as its own class."""
    reason: dict[str, Any] = order.refusal or {}
    return revive(str(reason.get("type")), reason) or domain.OrderNotPlaced(
        detail=str(reason.get("title", "")), order_id=order.id
    )
