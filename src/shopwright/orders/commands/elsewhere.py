"""Money that was given back without us: at the payment provider's desk, or by a bank.

The order follows the payment: what payments knows to be back and nobody asked for here is noted as a refund
that has succeeded, so that nobody gives the same money back again. Never more than is left of the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from shopwright.chassis.db import Database
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import OrderRefunded

from ..clients import Payments
from ..domain import Order, Reversal, Share
from ..store import after_sale as store
from ..store import orders as order_store

log = structlog.get_logger()

REASON: Final = "Given back at the payment provider"


class PaidBackElsewhere:
    def __init__(self, db: Database, payments: Payments) -> None:
        self._db, self._payments = db, payments

    async def follow(self, order_id: UUID) -> None:
        """Note what was given back beyond what was asked for here. Event: OrderRefunded.

        Repeats find nothing left to note. What was asked for here is counted before payments hears of it,
        so that a refund of ours is never taken for somebody else's.
        """
        async with self._db.read() as connection:
            known = await order_store.find(connection, order_id)
        if known is None:
            return
        back = {
            payment_id: (await self._payments.get(payment_id)).refunded for payment_id in _asked_back(known)
        }
        if not _beyond(known, back):
            return
        async with self._db.begin() as tx:
            await store.lock(tx, order_id)
            order = await order_store.find(tx, order_id)
            if order is None or not (more := _beyond(order, back)):
                return
            noted = _reversal(order, more)
            if noted.amount.minor > order.refundable.minor or not await store.take_back(tx, noted, {}):
                log.warning(
                    "more was given back than the order cost", order=str(order_id), amount=str(noted.amount)
                )
                return
            refunded = await store.paid_back(tx, noted.id)
            tx.publish(
                OrderRefunded(
                    order_id=order.id, number=order.number, user_id=order.user_id, email=order.email,
                    name=order.name, amount=noted.amount, refunded=Money(refunded, order.currency),
                    reason=REASON,
                )
            )  # fmt: skip


def _asked_back(order: Order) -> dict[UUID, Money]:
    """What was asked back of each payment that money was taken by."""
    further = {payment.id: payment.refunding for payment in order.further if payment.status == "captured"}
    return {order.payment_id: order.first_refunding} | further


def _beyond(order: Order, back: Mapping[UUID, int]) -> list[Share]:
    """What each payment gave back and nobody here asked for."""
    asked = _asked_back(order)
    return [
        Share(payment_id, Money(more, order.currency))
        for payment_id, amount in back.items()
        if payment_id in asked and (more := amount - asked[payment_id].minor) > 0
    ]


def _reversal(order: Order, more: list[Share]) -> Reversal:
    amount = total((share.amount for share in more), order.currency)
    return Reversal(
        id=new_id(), order_id=order.id, kind="refund", amount=amount, restock=[], reason=REASON,
        created_at=datetime.now(UTC), shares=more if order.further else [],
    )  # fmt: skip
