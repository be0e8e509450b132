"""The steps of a change of an order: what the saga EDIT_ORDER does at each, idempotent by the change's id.

Its payment has an id that is derived from the change's and the attempt: whoever drives the saga asks for the
same one. What is withdrawn or overtaken by a shipment is refused at the pivot, under the order's lock, and
its authorisation voided; what is applied is never voided.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import msgspec

from shopwright.chassis.db import Database, Transaction
from shopwright.chassis.saga import Done, Failed, Local, Place, Refused, Reply, Waiting
from shopwright.chassis.sagarunner import LEASE, SagaRunner
from shopwright.contracts.money import Money
from shopwright.contracts.orders import PaymentRequested
from shopwright.contracts.payments import PaymentAlreadyCaptured, PaymentNotAuthorised, ProviderRefused
from shopwright.contracts.payments_rpc import PaymentState
from shopwright.contracts.problems import PaymentDeclined
from shopwright.contracts.products import ReserveLine

from .. import domain
from ..clients import Payments, Products
from ..domain import EditPayment, Order, Reversal, Tender
from ..domain.edits import Edit, EditOutdated, EditWithdrawn, change_of
from ..saga import EDIT_ORDER
from ..store import after_sale as after_sale_store
from ..store import edits as store
from ..store import orders as order_store
from .after_sale import CAPTURED, AfterSale
from .tenders import known_in

HOLD_S = 3_600  # longer than the saga's time, so that after the pivot the hold still stands


class EditSteps:
    def __init__(
        self,
        db: Database,
        products: Products,
        payments: Payments,
        after_sale: AfterSale,
        lease: timedelta = LEASE,
    ) -> None:
        self._db, self._products, self._payments = db, products, payments
        self._after_sale = after_sale
        acts = {
            "reserve": self._reserve, "release": self._release,
            "authorise": self._authorise, "void": self._void, "apply": self._apply,
            "claim": self._claim, "capture": self._capture,
            "give_back": after_sale.give_back, "restock": after_sale.restock,
        }  # fmt: skip
        self.runner = SagaRunner(db, EDIT_ORDER, acts, self._ended, lease)

    async def received(self, edit_id: UUID) -> None:
        """Money for an applied change came in by hand: book it."""
        edit = await self._read(edit_id)
        if edit.status == "applied" and edit.payment is not None and edit.payment.method in domain.BY_HAND:
            reply = await self._capture(edit_id)
            if isinstance(reply, Done) and reply.local is not None:
                async with self._db.begin() as tx:
                    await reply.local(tx)

    async def _read(self, edit_id: UUID) -> Edit:
        async with self._db.read() as connection:
            edit = await store.find(connection, edit_id)
        assert edit is not None, "the saga's edit was deleted"
        return edit

    async def _order(self, edit: Edit) -> Order:
        async with self._db.read() as connection:
            order = await order_store.find(connection, edit.order_id)
        assert order is not None, "the edit's order was deleted"
        return order

    async def _reserve(self, edit_id: UUID) -> Reply:
        edit = await self._read(edit_id)
        if edit.added.lines:
            wanted = [ReserveLine(line.sku, line.quantity) for line in edit.added.lines]
            time = (edit.until - edit.created_at).total_seconds() if edit.until else 0
            await self._products.reserve(edit_id, wanted, int(time) + HOLD_S)
        return Done()

    async def _release(self, edit_id: UUID) -> Reply:
        if (await self._read(edit_id)).added.lines:
            await self._products.release(edit_id)
        return Done()

    async def _authorise(self, edit_id: UUID) -> Reply:
        """Nothing for a change that costs nothing more; one by a link waits until its buyer chose."""
        edit = await self._read(edit_id)
        if edit.payment is None:
            return Done()
        if not edit.pending:
            return Refused(EditWithdrawn())
        order = await self._order(edit)
        if edit.by_link:
            return Waiting(_ask_buyer(order, edit))
        state = await self._payments.authorise(_paid_by(order, edit, edit.payment))
        match state.status:
            case "authorised" | "captured":
                settled = edit.payment.settled(state.status, _tender(edit, state))
                return Done(changes=(store.paying(edit, settled),))
            case "requires_action":
                return Waiting(_await_buyer(edit, edit.payment, state, _tender(edit, state)))
            case "declined" | "voided" if edit.payment.by_link:
                return Waiting(_try_again(edit, edit.payment, state.decline_code or state.status))
            case "declined" | "voided":
                return Refused(PaymentDeclined(code=state.decline_code or state.status))
            case other:
                return Failed(f"the payment is {other}")

    async def _void(self, edit_id: UUID) -> Reply:
        edit = await self._read(edit_id)
        if edit.payment is None or edit.payment_id is None or edit.payment.method == domain.LINK:
            return Done()
        if edit.status == "applied":
            return Failed("it is applied, so its payment is not given back")
        try:
            state = await self._payments.void(edit.payment_id)
        except PaymentAlreadyCaptured:  # a transfer came in while the change was given up
            state = await self._payments.refund(uuid5(edit_id, "void"), edit.payment_id, edit.due)
            if state.refund_status == "succeeded":
                return Done()
            return Failed("whether the money is back is not known yet")
        if state.status in {"voided", "declined"}:
            return Done()
        return Failed(f"the payment is {state.status} and not yet given back")

    async def _apply(self, edit_id: UUID) -> Reply:
        """In a transaction of its own, for the order's state may have come to refuse it meanwhile."""
        order_id = (await self._read(edit_id)).order_id
        async with self._db.begin() as tx:
            await after_sale_store.lock(tx, order_id)
            edit = await store.find(tx, edit_id)
            if edit is None or edit.status == "applied":
                return Done()
            if not edit.pending:
                raise EditWithdrawn
            order = await self._after_sale.locked(tx, order_id, "edit")
            domain.check_quantities(edit.removed, domain.left_to_ship(order))
            change = change_of(order, edit.removed, edit.added)
            if change.due != edit.due:
                raise EditOutdated
            back = _reversal(order, edit, change.back)
            if not await after_sale_store.take_back(tx, back, edit.removed):
                raise domain.MoreThanPaid(refundable=order.refundable)
            await store.apply(tx, edit, change)
        return Done()

    async def _claim(self, edit_id: UUID) -> Reply:
        if (await self._read(edit_id)).added.lines:
            await self._products.claim(edit_id)
        return Done()

    async def _capture(self, edit_id: UUID) -> Reply:
        edit = await self._read(edit_id)
        if edit.payment is None or edit.payment_id is None:
            return Done()
        try:
            state = await self._payments.capture(edit.payment_id)
        except (ProviderRefused, PaymentNotAuthorised):
            return await self._never_paid(edit.payment_id)
        if state.status == "authorised" and edit.payment.method in domain.BY_HAND:
            return Done()  # captured once it is received
        if state.status not in CAPTURED:
            return Failed(f"the payment is {state.status}")
        return Done(_taken(edit.payment_id, _tender(edit, state)))

    async def _never_paid(self, payment_id: UUID) -> Reply:
        """Give back what the provider may still hold, so that it never will be taken, and book that."""
        state = await self._payments.void(payment_id)
        if state.status not in {"voided", "declined"}:
            return Failed(f"the capture was refused, the payment is {state.status} and not yet given back")
        return Done(changes=(store.never_taken(payment_id, state.status),))

    async def _ended(self, tx: Transaction, edit_id: UUID, place: Place) -> None:
        if place.status == "undone":
            await store.refuse(tx, edit_id, place.reason or {})


def _tender(edit: Edit, state: PaymentState) -> Tender | None:
    """What pays the difference, as payments know it; None for one card."""
    tender = edit.payment.tender if edit.payment else None
    return known_in(edit.due.currency, tender, state) if tender is not None else None


def _ask_buyer(order: Order, edit: Edit) -> Local:
    """Event: PaymentRequested, once."""

    async def ask_buyer(tx: Transaction) -> None:
        if await store.await_payment(tx, edit.id) and edit.link and edit.until:
            tx.publish(
                PaymentRequested(
                    order_id=order.id, number=order.number, user_id=order.user_id, email=order.email,
                    name=order.name, link_id=edit.link, amount=edit.due, until=edit.until, purpose="edit",
                )
            )  # fmt: skip

    return ask_buyer


def _await_buyer(edit: Edit, payment: EditPayment, state: PaymentState, tender: Tender | None) -> Local:
    waits = msgspec.structs.replace(
        payment, status="requires_action", action_url=state.action_url or None, tender=tender, token=""
    )

    async def await_buyer(tx: Transaction) -> None:
        await store.await_payment(tx, edit.id)
        await store.set_paying(tx, edit, waits)

    return await_buyer


def _taken(payment_id: UUID, tender: Tender | None) -> Local:
    async def taken(tx: Transaction) -> None:
        await store.taken(tx, payment_id, tender)

    return taken


def _try_again(edit: Edit, payment: EditPayment, code: str) -> Local:
    async def try_again(tx: Transaction) -> None:
        await store.set_paying(tx, edit, payment.again(code))

    return try_again


def _paid_by(order: Order, edit: Edit, payment: EditPayment) -> Order:
    """What payments are asked for, as if it were an order of its own."""
    assert edit.payment_id is not None, "a payment has an id"
    return msgspec.structs.replace(
        order, payment_id=edit.payment_id, total=edit.due, payment_method=payment.method,
        payment_token=payment.token, return_url=payment.return_url, tender=payment.tender,
    )  # fmt: skip


def _reversal(order: Order, edit: Edit, back: Money) -> Reversal:
    skus = {line.id: line.sku for line in order.lines}
    return Reversal(
        id=edit.id,
        order_id=order.id,
        kind="edit",
        amount=back,
        restock=[ReserveLine(skus[line_id], count) for line_id, count in edit.removed.items()],
        reason=edit.reason,
        shares=domain.shares(order.payment_id, order.further, back),
        created_at=datetime.now(UTC),
    )
