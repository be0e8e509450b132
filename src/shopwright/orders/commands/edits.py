"""Changes of a confirmed order before anything of it is shipped: units are taken out, others put in.

Noted under the order's lock; then the saga EDIT_ORDER reserves what is added, changes the lines at its pivot
(if the order still allows it then), takes the stock, pays the difference back and restocks what was removed.
What makes an order dearer than what was paid is refused: EditNeedsPayment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import structlog

from shopwright.chassis import deadline
from shopwright.chassis.db import Database, Once, Transaction
from shopwright.chassis.saga import Done, Place, Reply
from shopwright.chassis.sagarunner import LEASE, SagaRunner
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.problem import revive
from shopwright.contracts.problems import NotFound, OutOfStock, Shortage
from shopwright.contracts.products import ReserveLine

from .. import domain
from ..clients import Products
from ..domain import Cart, CartLine, Order, OrderLine, PricedItem, Reversal
from ..domain.edits import Added, Edit, change_of
from ..saga import EDIT_ORDER
from ..store import after_sale as after_sale_store
from ..store import edits as store
from ..store import orders as order_store
from ..store import timeline
from .after_sale import AfterSale
from .pricing import Pricing, customer_of
from .repeats import made_before

log = structlog.get_logger()

TIME = timedelta(minutes=2)  # to reserve and apply; past the pivot there is no limit
HOLD_S = 3_600  # longer than that, so that after the pivot the hold still stands
ANSWER_S = 6.0


class Edits:
    def __init__(
        self,
        db: Database,
        products: Products,
        pricing: Pricing,
        after_sale: AfterSale,
        lease: timedelta = LEASE,
    ) -> None:
        self._db, self._products, self._pricing, self._after_sale = db, products, pricing, after_sale
        acts = {
            "reserve": self._reserve, "release": self._release, "apply": self._apply, "claim": self._claim,
            "give_back": after_sale.give_back, "restock": after_sale.restock,
        }  # fmt: skip
        self.runner = SagaRunner(db, EDIT_ORDER, acts, self._ended, lease)

    async def edit(
        self,
        order_id: UUID,
        keep: Mapping[UUID, int],
        add: Sequence[ReserveLine],
        reason: str,
        *,
        once: Once | None,
        by: UUID | None = None,
    ) -> Edit:
        """Leave so many units of lines in an order, `keep`, and put others in, at today's price.

        Event: OrderRefunded, if the order is cheaper then.

        Raises:
            WrongTransition, NotPaidYet, PaymentRefused, MoreThanOrdered, NotForSale, OutOfStock,
            EditNeedsPayment, NothingLeft, TaxModeDiffers, InvalidInput: the order stays as it is.
        """
        if (known := await made_before(self._db, once)) is not None:
            return _or_refused(await self._read(known))
        added = await self.priced(await self._find(order_id), add)
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                edit_id, held = UUID(bytes=tx.stored), None
            else:
                order = await self._after_sale.locked(tx, order_id, "edit")
                removed = _removed(order, keep)
                if not removed and not add:
                    raise invalid("/lines", "changes nothing")
                change_of(order, removed, added)
                edit_id = new_id()
                await store.insert(
                    tx,
                    Edit(
                        id=edit_id, order_id=order_id, removed=removed, added=added, reason=reason,
                        by_user=by, created_at=datetime.now(UTC),
                    ),
                )  # fmt: skip
                await timeline.note(tx, order_id, "edit", by, reason)
                held = await self.runner.start(tx, edit_id, datetime.now(UTC) + TIME)
                tx.remember(edit_id.bytes)
        if held is not None:
            try:
                async with asyncio.timeout(deadline.remaining_s(ANSWER_S)):
                    await asyncio.shield(asyncio.ensure_future(self.runner.drive(held)))
            except TimeoutError:
                log.info("the order is not changed yet", edit=str(edit_id))
        return _or_refused(await self._read(edit_id))

    async def of_order(self, order_id: UUID) -> list[Edit]:
        async with self._db.read() as connection:
            return await store.of_order(connection, order_id)

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

    async def _read(self, edit_id: UUID) -> Edit:
        async with self._db.read() as connection:
            edit = await store.find(connection, edit_id)
        assert edit is not None, "the saga's edit was deleted"
        return edit

    # The saga's steps: each is idempotent by the edit's id.

    async def _reserve(self, edit_id: UUID) -> Reply:
        if lines := (await self._read(edit_id)).added.lines:
            wanted = [ReserveLine(line.sku, line.quantity) for line in lines]
            await self._products.reserve(edit_id, wanted, HOLD_S)
        return Done()

    async def _release(self, edit_id: UUID) -> Reply:
        if (await self._read(edit_id)).added.lines:
            await self._products.release(edit_id)
        return Done()

    async def _apply(self, edit_id: UUID) -> Reply:
        """In a transaction of its own, for the order's state may have come to refuse it meanwhile."""
        order_id = (await self._read(edit_id)).order_id
        async with self._db.begin() as tx:
            order = await self._after_sale.locked(tx, order_id, "edit")
            edit = await store.find(tx, edit_id)
            if edit is not None and edit.status == "requested":
                domain.check_quantities(edit.removed, domain.left_to_ship(order))
                change = change_of(order, edit.removed, edit.added)
                back = _reversal(order, edit, change.back)
                if not await after_sale_store.take_back(tx, back, edit.removed):
                    raise domain.MoreThanPaid(refundable=order.refundable)
                await store.apply(tx, edit, change)
        return Done()

    async def _claim(self, edit_id: UUID) -> Reply:
        if (await self._read(edit_id)).added.lines:
            await self._products.claim(edit_id)
        return Done()

    async def _ended(self, tx: Transaction, edit_id: UUID, place: Place) -> None:
        if place.status == "undone":
            await store.refuse(tx, edit_id, place.reason or {})


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


def _reversal(order: Order, edit: Edit, back: Money) -> Reversal:
    skus = {line.id: line.sku for line in order.lines}
    return Reversal(
        id=edit.id,
        order_id=order.id,
        kind="edit",
        amount=back,
        restock=[ReserveLine(skus[line_id], count) for line_id, count in edit.removed.items()],
        reason=edit.reason,
        created_at=datetime.now(UTC),
    )


def _or_refused(edit: Edit) -> Edit:
    """Raises what refused it."""
    if edit.status == "refused" and edit.refusal is not None:
        raise revive(str(edit.refusal.get("type")), edit.refusal) or domain.OrderNotPlaced(
            detail=str(edit.refusal.get("title", "")), order_id=edit.order_id
        )
    return edit
