"""What notifications reacts to."""

from __future__ import annotations

from collections.abc import Sequence

from shopwright.contracts.orders import (
    OrderCancelled,
    OrderConfirmed,
    OrderDrafted,
    OrderRefunded,
    OrderShipped,
    PaymentRequested,
    TransferAwaited,
)
from shopwright.contracts.users import PasswordChanged, PasswordResetRequested, UserErased, UserRegistered

from . import domain
from .commands import Notifications
from .domain import NotificationQueued


class Subscribers:
    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    async def on_user_registered(self, fact: UserRegistered, once: str) -> None:
        await self._notifications.notify(domain.welcome(fact, self._notifications.shop_name), once)

    async def on_password_changed(self, fact: PasswordChanged, once: str) -> None:
        await self._notifications.notify(domain.password_changed(fact), once)

    async def on_password_reset_requested(self, fact: PasswordResetRequested, once: str) -> None:
        await self._notifications.notify(domain.password_reset(fact), once)

    async def on_user_erased(self, fact: UserErased, once: str) -> None:
        await self._notifications.forget_user(fact.user_id, once)

    async def on_orders_confirmed(self, facts: Sequence[tuple[OrderConfirmed, str]]) -> None:
        await self._notifications.notify_all([(domain.order_confirmed(fact), once) for fact, once in facts])

    async def on_order_cancelled(self, fact: OrderCancelled, once: str) -> None:
        await self._notifications.notify(domain.order_cancelled(fact), once)

    async def on_order_shipped(self, fact: OrderShipped, once: str) -> None:
        await self._notifications.notify(domain.order_shipped(fact), once)

    async def on_order_refunded(self, fact: OrderRefunded, once: str) -> None:
        await self._notifications.notify(domain.order_refunded(fact), once)

    async def on_order_drafted(self, fact: OrderDrafted, once: str) -> None:
        await self._notifications.notify(domain.order_drafted(fact), once)

    async def on_payment_requested(self, fact: PaymentRequested, once: str) -> None:
        await self._notifications.notify(domain.payment_requested(fact), once)

    async def on_transfer_awaited(self, fact: TransferAwaited, once: str) -> None:
        await self._notifications.notify(domain.transfer_awaited(fact), once)

    async def on_notifications_queued(self, facts: Sequence[tuple[NotificationQueued, str]]) -> None:
        """Its state makes a repeat a no-op; an inbox row could not, for a failed try is no end."""
        await self._notifications.deliver(*(fact.notification_id for fact, _ in facts))
