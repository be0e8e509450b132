"""What buyers pay by a link: the difference of a change of an order, or what is sent in exchange.

Who has the link may look at what it asks and pay it, whatever browser they use; only the order's own account
may spend its wallet. A transfer takes longer than stock is held for a link, so it is refused here.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from shopwright.chassis.db import Database, Once
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.problems import NotFound

from .. import domain
from ..domain import Order
from ..domain.edits import Edit
from ..domain.pay_links import PayLink, PayLinkOver
from ..store import edits as edit_store
from ..store import orders as order_store
from ..store import pay_links as store
from ..store.tenders import set_tender
from .edits import Edits, in_time
from .orders import Orders, Payment


class Asked(NamedTuple):
    """What a link asks for; without an edit the order itself."""

    link: PayLink
    order: Order
    edit: Edit | None

    @property
    def amount(self) -> Money:
        return self.edit.due if self.edit else self.order.total

    @property
    def waits(self) -> bool:
        """Whether its buyer may choose how to pay."""
        if self.edit is not None:
            return self.edit.by_link
        return self.order.status in domain.UNDECIDED and self.order.payment_method == domain.LINK


class PayLinks:
    def __init__(self, db: Database, orders: Orders, edits: Edits) -> None:
        self._db, self._orders, self._edits = db, orders, edits

    async def find(self, link_id: UUID) -> Asked:
        async with self._db.read() as connection:
            link = await store.find(connection, link_id)
            order = await order_store.find(connection, link.order_id) if link else None
            edit = await edit_store.find(connection, link.edit_id) if link and link.edit_id else None
        if link is None or order is None:
            raise NotFound(detail=f"no payment link {link_id}")
        return Asked(link, order, edit)

    async def pay(self, link_id: UUID, payment: Payment, user_id: UUID | None, once: Once | None) -> Asked:
        """Pay what is asked; one that is being paid already is only looked at again.

        Raises:
            PayLinkOver, EditNotWaiting, PaymentDeclined, InvalidInput: nothing was taken.
        """
        asked = await self.find(link_id)
        if payment.method == "bank_transfer":
            raise invalid("/payment/method", "must not be bank_transfer: the goods are not held that long")
        if (payment.use_wallet or payment.method == "wallet") and user_id != asked.order.user_id:
            raise invalid("/payment/use_wallet", "needs the account that the order belongs to")
        if asked.edit is not None:
            await self._edits.pay(asked.edit.id, payment, once)
        else:
            await self._pay_order(asked.order, payment, once)
        return await self.find(link_id)

    async def look_again(self, link_id: UUID) -> None:
        """Something happened to the payment: drive on what waits for it, unless somebody does already."""
        asked = await self.find(link_id)
        if asked.edit is not None:
            await self._edits.runner.look_again([asked.edit.id])
        else:
            await self._orders.look_again(asked.order.id)

    async def _pay_order(self, order: Order, payment: Payment, once: Once | None) -> None:
        if order.status not in domain.UNDECIDED:
            raise PayLinkOver
        async with self._db.begin(once) as tx:
            chosen = order_store.Chosen(payment.method, payment.token, payment.return_url)
            if not tx.repeated and await order_store.choose(tx, order.id, chosen):
                tender = domain.tender_of(
                    payment.method, payment.gift_cards, use_wallet=payment.use_wallet
                )  # fmt: skip
                if tender is not None:
                    await set_tender(tx, order.id, tender)
                await self._orders.runner.wake(tx, order.id)
        await in_time(self._orders.look_again(order.id), order.id)
        await self._orders.settled(order.id)
