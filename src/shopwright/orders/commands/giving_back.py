"""Giving money back: a step of whatever goes back of an order, idempotent by the reversal's id.

What was paid later goes back first. A payment whose provider refuses gives nothing of its share, and the
reversal is then of what the others gave; what is left can be asked for again.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from shopwright.chassis.db import Database, Transaction
from shopwright.chassis.saga import Done, Failed, Reply
from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import OrderRefunded
from shopwright.contracts.payments import PaymentDiffers, PaymentNotCaptured, ProviderRefused, RefundTooLarge
from shopwright.contracts.payments_rpc import PaymentState

from ..clients import Payments
from ..domain import Order, Reversal, Share
from ..store import after_sale as store
from ..store import edits as edit_store
from ..store import orders as order_store
from ..store.tenders import set_tender
from .tenders import known

_REFUSALS: Final = (ProviderRefused, RefundTooLarge, PaymentNotCaptured, PaymentDiffers)


class GivingBack:
    def __init__(self, db: Database, payments: Payments) -> None:
        self._db, self._payments = db, payments

    async def give_back(self, reversal_id: UUID) -> Reply:
        """Event: OrderRefunded."""
        async with self._db.read() as connection:
            reversal = await store.reversal(connection, reversal_id)
            assert reversal is not None, "the saga's reversal was deleted"
            order = await order_store.find(connection, reversal.order_id)
        assert order is not None, "the reversal's order was deleted"
        if order.to_be_collected:
            return await self._never_collected(order, reversal_id)
        given: dict[UUID, PaymentState] = {}
        lost: dict[UUID, str] = {}
        for share in _shares(order, reversal):
            answer = await self._give(order, reversal, share)
            if answer is None:
                return Failed("whether the money is back is not known yet")
            if isinstance(answer, str):
                lost[share.payment_id] = answer
            else:
                given[share.payment_id] = answer
        if reversal.kind == "cancellation" and order.status == "cancelled" and order.unpaid:
            for payment in order.further:
                if payment.status == "authorised":
                    state = await self._payments.void(payment.id)
                    if state.status not in {"voided", "declined"}:
                        return Failed(f"the payment is {state.status} and not yet given up")
        return _booked(order, reversal, given, lost)

    async def _give(self, order: Order, reversal: Reversal, share: Share) -> PaymentState | str | None:
        """How the payment stands then, or why it gives nothing; None: not known yet."""
        wallet_of = order.user_id if reversal.destination == "wallet" else None
        refund_id = share.refund_id(reversal.id, order.payment_id)
        try:
            state = await self._payments.refund(
                refund_id, share.payment_id, share.amount, wallet_of=wallet_of
            )
        except _REFUSALS as problem:
            return f"{problem.title}. {problem.detail}".strip()
        if state.refund_status == "failed":
            return "The provider refused."
        return state if state.refund_status == "succeeded" else None

    async def _never_collected(self, order: Order, reversal_id: UUID) -> Reply:
        """Nobody will ask for the cash of a cancelled order; what else was held for it is free again."""
        state = await self._payments.void(order.payment_id)
        if state.status != "voided":
            return Failed(f"the payment is {state.status} and not yet given up")

        async def book(tx: Transaction) -> None:
            await store.paid_back(tx, reversal_id)
            change = order_store.payment_status_set(order.id, state.status)
            await tx.execute(change.sql, *change.values)

        return Done(book)


def _shares(order: Order, reversal: Reversal) -> list[Share]:
    whole = [Share(order.payment_id, reversal.amount)] if reversal.amount.minor else []
    return reversal.shares or whole


def _booked(order: Order, reversal: Reversal, given: dict[UUID, PaymentState], lost: dict[UUID, str]) -> Done:
    shares = {share.payment_id: share.amount for share in _shares(order, reversal)}
    back = total((shares[payment_id] for payment_id in given), order.currency)

    async def book(tx: Transaction) -> None:
        if lost and not given:
            await store.failed(tx, reversal.id, next(iter(lost.values())))
            return
        if lost:
            await store.lose(tx, reversal.id, list(lost), next(iter(lost.values())))
        refunded = await store.paid_back(tx, reversal.id)
        if order.tender is not None and order.payment_id in given:
            await set_tender(tx, order.id, known(order, order.tender, given[order.payment_id]))
        if reversal.kind == "cancellation" and order.status == "cancelled":
            for payment in order.further:
                change = edit_store.never_taken(payment.id, "voided")
                await tx.execute(change.sql, *change.values)
        if back.minor and refunded is not None:
            tx.publish(_refunded(order, reversal, back, Money(refunded, order.currency)))

    return Done(book)


def _refunded(order: Order, reversal: Reversal, amount: Money, refunded: Money) -> OrderRefunded:
    return OrderRefunded(
        order_id=order.id,
        number=order.number,
        user_id=order.user_id,
        email=order.email,
        name=order.name,
        amount=amount,
        refunded=refunded,
        reason=reversal.reason,
    )
