"""What staff do with a confirmed order: ship it, in parts too; take goods back; pay back; cancel.

What is noted here holds at once, under the order's lock: no line is shipped or returned beyond what was
bought, no money asked back beyond what was paid. Giving it back is the saga TAKE_BACK, driven inline and
recovered like the purchase; a refund of unknown outcome is asked for again under its id, never twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import structlog

from shopwright.chassis import deadline
from shopwright.chassis.db import Database, Once, Transaction
from shopwright.chassis.saga import Done, Place, Reply
from shopwright.chassis.sagarunner import LEASE, SagaRunner
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.orders import (
    OrderCancelled,
    OrderShipped,
    OrderStatus,
    ShippedLine,
)
from shopwright.contracts.problems import NotFound
from shopwright.contracts.products import ReserveLine

from .. import domain
from ..clients import Payments, Products
from ..domain import Command, Fulfilment, Order, Reversal, Tracking
from ..domain.edits import EditWithdrawn, refusal_of
from ..saga import TAKE_BACK
from ..store import after_sale as store
from ..store import edits as edit_store
from ..store import orders as order_store
from ..store import timeline
from .giving_back import GivingBack

log = structlog.get_logger()

TIME = timedelta(days=30)  # forward-only, so the deadline turns nothing round
ANSWER_S = 6.0  # a request waits this long for the money to be back, then tells that it is asked for
CAPTURED = frozenset({"captured", "partially_refunded", "refunded"})
COMMANDS: Mapping[str, Command] = {"refund": "refund", "return": "return", "cancellation": "cancel"}
Quantities = Mapping[UUID, int]
Destination = Literal["source", "wallet"]


class AfterSale:
    def __init__(
        self, db: Database, products: Products, payments: Payments, lease: timedelta = LEASE
    ) -> None:
        self._db, self._products, self._payments = db, products, payments
        self.give_back = GivingBack(db, payments).give_back
        acts = {"note": self._note, "give_back": self.give_back, "restock": self.restock}
        self.runner = SagaRunner(db, TAKE_BACK, acts, self._ended, lease)

    async def fulfil(
        self,
        order_id: UUID,
        lines: Quantities | None,
        tracking: Tracking,
        once: Once | None,
        *,
        by: UUID | None = None,
    ) -> Fulfilment:
        """Ship `lines` (all that is left without them). Event: OrderShipped.

        Raises:
            NotPaidYet, PaymentRefused, WrongTransition, MoreThanOrdered: nothing was noted.
        """
        shipped = new_id()
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                shipped = UUID(bytes=tx.stored)
            else:
                order = await self.locked(tx, order_id, "fulfil")
                left = domain.left_to_ship(order)
                wanted = left if lines is None else lines
                complete = all(wanted.get(line_id, 0) >= count for line_id, count in left.items())
                after: OrderStatus = "fulfilled" if complete else "partially_fulfilled"
                domain.check_command(order.status, "fulfil", after)
                domain.check_quantities(wanted, left)
                await self._no_more_edits(tx, order_id)
                await store.fulfil(tx, shipped, order_id, wanted, tracking)
                await store.move(tx, order_id, after)
                await timeline.note(tx, order_id, "fulfil", by, tracking.number)
                tx.publish(_shipped(order, wanted, tracking, complete=complete))
                tx.remember(shipped.bytes)
        fulfilments, _ = await self.of_order(order_id)
        return next(fulfilment for fulfilment in fulfilments if fulfilment.id == shipped)

    async def refund(
        self,
        order_id: UUID,
        amount: Money | None,
        reason: str,
        once: Once | None,
        *,
        to: Destination = "source",
        by: UUID | None = None,
    ) -> Reversal:
        """Pay back `amount` (all that is left without it). Events: OrderRefunded, PaymentChanged.

        Raises:
            NotPaidYet, PaymentRefused, MoreThanPaid: nothing was asked for.
        """
        return await self._take_back(order_id, "refund", amount, reason, to=to, once=once, by=by)

    async def take_return(
        self,
        order_id: UUID,
        lines: Quantities,
        reason: str,
        *,
        amount: Money | None,
        restock: bool,
        to: Destination = "source",
        once: Once | None,
        by: UUID | None = None,
    ) -> Reversal:
        """Goods came back: pay their price back (or `amount`, if any) and put them on the shelf.

        Raises:
            MoreThanOrdered, MoreThanPaid, NotPaidYet, PaymentRefused: nothing was noted.
        """
        return await self._take_back(
            order_id, "return", amount, reason, lines=lines, restock=restock, to=to, once=once, by=by
        )

    async def cancel(
        self,
        order_id: UUID,
        reason: str,
        once: Once | None,
        *,
        lines: Quantities | None = None,
        by: UUID | None = None,
    ) -> Reversal:
        """Cancel an order of which nothing was shipped: all money and goods go back.

        Of one that was shipped in part, what is left to ship (or `lines` of it) goes back with its price.
        Of one whose payment was refused only the goods do. Events: OrderCancelled, OrderRefunded.

        Raises:
            WrongTransition, MoreThanOrdered, NotPaidYet: it stays as it is.
        """
        return await self._take_back(
            order_id, "cancellation", None, reason, lines=lines, restock=True, once=once, by=by
        )

    async def of_order(self, order_id: UUID) -> tuple[list[Fulfilment], list[Reversal]]:
        async with self._db.read() as connection:
            return await store.of_order(connection, order_id)

    async def _take_back(
        self,
        order_id: UUID,
        kind: str,
        amount: Money | None,
        reason: str,
        *,
        lines: Quantities | None = None,
        restock: bool = False,
        to: Destination = "source",
        once: Once | None,
        by: UUID | None,
    ) -> Reversal:
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                noted = UUID(bytes=tx.stored)
                held = None
            else:
                order = await self.locked(tx, order_id, COMMANDS[kind])
                lines = _wanted(order, kind, lines)
                reversal = _reversal(order, kind, amount, reason, lines=lines, restock=restock, to=to)
                if not await store.take_back(tx, reversal, lines):
                    raise domain.MoreThanPaid(refundable=order.refundable)
                if kind == "cancellation":
                    await self._no_more_edits(tx, order_id)
                await self._move(tx, order, reversal, lines)
                await timeline.note(tx, order_id, COMMANDS[kind], by, reason)
                noted = reversal.id
                held = await self.runner.start(tx, noted, datetime.now(UTC) + TIME)
                tx.remember(noted.bytes)
        if held is not None:
            try:
                async with asyncio.timeout(deadline.remaining_s(ANSWER_S)):
                    await asyncio.shield(asyncio.ensure_future(self.runner.drive(held)))
            except TimeoutError:
                log.info("money is not back yet", reversal=str(noted))
        return await self._read(noted)

    async def _move(self, tx: Transaction, order: Order, reversal: Reversal, lines: Quantities) -> None:
        """The order's next state, if this changes it."""
        if reversal.kind == "cancellation" and order.status == "confirmed":
            domain.check_command(order.status, "cancel", "cancelled")
            await store.move(tx, order.id, "cancelled")
            tx.publish(
                OrderCancelled(
                    order_id=order.id, number=order.number, email=order.email, name=order.name,
                    total=order.total, user_id=order.user_id,
                )
            )  # fmt: skip
            return
        after = domain.after_reversal(order, reversal.kind, lines)
        if after != order.status:
            domain.check_command(order.status, COMMANDS[reversal.kind], after)
            await store.move(tx, order.id, after)

    async def locked(self, tx: Transaction, order_id: UUID, command: Command) -> Order:
        """The order, held until `tx` ends; to cancel also one that will never be paid."""
        status = await store.lock(tx, order_id)
        order = await order_store.find(tx, order_id) if status else None
        if order is None:
            raise NotFound(detail=f"no order {order_id}")
        domain.check_command(order.status, command)
        if order.payment_refused:
            if command == "cancel":
                return order
            raise domain.PaymentRefused(
                detail="nothing can be shipped or paid back; cancel the order",
                payment_status=order.payment_status,
            )
        whole = command == "fulfil" or (command == "cancel" and order.status == "confirmed")
        if order.payment_status not in CAPTURED and not (order.to_be_collected and whole):
            raise domain.NotPaidYet(payment_status=order.payment_status)
        if order.unpaid:
            _check_further(order, command)
        return order

    async def _no_more_edits(self, tx: Transaction, order_id: UUID) -> None:
        """A change that waits for its payment is withdrawn: there will be nothing to change."""
        if (edit_id := await edit_store.waiting(tx, order_id)) is not None:
            await edit_store.withdraw(tx, edit_id, refusal_of(EditWithdrawn()))
            await self.runner.wake(tx, edit_id, cancel=True)

    async def _read(self, reversal_id: UUID) -> Reversal:
        async with self._db.read() as connection:
            found = await store.reversal(connection, reversal_id)
        if found is None:
            raise NotFound(detail=f"no refund {reversal_id}")
        return found

    # The saga's steps: each is idempotent by the reversal's id.

    async def _note(self, _reversal_id: UUID) -> Reply:
        return Done()

    async def restock(self, reversal_id: UUID) -> Reply:
        reversal = await self._read(reversal_id)
        if reversal.restock:
            await self._products.restock(reversal_id, reversal.restock, reversal.kind)
        return Done()

    async def _ended(self, tx: Transaction, reversal_id: UUID, place: Place) -> None:
        """Nothing is left to do: what ended was booked step by step."""


def _check_further(order: Order, command: Command) -> None:
    """Whether that may be done to an order of which a change is not paid.

    Raises:
        PaymentRefused: it never will be; cancel the order.
        NotPaidYet: it is about to be, or the change itself asks for money.
    """
    if command == "cancel" and not order.being_captured:
        return
    never = next((payment for payment in order.further if payment.never_taken), None)
    if never is not None:
        raise domain.PaymentRefused(
            detail="what a change made it dearer will not be paid; cancel the order",
            payment_status=never.status,
        )
    if order.being_captured or command == "edit":
        raise domain.NotPaidYet(payment_status="authorised")


def _wanted(order: Order, kind: str, lines: Quantities | None) -> Quantities:
    """Of which lines how much goes back; raises what forbids it."""
    if kind == "return":
        domain.check_quantities(lines or {}, domain.left_to_return(order))
        return lines or {}
    if kind != "cancellation" or order.status == "confirmed":
        if lines:
            raise invalid("/lines", "are for an order that was shipped in part; edit one that was not")
        return {}
    left = domain.left_to_ship(order)
    domain.check_quantities(lines or {}, left)
    return lines or left


def _reversal(
    order: Order,
    kind: str,
    amount: Money | None,
    reason: str,
    *,
    lines: Quantities,
    restock: bool,
    to: Destination,
) -> Reversal:
    """What goes back of `order`; raises what forbids it."""
    if to == "wallet" and order.user_id is None:
        raise invalid("/to", "must be source: a guest has no wallet")
    wanted = amount
    if order.to_be_collected:
        wanted = Money(0, order.currency)
    if wanted is None:
        wanted = min(domain.value_of(order, lines), order.refundable) if lines else order.refundable
    if wanted.minor < 0:
        raise invalid("/refund" if kind == "return" else "/amount", "must not be negative")
    if wanted.currency != order.currency or order.refundable < wanted:
        raise domain.MoreThanPaid(refundable=order.refundable)
    if kind == "refund" and wanted.minor == 0:
        raise domain.MoreThanPaid(refundable=order.refundable)
    skus = {line.id: line.sku for line in order.lines}
    units = lines or domain.left_to_ship(order)
    return Reversal(
        shares=domain.shares(order.payment_id, order.further, wanted),
        id=new_id(),
        order_id=order.id,
        kind=kind,  # type: ignore[arg-type]
        amount=wanted,
        restock=[ReserveLine(skus[line_id], count) for line_id, count in units.items()] if restock else [],
        reason=reason,
        destination=to,
        created_at=datetime.now(UTC),
    )


def _shipped(order: Order, lines: Quantities, tracking: Tracking, *, complete: bool) -> OrderShipped:
    return OrderShipped(
        order_id=order.id, number=order.number, user_id=order.user_id, email=order.email, name=order.name,
        lines=[
            ShippedLine(sku=line.sku, name=line.name, quantity=lines[line.id])
            for line in order.lines
            if line.id in lines
        ],
        carrier=tracking.carrier, tracking_number=tracking.number, tracking_url=tracking.url,
        complete=complete,
    )  # fmt: skip
