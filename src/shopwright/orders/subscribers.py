"""What orders reacts to."""

from __future__ import annotations

from shopwright.contracts.payments import PaymentChanged
from shopwright.contracts.users import UserErased

from .commands.orders import Orders

DECIDED = {"authorised", "captured", "declined", "voided"}


class Subscribers:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def on_payment_changed(self, fact: PaymentChanged, once: str) -> None:
        """The buyer acted, or the provider told late: let the order's saga look again."""
        if fact.status in DECIDED:
            await self._orders.look_again(fact.order_id, once)

    async def on_user_erased(self, fact: UserErased, once: str) -> None:
        await self._orders.forget_user(fact.user_id, once)
