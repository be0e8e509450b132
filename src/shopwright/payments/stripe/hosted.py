"""Stripe's hosted page, for buyers who come without a token: a Checkout session that holds one card payment.

The card number never reaches us. Until the session is over its buyer may try another card, so a charge that
failed in it is no decline yet; the session makes at most one charge that holds money.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import stripe

from ..domain import Order, Report
from ..sites import Sites, naming
from .account import Api, code_of, read
from .amounts import from_stripe, to_stripe
from .looking import PAGE, PAGES_MAX, Asked
from .reports import KEY, PAYMENT, Intent, report

SESSION: Final = timedelta(minutes=31)  # Stripe's least is 30; the shop itself gives up after as long
NAME_MAX: Final = 250
CHARGE: Final = "payment_intent.latest_charge.balance_transaction"
HOLDING: Final = {"requires_capture", "succeeded"}


class Session(msgspec.Struct, frozen=True):
    id: str
    status: str
    currency: str
    amount_total: int
    url: str | None = None
    client_reference_id: str | None = None
    payment_intent: Intent | str | None = None


class HostedPage:
    def __init__(self, api: Api, sites: Sites) -> None:
        self._api, self._sites = api, sites

    async def open(self, order: Order, *, key: str) -> Report:
        """Raises stripe.InvalidRequestError if Stripe would not have it."""
        back = naming(self._sites.resolve(order.return_url)[1], order.id)
        ours = {PAYMENT: str(order.id), KEY: key, "shopwright_order": str(order.order_id)}
        price = {
            "currency": order.amount.currency.lower(),
            "unit_amount": to_stripe(order.amount),
            "product_data": {"name": order.description[:NAME_MAX] or "Order"},
        }
        params: Any = {
            "mode": "payment",
            "payment_method_types": ["card"],
            "client_reference_id": str(order.id),
            "line_items": [{"quantity": 1, "price_data": price}],
            "payment_intent_data": {"capture_method": "manual", "metadata": ours},
            "metadata": ours,
            "success_url": back,
            "cancel_url": back,
            "expires_at": int((datetime.now(UTC) + SESSION).timestamp()),
        }
        made = await self._api.ask(
            self._api.v1.checkout.sessions.create_async(params, {"idempotency_key": key})
        )
        return told(read(made, Session))

    async def find(self, session_id: str) -> Session:
        found = await self._api.ask(
            self._api.v1.checkout.sessions.retrieve_async(session_id, {"expand": [CHARGE]})
        )
        return read(found, Session)

    async def made(self, payment_id: UUID, asked_at: Asked) -> Session | None:
        """The session that was opened for a payment whose answer was lost; None if none was.

        Raises:
            TimeoutError: there was too much to look at.
        """
        params: Any = {"created": asked_at.created, "limit": PAGE}
        page = await self._api.ask(self._api.v1.checkout.sessions.list_async(params))
        for _ in range(PAGES_MAX):
            for item in page.data:
                if item.client_reference_id == str(payment_id):
                    return await self.find(item.id)
            if not page.has_more:
                return None
            page = await self._api.ask(page.next_page_async())
        raise TimeoutError("more pages were opened at that time than can be looked at")

    async def close(self, session_id: str, *, key: str) -> Session:
        """End a session that nobody has paid in; one that was paid meanwhile stays as it is."""
        try:
            await self._api.ask(
                self._api.v1.checkout.sessions.expire_async(session_id, {}, {"idempotency_key": key})
            )
        except stripe.InvalidRequestError as error:
            if code_of(error) == "resource_missing":
                raise
        return await self.find(session_id)


def held(session: Session) -> Intent | None:
    """The charge of a session, once it holds money."""
    intent = session.payment_intent
    return intent if isinstance(intent, Intent) and intent.status in HOLDING else None


def told(session: Session) -> Report:
    """What a session in which nothing is held means: the buyer may still pay, or it is over."""
    over = session.status == "expired"
    if session.status == "complete" and isinstance(session.payment_intent, Intent):
        return report(session.payment_intent)
    return Report(
        ref=session.id,
        state="declined" if over else "requires_action" if session.status == "open" else "processing",
        amount=from_stripe(session.amount_total, session.currency),
        action_url="" if over else session.url or "",
        decline_code="expired" if over else "",
    )
