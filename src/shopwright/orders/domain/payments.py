"""What pays an order after its first payment, and from which payment its money goes back. Pure.

A change that makes an order dearer is paid by a payment of its own. Money goes back from the latest payment
first: its provider takes refunds the longest. No payment gives back more than it took.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID, uuid5

import msgspec

from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentStatus

from .tenders import BY_HAND, PaymentPart, Tender

LINK: Final = "link"  # the method of what a buyer is asked for by a link, until they choose one


class FurtherPayment(msgspec.Struct, frozen=True, kw_only=True):
    """`refunding`: what of it was asked back."""

    id: UUID
    edit_id: UUID
    method: str
    amount: Money
    status: Literal["authorised", "captured", "voided", "declined"]
    refunding: Money
    tender: Tender | None = None

    @property
    def refundable(self) -> int:
        return (self.amount - self.refunding).minor if self.status == "captured" else 0

    @property
    def never_taken(self) -> bool:
        """Whether its provider refused, for good, to give what it had authorised."""
        return self.status in {"voided", "declined"}

    @property
    def collected_later(self) -> bool:
        """Whether somebody receives it by hand, perhaps when the goods are handed over."""
        return self.status == "authorised" and self.method in BY_HAND


class Share(msgspec.Struct, frozen=True):
    """What of a reversal comes from which payment."""

    payment_id: UUID
    amount: Money

    def refund_id(self, reversal_id: UUID, first: UUID) -> UUID:
        """The refund's id at payments: the reversal's own for the order's `first` payment."""
        return reversal_id if self.payment_id == first else uuid5(reversal_id, str(self.payment_id))


class EditPayment(msgspec.Struct, frozen=True, kw_only=True):
    """How the difference of a change is paid; by `link` until the buyer chose, and again after a refusal."""

    attempt: int = 1
    method: str = LINK
    token: str = ""
    return_url: str = ""
    tender: Tender | None = None
    by_link: bool = False
    status: PaymentStatus = "pending"
    action_url: str | None = None
    decline_code: str = ""

    def again(self, decline_code: str) -> EditPayment:
        """The next attempt by the link, after one that was refused."""
        return EditPayment(attempt=self.attempt + 1, by_link=True, decline_code=decline_code)

    def settled(self, status: PaymentStatus, tender: Tender | None) -> EditPayment:
        """Without what is as good as money, now that payments have it."""
        return msgspec.structs.replace(self, status=status, token="", tender=tender, action_url=None)


def edit_payment_id(edit_id: UUID, attempt: int) -> UUID:
    """The id of a payment of a change's difference, the same for every repeat of an attempt."""
    return uuid5(edit_id, f"payment:{attempt}")


def may_be_of_edit(payment_id: UUID) -> bool:
    """Whether a payment's id was derived from an edit's; those of orders are not derived (version 7)."""
    return payment_id.version == 5


def shares(first: UUID, further: Sequence[FurtherPayment], amount: Money) -> list[Share]:
    """From which payments `amount` goes back, the latest first; all from the `first` needs no shares."""
    left = amount.minor
    found: list[Share] = []
    for payment in reversed(further):
        if taken := min(left, payment.refundable):
            found.append(Share(payment.id, Money(taken, amount.currency)))
            left -= taken
    if found and left:
        found.append(Share(first, Money(left, amount.currency)))
    return found


def parts_of(payment: FurtherPayment) -> list[PaymentPart]:
    """The payments that paid it together; itself when it is one."""
    if payment.tender is not None and payment.tender.parts:
        return payment.tender.parts
    return [PaymentPart(payment.method, payment.amount, payment.status)]
