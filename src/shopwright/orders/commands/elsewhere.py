"""Money that was given back without us: at the payment provider's desk, or by a bank.

The order follows the payment: what payments knows to be back and nobody asked for here is noted as a refund
that has succeeded, so that nobody gives the same money back again. Never more than is left of the order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from shopwright.chassis.db import Database
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.orders import OrderRefunded

from ..clients import Payments
from ..domain import Order, Reversal
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
        back = (await self._payments.get(known.payment_id)).refunded
        if back <= known.refunding.minor:
            return
        async with self._db.begin() as tx:
            await store.lock(tx, order_id)
            order = await order_store.find(tx, order_id)
            if order is None or (more := back - order.refunding.minor) <= 0:
                return
            noted = _reversal(order, more)
            if not await store.take_back(tx, noted, {}):
                log.warning("more was given back than the order cost", order=str(order_id), amount=more)
                return
            refunded = await store.paid_back(tx, noted.id)
            tx.publish(
                OrderRefunded(
                    order_id=order.id, number=order.number, user_id=order.user_id, email=order.email,
                    name=order.name, amount=noted.amount, refunded=Money(refunded, order.currency),
                    reason=REASON,
                )
            )  # fmt: skip


def _reversal(order: Order, amount: int) -> Reversal:
    return Reversal(
        id=new_id(), order_id=order.id, kind="refund", amount=Money(amount, order.currency), restock=[],
        reason=REASON, created_at=datetime.now(UTC),
    )  # fmt: skip
