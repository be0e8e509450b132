"""What a payment provider must be able to do, whichever it is.

Every call may come late, twice or never back: the caller limits its time and treats silence as an unknown
outcome. `key` makes a repeat recognisable; our side does not rely on the provider's server honouring it: a
charge or refund is repeated only when the provider, asked long after, does not know it. Each answer is the
provider's whole truth about the charge.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from shopwright.contracts.problem import Problem

from .domain import Order, Payment, Report


class WebhookNotGenuine(Problem):
    """The signature of this webhook is missing, wrong or too old."""

    kind = "unauthenticated"


class ProviderUnreachable(Problem):
    """The payment provider cannot be reached; nothing was sent.

    Raised by a provider's call only if it is certain that the request was not taken: the connection was
    refused, or the answer said so. Anything in doubt is a time-out.
    """

    kind = "unavailable"


class Notice(msgspec.Struct, frozen=True):
    """A provider's webhook, its signature checked: what it says of the charge made for `reference`.

    Without a report it says only that the charge has moved: it is asked for. `ref` is the provider's name of
    the charge, for a webhook that does not tell ours.
    """

    id: str
    reference: str
    report: Report | None
    ref: str = ""


RowKind = Literal["capture", "refund", "chargeback"]


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of money in a provider's report, in minor units; negative if it was taken back.

    `ref` is the provider's name of the charge, `reference` the payment it was made for as far as the
    provider knows, `key` what makes one refund or chargeback of a charge different from another.
    """

    ref: str
    reference: UUID | None
    kind: RowKind
    key: str
    amount: int
    fee: int
    currency: str
    at: datetime


class Reporting(Protocol):
    """A provider that tells afterwards what has moved, to be held against our ledger."""

    name: str

    def report(self, day: date, margin: timedelta) -> AsyncIterator[ReportRow]:
        """All that moved on `day` (UTC) and within `margin` before and after it, in any order.

        Raises:
            ProviderUnreachable, TimeoutError: it does not tell now.
        """
        ...


class Provider(Protocol):
    """`methods`: what a buyer may choose that is paid through it, such as `card`."""

    name: str
    methods: Collection[str]

    def check(self, order: Order) -> None:
        """Raises InvalidInput for an order that `authorise` would not take; asks nobody."""
        ...

    async def authorise(self, order: Order, *, key: str) -> Report: ...

    async def capture(self, payment: Payment, amount: int, *, key: str) -> Report: ...

    async def void(self, payment: Payment, *, key: str) -> Report: ...

    async def refund(self, payment: Payment, amount: int, *, key: str) -> Report:
        """Give `amount` back; one that was made under `key` already is told, not made again."""
        ...

    async def find(self, key: str) -> Report | None:
        """What became of the charge that was asked for under `key`; None if it was never heard of."""
        ...

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """Read a webhook; raises WebhookNotGenuine, or InvalidInput when it makes no sense."""
        ...
