"""Finds at Stripe what was made for a payment when the answer was lost.

Stripe's search lags by a minute and more, its lists do not; so the intents of the time when we asked are
listed and their metadata looked at. Where that is too much, search is believed, once it must have caught up.
"Never heard of" is said only when all of it was seen.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import stripe

from ..domain import Payment
from .account import Api, read
from .reports import PAYMENT, Intent

PAGE: Final = 100
PAGES_MAX: Final = 12  # about what Stripe answers within the time a call has
BEFORE: Final = timedelta(minutes=1)  # clocks differ
AFTER: Final = timedelta(minutes=2)  # our row is committed right before the call, which lasts seconds
SEARCHED: Final = timedelta(minutes=5)  # "searchable in less than a minute" under normal conditions
SURE: Final = timedelta(hours=1)  # … and that far behind when Stripe has an outage
EXPAND: Final = "data.latest_charge.balance_transaction"


class Asked(msgspec.Struct, frozen=True):
    """When we asked for a charge: at first, and for the last time if it had to be sent again."""

    first: datetime
    last: datetime

    @staticmethod
    def now() -> Asked:
        at = datetime.now(UTC)
        return Asked(at, at)

    @staticmethod
    def of(payment: Payment) -> Asked:
        first = payment.created_at or datetime.now(UTC)
        last = payment.open.since if payment.open is not None else payment.updated_at or first
        return Asked(first, max(first, last))

    @property
    def created(self) -> dict[str, int]:
        """The filter of Stripe's lists."""
        return {
            "gte": int((self.first - BEFORE).timestamp()), "lte": int((self.last + AFTER).timestamp())
        }  # fmt: skip


class Looking:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def made(self, payment_id: UUID, asked_at: Asked) -> Intent | None:
        """The intent that was made for the payment; None if none ever was.

        Raises:
            TimeoutError: there was too much to look at; it may be there.
        """
        age = datetime.now(UTC) - asked_at.last
        searched = False
        if age > SEARCHED:
            searched, found = await self._search(payment_id)
            if found is not None:
                return found
        return await self._list(payment_id, asked_at, believe_search=searched and age > SURE)

    async def _list(self, payment_id: UUID, asked_at: Asked, *, believe_search: bool) -> Intent | None:
        params: Any = {"created": asked_at.created, "limit": PAGE, "expand": [EXPAND]}
        page = await self._api.ask(self._api.v1.payment_intents.list_async(params))
        for _ in range(PAGES_MAX):
            for item in page.data:
                intent = read(item, Intent)
                if intent.metadata.get(PAYMENT) == str(payment_id):
                    return intent
            if not page.has_more:
                return None
            page = await self._api.ask(page.next_page_async())
        if believe_search:
            return None
        raise TimeoutError("more charges were made at that time than can be looked at")

    async def _search(self, payment_id: UUID) -> tuple[bool, Intent | None]:
        """Whether Stripe could search, and what it found."""
        params: Any = {"query": f"metadata['{PAYMENT}']:'{payment_id}'", "limit": 1, "expand": [EXPAND]}
        try:
            result = await self._api.ask(self._api.v1.payment_intents.search_async(params))
        except stripe.InvalidRequestError:  # not everywhere
            return False, None
        found = [read(item, Intent) for item in result.data]
        return True, found[0] if found else None
