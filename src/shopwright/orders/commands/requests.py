"""An order that its buyer pays by a link: it waits until they chose how. Event: PaymentRequested, once."""

from __future__ import annotations

from shopwright.chassis.db import Transaction
from shopwright.chassis.saga import Local
from shopwright.contracts.orders import PaymentRequested

from ..domain import Order
from ..store import orders as store
from ..store import pay_links


def ask_for(order: Order) -> Local:
    async def ask(tx: Transaction) -> None:
        link = await pay_links.of_order(tx, order.id)
        if order.status == "awaiting_buyer" or link is None:
            return
        await store.set_status(tx, order.id, "awaiting_buyer", payment_status="pending", action_url=link.path)
        tx.publish(
            PaymentRequested(
                order_id=order.id, number=order.number, user_id=order.user_id, email=order.email,
                name=order.name, link_id=link.id, amount=order.total, until=link.until, purpose="exchange",
            )
        )  # fmt: skip

    return ask
