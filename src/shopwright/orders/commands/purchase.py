"""The purchase's steps: what the saga PLACE_ORDER does at each, and what it leaves when it ends.

Each step is idempotent by the order's id, so whoever drives the saga (the request, a worker after a crash)
may do it again. What was frozen with an order is remembered, for it never changes.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from uuid import UUID, uuid5

import msgspec

from shopwright.chassis.db import Change, Database, Transaction
from shopwright.chassis.saga import Done, Failed, Local, Place, Refused, Reply, Waiting
from shopwright.chassis.sagarunner import LEASE, Drive, SagaRunner
from shopwright.contracts.money import Money
from shopwright.contracts.orders import (
    OrderCancelled,
    OrderConfirmed,
    OrderedLine,
    OrderRefused,
    OrderStatus,
    TransferAwaited,
)
from shopwright.contracts.payments import (
    PaymentAlreadyCaptured,
    PaymentNotAuthorised,
    ProviderRefused,
)
from shopwright.contracts.payments_rpc import PaymentState
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound
from shopwright.contracts.products import ReserveLine

from .. import domain
from ..clients import Payments, Products
from ..domain import Order, OrderLine
from ..saga import PLACE_ORDER
from ..store import carts as cart_store
from ..store import orders as store
from ..store import promotions as promotion_store
from ..store.after_sale import lock
from ..store.tenders import paid, set_tender, tender_set
from .requests import ask_for
from .tenders import DECLINED, declined, known

#: Holds outlive the saga's deadline, so that after the pivot they still stand.
HOLD_MARGIN = timedelta(hours=1)
FROZEN_MAX = 5_000
BOUGHT_MAX = 500  # far more than wait for their answer at once
UNPAID_TIME = timedelta(minutes=2)  # for the steps before the pivot when no buyer has to act
TRANSFER_TIME = timedelta(days=7)
LINK_TIME = timedelta(days=3)  # until a mail with a link is read and paid
CAPTURED = frozenset({"captured", "partially_refunded", "refunded"})


class Purchase:
    def __init__(
        self,
        db: Database,
        products: Products,
        payments: Payments,
        *,
        buyer_time: timedelta,
        transfer_time: timedelta = TRANSFER_TIME,
        lease: timedelta = LEASE,
    ) -> None:
        self._db, self._products, self._payments = db, products, payments
        self._buyer_time, self._transfer_time = buyer_time, transfer_time
        self._frozen: OrderedDict[UUID, Order] = OrderedDict()
        self._bought: OrderedDict[UUID, Order] = OrderedDict()
        acts = {
            "reserve": self._reserve, "release": self._release,
            "authorise": self._authorise, "void": self._void,
            "confirm": self._confirm, "claim": self._claim, "capture": self._capture,
        }  # fmt: skip
        self.runner = SagaRunner(db, PLACE_ORDER, acts, self._ended, lease, tells=("undone",))

    async def find(self, order_id: UUID) -> Order:
        async with self._db.read() as connection:
            order = await store.find(connection, order_id)
        if order is None:
            raise NotFound(detail=f"no order {order_id}")
        return order

    def remember(self, order: Order) -> None:
        _keep(self._frozen, order, FROZEN_MAX)

    def bought(self, held: Drive) -> Order | None:
        """The order that `held` brought to its end just now, as it was committed; None if it must be read."""
        order = self._bought.pop(held.id, None)
        return order if held.completed else None

    def time_of(self, order: Order) -> timedelta:
        """How long an order may take to be paid: as long as it takes whoever has to act."""
        if order.payment_method == "bank_transfer":
            return self._transfer_time
        if order.payment_method == domain.LINK:
            return LINK_TIME
        waits = order.payment_method == "card" and not order.payment_token
        return self._buyer_time if waits else UNPAID_TIME

    async def _reserve(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        lines = [ReserveLine(line.sku, line.quantity) for line in order.lines]
        time = max(self._buyer_time, self.time_of(order)) + HOLD_MARGIN
        country = order.address.country if order.address else None
        await self._products.reserve(order_id, lines, int(time.total_seconds()), country)
        return Done()

    async def _release(self, order_id: UUID) -> Reply:
        await self._products.release(order_id)
        return Done()

    async def _authorise(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        if not order.total.minor:
            return Done()  # nothing is to be paid
        if order.payment_method == domain.LINK:
            order = await self.find(order_id)  # its buyer may have chosen meanwhile
            if order.payment_method == domain.LINK:
                return Waiting(ask_for(order))
            self.remember(order)
        state = await self._payments.authorise(order)
        match state.status:
            case "authorised" | "captured":
                return Done(changes=self._tendered(order, state))
            case "requires_action":
                self._tendered(order, state)
                return Waiting(_await_buyer(order, state, self._awaited(order, state)))
            case "declined" | "voided":
                return Refused(declined(state))
            case other:
                return Failed(f"the payment is {other}")

    async def _void(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        if not order.total.minor:
            return Done()
        try:
            state = await self._payments.void(order.payment_id)
        except PaymentAlreadyCaptured:
            return await self._send_back(order)
        if state.status in {"voided", "declined"}:
            return Done()
        return Failed(f"the payment is {state.status} and not yet given back")

    async def _send_back(self, order: Order) -> Reply:
        """A transfer came in while the order was given up: it goes back as it came."""
        state = await self._payments.refund(uuid5(order.id, "void"), order.payment_id, order.total)
        if state.refund_status == "succeeded":
            return Done()
        return Failed("whether the money is back is not known yet")

    async def _confirm(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)

        confirmed = OrderConfirmed(
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
        change = store.status_set(order_id, "confirmed", payment_status="authorised")
        return Done(changes=(change,), facts=(confirmed,))

    async def _claim(self, order_id: UUID) -> Reply:
        await self._products.claim(order_id)
        return Done()

    async def _capture(self, order_id: UUID) -> Reply:
        order = await self._order(order_id)
        if not order.total.minor:
            return Done(changes=(store.payment_status_set(order_id, "captured"),))
        try:
            state = await self._payments.capture(order.payment_id)
        except (ProviderRefused, PaymentNotAuthorised) as refusal:
            return await self._never_paid(order, refusal)
        if state.status == "authorised" and order.payment_method in domain.BY_HAND:
            return Done()  # captured once it is received
        if state.status not in CAPTURED:
            return Failed(f"the payment is {state.status}")

        self._frozen.pop(order_id, None)
        if order.tender is None:
            _keep(self._bought, _bought(order, state), BOUGHT_MAX)
        return Done(changes=(_paid(order, state),))

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

    async def received(self, order_id: UUID) -> None:
        """Money came in by hand: book it with the order, once that is confirmed and all of it is there."""
        order = await self.find(order_id)
        if order.status in domain.UNDECIDED or order.payment_status != "authorised":
            return
        state = await self._payments.capture(order.payment_id)
        if state.status in CAPTURED:
            change = _paid(order, state)
            async with self._db.begin() as tx:
                await tx.execute(change.sql, *change.values)

    def _awaited(self, order: Order, state: PaymentState) -> TransferAwaited | None:
        if not state.instructions:
            return None
        by_hand = [part.amount for part in state.parts if part.method == order.payment_method]
        return TransferAwaited(
            order_id=order.id, number=order.number, user_id=order.user_id, email=order.email, name=order.name,
            amount=Money(by_hand[0] if by_hand else order.total.minor, order.currency),
            until=order.created_at + self.time_of(order), instructions=state.instructions,
        )  # fmt: skip

    def _tendered(self, order: Order, state: PaymentState) -> tuple[Change, ...]:
        """What came of a tender, its codes forgotten; nothing for an order that one card pays."""
        if order.tender is None:
            return ()
        tender = known(order, order.tender, state)
        self.remember(msgspec.structs.replace(order, tender=tender))
        return (tender_set(order.id, tender),)

    async def _ended(self, tx: Transaction, order_id: UUID, place: Place) -> None:
        self._frozen.pop(order_id, None)
        order = await store.find(tx, order_id)
        assert order is not None, "the saga's order was deleted"
        reason = place.reason or {"type": "refused", "title": "The order was refused"}
        status: OrderStatus = domain.UNDONE.get(reason["type"], "refused")
        payment = "declined" if reason["type"] in DECLINED else "voided"
        await store.set_status(tx, order_id, status, payment_status=payment, refusal=reason)
        if order.tender is not None:
            await set_tender(tx, order_id, order.tender.forgotten())
        await cart_store.reopen(tx, order.cart_id)
        if order.discounts:
            await promotion_store.give_back(tx, order_id)
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
            self.remember(await self.find(order_id))
        return self._frozen[order_id]


def _await_buyer(order: Order, state: PaymentState, awaited: TransferAwaited | None) -> Local:
    """Event: TransferAwaited, once, for an order that is paid by hand before it is sent."""

    async def await_buyer(tx: Transaction) -> None:
        if awaited is not None and await lock(tx, order.id) == "in_progress":
            tx.publish(awaited)
        await store.set_status(
            tx,
            order.id,
            "awaiting_buyer",
            payment_status="requires_action",
            action_url=state.action_url or None,
        )
        if order.tender is not None:
            await set_tender(tx, order.id, known(order, order.tender, state))

    return await_buyer


def _keep(orders: OrderedDict[UUID, Order], order: Order, most: int) -> None:
    orders[order.id] = order
    while len(orders) > most:
        orders.popitem(last=False)


def _bought(order: Order, state: PaymentState) -> Order:
    return msgspec.structs.replace(
        order, status="confirmed", payment_status=state.status, payment_token="", action_url=None
    )


def _paid(order: Order, state: PaymentState) -> Change:
    if order.tender is None:
        return store.payment_status_set(order.id, state.status)
    return paid(order.id, state.status, known(order, order.tender, state))


def _ordered(line: OrderLine) -> OrderedLine:
    return OrderedLine(
        sku=line.sku, name=line.name, quantity=line.quantity, unit_price=line.unit_price, total=line.total
    )
