"""What pays an order beside one card."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from shopwright.chassis.db import Change, Transaction

from ..domain import Tender

_PAID: Final = "UPDATE orders SET payment_status = $2, tender = $3, updated_at = now() WHERE id = $1"
_SET: Final = "UPDATE orders SET tender = $2 WHERE id = $1"


def tender_set(order_id: UUID, tender: Tender) -> Change:
    """As a change that commits together with others, of which none may touch the order's row."""
    return Change(_SET, (order_id, msgspec.to_builtins(tender)))


def paid(order_id: UUID, payment_status: str, tender: Tender) -> Change:
    """The payment's new status, and what it was paid with."""
    return Change(_PAID, (order_id, payment_status, msgspec.to_builtins(tender)))


async def set_tender(tx: Transaction, order_id: UUID, tender: Tender) -> None:
    change = tender_set(order_id, tender)
    await tx.execute(change.sql, *change.values)
