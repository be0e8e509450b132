"""Changes of a confirmed order before anything of it is shipped: units are taken out, others put in.

Noted under the order's lock; then the saga EDIT_ORDER reserves what is added, has the difference paid if the
order gets dearer, changes the lines at its pivot (if the order still allows it then), takes stock and money,
and pays back and restocks what was removed. `commands.edit_steps` does the steps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec
import structlog

from shopwright.chassis import deadline
from shopwright.chassis.db import Database, Once, Transaction
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problem import revive
from shopwright.contracts.problems import NotFound, OutOfStock, PaymentDeclined, Shortage
from shopwright.contracts.products import ReserveLine

from .. import domain
from ..clients import Products
from ..domain import Cart, CartLine, EditPayment, Order, OrderLine, PricedItem
from ..domain.edits import (
    Added,
    Change,
    DifferenceChanged,
    Edit,
    EditAwaitsPayment,
    EditNotWaiting,
    EditWithdrawn,
    change_of,
    refusal_of,
)
from ..store import after_sale as after_sale_store
from ..store import edits as store
from ..store import orders as order_store
from ..store import pay_links, timeline
from .after_sale import AfterSale
from .edit_steps import EditSteps
from .orders import Payment
from .pricing import Pricing, customer_of
from .repeats import made_before

log = structlog.get_logger()

TIME = timedelta(minutes=2)  # to reserve and apply when nobody has to act; past the pivot there is no limit
ANSWER_S = 6.0


class Wanted(NamedTuple):
    """What staff want of an order: so many units of lines to be sent, `keep`, and others put in."""

    keep: Mapping[UUID, int]
    add: Sequence[ReserveLine]
    reason: str = ""
    payment: Payment | None = None  # without: the buyer is sent a link
    expected_difference: Money | None = None


class Times(NamedTuple):
    """How long the difference may take to be paid."""

    buyer: timedelta
    transfer: timedelta
    link: timedelta

    def of(self, payment: Payment | None) -> timedelta:
        if payment is None:
            return self.link
        if payment.method == "bank_transfer":
            return self.transfer
        return self.buyer if payment.method == "card" and not payment.token else TIME


class Edits:
    def __init__(
        self,
        db: Database,
        products: Products,
        pricing: Pricing,
        after_sale: AfterSale,
        steps: EditSteps,
        times: Times,
    ) -> None:
        self._db, self._products, self._pricing = db, products, pricing
        self._after_sale, self._steps, self._times = after_sale, steps, times
        self.runner = steps.runner

    async def quote(self, order_id: UUID, wanted: Wanted) -> Change:
        """What a change would make of the order, at today's prices; raises what `edit` raises of it."""
        order = await self._find(order_id)
        return change_of(order, _removed(order, wanted.keep), await self.priced(order, wanted.add))

    async def edit(
        self, order_id: UUID, wanted: Wanted, *, once: Once | None, by: UUID | None = None
    ) -> Edit:
        """Change an order, added units at today's price. A dearer one is paid first, by `payment` or a link.

        Events: OrderRefunded, if the order is cheaper then; PaymentRequested, if its buyer is sent a link.

        Raises:
            WrongTransition, NotPaidYet, PaymentRefused, MoreThanOrdered, NotForSale, OutOfStock, NothingLeft,
            TaxModeDiffers, PaymentDeclined, DifferenceChanged, EditAwaitsPayment, InvalidInput: the order
            stays as it is.
        """
        if (known := await made_before(self._db, once)) is not None:
            return _or_refused(await self.find(known))
        added = await self.priced(await self._find(order_id), wanted.add)
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                edit_id, held = UUID(bytes=tx.stored), None
            else:
                order = await self._after_sale.locked(tx, order_id, "edit")
                edit = await self._noted(tx, order, wanted, added, by)
                edit_id = edit.id
                held = await self.runner.start(tx, edit_id, edit.until or datetime.now(UTC) + TIME)
                tx.remember(edit_id.bytes)
        if held is not None:
            await in_time(self.runner.drive(held), edit_id)
        return _or_refused(await self.find(edit_id))

    async def _noted(
        self, tx: Transaction, order: Order, wanted: Wanted, added: Added, by: UUID | None
    ) -> Edit:
        removed = _removed(order, wanted.keep)
        if not removed and not wanted.add:
            raise invalid("/lines", "changes nothing")
        change = change_of(order, removed, added)
        seen = wanted.expected_difference
        if seen is not None and seen != change.difference:
            raise DifferenceChanged(expected_difference=seen, difference=change.difference)
        if wanted.payment is not None and not change.due.minor:
            raise invalid("/payment", "is not needed: the order does not get dearer")
        payment = None
        if change.due.minor:
            if (waiting := await store.waiting(tx, order.id)) is not None:
                raise EditAwaitsPayment(edit_id=waiting)
            payment = _payment(wanted.payment)
        asks = payment is not None and payment.by_link
        now = datetime.now(UTC)
        edit = Edit(
            id=new_id(), order_id=order.id, removed=removed, added=added, reason=wanted.reason, by_user=by,
            due=change.due, payment=payment, link=uuid4() if asks else None,
            until=now + self._times.of(wanted.payment) if payment else None, created_at=now,
        )  # fmt: skip
        await store.insert(tx, edit)
        if edit.link is not None and edit.until is not None:
            await pay_links.insert(tx, edit.link, order.id, edit.id, edit.until)
        await timeline.note(tx, order.id, "edit", by, wanted.reason)
        return edit

    async def pay(self, edit_id: UUID, payment: Payment, once: Once | None) -> Edit:
        """Its buyer chose how to pay the difference; chosen already, it stays as it was chosen.

        Raises:
            EditNotWaiting, PaymentDeclined: nothing was taken; after a decline it may be tried again.
        """
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                edit = await self._locked(tx, edit_id)
                if not edit.pending:
                    raise EditNotWaiting(edit_status=edit.status)
                if edit.by_link and edit.payment is not None:
                    chosen = _chosen(payment, attempt=edit.payment.attempt, by_link=True)
                    await store.set_paying(tx, edit, chosen)
                    await self.runner.wake(tx, edit_id)
        await in_time(self.runner.look_again([edit_id]), edit_id)
        edit = await self._answered(edit_id)
        if edit.by_link and edit.payment is not None and edit.payment.decline_code:
            raise PaymentDeclined(code=edit.payment.decline_code)
        return _or_refused(edit)

    async def _answered(self, edit_id: UUID) -> Edit:
        """The change once its payment has an outcome or its buyer must act; a worker may be at it."""
        until = time.monotonic() + deadline.remaining_s(ANSWER_S)
        edit = await self.find(edit_id)
        while edit.being_paid and time.monotonic() < until:
            await asyncio.sleep(0.05)
            edit = await self.find(edit_id)
        return edit

    async def withdraw(
        self, order_id: UUID, edit_id: UUID, once: Once | None, *, by: UUID | None = None
    ) -> Edit:
        """Give up a change that is not paid: what was held for it goes back, the order stays as it was.

        Raises EditNotWaiting when it is applied, perhaps just now, or over.
        """
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                edit = await self._locked(tx, edit_id, order_id)
                if not edit.pending or not edit.due.minor:
                    raise EditNotWaiting(edit_status=edit.status)
                await store.withdraw(tx, edit_id, refusal_of(EditWithdrawn()))
                await timeline.note(tx, order_id, "withdraw", by, edit.reason)
                await self.runner.wake(tx, edit_id, cancel=True)
        await in_time(self.runner.look_again([edit_id]), edit_id)
        return await self.find(edit_id)

    async def look_again(self, payment_ids: Sequence[UUID]) -> None:
        """Something happened to payments of changes: drive those on, and book what came in by hand."""
        if not payment_ids:
            return
        async with self._db.read() as connection:
            edit_ids = await store.of_payments(connection, list(payment_ids))
        await self.runner.look_again(edit_ids)
        for edit_id in edit_ids:
            await self._steps.received(edit_id)

    async def of_order(self, order_id: UUID) -> list[Edit]:
        async with self._db.read() as connection:
            return await store.of_order(connection, order_id)

    async def find(self, edit_id: UUID) -> Edit:
        async with self._db.read() as connection:
            edit = await store.find(connection, edit_id)
        if edit is None:
            raise NotFound(detail=f"no change {edit_id}")
        return edit

    async def priced(self, order: Order, add: Sequence[ReserveLine]) -> Added:
        """What is added, as the cart of such a buyer would cost now."""
        if not add:
            return Added()
        skus = [line.sku for line in add]
        quotes = await self._products.quotes(skus, order.currency, fresh=True)
        if gone := [sku for sku in skus if sku not in quotes]:
            raise domain.NotForSale(skus=gone)
        short = [
            Shortage(line.sku, line.quantity, quotes[line.sku].available)
            for line in add
            if quotes[line.sku].available < line.quantity
        ]
        if short:
            raise OutOfStock(shortages=short)
        wanted = [
            CartLine(id=new_id(), sku=line.sku, quantity=line.quantity, seen=domain.seen_of(quotes[line.sku]))
            for line in add
        ]
        cart = Cart(
            id=uuid4(), user_id=order.user_id, currency=order.currency, status="open", email=order.email,
            address=order.address, shipping_method=None, version=1, lines=wanted,
        )  # fmt: skip
        rules = await self._pricing.rules(fresh=True)
        plain = msgspec.structs.replace(rules, promotions=[], methods=[])  # the goods alone, at their price
        priced = await self._pricing.price(
            cart, quotes, customer_of(order.user_id, order.email), rules=plain, firm=True
        )
        return Added([_line(line, priced.items[line.sku]) for line in wanted], priced.taxes)

    async def _find(self, order_id: UUID) -> Order:
        async with self._db.read() as connection:
            order = await order_store.find(connection, order_id)
        if order is None:
            raise NotFound(detail=f"no order {order_id}")
        domain.check_command(order.status, "edit")
        return order

    async def _locked(self, tx: Transaction, edit_id: UUID, order_id: UUID | None = None) -> Edit:
        """The change, its order held until `tx` ends; of `order_id`, if that is given."""
        edit = await store.find(tx, edit_id)
        if edit is None or order_id not in {None, edit.order_id}:
            raise NotFound(detail=f"no change {edit_id}")
        await after_sale_store.lock(tx, edit.order_id)
        return await store.find(tx, edit_id) or edit


async def in_time(driving: Coroutine[object, object, object], about: UUID) -> None:
    """Wait for it as long as a request may; it goes on by itself after that."""
    try:
        async with asyncio.timeout(deadline.remaining_s(ANSWER_S)):
            await asyncio.shield(asyncio.ensure_future(driving))
    except TimeoutError:
        log.info("no outcome yet", about=str(about))


def _payment(payment: Payment | None) -> EditPayment:
    return EditPayment(by_link=True) if payment is None else _chosen(payment)


def _chosen(payment: Payment, *, attempt: int = 1, by_link: bool = False) -> EditPayment:
    return EditPayment(
        attempt=attempt,
        method=payment.method,
        token=payment.token,
        return_url=payment.return_url,
        tender=domain.tender_of(payment.method, payment.gift_cards, use_wallet=payment.use_wallet),
        by_link=by_link,
    )


def _removed(order: Order, keep: Mapping[UUID, int]) -> dict[UUID, int]:
    """How many units each line loses; raises InvalidInput for an unknown line or more than it has."""
    left = domain.left_to_ship(order)
    for place, (line_id, count) in enumerate(keep.items()):
        if line_id not in {line.id for line in order.lines}:
            raise invalid(f"/lines/{place}/line_id", "is no line of this order")
        if count > left.get(line_id, 0):
            raise invalid(f"/lines/{place}/quantity", "is more than the line has; put more in with `add`")
    return {line_id: left[line_id] - count for line_id, count in keep.items() if count < left.get(line_id, 0)}


def _line(line: CartLine, priced: PricedItem) -> OrderLine:
    return OrderLine(
        id=line.id,
        sku=line.sku,
        name=line.seen.name,
        slug=line.seen.slug,
        quantity=line.quantity,
        unit_price=line.seen.unit_price,
        total=priced.total,
        discount=priced.discount,
        tax=priced.tax,
        options=line.seen.options,
        picture=line.seen.picture,
    )


def _or_refused(edit: Edit) -> Edit:
    """Raises what refused it."""
    if edit.status in {"refused", "withdrawn"} and edit.refusal is not None:
        raise revive(str(edit.refusal.get("type")), edit.refusal) or domain.OrderNotPlaced(
            detail=str(edit.refusal.get("title", "")), order_id=edit.order_id
        )
    return edit
