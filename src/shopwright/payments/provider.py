"""What a payment provider must be able to do, whichever it is.

Every call may come late, twice or never back: the caller limits its time and treats silence as an unknown
outcome. `key` makes a repeat recognisable; our side does not rely on the provider honouring it, and never
repeats a charge or a refund. Each answer is the provider's whole truth about the charge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

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
    """A provider's webhook, its signature checked: what it says of the charge made for `reference`."""

    id: str
    reference: str
    report: Report


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

    async def refund(self, payment: Payment, amount: int, *, key: str) -> Report: ...

    async def find(self, key: str) -> Report | None:
        """What became of the charge that was asked for under `key`; None if it was never heard of."""
        ...

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """Read a webhook; raises WebhookNotGenuine, or InvalidInput when it makes no sense."""
        ...
