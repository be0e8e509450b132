"""Calls to payments: how buyers pay, their wallet and gift cards; what staff see and book of all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
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
    balance: Money
    at: datetime
    reason: str = ""


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    balances: list[Money] = []
    items: list[WalletEntry] = []
    next_cursor: str | None = None

    def balance(self, currency: str) -> Money | None:
        """What is in it in this currency; None where there is nothing."""
        found = next((one for one in self.balances if one.currency == currency), None)
        return found if found and found.minor > 0 else None


class TopUp(msgspec.Struct, frozen=True, kw_only=True):
    """A top-up; with an `action_url` the buyer pays there first."""

    id: UUID
    amount: Money
    status: str = ""
    action_url: str | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What is left on a gift card."""

    balance: Money
    expires_at: datetime | None = None


class GiftCard(msgspec.Struct, frozen=True, kw_only=True):
    """A gift card as staff see it; `code` is whole once, when it is issued."""

    id: UUID
    code: str
    issued: Money
    balance: Money
    held: Money
    note: str = ""
    expires_at: datetime | None = None
    disabled_at: datetime | None = None
    created_at: datetime

    @property
    def state(self) -> str:
        if self.disabled_at is not None:
            return "disabled"
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            return "expired"
        return "active" if self.balance.minor else "spent"


class GiftCardPage(msgspec.Struct):
    items: list[GiftCard] = []
    next_cursor: str | None = None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What moved on a day according to one side; `net` is what the provider owes for it."""

    captured: Money
    refunded: Money
    charged_back: Money
    fees: Money
    net: Money


class SidesOfDay(msgspec.Struct, frozen=True, kw_only=True):
    currency: str
    provider: Side
    ledger: Side
    difference: Money


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one provider's report held against the ledger."""

    id: UUID
    provider: str
    day: date
    status: str
    error: str = ""
    rows: int = 0
    differences: int = 0
    totals: list[SidesOfDay] = []
    asked_at: datetime
    finished_at: datetime | None = None


class Seen(msgspec.Struct, frozen=True):
    """An amount and fee as one side has them."""

    amount: Money
    fee: Money


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A movement that one side has otherwise than the other."""

    what: str
    kind: str
    at: datetime
    payment_id: UUID | None = None
    ref: str = ""
    provider: Seen | None = None
    ledger: Seen | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A reconciliation with a page of its differences."""

    reconciliation: Reconciliation
    items: list[Difference] = []
    next_cursor: str | None = None


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

    async def top_up_of(self, token: str, top_up_id: UUID) -> TopUp:
        """How a top-up stands, once the provider was asked."""
        return await self._payments.call("GET", f"/v1/wallet/top-ups/{top_up_id}", TopUp, token=token)

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

    async def reconciliation(self, token: str, run_id: UUID, *, cursor: str = "") -> Found:
        """One, with a page of what differs."""
        path, query = f"/v1/reconciliations/{run_id}", {"cursor": cursor, "limit": 50}
        return await self._payments.call("GET", path, Found, token=token, query=query)

    async def reconcile(self, token: str, day: date) -> None:
        """Ask for a day, of all providers; needs payments:write."""
        await self._payments.call(
            "POST", "/v1/reconciliations", token=token, body={"day": day}, timeout_s=WRITE_S
        )
