"""What staff say of payments by hand, and what buyers are told to do."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentNotAuthorised
from shopwright.contracts.problem import Problem

from ..commands import Payments, Tenders
from ..domain import Tender
from .books import Books

NAMES: Mapping[str, str] = {
    "card": "Card",
    "wallet": "Wallet",
    "gift_card": "Gift card",
    "cash_on_delivery": "Cash on delivery",
    "bank_transfer": "Bank transfer",
}


class NotByHand(Problem):
    """Nothing of this payment is received by hand; its provider tells what became of it."""

    kind = "conflict"


class ByHandPayments:
    """`account`: where transfers go, as buyers are told; empty if the shop takes none."""

    def __init__(self, tenders: Tenders, payments: Payments, books: Books, account: str) -> None:
        self._tenders, self._payments, self._books, self._account = tenders, payments, books, account

    async def received(self, payment_id: UUID, reference: str, by_user: UUID) -> Tender:
        """Cash or a transfer is in. Events: PaymentChanged. A repeat changes nothing.

        Raises:
            NotFound, NotByHand: no such payment.
            PaymentNotAuthorised: it is over; what came in has to be sent back.
        """
        tender = await self._tenders.get(payment_id)
        part = tender.by_hand
        if part is None:
            raise NotByHand
        if part.payment is None or part.payment.order_id is None:
            raise PaymentNotAuthorised(payment_status=tender.status)
        if not await self._books.received(part.payment_id, reference, by_user):
            raise PaymentNotAuthorised(
                detail="it was given up; send back what came in", payment_status=part.status
            )
        await self._payments.ask(part.payment_id)
        if part.method == "cash_on_delivery":  # a transfer comes before the order is confirmed
            return await self._tenders.capture(payment_id)
        return await self._tenders.get(payment_id)

    def instructions(self, tender: Tender) -> str:
        """What the buyer has to do for the part that is paid by hand; empty when there is nothing to do."""
        part = tender.by_hand
        if part is None or part.payment is None or part.status not in {"requires_action", "authorised"}:
            return ""
        amount = str(Money(part.amount, tender.currency))
        if part.method == "cash_on_delivery":
            return f"Have {amount} ready when the goods are delivered."
        return f"Transfer {amount} to {self._account}. Give as reference: {part.payment.provider_ref}"

    def about(self, method: str) -> str:
        """What a buyer should know before choosing `method`."""
        if method == "cash_on_delivery":
            return "You pay when the goods are delivered."
        if method == "bank_transfer":
            return "You transfer the amount; the goods leave once it has arrived."
        return ""
