"""The sandbox as a `Provider`: its API, behind a wire that may be slow.

Test tokens stand for cards: `tok_ok`, `tok_declined`, `tok_insufficient_funds`, `tok_3ds` (the buyer must
confirm), `tok_timeout` (settles, and answers, later than anybody waits), `tok_duplicate_webhook` (told
twice). Without a token the buyer types a card on the hosted page. Webhooks tell what happens outside of a
call: the buyer's decision, a late outcome.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

from shopwright.chassis.db import in_transaction
from shopwright.chassis.validation import check, invalid

from ..domain import Order, Payment, Report
from ..provider import Notice, ReportRow, WebhookNotGenuine
from ..sites import Sites
from . import signature
from .books import Books, Charge, Webhook, new_charge


@dataclass(frozen=True)
class Card:
    """How a test card behaves."""

    state: Literal["authorised", "declined", "requires_action", "processing"] = "authorised"
    decline_code: str = ""
    stage: str | None = None
    notices: int = 0


TOKENS: Final[Mapping[str, Card]] = {
    "": Card("requires_action", stage="card"),
    "tok_ok": Card(),
    "tok_declined": Card("declined", "card_declined"),
    "tok_insufficient_funds": Card("declined", "insufficient_funds"),
    "tok_3ds": Card("requires_action", stage="challenge"),
    "tok_timeout": Card("processing", notices=1),
    "tok_duplicate_webhook": Card(notices=2),
}
SLICE: Final = timedelta(minutes=5)
UNKNOWN_TOKEN: Final = Card("declined", "unknown_token")


class SandboxProvider:
    name = "sandbox"
    methods: Collection[str] = frozenset({"card"})

    def __init__(self, books: Books, secret: str, sites: Sites, *, late: timedelta) -> None:
        self._books, self._secret, self._sites, self._late = books, secret, sites, late

    def check(self, order: Order) -> None:
        if TOKENS.get(order.token, UNKNOWN_TOKEN).state == "requires_action":
            self._sites.resolve(order.return_url)

    async def authorise(self, order: Order, *, key: str) -> Report:
        _outside_transactions()
        card = TOKENS.get(order.token, UNKNOWN_TOKEN)
        session, action_url, return_url = None, "", ""
        if card.state == "requires_action":
            session = secrets.token_urlsafe(32)
            origin, return_url = self._sites.resolve(order.return_url)
            action_url = f"{origin}/sandbox/pay/{session}"
        charge = new_charge(
            key=key,
            reference=order.id,
            amount=order.amount.minor,
            currency=order.amount.currency,
            description=order.description,
            state=card.state,
            stage=card.stage,
            session=session,
            action_url=action_url,
            return_url=return_url,
            decline_code=card.decline_code,
        )
        slow = card.state == "processing"
        settles_in = self._late if slow else timedelta(0)
        made = await self._books.open(charge, settles_in=settles_in, notices=card.notices)
        if slow and made.id == charge.id:
            await asyncio.sleep(self._late.total_seconds())
            made = msgspec.structs.replace(made, state="authorised")
        return report(made)

    async def capture(self, payment: Payment, amount: int, *, key: str) -> Report:
        del key  # a charge is captured once, whoever asks
        _outside_transactions()
        charge = await self._books.capture(payment.provider_ref or "", amount)
        if charge is not None:
            return report(charge)
        known = await self._known(payment)
        return report(known, refused="" if known.captured else f"charge_{known.state}")

    async def void(self, payment: Payment, *, key: str) -> Report:
        del key
        _outside_transactions()
        await self._books.void(payment.provider_ref or "")
        known = await self._known(payment)
        return report(known, refused="already_captured" if known.captured else "")

    async def refund(self, payment: Payment, amount: int, *, key: str) -> Report:
        _outside_transactions()
        done = await self._books.refund(payment.provider_ref or "", amount, key)
        return report(await self._known(payment), refused="" if done else "more_than_captured")

    async def find(self, key: str) -> Report | None:
        _outside_transactions()
        charge = await self._books.by_key(key)
        return None if charge is None else report(charge)

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        if not signature.genuine(self._secret, headers.get(signature.HEADER, ""), body, now.timestamp()):
            raise WebhookNotGenuine
        try:
            raw = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise invalid("", f"is not JSON: {error}") from None
        check(raw, Webhook)
        webhook = msgspec.convert(raw, Webhook)
        return Notice(webhook.id, webhook.charge.reference, report(webhook.charge))

    async def report(self, day: date, margin: timedelta) -> AsyncIterator[ReportRow]:
        """A few minutes of the books in memory at a time."""
        midnight = datetime.combine(day, time(), UTC)
        first, end = midnight - margin, midnight + timedelta(days=1) + margin
        while first < end:
            last = min(first + SLICE, end)
            for moved in await self._books.movements(first, last):
                yield ReportRow(
                    ref=moved.ref,
                    reference=_uuid(moved.reference),
                    kind=moved.kind,
                    key=moved.key,
                    amount=moved.amount,
                    fee=moved.fee,
                    currency=moved.currency,
                    at=moved.at,
                )
            first = last

    async def _known(self, payment: Payment) -> Charge:
        charge = await self._books.by_id(payment.provider_ref or "")
        assert charge is not None, "our side asks about charges that were made here"
        return charge


def report(charge: Charge, *, refused: str = "") -> Report:
    return msgspec.convert(
        {
            "ref": charge.id,
            "state": charge.state,
            "amount": charge.amount,
            "captured": charge.captured,
            "fee": charge.fee,
            "refunds": charge.refunds,
            "action_url": charge.action_url if charge.state == "requires_action" else "",
            "decline_code": charge.decline_code,
            "refused": refused,
        },
        Report,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _outside_transactions() -> None:
    if in_transaction():
        raise RuntimeError("the payment provider was called inside a database transaction")
