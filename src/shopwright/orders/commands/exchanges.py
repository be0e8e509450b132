"""Exchanges: goods come back and others are sent for them, by an order of its own that costs nothing.

The new order is placed first, so that what cannot be sent refuses the exchange; then the return is noted,
and what the returned goods cost more is paid back. The money stays with the first order: what is paid back
of exchanged goods later is paid back there. Goods that cost more than what returns are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec

from shopwright.chassis import deadline
from shopwright.chassis.db import Database, Once
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Total
from shopwright.contracts.problem import Problem, revive
from shopwright.contracts.products import ReserveLine

from .. import domain
from ..domain import Discount, Order, OrderLine, Reversal
from ..domain.edits import Added, ExchangeNeedsPayment
from ..store import carts as cart_store
from ..store import orders as order_store
from ..store import timeline
from ..store.orders import Terms
from .after_sale import AfterSale
from .edits import Edits
from .orders import ANSWER_S, Orders
from .pricing import Pricing, customer_of
from .repeats import made_before

TIME = timedelta(minutes=2)  # to reserve; nothing is to be paid, and nobody has to act


class Exchange(NamedTuple):
    """What is sent instead, and what went back."""

    order: Order
    reversal: Reversal


class Exchanges:
    def __init__(
        self, db: Database, pricing: Pricing, orders: Orders, after_sale: AfterSale, edits: Edits
    ) -> None:
        self._db, self._pricing, self._orders = db, pricing, orders
        self._after_sale, self._edits = after_sale, edits

    async def exchange(
        self,
        order_id: UUID,
        back: Mapping[UUID, int],
        send: Sequence[ReserveLine],
        reason: str,
        *,
        restock: bool,
        once: Once | None,
        by: UUID | None = None,
    ) -> Exchange:
        """Take `back` units of lines and send others for them. Events: OrderConfirmed, OrderRefunded.

        Raises:
            WrongTransition, MoreThanOrdered, NotForSale, OutOfStock, ExchangeNeedsPayment: nothing happened.
        """
        order = await self._orders.find(order_id)
        known = await made_before(self._db, once)
        if known is None:
            domain.check_command(order.status, "exchange")
            domain.check_quantities(back, domain.left_to_return(order))
            added = await self._edits.priced(order, send)
            _difference(order, back, added)
            known = await self._place(order, added, reason, once=once, by=by)
        sent = await self._outcome(known)
        return Exchange(sent, await self._take(order, sent, back, reason, restock=restock, by=by))

    async def of_order(self, order_id: UUID) -> list[Order]:
        """What was sent for goods of this order that came back, oldest first."""
        async with self._db.read() as connection:
            return await order_store.exchanges(connection, order_id)

    async def _place(
        self, order: Order, added: Added, reason: str, *, once: Once | None, by: UUID | None
    ) -> UUID:
        rules = await self._pricing.rules(fresh=True)
        sent = _sent(order, added)
        terms = Terms(rules.version, [], customer_of(order.user_id, order.email))
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return UUID(bytes=tx.stored)
            await cart_store.insert(tx, sent.cart_id, order.user_id, order.currency)
            number, _, _ = await order_store.place(tx, sent, 1, terms)
            if number is None:
                raise domain.CartChanged
            await order_store.mark_exchange(tx, sent.id, order.id)
            await timeline.note(tx, order.id, "exchange", by, f"{number}: {reason}")
            await timeline.note(tx, sent.id, "exchange", by, f"for goods of {order.number}")
            held = await self._orders.runner.start(tx, sent.id, datetime.now(UTC) + TIME)
            tx.remember(sent.id.bytes)
        try:
            async with asyncio.timeout(deadline.remaining_s(ANSWER_S)):
                await asyncio.shield(asyncio.ensure_future(self._orders.runner.drive(held)))
        except TimeoutError:
            return sent.id
        return sent.id

    async def _outcome(self, sent_id: UUID) -> Order:
        """The order that is sent, confirmed; else it is cancelled, and what refused it is raised."""
        sent = await self._orders.find(sent_id)
        if sent.status in domain.UNDECIDED:
            sent = await self._orders.cancel(sent_id, None)
        if sent.refusal is not None:
            reason = sent.refusal
            raise revive(str(reason.get("type")), reason) or domain.OrderNotPlaced(
                detail=str(reason.get("title", "")), order_id=sent.id
            )
        return sent

    async def _take(
        self,
        order: Order,
        sent: Order,
        back: Mapping[UUID, int],
        reason: str,
        *,
        restock: bool,
        by: UUID | None,
    ) -> Reversal:
        """Note the return, once; what was sent is cancelled when it may not be noted any more."""
        worth = next(discount.amount for discount in sent.discounts)
        try:
            return await self._after_sale.take_return(
                order.id, back, f"exchanged for {sent.number}: {reason}"[:200],
                amount=Money(max(0, domain.value_of(order, back).minor - worth.minor), order.currency),
                restock=restock, once=Once(f"exchange:{sent.id}", b""), by=by,
            )  # fmt: skip
        except Problem:
            await self._after_sale.cancel(sent.id, "the return was refused", None, by=by)
            raise


def _difference(order: Order, back: Mapping[UUID, int], added: Added) -> None:
    """Raises ExchangeNeedsPayment when what is sent costs more than what comes back."""
    if not added.lines:
        raise invalid("/send", "names nothing")
    gone = domain.value_of(order, back)
    new = _worth(added, order.currency)
    if gone < new:
        raise ExchangeNeedsPayment(
            detail="take the goods back, and sell what is sent as an order of its own", difference=new - gone
        )


def _sent(order: Order, added: Added) -> Order:
    """The order that costs nothing: every line reduced by its whole price."""
    lines = [_free(line) for line in added.lines]
    net, worth = total((line.total for line in lines), order.currency), _worth(added, order.currency)
    nothing = Money(0, order.currency)
    rows = [Total("subtotal", net), Total("discount", -worth)]
    if worth != net:
        rows.append(Total("tax", worth - net))
    return msgspec.structs.replace(
        order, id=new_id(), number="", cart_id=uuid4(), status="in_progress", payment_id=new_id(),
        payment_status="pending", payment_token="", return_url="", action_url=None,
        totals=rows, total=nothing, refusal=None,
        created_at=datetime.now(UTC), lines=lines, refunding=nothing, refunded=nothing, taxes=[], taken_off=0,
        discounts=[
            Discount(promotion_id=order.id, name=f"Exchange of {order.number}", code=None, amount=worth)
        ],
        exchange_of=order.id, tender=None,
    )  # fmt: skip


def _worth(added: Added, currency: str) -> Money:
    """What a buyer would pay for it."""
    exclusive = not all(tax.included for tax in added.taxes)
    tax = total((line.tax for line in added.lines), currency) if exclusive else Money(0, currency)
    return total((line.total for line in added.lines), currency) + tax


def _free(line: OrderLine) -> OrderLine:
    return msgspec.structs.replace(line, discount=line.total, tax=Money(0, line.total.currency))
