"""One payment against its provider: what is asked, what is heard, and what is done about silence.

An operation is two transactions around one call of the provider, which is never inside either: the request
is committed first, so that a crash in between is found and asked about. Whatever the provider says, in an
answer, a webhook or when asked, takes the same way into the books: `hear`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec
import structlog

from shopwright.chassis import crashpoints, deadline
from shopwright.chassis.db import Database
from shopwright.contracts.problems import DeadlineExceeded, NotFound, RequestInFlight, Unavailable

from .. import domain
from ..domain import Kind, Payment, PaymentEvent, Report
from ..provider import Provider, ProviderUnreachable
from ..store import payments as store
from .turns import Turns

log = structlog.get_logger()

Value = TypeVar("Value")
Call = Callable[[], Awaitable[Report]]

LEASE_MARGIN = timedelta(seconds=2)  # beyond the call's time limit: for our second transaction
MOVES_MAX = 12  # of the payment under our hands before we ask the caller to come again
WAIT_S = 8.0  # for an operation that another process has in flight
WAIT_STEP_S = 0.05
RECENT_MAX = 5_000


class Charges:
    """Which provider a payment is made with is in its row."""

    def __init__(
        self, db: Database, providers: Mapping[str, Provider], turns: Turns, *, provider_timeout_s: float
    ) -> None:
        self._db, self._providers, self._turns = db, providers, turns
        self._limit_s = provider_timeout_s
        self.lease = timedelta(seconds=provider_timeout_s) + LEASE_MARGIN
        self._recent: OrderedDict[UUID, Payment] = OrderedDict()

    def provider(self, name: str) -> Provider:
        """Raises Unavailable for one that this installation no longer has."""
        try:
            return self._providers[name]
        except KeyError:
            raise Unavailable(detail=f"the payment provider {name} is not configured") from None

    async def decided(self, payment: Payment, kind: Kind, charge: Call | None = None) -> tuple[Payment, bool]:
        """The payment as of now, and whether `kind` may go to the provider; raises what forbids it.

        `charge` asks for a charge once more, should the first request have been lost.
        """
        asked = False
        while True:
            if payment.busy(now()):
                payment = await self._quiet(payment)
                if payment.busy(now()):
                    return payment, False
                continue
            verdict = domain.decide(payment, kind, asked=asked)
            if verdict != "ask":
                return payment, verdict == "go"
            payment = await self.resolved(payment, charge=charge, unwanted=kind == "void")
            asked = True

    async def go(
        self, payment: Payment, kind: Kind, amount: int, key: str | None = None, charge: Call | None = None
    ) -> Payment:
        """Commit the request, then call the provider; a payment that moved meanwhile is decided anew."""
        for _ in range(MOVES_MAX):
            request = PaymentEvent(
                kind=kind, outcome="requested", key=key or domain.key_of(kind, payment.id), amount=amount
            )
            crashpoints.reach(f"payments.{kind}.before-commit")
            begun = await store.append(self._db, payment, [request], look=self.lease)
            if begun is not None:
                return await self.attempt(begun, charge or self._call_of(begun))
            payment, go = await self.decided(await self.load(payment.id), kind)
            if not go:
                return payment
            if kind == "refund":
                domain.refuse_too_large(payment, amount)
        raise RequestInFlight(detail=f"payment {payment.id} changes too fast")

    def _call_of(self, payment: Payment) -> Call:
        """The provider's call that the payment's open operation stands for."""
        operation = payment.open
        assert operation is not None, "an operation was begun"
        provider, key = self.provider(payment.provider), operation.key
        match operation.kind:
            case "capture":
                return lambda: provider.capture(payment, operation.amount, key=key)
            case "void":
                return lambda: provider.void(payment, key=key)
            case "refund":
                return lambda: provider.refund(payment, operation.amount, key=key)
            case _:
                raise AssertionError("only who has the order asks for a charge")

    async def attempt(self, payment: Payment, call: Call, *, first: bool = False) -> Payment:
        """Call the provider once for the open operation and book what it says, or that it said nothing.

        Of a `first` request that was not sent nothing is open; of any other, an earlier one may still be.
        """
        kind = payment.open.kind if payment.open else "authorise"
        crashpoints.reach(f"payments.{kind}.before-call")
        try:
            report = await self._limited(call)
        except ProviderUnreachable:
            if first:
                return await self._not_sent(payment)
            report = None
        crashpoints.reach(f"payments.{kind}.after-call")
        payment = await self.hear(payment, report)
        crashpoints.reach(f"payments.{kind}.after-commit")
        return payment

    async def _answer(self, call: Callable[[], Awaitable[Value]]) -> Value | None:
        """What the provider answers within its time; None when that cannot be known."""
        try:
            return await self._limited(call)
        except ProviderUnreachable:
            return None

    async def _limited(self, call: Callable[[], Awaitable[Value]]) -> Value | None:
        """As `_answer`, but raises ProviderUnreachable when nothing was sent."""
        try:
            async with asyncio.timeout(self._limit_s):
                return await call()
        except (TimeoutError, Unavailable, DeadlineExceeded) as error:
            log.warning("the provider gave no answer", error=type(error).__name__)
            return None

    async def hear(self, payment: Payment, report: Report | None, *, once: str | None = None) -> Payment:
        """Book what `report` tells and we do not have yet; None: the open operation is of unknown outcome."""
        for _ in range(MOVES_MAX):
            events = domain.no_answer(payment) if report is None else domain.news(payment, report)
            if not events:
                break
            look = domain.look_after(payment, events, self.lease)
            heard = await store.append(self._db, payment, events, look=look, report=report, once=once)
            if heard is not None:
                payment = heard
                break
            payment = await self.load(payment.id)
        else:
            raise RequestInFlight(detail=f"payment {payment.id} changes too fast")
        if report is not None and domain.is_stray(payment, report):
            payment = await self._give_back(payment)
        self._remember(payment)
        return payment

    async def _not_sent(self, payment: Payment) -> Payment:
        log.warning("the provider cannot be reached", provider=payment.provider, payment=str(payment.id))
        events = domain.unreachable(payment)
        look = domain.look_after(payment, events, self.lease)
        return await store.append(self._db, payment, events, look=look) or await self.load(payment.id)

    async def _give_back(self, payment: Payment) -> Payment:
        """Void at the provider what it holds for a payment that is over here, if it still says so."""
        report = await self._answer(lambda: self._find(payment))
        if isinstance(report, Report) and not domain.is_stray(payment, report):
            return payment
        events: list[PaymentEvent] = []
        if isinstance(report, Report):
            log.warning("the provider holds money for a payment that is over", payment=str(payment.id))
            key = f"{payment.id}:void-late"
            target = msgspec.structs.replace(payment, provider_ref=report.ref)
            answer = await self._answer(lambda: self.provider(payment.provider).void(target, key=key))
            if answer is not None and answer.state == "voided":
                done = PaymentEvent(
                    kind="void", outcome="succeeded", key=key, amount=report.amount, code="late"
                )
                events = [done]
        look = None if events else domain.LOOK_FIRST
        return await store.append(self._db, payment, events, look=look) or payment

    async def resolved(
        self, payment: Payment, *, held: bool = False, charge: Call | None = None, unwanted: bool = False
    ) -> Payment:
        """The payment after asking the provider about its open operation, if it has one.

        What cannot happen twice is sent again, a charge by who can: `charge`. One that never arrived ends as
        failed once it is `unwanted` or nobody asks for it any more.
        """
        if not held and payment.busy(now()):
            payment = await self._quiet(payment)
        operation = payment.open
        if operation is None or (not held and payment.busy(now())):
            return payment
        report = await self._answer(lambda: self._find(payment))
        if report is None:
            return await self.hear(payment, None)
        charging = operation.kind == "authorise"
        if isinstance(report, Report):
            payment = await self.hear(payment, report)
            if charging or payment.open is None or payment.open.key != operation.key:
                return payment
        may_be_sent = charge is not None if charging else isinstance(report, Report)
        if may_be_sent and operation.kind in domain.sent_again(payment, now()):
            call = charge if charging else None
            return await self.go(payment, operation.kind, operation.amount, operation.key, call)
        return await self._lost(payment, unwanted=unwanted)

    async def asked(self, payment: Payment) -> Report:
        """What the provider says now. Raises Unavailable when it does not, so that a webhook comes again."""
        report = await self._answer(lambda: self._find(payment))
        if not isinstance(report, Report):
            raise Unavailable(detail="the payment provider did not say more", part=payment.provider)
        return report

    async def _find(self, payment: Payment) -> Report | NotFound:
        found = await self.provider(payment.provider).find(domain.authorise_key(payment.id))
        return found if found is not None else NotFound()

    async def _lost(self, payment: Payment, *, unwanted: bool) -> Payment:
        events = domain.never_arrived(payment, now(), unwanted=unwanted)
        if not events:
            return payment
        look = domain.look_after(payment, events, self.lease)
        return await store.append(self._db, payment, events, look=look) or await self.load(payment.id)

    async def look(self, payment: Payment) -> None:
        """The worker's look at one payment that is due."""
        if payment.open is not None:
            async with self._turns.turn(payment.id):
                await self.resolved(payment, held=True)
            return
        report = await self._answer(lambda: self._find(payment))
        if isinstance(report, Report) and (domain.is_stray(payment, report) or domain.news(payment, report)):
            await self.hear(payment, report)
        elif report is not None:
            await store.no_more_looks(self._db, payment)

    async def _quiet(self, payment: Payment) -> Payment:
        """The payment once nobody has an operation of it in flight, or as it is when waiting got too long."""
        until = asyncio.get_running_loop().time() + deadline.remaining_s(WAIT_S)
        while payment.busy(now()) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(WAIT_STEP_S)
            payment = await self.load(payment.id)
        return payment

    async def recall(self, payment_id: UUID) -> Payment:
        """The payment as this process last saw it; should it have moved, the append will notice."""
        recent = self._recent.pop(payment_id, None)
        return recent if recent is not None else await self.load(payment_id)

    def _remember(self, payment: Payment) -> None:
        if payment.status == "authorised":
            self._recent[payment.id] = payment
            while len(self._recent) > RECENT_MAX:
                self._recent.popitem(last=False)

    async def load(self, payment_id: UUID) -> Payment:
        payment = await store.find(self._db, payment_id)
        if payment is None:
            raise NotFound(detail=f"no payment {payment_id}")
        return payment


def now() -> datetime:
    return datetime.now(UTC)
