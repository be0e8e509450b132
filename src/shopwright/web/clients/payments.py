"""Calls to payments: how buyers pay, their wallet and gift cards; what staff see and book of all of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.http import Client
from shopwright.contracts.money import Money

from .remote import WRITE_S, Remote


class PaymentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the provider, or what became of it."""

    kind: str
    outcome: str
    amount: Money
    at: datetime
    fee: Money | None = None
    code: str = ""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: str
    amount: Money
    authorised: Money
    captured: Money
    refunded: Money
    method: str = ""
    provider: str = ""
    provider_ref: str | None = None
    decline_code: str | None = None
    events: list[PaymentEvent] = []


class _Payments(msgspec.Struct):
    items: list[Payment] = []


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way to pay; `instructions` are for the buyer."""

    method: str
    name: str = ""
    instructions: str | None = None


class _Methods(msgspec.Struct):
    items: list[Method] = []


class WalletEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What came into a wallet or, negative, went out of it."""

    amount: Money
    at: datetime
    kind: str = ""
    reference: str = ""


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    balances: list[Money] = []
    entries: list[WalletEntry] = []
    next_cursor: str | None = None

    def balance(self, currency: str) -> Money | None:
        """What is in it in this currency; None where there is nothing."""
        found = next((one for one in self.balances if one.currency == currency), None)
        return found if found and found.minor > 0 else None


class TopUp(msgspec.Struct, frozen=True, kw_only=True):
    """A top-up; with an `action_url` the buyer pays there first."""

    id: str = ""
    status: str = ""
    action_url: str | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What is left on a gift card."""

    balance: Money
    expires_at: datetime | None = None


class GiftCard(msgspec.Struct, frozen=True, kw_only=True):
    """A gift card as staff see it; `code` is whole once, when it is issued."""

    id: UUID
    balance: Money
    amount: Money | None = None
    code: str = ""
    status: str = "active"
    note: str = ""
    expires_at: datetime | None = None
    created_at: datetime | None = None


class GiftCardPage(msgspec.Struct):
    items: list[GiftCard] = []
    next_cursor: str | None = None


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one provider's report held against the ledger."""

    id: UUID
    provider: str = ""
    day: date | None = None
    status: str = ""
    differences: int = 0
    created_at: datetime | None = None


class ReconciliationPage(msgspec.Struct):
    items: list[Reconciliation] = []
    next_cursor: str | None = None


class Payments:
    def __init__(self, client: Client) -> None:
        self._payments = Remote(client, "payments")

    async def of_order(self, token: str, order_id: UUID) -> list[Payment]:
        """The payments of an order with their events; needs payments:read."""
        query = {"order_id": str(order_id)}
        return (await self._payments.call("GET", "/v1/payments", _Payments, token=token, query=query)).items

    async def methods(self, currency: str, country: str) -> list[Method]:
        """How an order in this currency can be paid from there."""
        query = {"currency": currency, "country": country}
        return (await self._payments.call("GET", "/v1/payments/methods", _Methods, query=query)).items

    async def check_gift_card(self, token: str, code: str) -> Balance:
        """What a code is worth now; raises NotFound for one that is worth nothing."""
        return await self._payments.call(
            "POST", "/v1/gift-cards/check", Balance, token=token, body={"code": code}
        )

    async def wallet(self, token: str, cursor: str = "", limit: int = 20) -> Wallet:
        """The account's balances and, newest first, what changed them."""
        query = {"cursor": cursor, "limit": limit}
        return await self._payments.call("GET", "/v1/wallet", Wallet, token=token, query=query)

    async def top_up(self, token: str, amount: Money, return_url: str, *, key: str) -> TopUp:
        """Put money into the wallet by card, typed on the provider's page."""
        body = {"amount": amount, "payment": {"return_url": return_url}}
        return await self._payments.call(
            "POST", "/v1/wallet/top-ups", TopUp, token=token, body=body, key=key, timeout_s=WRITE_S
        )

    async def gift_cards(self, token: str, *, cursor: str = "", limit: int = 50) -> GiftCardPage:
        """Newest first, codes masked; needs payments:read."""
        query = {"cursor": cursor, "limit": limit}
        return await self._payments.call("GET", "/v1/gift-cards", GiftCardPage, token=token, query=query)

    async def issue_gift_card(self, token: str, card: dict[str, Any], *, key: str) -> GiftCard:
        """Needs payments:write; the answer alone has the whole code."""
        return await self._payments.call(
            "POST", "/v1/gift-cards", GiftCard, token=token, body=card, key=key, timeout_s=WRITE_S
        )

    async def disable_gift_card(self, token: str, card_id: UUID) -> None:
        path = f"/v1/gift-cards/{card_id}/disable"
        await self._payments.call("POST", path, token=token, timeout_s=WRITE_S)

    async def reconciliations(self, token: str, *, cursor: str = "", limit: int = 50) -> ReconciliationPage:
        """Newest first; needs payments:read."""
        query = {"cursor": cursor, "limit": limit}
        path = "/v1/reconciliations"
        return await self._payments.call("GET", path, ReconciliationPage, token=token, query=query)
