"""What people do with stored value: fill a wallet, give gift cards away, see what is left.

A top-up is a payment like any other, taken as soon as it is authorised; the wallet grows in the transaction
that books the money. A worker takes those whose buyer came back later, and gives up those who did not.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

import structlog

from shopwright.chassis.db import Once
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentNotAuthorised, ProviderRefused
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotFound, PaymentDeclined, RequestInFlight, Unavailable

from .. import domain
from ..commands import Payments, Routing
from ..domain import Order, Payment, Wanted
from ..store import payments as store
from .books import Account, Books
from .codes import Codes, chosen, new_code, normalised

log = structlog.get_logger()

WORTH_MAX = 10_000_000  # of one gift card or top-up, in minor units: more is a typing error
BUYER_TIME = timedelta(hours=1)  # to finish a top-up on the provider's page
LOOK_EVERY_S = 1.0
LOOKS_AT_ONCE = 20


class CodeTaken(Problem):
    """There is a gift card with this code already."""

    kind = "conflict"


class GiftCardNotValid(Problem):
    """This gift card pays nothing."""

    kind = "invalid"
    reason: Literal["unknown", "disabled", "expired", "empty"]


class Wallets:
    def __init__(self, payments: Payments, routing: Routing, books: Books) -> None:
        self._payments, self._routing, self._books = payments, routing, books

    async def balances(self, user_id: UUID) -> list[Account]:
        return await self._books.wallets(user_id)

    async def top_up(
        self, user_id: UUID, amount: Money, *, token: str, return_url: str, once: Once | None
    ) -> Payment:
        """Pay money into the buyer's wallet. Ledger: clearing and fees against the wallet.

        Idempotent by the request's key.

        Raises:
            PaymentDeclined, PaymentDiffers, InvalidInput: nothing was taken.
        """
        if not 0 < amount.minor <= WORTH_MAX:
            raise invalid(
                "/amount", f"must be from {Money(1, amount.currency)} to {Money(WORTH_MAX, amount.currency)}"
            )
        order = Order(
            id=uuid5(user_id, once.key) if once else new_id(),
            order_id=None,
            amount=amount,
            method="card",
            token=token,
            return_url=return_url,
            description="Wallet top-up",
            user_id=user_id,
            purpose="top_up",
        )
        payment = await self._payments.authorise(order, self._routing.first(Wanted(order=order)))
        self._routing.worked(payment)
        if payment.decline_code == domain.UNREACHABLE:
            self._routing.failed(payment.provider)
        payment = await self._take(payment)
        if payment.status in domain.OVER:
            raise PaymentDeclined(code=payment.decline_code or payment.status)
        return payment

    async def of_user(self, user_id: UUID, payment_id: UUID) -> Payment:
        """A top-up as it stands. Raises NotFound for another buyer's."""
        payment = await self._payments.get(payment_id)
        if payment.user_id != user_id or payment.purpose != "top_up":
            raise NotFound(detail=f"no top-up {payment_id}")
        return await self._take(payment)

    async def run(self, stop: asyncio.Event) -> None:
        """Worker: take top-ups that were authorised later, give up those nobody finishes."""
        while not stop.is_set():
            try:
                for payment in await store.top_ups(self._payments.db, BUYER_TIME, LOOKS_AT_ONCE):
                    await self._take(payment)
            except (Unavailable, RequestInFlight) as problem:
                log.warning("top-ups wait", error=str(problem))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def _take(self, payment: Payment) -> Payment:
        if payment.status == "authorised":
            try:
                return await self._payments.capture(payment.id)
            except (ProviderRefused, PaymentNotAuthorised):
                return await self._payments.void(payment.id)
        opened = payment.created_at
        late = opened is not None and datetime.now(UTC) - opened > BUYER_TIME
        if payment.status == "requires_action" and late:
            return await self._payments.void(payment.id)
        return payment


class GiftCards:
    def __init__(self, books: Books, codes: Codes) -> None:
        self._books, self._codes = books, codes

    async def issue(
        self,
        worth: Money,
        by_user: UUID,
        *,
        code: str = "",
        expires_at: datetime | None = None,
        note: str = "",
        once: Once | None = None,
    ) -> tuple[Account, str]:
        """A new gift card and its code, which is told this once. Ledger: given away against gift cards.

        Raises:
            CodeTaken: another card has that code, or this very request was answered before.
        """
        if not 0 < worth.minor <= WORTH_MAX:
            raise invalid(
                "/amount", f"must be from {Money(1, worth.currency)} to {Money(WORTH_MAX, worth.currency)}"
            )
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise invalid("/expires_at", "must lie in the future")
        shown = chosen(code) if code else new_code()
        card = Account(
            id=uuid5(by_user, once.key) if once else new_id(),
            kind="gift_card", user_id=None, currency=worth.currency, balance=0, held=0,
            last4=normalised(shown)[-4:], issued=worth.minor, note=note, expires_at=expires_at,
            disabled_at=None, created_at=datetime.now(UTC),
        )  # fmt: skip
        issued = await self._books.issue(card, self._codes.hash(shown), by_user)
        if issued is None:
            raise CodeTaken(detail="choose another code; one that was told before is not told again")
        return issued, shown

    async def check(self, code: str) -> Account:
        """The gift card that `code` opens. Raises GiftCardNotValid."""
        [card] = await self._books.gift_cards_of([self._codes.hash(code)])
        if card is None:
            raise GiftCardNotValid(reason="unknown")
        problem = card.problem(card.currency, datetime.now(UTC))
        if problem:
            raise GiftCardNotValid(reason=problem.removeprefix("gift_card_"))  # type: ignore[arg-type]
        return card

    async def listing(self, before: UUID | None, limit: int) -> list[Account]:
        return await self._books.gift_cards(before, limit)

    async def disable(self, card_id: UUID) -> Account:
        """The card pays nothing from now on; what orders hold of it already stays theirs. Raises NotFound."""
        card = await self._books.disable(card_id)
        if card is None:
            raise NotFound(detail=f"no gift card {card_id}")
        return card
