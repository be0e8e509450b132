"""A reconciliation as it is read: its state, the sums of both sides, and what differs. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

Status = Literal["queued", "running", "done", "failed"]
What = Literal["missing_here", "missing_there", "amount_differs", "fee_differs", "twice"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    provider: str
    day: date
    status: Status
    error: str
    attempts: int
    rows_there: int
    differences: int
    asked_at: datetime
    finished_at: datetime | None


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """One currency's sums, in minor units. `there`: the provider's, `here`: ours."""

    currency: str
    there_captured: int
    there_refunded: int
    there_charged_back: int
    there_fees: int
    here_captured: int
    here_refunded: int
    here_charged_back: int
    here_fees: int
    here_net: int

    @property
    def there_net(self) -> int:
        """What the provider owes us for the day."""
        return self.there_captured - self.there_refunded - self.there_charged_back - self.there_fees


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """`missing_here`: the provider moved money that we know nothing of; `twice`: more often than we do."""

    number: int
    what: What
    kind: str
    payment_id: UUID | None
    ref: str
    key: str
    currency: str
    there_amount: int | None
    there_fee: int | None
    here_amount: int | None
    here_fee: int | None
    at: datetime
