"""What can change in notifications, and when it is refused."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter, Gauge, Histogram

from shopwright.chassis import crashpoints, telemetry
from shopwright.chassis.db import Database
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound

from . import domain, store
from .clients import Transport
from .domain import Draft, Letter, LinkTooOld, MailNotSent, NotificationQueued, Preference
from .mail import compose
from .rendering import Shop, render
from .store import NewNotification

log = structlog.get_logger()

LEASE = timedelta(seconds=60)  # twice what the slowest hand-over may take
LOST_AFTER = timedelta(minutes=5)  # waiting so long with no message on the bus
REQUEUE_BATCH = 100

DELIVERIES = Counter("shopwright_deliveries_total", "Mails by kind and outcome.", ["kind", "outcome"])
HAND_OVER = Histogram(
    "shopwright_delivery_seconds",
    "Time to hand a mail over to its transport.",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.5, 1, 5, 10, 30),
)
DEPTH = Gauge("shopwright_delivery_queue", "Mails that wait for their first try.")

Announce = Callable[[UUID], Awaitable[None]]


class Notifications:
    """Args:
    holder: names this process in leases.
    sender: the address that mails come from.
    announce: tells the live feed of a person that there is something new.
    """

    def __init__(
        self, db: Database, transport: Transport, shop: Shop, *, holder: str, sender: str, announce: Announce
    ) -> None:
        self._db, self._transport, self._shop = db, transport, shop
        self._holder, self._sender, self._announce = holder, sender, announce
        self._sending: set[UUID] = set()

    @property
    def shop_name(self) -> str:
        return self._shop.name

    async def notify(self, draft: Draft, once: str) -> None:
        """Write down what an event makes, and queue its mail if it is wanted; publishes NotificationQueued.

        One event makes one notification, whatever repeats; one about a person who was erased makes none.
        """
        await self.notify_all([(draft, once)])

    async def notify_all(self, drafts: Sequence[tuple[Draft, str]]) -> None:
        """The same for many events in one transaction: all of them or none."""
        wanted = [
            NewNotification(
                new_id(), once, draft,
                secrets.token_urlsafe(24) if domain.optional(draft.kind, "email") else None,
            )
            for draft, once in drafts
            if "@" in draft.email
        ]  # fmt: skip
        if not wanted:
            return
        for new, added in zip(wanted, await store.add(self._db, wanted), strict=True):
            if added is None:
                continue
            if not added.queued:
                DELIVERIES.labels(new.draft.kind, "skipped").inc()
            if added.in_feed and new.draft.user_id is not None:
                await self._announce(new.draft.user_id)

    async def deliver(self, *wanted: UUID) -> None:
        """Send mails that wait; a mail that is out, or whose person was erased, is no work.

        Raises:
            MailNotSent: one could not be sent, the others were; try again later.
            BeingDelivered: somebody else is at one, or died at it less than a minute ago.
        """
        mine = [item for item in wanted if item not in self._sending]
        self._sending.update(mine)
        try:
            async with self._db.read() as connection:
                letters = await store.claim(connection, mine, self._holder, LEASE)
                others = set(wanted) - {letter.id for letter in letters}
                busy = bool(others) and await store.any_waits(connection, others)
            failure = await self._send(letters)
        finally:
            self._sending.difference_update(mine)
        if failure is not None:
            raise failure
        if busy:
            raise domain.BeingDelivered

    async def _send(self, letters: Sequence[Letter]) -> MailNotSent | None:
        """Send all that can be sent and mark them at once; returns why one was not."""
        out: list[UUID] = []
        failure = None
        try:
            for letter in letters:
                try:
                    await self._hand_over(letter)
                    out.append(letter.id)
                except MailNotSent as problem:
                    failure = problem
                    async with self._db.read() as connection:
                        await store.not_sent(connection, letter.id, str(problem))
        finally:
            if out:
                async with self._db.read() as connection:
                    known = await store.sent(connection, out)
                if gone := [item for item in out if item not in known]:  # erased while on their way
                    await self._transport.forget(gone)
        return failure

    async def _hand_over(self, letter: Letter) -> None:
        began = time.perf_counter()
        outcome = "failed"
        try:
            with telemetry.span("deliver mail", kind=letter.kind):
                mail = compose(
                    letter, render(letter, self._shop), shop=self._shop, sender=self._sender,
                    now=datetime.now(UTC),
                )  # fmt: skip
                crashpoints.reach("notifications.deliver.before-send")
                await self._transport.send(mail)
            outcome = "sent"
        finally:
            DELIVERIES.labels(letter.kind, outcome).inc()
        crashpoints.reach("notifications.deliver.after-send")
        HAND_OVER.observe(time.perf_counter() - began)

    async def mark_read(self, user_id: UUID, notification_id: UUID) -> None:
        """Raises NotFound, also for somebody else's."""
        async with self._db.begin() as tx:
            if not await store.mark_read(tx, notification_id, user_id):
                raise NotFound(detail=f"no notification {notification_id}")

    async def choose(self, user_id: UUID, wanted: list[Preference]) -> None:
        """Set what a person wants to be told; what is left out is on again. Raises AlwaysSent."""
        domain.check_preferences(wanted)
        chosen = {(item.kind, item.channel): item.enabled for item in wanted}
        async with self._db.begin() as tx:
            await store.choose(tx, user_id, domain.preferences(chosen))

    async def unsubscribe(self, token: str) -> None:
        """Switch the kind of mail off that carried this token. Raises LinkTooOld."""
        async with self._db.begin() as tx:
            found = await store.of_token(tx, token)
            if found is None:
                raise LinkTooOld(detail="the mail is too old, or the account is gone")
            user_id, kind = found
            await store.choose(tx, user_id, [Preference(kind=kind, channel="email", enabled=False)])

    async def forget_user(self, user_id: UUID, once: str) -> None:
        """Delete everything we know of a person but the id, mails in the local mailbox too.

        The id keeps facts that arrive later, from another stream, from storing the person again.
        """
        async with self._db.begin(once) as tx:
            if tx.repeated:
                gone = msgspec.json.decode(tx.stored or b"[]", type=list[UUID])
            else:
                gone = await store.erase(tx, user_id)
                tx.remember(msgspec.json.encode(gone))
        await self._transport.forget(gone)

    async def requeue_lost(self) -> int:
        """Queue mails again that no message and no dead letter knows of (a bus that lost its memory)."""
        async with self._db.begin() as tx:
            lost = await store.requeue(tx, LOST_AFTER, REQUEUE_BATCH)
            tx.publish(*(NotificationQueued(notification_id=item, kind=kind) for item, kind in lost))
        if lost:
            log.warning("mails were queued again", mails=len(lost))
        return len(lost)

    async def depth(self) -> int:
        """How many mails wait for their first try; also the metric."""
        async with self._db.read() as connection:
            waiting = await store.depth(connection)
        DEPTH.set(waiting)
        return waiting

    async def prune(self, older_than: timedelta) -> None:
        async with self._db.read() as connection:
            while await store.prune(connection, older_than) == store.PRUNE_BATCH:
                pass
            await store.prune_erased(connection, older_than)
