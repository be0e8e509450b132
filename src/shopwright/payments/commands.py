"""What can change a payment: authorise, capture, void, refund, the provider's notices, and the look after
unknown outcomes.

An operation is two transactions around one call of the provider, which is never inside either: the request
is committed first, so that a crash in between is found and asked about. Repeats wait for the one in flight
and answer what it found. Whatever the provider says, in an answer, a webhook or when asked, takes the same
way into the books: `_hear`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
import structlog

from shopwright.chassis import crashpoints, deadline
from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid
from shopwright.contracts.payments import PaymentDiffers, ProviderRefused
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import DeadlineExceeded, NotFound, RequestInFlight, Unavailable

from . import domain, store
from .domain import Kind, Order, Payment, PaymentEvent, Report
from .provider import Provider

log = structlog.get_logger()

Value = TypeVar("Value")

LEASE_MARGIN = timedelta(seconds=2)  # beyond the call's time limit: for our second transaction
MOVES_MAX = 12  # of the payment under our hands before we ask the caller to come again
WAIT_S = 8.0  # for an operation that another process has in flight
WAIT_STEP_S = 0.05
RECENT_MAX = 5_000
LOOKS_AT_ONCE = 50
LOOK_EVERY_S = 1.0
METHODS = {"card"}


RefundStatus = Literal["succeeded", "failed", "unknown"]


class Payments:
    """One provider today; which one a payment was made with is in its row."""

    def __init__(self, db: Database, provider: Provider, *, provider_timeout_s: float) -> None:
        self._db, self._provider = db, provider
        self._limit_s = provider_timeout_s
        self._lease = timedelta(seconds=provider_timeout_s) + LEASE_MARGIN
        self._recent: OrderedDict[UUID, Payment] = OrderedDict()
        self._turns: dict[UUID, tuple[asyncio.Lock, int]] = {}
        self._running: set[asyncio.Task[Any]] = set()

    async def authorise(self, order: Order) -> Payment:
        """Ask the provider for `order.amount`; declined and unknown are answers, not errors.

        Events: PaymentChanged. Idempotent by `order.id`; a voided payment stays voided.

        Raises:
            PaymentDiffers: the id was used for another order or amount.
            InvalidInput: the provider would not take it; nothing was asked.
        """
        if order.amount.minor <= 0:
            raise invalid("/amount", "must be positive")
        if order.method not in METHODS:
            raise invalid("/method", f"must be one of {sorted(METHODS)}")
        self._provider.check(order)
        return await self._to_the_end(self._authorise(order))

    async def capture(self, payment_id: UUID) -> Payment:
        """Take what was authorised. Events: PaymentChanged. Ledger: clearing and fees against revenue.

        Raises:
            NotFound, PaymentNotAuthorised: nothing was taken.
            ProviderRefused: the provider will never give this money, the authorisation has ended.
        """
        return await self._to_the_end(self._operate(payment_id, "capture"))

    async def void(self, payment_id: UUID) -> Payment:
        """Give an authorisation back; a payment nobody has asked for yet will never be made.

        Events: PaymentChanged.

        Raises:
            PaymentAlreadyCaptured: refund it instead.
        """
        return await self._to_the_end(self._void(payment_id))

    async def refund(self, refund_id: UUID, payment_id: UUID, amount: int) -> Payment:
        """Give `amount` minor units back. Events: PaymentChanged. Ledger: refunds against clearing.

        Idempotent by `refund_id`.

        Raises:
            PaymentNotCaptured, RefundTooLarge, PaymentDiffers: nothing was given back.
            ProviderRefused: the provider did not give it back; try again under another id.
        """
        if amount <= 0:
            raise invalid("/amount", "must be positive")
        return await self._to_the_end(self._refund(refund_id, payment_id, amount))

    async def refund_status(self, refund_id: UUID, payment_id: UUID) -> RefundStatus:
        """How a refund that was asked for ended; unknown while that is open."""
        end = await store.ended(self._db, domain.key_of("refund", payment_id, refund_id))
        return end.outcome if end is not None and end.outcome in {"succeeded", "failed"} else "unknown"

    async def get(self, payment_id: UUID) -> Payment:
        """The payment; while an outcome is open the provider is asked first. Raises NotFound."""
        payment = await self._load(payment_id)
        return payment if payment.open is None else await self._to_the_end(self._get(payment_id))

    async def receive(self, provider: str, headers: Mapping[str, str], body: bytes) -> None:
        """Take in a provider's webhook, once; one about a charge that is not ours changes nothing.

        Raises:
            NotFound: no such provider. WebhookNotGenuine, InvalidInput: not its words.
        """
        if provider != self._provider.name:
            raise NotFound(detail=f"no provider {provider}")
        notice = self._provider.notice(headers, body, _now())
        try:
            reference = UUID(notice.reference)
            payment = await self._load(reference)
        except (ValueError, NotFound):
            log.warning("webhook about a charge that is not ours", reference=notice.reference)
            return
        once = f"webhook:{self._provider.name}:{notice.id}"
        await self._to_the_end(self._hear(payment, notice.report, once=once))

    async def look_after(self, stop: asyncio.Event) -> None:
        """Ask the provider about every outcome that stays open, with growing pauses, until `stop`."""
        while not stop.is_set():
            try:
                for payment in await store.due(self._db, LOOKS_AT_ONCE):
                    if stop.is_set():
                        return
                    await self._look(payment)
            except (Unavailable, RequestInFlight) as problem:
                log.warning("looking after payments waits", error=str(problem))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def finish(self, within_s: float) -> None:
        """Let operations end whose callers have gone; what does not is found by `look_after`."""
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)

    async def _authorise(self, order: Order) -> Payment:
        async with self._turn(order.id):
            opened = await store.open_payment(self._db, order, self._provider.name, self._lease)
            if opened is None:
                known = await self._load(order.id)
                domain.refuse_other_terms(known, order)
                return (await self._decided(known, "authorise"))[0]
            key = domain.authorise_key(order.id)
            return await self._attempt(opened, lambda: self._provider.authorise(order, key=key))

    async def _operate(self, payment_id: UUID, kind: Kind) -> Payment:
        async with self._turn(payment_id):
            payment, go = await self._decided(await self._recall(payment_id), kind)
            if go:
                payment = await self._begin_and_attempt(payment, kind, payment.authorised)
            await self._raise_refused(payment, kind, domain.key_of(kind, payment_id))
            return payment

    async def _void(self, payment_id: UUID) -> Payment:
        try:
            return await self._operate(payment_id, "void")
        except NotFound:
            unseen = await store.void_unseen(self._db, payment_id, self._provider.name)
        return unseen or await self._operate(payment_id, "void")

    async def _refund(self, refund_id: UUID, payment_id: UUID, amount: int) -> Payment:
        key = domain.key_of("refund", payment_id, refund_id)
        async with self._turn(payment_id):
            payment = await self._load(payment_id)
            before = await store.ended(self._db, key)
            if before is not None and before.amount != amount:
                raise PaymentDiffers(detail=f"refund {refund_id} was asked for with another amount")
            if before is None:
                payment, go = await self._decided(payment, "refund")
                if go:
                    domain.refuse_too_large(payment, amount)
                    payment = await self._begin_and_attempt(payment, "refund", amount, key)
            elif payment.open is not None:
                payment = await self._resolved(payment)
            await self._raise_refused(payment, "refund", key)
            return payment

    async def _get(self, payment_id: UUID) -> Payment:
        async with self._turn(payment_id):
            return await self._resolved(await self._load(payment_id))

    async def _decided(self, payment: Payment, kind: Kind) -> tuple[Payment, bool]:
        """The payment as of now, and whether `kind` may go to the provider; raises what forbids it."""
        asked = False
        while True:
            if payment.busy(_now()):
                payment = await self._quiet(payment)
                if payment.busy(_now()):
                    return payment, False
                continue
            verdict = domain.decide(payment, kind, asked=asked)
            if verdict != "ask":
                return payment, verdict == "go"
            payment, asked = await self._resolved(payment), True

    async def _begin_and_attempt(
        self, payment: Payment, kind: Kind, amount: int, key: str | None = None
    ) -> Payment:
        """Commit the request, then call the provider; a payment that moved meanwhile is decided anew."""
        for _ in range(MOVES_MAX):
            request = PaymentEvent(
                kind=kind, outcome="requested", key=key or domain.key_of(kind, payment.id), amount=amount
            )
            begun = await store.append(self._db, payment, [request], look=self._lease)
            if begun is not None:
                return await self._attempt(begun, self._call_of(begun))
            payment, go = await self._decided(await self._load(payment.id), kind)
            if not go:
                return payment
            if kind == "refund":
                domain.refuse_too_large(payment, amount)
        raise RequestInFlight(detail=f"payment {payment.id} changes too fast")

    def _call_of(self, payment: Payment) -> Callable[[], Awaitable[Report]]:
        """The provider's call that the payment's open operation stands for."""
        operation = payment.open
        assert operation is not None, "an operation was begun"
        provider, key = self._provider, operation.key
        match operation.kind:
            case "capture":
                return lambda: provider.capture(payment, operation.amount, key=key)
            case "void":
                return lambda: provider.void(payment, key=key)
            case "refund":
                return lambda: provider.refund(payment, operation.amount, key=key)
            case _:
                raise AssertionError("a charge is never asked for twice")

    async def _attempt(self, payment: Payment, call: Callable[[], Awaitable[Report]]) -> Payment:
        """Call the provider once for the open operation and book what it says, or that it said nothing."""
        kind = payment.open.kind if payment.open else "authorise"
        crashpoints.reach(f"payments.{kind}.before-call")
        report = await self._answer(call)
        crashpoints.reach(f"payments.{kind}.after-call")
        payment = await self._hear(payment, report)
        crashpoints.reach(f"payments.{kind}.after-commit")
        return payment

    async def _answer(self, call: Callable[[], Awaitable[Value]]) -> Value | None:
        """What the provider answers within its time; None when that cannot be known."""
        try:
            async with asyncio.timeout(self._limit_s):
                return await call()
        except (TimeoutError, Unavailable, DeadlineExceeded) as error:
            log.warning("the provider gave no answer", error=type(error).__name__)
            return None

    async def _hear(self, payment: Payment, report: Report | None, *, once: str | None = None) -> Payment:
        """Book what `report` tells and we do not have yet; None: the open operation is of unknown outcome."""
        for _ in range(MOVES_MAX):
            events = domain.no_answer(payment) if report is None else domain.news(payment, report)
            if not events:
                break
            look = domain.look_after(payment, events, self._lease)
            heard = await store.append(self._db, payment, events, look=look, report=report, once=once)
            if heard is not None:
                payment = heard
                break
            payment = await self._load(payment.id)
        else:
            raise RequestInFlight(detail=f"payment {payment.id} changes too fast")
        if report is not None and domain.is_stray(payment, report):
            payment = await self._give_back(payment)
        self._remember(payment)
        return payment

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
            answer = await self._answer(lambda: self._provider.void(target, key=key))
            if answer is not None and answer.state == "voided":
                done = PaymentEvent(
                    kind="void", outcome="succeeded", key=key, amount=report.amount, code="late"
                )
                events = [done]
        look = None if events else domain.LOOK_FIRST
        return await store.append(self._db, payment, events, look=look) or payment

    async def _resolved(self, payment: Payment, *, held: bool = False) -> Payment:
        """The payment after asking the provider about its open operation, if it has one.

        An authorisation or refund that never arrived ends as failed once it is old enough; a capture or void
        that did not is sent again: neither can happen twice.
        """
        if not held and payment.busy(_now()):
            payment = await self._quiet(payment)
        operation = payment.open
        if operation is None or (not held and payment.busy(_now())):
            return payment
        report = await self._answer(lambda: self._find(payment))
        if report is None:
            return await self._hear(payment, None)
        if isinstance(report, Report):
            payment = await self._hear(payment, report)
            if payment.open is None or payment.open.key != operation.key:
                return payment
            if operation.kind in {"capture", "void"}:
                return await self._begin_and_attempt(payment, operation.kind, operation.amount, operation.key)
            if operation.kind == "authorise":
                return payment
        return await self._lost(payment)

    async def _find(self, payment: Payment) -> Report | NotFound:
        found = await self._provider.find(domain.authorise_key(payment.id))
        return found if found is not None else NotFound()

    async def _lost(self, payment: Payment) -> Payment:
        events = domain.never_arrived(payment, _now())
        if not events:
            return payment
        look = domain.look_after(payment, events, self._lease)
        return await store.append(self._db, payment, events, look=look) or await self._load(payment.id)

    async def _look(self, payment: Payment) -> None:
        """The worker's look at one payment that is due."""
        if payment.open is not None:
            async with self._turn(payment.id):
                await self._resolved(payment, held=True)
            return
        report = await self._answer(lambda: self._find(payment))
        if isinstance(report, Report) and (domain.is_stray(payment, report) or domain.news(payment, report)):
            await self._hear(payment, report)
        elif report is not None:
            await store.no_more_looks(self._db, payment)

    async def _quiet(self, payment: Payment) -> Payment:
        """The payment once nobody has an operation of it in flight, or as it is when waiting got too long."""
        until = asyncio.get_running_loop().time() + deadline.remaining_s(WAIT_S)
        while payment.busy(_now()) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(WAIT_STEP_S)
            payment = await self._load(payment.id)
        return payment

    async def _raise_refused(self, payment: Payment, kind: Kind, key: str) -> None:
        """Raises ProviderRefused if that operation has failed for good."""
        done = {"capture": payment.captured > 0, "void": payment.voided or payment.decline_code is not None}
        if done.get(kind) or (payment.open is not None and payment.open.key == key):
            return
        end = await store.ended(self._db, key)
        if end is not None and end.outcome == "failed":
            raise ProviderRefused(detail=f"the provider refused the {kind}: {end.code}", code=end.code)

    @asynccontextmanager
    async def _turn(self, payment_id: UUID) -> AsyncIterator[None]:
        """One operation at a time per payment here; between processes the lease in the row decides."""
        lock, users = self._turns.get(payment_id, (asyncio.Lock(), 0))
        self._turns[payment_id] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._turns[payment_id]
            if users == 1:
                del self._turns[payment_id]
            else:
                self._turns[payment_id] = (lock, users - 1)

    async def _to_the_end(self, operation: Coroutine[Any, Any, Value]) -> Value:
        """Run `operation` even if its caller gives up: what the provider answers must be booked."""
        task = asyncio.create_task(operation)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("operation ended", error=type(error).__name__, refused=isinstance(error, Problem))

    async def _recall(self, payment_id: UUID) -> Payment:
        """The payment as this process last saw it; should it have moved, the append will notice."""
        recent = self._recent.pop(payment_id, None)
        return recent if recent is not None else await self._load(payment_id)

    def _remember(self, payment: Payment) -> None:
        if payment.status == "authorised":
            self._recent[payment.id] = payment
            while len(self._recent) > RECENT_MAX:
                self._recent.popitem(last=False)

    async def _load(self, payment_id: UUID) -> Payment:
        payment = await store.find(self._db, payment_id)
        if payment is None:
            raise NotFound(detail=f"no payment {payment_id}")
        return payment


def _now() -> datetime:
    return datetime.now(UTC)
