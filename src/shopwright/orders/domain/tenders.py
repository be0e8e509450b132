"""What pays an order beside one card: gift cards, the wallet, money received by hand; and the parts of it.

Codes of gift cards are kept until the payment has them, and only their last letters after that.
"""

from __future__ import annotations

from typing import Final

import msgspec

from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentStatus

BY_HAND: Final = ("cash_on_delivery", "bank_transfer")


class PaymentPart(msgspec.Struct, frozen=True):
    """One of the payments that pay an order together."""

    method: str
    amount: Money
    status: PaymentStatus


class Tender(msgspec.Struct, frozen=True, kw_only=True):
    """What the buyer asked for, and what came of it; `instructions`: what they have to do by hand."""

    gift_cards: list[str] = []
    use_wallet: bool = False
    parts: list[PaymentPart] = []
    instructions: str = ""

    def known(self, parts: list[PaymentPart], instructions: str) -> Tender:
        """The tender once payments know it: without the codes, which are as good as money."""
        masked = [f"•••• {code[-4:]}" for code in self.gift_cards]
        return Tender(
            gift_cards=masked, use_wallet=self.use_wallet, parts=parts, instructions=instructions
        )  # fmt: skip

    def forgotten(self) -> Tender:
        return self.known(self.parts, self.instructions)


def tender_of(method: str, gift_cards: list[str], *, use_wallet: bool) -> Tender | None:
    """None for an order that one card pays."""
    if method == "card" and not gift_cards and not use_wallet:
        return None
    return Tender(gift_cards=gift_cards, use_wallet=use_wallet)
