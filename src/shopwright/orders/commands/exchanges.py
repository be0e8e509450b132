"""Exchanges: goods come back and others are sent for them, by an order of its own that costs the difference.

The new order is placed and paid first, so that what cannot be sent or is not paid refuses the exchange; then
the return is noted, and what the returned goods cost more is paid back. What was paid for them stays with the
first order and is paid back there; the new order gives back at most what was paid for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID, uuid4

import msgspec
import structlog

from shopwright.chassis.db import Database, Once
from shopwright.chassis.validation import invalid
from shopwright.contracts.money import Money
from shopwright.contracts.problem import Problem, revive
from shopwright.contracts.problems import NotFound
from shopwright.contracts.products import ReserveLine

from .. import domain
from ..domain import Order, Reversal
from ..domain.edits import Added, DifferenceChanged
from ..domain.exchanges import Noted, sent_for, worth_of
from ..store import carts as cart_store
from ..store import exchanges as store
from ..store import orders as order_store
from ..store import pay_links, timeline
from ..store.orders import Terms
from ..store.tenders import set_tender
from .after_sale import CAPTURED, AfterSale
from .edits import Edits, in_time
from .orders import Orders, Payment
from .pricing import Pricing, customer_of
from .repeats import made_before

log = structlog.get_logger()

TIME = timedelta(minutes=2)  # to reserve; nothing is to be paid, and nobody has to act
SETTLED_AT_ONCE = 20


class Exchange(NamedTuple):
    """What is sent instead, and what went back: nothing yet while the other is not paid."""

    order: Order
    reversal: Reversal | None


class Swap(NamedTuple):
    """What comes back and what is sent for it; `payment`: without one the buyer is sent a link."""

    back: Mapping[UUID, int]
    send: Sequence[ReserveLine]
    reason: str = ""
    restock: bool = True
    payment: Payment | None = None
    expected_difference: Money | None = None


class Exchanges:
    def __init__(
        self, db: Database, pricing: Pricing, orders: Orders, after_sale: AfterSale, edits: Edits
    ) -> None:
        self._db, self._pricing, self._orders = db, pricing, orders
        self._after_sale, self._edits = after_sale, edits

    async def quote(self, order_id: UUID, swap: Swap) -> Money:
        """What is sent costs so much more than what comes back; negative: so much less."""
        order = await self._orders.find(order_id)
        difference, _ = await self._difference(order, swap)
        return difference

    async def exchange(
        self, order_id: UUID, swap: Swap, *, once: Once | None, by: UUID | None = None
    ) -> Exchange:
        """Take units of lines back and send others for them.

        Events: OrderConfirmed, OrderRefunded; PaymentRequested, if the buyer is sent a link.

        Raises:
            WrongTransition, MoreThanOrdered, NotForSale, OutOfStock, DifferenceChanged, PaymentDeclined,
            InvalidInput: nothing happened.
        """
        order = await self._orders.find(order_id)
        known = await made_before(self._db, once)
        if known is None:
            difference, added = await self._difference(order, swap)
            seen = swap.expected_difference
            if seen is not None and seen != difference:
                raise DifferenceChanged(expected_difference=seen, difference=difference)
            if swap.payment is not None and difference.minor <= 0:
                raise invalid("/payment", "is not needed: what is sent does not cost more")
            known = await self._place(order, swap, added, once=once, by=by)
        sent = await self._outcome(known)
        return Exchange(sent, await self.settle(sent))

    async def of_order(self, order_id: UUID) -> list[Order]:
        """What was sent for goods of this order that came back, oldest first."""
        async with self._db.read() as connection:
            return await order_store.exchanges(connection, order_id)

    async def settle_open(self) -> None:
        """Note what came back of the exchanges whose new order was paid meanwhile, or never will be."""
        async with self._db.read() as connection:
            found = await store.decided(connection, SETTLED_AT_ONCE)
        for sent_id in found:
            try:
                await self.settle(await self._orders.find(sent_id))
            except Problem as problem:
                log.info("an exchange is not settled", order=str(sent_id), problem=problem.slug)

    async def settle(self, sent: Order) -> Reversal | None:
        """Note the return once its other side is paid; None while it is not.

        What was sent is cancelled when the return may not be noted any more, and that is raised.
        """
        async with self._db.read() as connection:
            noted = await store.find(connection, sent.id)
        if noted is None:
            raise NotFound(detail=f"no exchange {sent.id}")
        if sent.status not in domain.BOUGHT or sent.payment_refused:
            if sent.status not in domain.UNDECIDED:
                await self._end(sent.id, "refused")
            return None
        if sent.payment_status not in CAPTURED and not sent.to_be_collected:
            return None
        try:
            reversal = await self._after_sale.take_return(
                noted.order_id, noted.back, f"exchanged for {sent.number}: {noted.reason}"[:200],
                amount=Money(noted.amount, sent.currency), restock=noted.restock,
                once=Once(f"exchange:{sent.id}", b""), by=noted.by_user,
            )  # fmt: skip
        except Problem:
            await self._after_sale.cancel(sent.id, "the return was refused", None, by=noted.by_user)
            await self._end(sent.id, "refused")
            raise
        await self._end(sent.id, "done")
        return reversal

    async def _end(self, sent_id: UUID, status: Literal["done", "refused"]) -> None:
        async with self._db.begin() as tx:
            await store.end(tx, sent_id, status)

    async def _difference(self, order: Order, swap: Swap) -> tuple[Money, Added]:
        domain.check_command(order.status, "exchange")
        domain.check_quantities(swap.back, domain.left_to_return(order))
        if not swap.send:
            raise invalid("/send", "names nothing")
        added = await self._edits.priced(order, swap.send)
        return worth_of(added, order.currency) - domain.value_of(order, swap.back), added

    async def _place(
        self, order: Order, swap: Swap, added: Added, *, once: Once | None, by: UUID | None
    ) -> UUID:
        rules = await self._pricing.rules(fresh=True)
        gone = domain.value_of(order, swap.back)
        sent = paid_by(sent_for(order, added, gone), swap.payment)
        until = datetime.now(UTC) + (self._orders.time_of(sent) if sent.total.minor else TIME)
        terms = Terms(rules.version, [], customer_of(order.user_id, order.email))
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return UUID(bytes=tx.stored)
            await cart_store.insert(tx, sent.cart_id, order.user_id, order.currency)
            number, _, _ = await order_store.place(tx, sent, 1, terms)
            if number is None:
                raise domain.CartChanged
            if sent.tender is not None:
                await set_tender(tx, sent.id, sent.tender)
            await order_store.mark_exchange(tx, sent.id, order.id)
            back = max(gone - worth_of(added, order.currency), Money(0, order.currency))
            await store.insert(
                tx, sent.id, Noted(order.id, swap.back, back.minor, swap.restock, swap.reason, by)
            )
            if sent.total.minor and sent.payment_method == domain.LINK:
                await pay_links.insert(tx, uuid4(), sent.id, None, until)
            await timeline.note(tx, order.id, "exchange", by, f"{number}: {swap.reason}")
            await timeline.note(tx, sent.id, "exchange", by, f"for goods of {order.number}")
            held = await self._orders.runner.start(tx, sent.id, until)
            tx.remember(sent.id.bytes)
        await in_time(self._orders.runner.drive(held), sent.id)
        return sent.id

    async def _outcome(self, sent_id: UUID) -> Order:
        """The order that is sent, confirmed or waiting to be paid; one that costs nothing is cancelled if it
        has no outcome. What refused it is raised.
        """
        sent = await self._orders.find(sent_id)
        if sent.status in domain.UNDECIDED and not sent.total.minor:
            sent = await self._orders.cancel(sent_id, None)
        if sent.refusal is not None and not sent.payment_refused:
            await self._end(sent_id, "refused")
            reason = sent.refusal
            raise revive(str(reason.get("type")), reason) or domain.OrderNotPlaced(
                detail=str(reason.get("title", "")), order_id=sent.id
            )
        return sent


def paid_by(sent: Order, payment: Payment | None) -> Order:
    """The order as its buyer pays it, by a link without a payment; what costs nothing needs none."""
    if not sent.total.minor:
        return msgspec.structs.replace(sent, payment_method="card")
    if payment is None:
        return msgspec.structs.replace(sent, payment_method=domain.LINK)
    return msgspec.structs.replace(
        sent, payment_method=payment.method, payment_token=payment.token, return_url=payment.return_url,
        tender=domain.tender_of(payment.method, payment.gift_cards, use_wallet=payment.use_wallet),
    )  # fmt: skip
