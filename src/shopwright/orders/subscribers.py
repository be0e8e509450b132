"""What orders reacts to."""

from __future__ import annotations

from collections.abc import Sequence

from shopwright.contracts.payments import PaymentChanged
from shopwright.contracts.users import UserErased

from .commands.edits import Edits
from .commands.elsewhere import PaidBackElsewhere
from .commands.orders import Orders
from .domain import BY_HAND, may_be_of_edit

DECIDED = {"authorised", "captured", "declined", "voided"}
GIVEN_BACK = {"partially_refunded", "refunded"}


class Subscribers:
    def __init__(self, orders: Orders, edits: Edits, elsewhere: PaidBackElsewhere) -> None:
        self._orders, self._edits, self._elsewhere = orders, edits, elsewhere

    async def on_payments_changed(self, facts: Sequence[tuple[PaymentChanged, str]]) -> None:
        """Buyers acted, or the provider told late: let the orders' sagas look again.

        A look changes nothing where there is no news, so a repeat needs no inbox row.
        """
        decided = [fact for fact, _ in facts if fact.status in DECIDED]
        await self._orders.look_again(*(fact.order_id for fact in decided))
        whole = {fact.part_of or fact.payment_id for fact in decided}
        await self._edits.look_again([payment_id for payment_id in whole if may_be_of_edit(payment_id)])
        for fact, _ in facts:
            if fact.method in BY_HAND and fact.status == "captured":
                await self._orders.received(fact.order_id)
        for order_id in dict.fromkeys(fact.order_id for fact, _ in facts if fact.status in GIVEN_BACK):
            await self._elsewhere.follow(order_id)

    async def on_user_erased(self, fact: UserErased, once: str) -> None:
        await self._orders.forget_user(fact.user_id, once)
