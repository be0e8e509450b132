"""What can change a payment: authorise, capture, void, refund, the provider's notices, and the look after
unknown outcomes.

Repeats wait for the operation in flight and answer what it found. What is said to and heard from the
provider is in `charges`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Literal
from uuid import UUID

import structlog

from shopwright.chassis import crashpoints
from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid
from shopwright.contracts.payments import ProviderRefused
from shopwright.contracts.problems import InvalidInput, NotFound, RequestInFlight, Unavailable

from .. import domain
from ..domain import Kind, Order, Payment, PaymentEvent, Report
from ..provider import Notice, Provider
from ..store import payments as store
from .charges import MOVES_MAX, Charges, now
from .turns import Turns

log = structlog.get_logger()

LOOKS_AT_ONCE = 50
LOOK_EVERY_S = 1.0

RefundStatus = Literal["succeeded", "failed", "unknown"]


class Payments:
    """`providers` by name, the first that takes a method is asked; a payment's row names its own."""

    def __init__(self, db: Database, providers: Mapping[str, Provider], *, provider_timeout_s: float) -> None:
        self.db, self._providers = db, providers
        self._turns = Turns()
        self._charges = Charges(db, providers, self._turns, provider_timeout_s=provider_timeout_s)

    async def authorise(self, order: Order, provider_name: str = "") -> Payment:
        """Ask a provider for `order.amount`; declined and unknown are answers, not errors.

        Without a name it is the first provider that takes the method. Events: PaymentChanged. Idempotent by
        `order.id`: a repeat asks what became of the charge, and asks for it anew only if the provider never
        heard of it and it can no longer be on its way. A voided payment stays voided.

        Raises:
            PaymentDiffers: the id was used for another order or amount.
            InvalidInput: the provider would not take it; nothing was asked.
        """
        if order.amount.minor <= 0:
            raise invalid("/amount", "must be positive")
        provider = self._charges.provider(provider_name) if provider_name else self._takes(order.method)
        try:
            provider.check(order)
        except InvalidInput:
            if await store.find(self.db, order.id) is None:  # a repeat need not give everything again
                raise
        return await self._turns.to_the_end(self._authorise(order, provider))

    async def capture(self, payment_id: UUID) -> Payment:
        """Take what was authorised. Events: PaymentChanged. Ledger: clearing and fees against revenue.

        Raises:
            NotFound, PaymentNotAuthorised: nothing was taken.
            ProviderRefused: the provider will never give this money, the authorisation has ended.
        """
        return await self._turns.to_the_end(self._operate(payment_id, "capture"))

    async def void(self, payment_id: UUID) -> Payment:
        """Give an authorisation back; a payment nobody has asked for yet will never be made.

        Events: PaymentChanged.

        Raises:
            PaymentAlreadyCaptured: refund it instead.
        """
        try:
            return await self.void_known(payment_id)
        except NotFound:
            unseen = await store.void_unseen(self.db, payment_id)
        return unseen or await self.void_known(payment_id)

    async def void_known(self, payment_id: UUID) -> Payment:
        """As `void`. Raises NotFound for one that nobody has asked for."""
        return await self._turns.to_the_end(self._operate(payment_id, "void"))

    async def refund(self, refund_id: UUID, payment_id: UUID, amount: int) -> Payment:
        """Give `amount` minor units back. Events: PaymentChanged. Ledger: refunds against clearing.

        Idempotent by `refund_id`.

        Raises:
            PaymentNotCaptured, RefundTooLarge, PaymentDiffers: nothing was given back.
            ProviderRefused: the provider did not give it back; try again under another id.
        """
        if amount <= 0:
            raise invalid("/amount", "must be positive")
        return await self._turns.to_the_end(self._refund(refund_id, payment_id, amount))

    async def credit(self, refund_id: UUID, payment_id: UUID, amount: int, user_id: UUID) -> Payment:
        """Give `amount` back to the buyer's wallet instead. Events: PaymentChanged.

        No provider takes part: the payment, the ledger and the wallet change in one transaction. Idempotent
        by `refund_id`.

        Raises:
            PaymentNotCaptured, RefundTooLarge, PaymentDiffers: nothing was given back.
        """
        if amount <= 0:
            raise invalid("/amount", "must be positive")
        return await self._turns.to_the_end(self._credit(refund_id, payment_id, amount, user_id))

    async def known(self, payment_id: UUID) -> Payment:
        """The payment as it is in the books. Raises NotFound."""
        return await self._charges.load(payment_id)

    def check(self, order: Order, provider_name: str) -> None:
        """Raises InvalidInput for an order that its provider would not take."""
        self._charges.provider(provider_name).check(order)

    async def ask(self, payment_id: UUID) -> Payment:
        """The payment after asking its provider anew, whatever is known. Raises NotFound, Unavailable."""
        async with self._turns.turn(payment_id):
            payment = await self._charges.load(payment_id)
            return await self._charges.hear(payment, await self._charges.asked(payment))

    async def refund_status(self, refund_id: UUID, payment_id: UUID) -> RefundStatus:
        """How a refund that was asked for ended; unknown while that is open."""
        end = await store.ended(self.db, domain.key_of("refund", payment_id, refund_id))
        return end.outcome if end is not None and end.outcome in {"succeeded", "failed"} else "unknown"

    async def get(self, payment_id: UUID) -> Payment:
        """The payment; while an outcome is open the provider is asked first. Raises NotFound."""
        payment = await self._charges.load(payment_id)
        return payment if payment.open is None else await self._turns.to_the_end(self._get(payment_id))

    async def receive(self, provider: str, headers: Mapping[str, str], body: bytes) -> None:
        """Take in a provider's webhook, once; one about a charge that is not ours changes nothing.

        Raises:
            NotFound: no such provider. WebhookNotGenuine, InvalidInput: not its words.
        """
        if provider not in self._providers:
            raise NotFound(detail=f"no provider {provider}")
        notice = self._providers[provider].notice(headers, body, now())
        payment = await self._told_of(provider, notice)
        if payment is None:
            log.warning("webhook about a charge that is not ours", reference=notice.reference, ref=notice.ref)
        elif notice.report is None:  # asked for: repeats are harmless, and may find more
            await self._turns.to_the_end(self._charges.hear(payment, await self._charges.asked(payment)))
        else:
            once = f"webhook:{provider}:{notice.id}"
            await self._turns.to_the_end(self._charges.hear(payment, notice.report, once=once))

    async def look_after(self, stop: asyncio.Event) -> None:
        """Ask the provider about every outcome that stays open, with growing pauses, until `stop`."""
        while not stop.is_set():
            try:
                await self.look(stop)
            except (Unavailable, RequestInFlight) as problem:
                log.warning("looking after payments waits", error=str(problem))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def look(self, stop: asyncio.Event) -> None:
        """One round of `look_after`."""
        for payment in await store.due(self.db, LOOKS_AT_ONCE):
            if stop.is_set():
                return
            await self._charges.look(payment)

    async def finish(self, within_s: float) -> None:
        """Let operations end whose callers have gone; what does not is found by `look_after`."""
        await self._turns.finish(within_s)

    async def _told_of(self, provider: str, notice: Notice) -> Payment | None:
        """The payment that a webhook is about; None if it is another shop's or another provider's."""
        try:
            payment = await store.find(self.db, UUID(notice.reference))
        except ValueError:
            payment = await store.of_ref(self.db, provider, notice.ref) if notice.ref else None
        return payment if payment is not None and payment.provider == provider else None

    def _takes(self, method: str) -> Provider:
        for provider in self._providers.values():
            if method in provider.methods:
                return provider
        known = sorted({name for provider in self._providers.values() for name in provider.methods})
        raise invalid("/method", f"must be one of {known}")

    async def _authorise(self, order: Order, provider: Provider) -> Payment:
        async with self._turns.turn(order.id):
            crashpoints.reach("payments.authorise.before-commit")
            key = domain.authorise_key(order.id)
            opened = await store.open_payment(self.db, order, provider.name, self._charges.lease)
            if opened is not None:
                charge = partial(provider.authorise, order, key=key)
                return await self._charges.attempt(opened, charge, first=True)
            known = await self._charges.load(order.id)
            domain.refuse_other_terms(known, order)

            async def again() -> Report:
                return await self._charges.provider(known.provider).authorise(order, key=key)

            return (await self._charges.decided(known, "authorise", again))[0]

    async def _operate(self, payment_id: UUID, kind: Kind) -> Payment:
        async with self._turns.turn(payment_id):
            payment = await self._charges.recall(payment_id)
            if kind == "capture" and payment.method in domain.BY_HAND:
                return await self._charges.load(payment_id)  # is taken when somebody has received it
            payment, go = await self._charges.decided(payment, kind)
            if go:
                payment = await self._charges.go(payment, kind, payment.authorised)
            await self._raise_refused(payment, kind, domain.key_of(kind, payment_id))
            return payment

    async def _refund(self, refund_id: UUID, payment_id: UUID, amount: int) -> Payment:
        key = domain.key_of("refund", payment_id, refund_id)
        async with self._turns.turn(payment_id):
            payment = await self._charges.load(payment_id)
            before = await store.ended(self.db, key)
            if before is not None:
                domain.refuse_other_refund(refund_id, before.amount, amount)
            if before is None:
                payment, go = await self._charges.decided(payment, "refund")
                if go:
                    domain.refuse_too_large(payment, amount)
                    payment = await self._charges.go(payment, "refund", amount, key)
            elif payment.open is not None:
                payment = await self._charges.resolved(payment)
            await self._raise_refused(payment, "refund", key)
            return payment

    async def _credit(self, refund_id: UUID, payment_id: UUID, amount: int, user_id: UUID) -> Payment:
        key = domain.key_of("refund", payment_id, refund_id)
        event = PaymentEvent(kind="refund", outcome="succeeded", key=key, amount=amount, code="to_wallet")
        async with self._turns.turn(payment_id):
            payment = await self._charges.load(payment_id)
            for _ in range(MOVES_MAX):
                before = await store.ended(self.db, key)
                if before is not None:
                    domain.refuse_other_refund(refund_id, before.amount, amount)
                    return payment
                payment, go = await self._charges.decided(payment, "refund")
                if not go:
                    break
                domain.refuse_too_large(payment, amount)
                credited = await store.credit(self.db, payment, event, user_id)
                if credited is not None:
                    return credited
                payment = await self._charges.load(payment_id)
        raise RequestInFlight(detail=f"payment {payment_id} has another operation in flight")

    async def _get(self, payment_id: UUID) -> Payment:
        async with self._turns.turn(payment_id):
            return await self._charges.resolved(await self._charges.load(payment_id))

    async def _raise_refused(self, payment: Payment, kind: Kind, key: str) -> None:
        """Raises ProviderRefused if that operation has failed for good."""
        done = {"capture": payment.captured > 0, "void": payment.voided or payment.decline_code is not None}
        if done.get(kind) or (payment.open is not None and payment.open.key == key):
            return
        end = await store.ended(self.db, key)
        if end is not None and end.outcome == "failed":
            raise ProviderRefused(detail=f"the provider refused the {kind}: {end.code}", code=end.code)
