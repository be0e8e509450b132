"""Stripe as a `Provider`: PaymentIntents that are confirmed at once and captured later.

What became of a charge when the answer was lost is found by listing the intents of that time and looking at
their metadata; only one that is not there is sent again. A refund is looked for under its key before it is
sent. Stripe's idempotency keys are sent as well, and nothing depends on them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import stripe

from shopwright.chassis.validation import invalid

from ..domain import Order, Payment, Report
from ..provider import Notice, ProviderUnreachable, ReportRow
from ..sites import Sites, naming
from . import webhooks
from .account import Account, Api, charge_of, code_of, read
from .amounts import NotExpressible, to_stripe
from .hosted import HostedPage, Session, held, told
from .looking import Asked, Looking
from .reports import KEY, PAYMENT, BalanceLine, Dispute, Intent, Refund, report, row

PAGE: Final = 100
DESCRIPTION_MAX: Final = 1_000
INTENT, SESSION = "pi_", "cs_"  # how Stripe's names of them begin
CHARGE: Final = "latest_charge.balance_transaction"

#: Our books' row of a payment: when Stripe was asked, and its name of the charge once it has answered.
Recalls = Callable[[UUID], Awaitable[Payment | None]]


class StripeProvider:
    name = "stripe"
    methods: Collection[str] = ("card",)

    def __init__(self, account: Account, sites: Sites, recall: Recalls) -> None:
        self._account, self._sites, self._recall = account, sites, recall
        self._api = Api(account)
        self._looking, self._hosted = Looking(self._api), HostedPage(self._api, sites)

    async def close(self) -> None:
        await self._api.close()

    def check(self, order: Order) -> None:
        if order.token and not order.token.startswith("pm_"):
            raise invalid("/token", "must be a payment method of Stripe, pm_…, or left out for its page")
        try:
            to_stripe(order.amount)
        except NotExpressible as error:
            raise invalid("/amount", str(error)) from None
        self._sites.resolve(order.return_url)

    async def authorise(self, order: Order, *, key: str) -> Report:
        try:
            if not order.token:
                return await self._hosted.open(order, key=key)
            return await self._confirm(order, key)
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return await self._refused(order, error)

    async def _confirm(self, order: Order, key: str) -> Report:
        params: Any = {
            "amount": to_stripe(order.amount),
            "currency": order.amount.currency.lower(),
            "capture_method": "manual",
            "confirm": True,
            "payment_method": order.token,
            "payment_method_types": ["card"],
            "return_url": naming(self._sites.resolve(order.return_url)[1], order.id),
            "description": order.description[:DESCRIPTION_MAX],
            "metadata": {PAYMENT: str(order.id), KEY: key, "shopwright_order": str(order.order_id)},
            "expand": [CHARGE],
        }
        made = await self._api.ask(
            self._api.v1.payment_intents.create_async(params, {"idempotency_key": key})
        )
        return report(_intent(made))

    async def capture(self, payment: Payment, amount: int, *, key: str) -> Report:
        ref = await self._ref(payment)
        params: Any = {"amount_to_capture": to_stripe(payment.money(amount)), "expand": [CHARGE]}
        try:
            done = await self._api.ask(
                self._api.v1.payment_intents.capture_async(ref, params, {"idempotency_key": key})
            )
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            known = await self._whole(ref)
            return msgspec.structs.replace(known, refused="" if known.captured else code_of(error))
        return report(_intent(done))

    async def void(self, payment: Payment, *, key: str) -> Report:
        ref = await self._ref(payment)
        if ref.startswith(SESSION):
            session = await self._hosted.close(ref, key=key)
            if session.status == "expired":
                return msgspec.structs.replace(told(session), state="voided", decline_code="")
            if (intent := held(session)) is None:
                return told(session)
            ref = intent.id  # paid in the last moment
        try:
            done = await self._api.ask(
                self._api.v1.payment_intents.cancel_async(ref, {"expand": [CHARGE]}, {"idempotency_key": key})
            )
        except stripe.InvalidRequestError as error:
            known = await self._whole(ref)
            refused = "" if known.state == "voided" else code_of(error)
            return msgspec.structs.replace(known, refused="already_captured" if known.captured else refused)
        return report(_intent(done))

    async def refund(self, payment: Payment, amount: int, *, key: str) -> Report:
        ref = await self._ref(payment)
        known = await self._whole(ref)
        if key in known.refunds:
            return known
        if sum(known.refunds.values()) + amount > known.captured:
            return msgspec.structs.replace(known, refused="more_than_captured")
        try:
            params: Any = {
                "payment_intent": ref,
                "amount": to_stripe(payment.money(amount)),
                "metadata": {PAYMENT: str(payment.id), KEY: key},
            }
            await self._api.ask(self._api.v1.refunds.create_async(params, {"idempotency_key": key}))
        except NotExpressible:
            return msgspec.structs.replace(known, refused="amount_not_expressible")
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            return msgspec.structs.replace(known, refused=code_of(error))
        return await self._whole(ref)

    async def find(self, key: str) -> Report | None:
        payment = await self._recall(UUID(key.partition(":")[0]))
        if payment is None:
            return None
        ref, asked_at = payment.provider_ref or "", Asked.of(payment)
        if ref.startswith(INTENT):
            return await self._whole(ref)
        if ref.startswith(SESSION):
            return await self._of_session(await self._hosted.find(ref))
        if (session := await self._hosted.made(payment.id, asked_at)) is not None:
            return await self._of_session(session)
        made = await self._looking.made(payment.id, asked_at)
        return None if made is None else await self._all_of(made)

    async def _of_session(self, session: Session) -> Report:
        intent = held(session)
        return told(session) if intent is None else await self._all_of(intent)

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        return webhooks.read(self._account.webhook_secret, headers, body, now)

    async def report(self, day: date, margin: timedelta) -> AsyncIterator[ReportRow]:
        """The account's balance, a page of a hundred lines in memory at a time."""
        midnight = datetime.combine(day, time(), UTC)
        first, end = midnight - margin, midnight + timedelta(days=1) + margin
        params: Any = {
            "created": {"gte": int(first.timestamp()), "lt": int(end.timestamp())},
            "expand": ["data.source"],
            "limit": PAGE,
        }
        try:
            page = await self._api.ask(self._api.v1.balance_transactions.list_async(params))
            while page.data:
                for line in page.data:
                    moved = row(read(line, BalanceLine))
                    if moved is not None and first <= moved.at < end:
                        yield moved
                page = await self._api.ask(page.next_page_async())
        except stripe.StripeError as error:
            raise ProviderUnreachable(detail=f"Stripe tells no balance: {code_of(error)}") from None

    async def _refused(self, order: Order, error: stripe.StripeError) -> Report:
        """A refusal leaves a charge behind that holds no money, or none at all."""
        if (charge := charge_of(error)) is not None:
            return report(msgspec.convert(charge, Intent))
        looked_for = isinstance(error, stripe.CardError)
        made = await self._looking.made(order.id, Asked.now()) if looked_for else None
        if made is not None:
            return report(made)
        return Report(
            ref=f"none:{order.id}", state="declined", amount=order.amount.minor, decline_code=code_of(error)
        )

    async def _ref(self, payment: Payment) -> str:
        if payment.provider_ref is not None:
            return payment.provider_ref
        made = await self._looking.made(payment.id, Asked.of(payment))
        assert made is not None, "our side asks about charges that were made here"
        return made.id

    async def _whole(self, ref: str) -> Report:
        """The whole truth about a charge."""
        found = await self._api.ask(self._api.v1.payment_intents.retrieve_async(ref, {"expand": [CHARGE]}))
        return await self._all_of(_intent(found))

    async def _all_of(self, intent: Intent) -> Report:
        refunds: list[Refund] = []
        if intent.given_back:
            params: Any = {"payment_intent": intent.id, "limit": PAGE}
            page = await self._api.ask(self._api.v1.refunds.list_async(params))
            while page.data:
                refunds += [read(refund, Refund) for refund in page.data]
                page = await self._api.ask(page.next_page_async())
        disputes: list[Dispute] = []
        if intent.disputed:
            asked: Any = {"payment_intent": intent.id, "limit": PAGE}
            found = await self._api.ask(self._api.v1.disputes.list_async(asked))
            disputes = [read(dispute, Dispute) for dispute in found.data]
        return report(intent, refunds, disputes)


def _intent(found: stripe.PaymentIntent) -> Intent:
    return read(found, Intent)
