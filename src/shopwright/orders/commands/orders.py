"""Placing an order and everything that later moves it: one completion path for the request, redirect and
webhook.

`place` freezes the cart and starts the saga in one transaction, then drives it inline so that the buyer
gets the outcome at once. Whoever comes later (a repeat with the same key, the provider's webhook, the
buyer's return, a worker after a crash) drives the same saga, one at a time by its lease.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog

from shopwright.chassis import deadline
from shopwright.chassis.db import Database, Once, Overtaken, Transaction, UniqueViolation
from shopwright.chassis.saga import STUCK_AFTER
from shopwright.chassis.sagarunner import LEASE, Drive
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.orders import OrderStatus
from shopwright.contracts.problem import Problem, revive
from shopwright.contracts.problems import (
    NotFound,
    OutOfStock,
    Shortage,
    TotalChanged,
)
from shopwright.contracts.products import Quote

from .. import domain
from ..clients import Payments, Products, Users
from ..domain import Cart, Order, OrderLine, Priced, PricedItem, Rules
from ..domain.drafts import at_staff_prices
from ..store import carts as cart_store
from ..store import orders as store
from ..store import promotions as promotion_store
from ..store import summary
from ..store.orders import Placing, Terms
from ..store.summary import Summary
from ..store.tenders import set_tender
from .carts import visible
from .pricing import Pricing, customer_of
from .purchase import TRANSFER_TIME, Purchase
from .repeats import Repeats

log = structlog.get_logger()

PRICED_MAX = 3  # a shop whose rules change faster than that is being edited: the buyer looks again
ANSWER_S = 8.0  # a request waits this long for the outcome, then answers 202
GRACE_S = 1.0  # for a step that is tried again: a worker does so within half a second
SLOW = timedelta(minutes=2)  # an order that nobody waits for any more: an operator should look


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """How the buyer wants to pay; without a token the provider's own page asks for the card."""

    method: str = "card"
    token: str = ""
    return_url: str = ""
    gift_cards: list[str] = []
    use_wallet: bool = False


class RulesChanged(Exception):
    """The cart was priced by rules that do not stand any more."""


class Buying(NamedTuple):
    """What a buyer asks for."""

    cart_id: UUID
    user_id: UUID | None
    payment: Payment
    email: str | None
    expected_total: Money | None


class Orders:
    def __init__(
        self,
        db: Database,
        products: Products,
        payments: Payments,
        users: Users,
        pricing: Pricing,
        *,
        buyer_time: timedelta,
        transfer_time: timedelta = TRANSFER_TIME,
        lease: timedelta = LEASE,
    ) -> None:
        self._db, self._products, self._users, self._pricing = db, products, users, pricing
        self._purchase = Purchase(
            db, products, payments, buyer_time=buyer_time, transfer_time=transfer_time, lease=lease
        )
        self.runner = self._purchase.runner
        self._repeats = Repeats(db)

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

        Rules that changed since they were read are read anew, and the cart is priced by them.

        Effects: the cart is closed; the saga reserves, authorises, confirms, claims and captures.
        Events: OrderConfirmed or OrderRefused.

        Raises:
        TotalChanged, OutOfStock, NotForSale, CartEmpty, CartAlreadyOrdered, CartChanged, CouponNotValid,
        ShippingUnavailable, AddressMissing, EmailMissing: nothing happened.
        PaymentDeclined, OutOfStock: refused in the saga; what was done is undone and the cart is open again.
        """
        buying = Buying(cart_id, user_id, payment, email, expected_total)
        for attempt in range(PRICED_MAX):
            try:
                return await self._place(buying, once, fresh=attempt > 0)
            except RulesChanged:
                log.info("the rules changed while an order was placed", cart=str(cart_id))
        raise domain.CartChanged

    async def _place(self, buying: Buying, once: Once | None, *, fresh: bool) -> Order:
        """One attempt, by rules that are read anew if `fresh`; raises RulesChanged when they are too old."""
        cart_id, user_id, _, _, _ = buying
        try:
            cart = await self._cart(cart_id, user_id)
            draft, terms = await self._freeze(cart, buying, await self._pricing.rules(fresh=fresh))
        except Problem:  # perhaps because of this very request, sent twice: it took the cart or the last unit
            if (known := await self._repeats.made(once)) is None:
                raise
            return await self._outcome(known, user_id)
        placing = Placing(draft, cart.version, terms, datetime.now(UTC) + self._purchase.time_of(draft))
        begun = await self._begin_at_once(placing, once) or await self._begin(placing, once)
        if isinstance(begun, UUID):
            return await self._outcome(begun, user_id)
        return await self._drive(*begun, user_id)

    async def _begin_at_once(self, placing: Placing, once: Once | None) -> tuple[Order, Drive] | None:
        """The order and its saga, written in one round trip; None if something stands against it."""
        draft = placing.order
        if draft.tender is not None:
            return None
        saga, held = self.runner.begun(draft.id, placing.until)
        try:
            row = await self._db.commit_together([saga], asking=store.placed_at_once(placing, once))
        except Overtaken:
            return None
        except UniqueViolation as error:
            raise domain.CartAlreadyOrdered from error
        assert row is not None, "a function with OUT parameters gives one row"
        return msgspec.structs.replace(draft, number=row["number"], created_at=row["created_at"]), held

    async def _begin(self, placing: Placing, once: Once | None) -> tuple[Order, Drive] | UUID:
        """The same step by step, to say what stands against it; or what the request made, sent before."""
        draft = placing.order
        try:
            async with self._db.begin(once) as tx:
                if tx.repeated and tx.stored:
                    return UUID(bytes=tx.stored)
                number = await self._write(tx, draft, placing.version, placing.terms)
                held = await self.runner.start(tx, draft.id, placing.until)
                tx.remember(draft.id.bytes)
        except UniqueViolation as error:
            raise domain.CartAlreadyOrdered from error
        return msgspec.structs.replace(draft, number=number), held

    async def _drive(self, order: Order, held: Drive, user_id: UUID | None) -> Order:
        """The order as the saga leaves it, or as far as it gets in `ANSWER_S`."""
        self._purchase.remember(order)
        try:
            async with asyncio.timeout(deadline.remaining_s(ANSWER_S)):
                await asyncio.shield(asyncio.ensure_future(self.runner.drive(held)))
        except TimeoutError:
            log.info("order still in progress", order=str(order.id))
            return await self._outcome(order.id, user_id, wait_s=0)
        return self._purchase.bought(held) or await self._outcome(order.id, user_id, wait_s=GRACE_S)

    async def _cart(self, cart_id: UUID, user_id: UUID | None) -> Cart:
        async with self._db.read() as connection:
            cart = visible(await cart_store.find(connection, cart_id), cart_id, user_id)
            if cart.merged_into is not None:
                raise domain.CartMerged(cart_id=cart.merged_into)
            if cart.status != "open":
                existing = await store.of_cart(connection, cart_id)
                raise domain.CartAlreadyOrdered(order_id=existing.id if existing else None)
        if not cart.lines:
            raise domain.CartEmpty
        return cart

    async def _freeze(self, cart: Cart, buying: Buying, rules: Rules) -> tuple[Order, Terms]:
        """The order that `cart` makes at the prices of this moment."""
        _, user_id, payment, email, expected_total = buying
        found = await self._products.quotes(cart.skus, cart.currency, fresh=True)
        quotes = at_staff_prices(cart, found)
        if gone := [sku for sku in cart.skus if sku not in quotes]:
            raise domain.NotForSale(skus=gone)
        short = [
            Shortage(line.sku, line.quantity, quotes[line.sku].available)
            for line in cart.lines
            if quotes[line.sku].available < line.quantity
        ]
        if short:
            raise OutOfStock(shortages=short)
        address, name = await self._recipient(cart, user_id, email)
        customer = customer_of(user_id, address)
        priced = await self._pricing.price(cart, quotes, customer, rules=rules, firm=True)
        if priced.shipping_problem is not None:
            raise priced.shipping_problem
        _check_seen(priced, expected_total)
        offer = priced.offer
        order = Order(
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
            totals=priced.totals,
            total=priced.total,
            address=cart.address,
            shipping_method=offer.code if offer else "",
            shipping_name=offer.name if offer else "",
            refusal=None,
            created_at=datetime.now(UTC),
            lines=[_line(line, quotes[line.sku], priced.items[line.sku]) for line in cart.lines],
            refunding=Money(0, cart.currency),
            refunded=Money(0, cart.currency),
            discounts=priced.discounts,
            taxes=priced.taxes,
            tender=domain.tender_of(payment.method, payment.gift_cards, use_wallet=payment.use_wallet),
        )
        return order, Terms(rules.version, priced.claims, customer)

    async def _recipient(self, cart: Cart, user_id: UUID | None, email: str | None) -> tuple[str, str]:
        """E-mail address and name of who gets the order; raises EmailMissing."""
        address, name = email or cart.email, cart.address.name if cart.address else ""
        if user_id is not None and not (address and name) and (buyer := await self._users.buyer(user_id)):
            address, name = address or buyer.email, name or buyer.name
        if not address:
            raise domain.EmailMissing(detail="give `email` with the order or with the cart's address")
        return address, name

    async def _write(self, tx: Transaction, draft: Order, version: int, terms: Terms) -> str:
        """The number of the order that is made of the cart; raises what stands against it."""
        number, refusal, code = await store.place(tx, draft, version, terms)
        if refusal is not None:
            if refusal == "rules_changed" or not code:  # no code: a promotion by itself is used up
                raise RulesChanged
            raise domain.CouponNotValid(code=code, reason=refusal)
        if number is None:
            raise await self._why_not(tx, draft.cart_id)
        if draft.tender is not None:
            await set_tender(tx, draft.id, draft.tender)
        return number

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

    async def settled(self, order_id: UUID) -> Order:
        """The order once it has an outcome or its buyer must act, or as it is after `ANSWER_S`."""
        return await self._until(order_id, domain.SETTLED, ANSWER_S)

    def time_of(self, order: Order) -> timedelta:
        """How long it may take to be paid."""
        return self._purchase.time_of(order)

    async def find(self, order_id: UUID) -> Order:
        return await self._purchase.find(order_id)

    async def listing(self, wanted: store.Listing, limit: int) -> list[Order]:
        async with self._db.read() as connection:
            return await store.listing(connection, wanted, limit)

    async def summary(self, since: datetime) -> Summary:
        """What came in since then, and the orders that an operator should look at."""
        async with self._db.read() as connection:
            return await summary.read(connection, since, SLOW, STUCK_AFTER)

    async def look_again(self, *order_ids: UUID) -> None:
        """Something happened to the payments: drive the sagas on, unless somebody does already."""
        await self.runner.look_again(order_ids)

    async def received(self, order_id: UUID) -> None:
        """Cash or a transfer for an order is in."""
        await self._purchase.received(order_id)

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
                await promotion_store.forget_user(tx, customer_of(user_id, None))
                await cart_store.forget_user(tx, user_id)


def _check_seen(priced: Priced, expected_total: Money | None) -> None:
    """Whether this is what the buyer saw: the total that was told, else that no coupon has stopped counting.

    Raises:
        TotalChanged, CouponNotValid: it is not.
    """
    if expected_total is not None:
        if expected_total != priced.total:
            raise TotalChanged(expected_total=expected_total, total=priced.total)
    elif priced.problems:
        raise domain.CouponNotValid(code=priced.problems[0].code, reason=priced.problems[0].reason)


def _line(line: domain.CartLine, quote: Quote, priced: PricedItem) -> OrderLine:
    return OrderLine(
        id=new_id(),
        sku=line.sku,
        name=quote.name,
        slug=quote.slug,
        quantity=line.quantity,
        unit_price=quote.unit_price,
        total=priced.total,
        discount=priced.discount,
        tax=priced.tax,
        options=quote.options,
        picture=quote.picture,
    )


def _refusal_of(order: Order) -> Exception:
    """The problem that ended the order, as its own class."""
    reason: dict[str, Any] = order.refusal or {}
    return revive(str(reason.get("type")), reason) or domain.OrderNotPlaced(
        detail=str(reason.get("title", "")), order_id=order.id
    )
