"""Papers of an order: what stands on its invoice and on the packing slip of a parcel, rendered in a thread.

Nothing is stored: a paper is made of the order as it stands, so a refund is on the next invoice. There is
none before the order is confirmed, nor of one that never was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from shopwright.chassis.db import Database
from shopwright.contracts.problems import NotFound

from .. import documents, domain
from ..documents import Credit, Invoice, InvoiceLine, PackedLine, PackingSlip, Seller, TaxRow
from ..domain import Command, Fulfilment, FurtherPayment, Order, OrderLine, Reversal
from ..store import after_sale as store
from ..store import orders as order_store

METHODS = {
    "card": "by card", "cash_on_delivery": "in cash on delivery", "bank_transfer": "by bank transfer",
    "wallet": "from the wallet", "gift_card": "with gift cards",
}  # fmt: skip
KINDS = {
    "refund": "Refund",
    "return": "Return",
    "cancellation": "Cancellation",
    "edit": "Change of the order",
}
PAID = {
    "captured": "Paid", "partially_refunded": "Paid", "refunded": "Paid and refunded",
    "voided": "Not paid", "declined": "Not paid",
}  # fmt: skip


class Documents:
    def __init__(self, db: Database, seller: Seller) -> None:
        self._db, self._seller = db, seller

    async def invoice(self, order_id: UUID) -> bytes:
        """The invoice as PDF; raises WrongTransition before the order is confirmed."""
        order, _, reversals = await self._read(order_id, "invoice")
        return await asyncio.to_thread(documents.invoice, _invoice(order, reversals, self._seller))

    async def packing_slip(self, order_id: UUID, fulfilment_id: UUID | None = None) -> bytes:
        """The slip of a parcel as PDF; without one of what is left to ship, or of the newest parcel.

        Raises:
            WrongTransition: the order is not confirmed.
            NotFound: it has no such parcel.
        """
        order, parcels, _ = await self._read(order_id, "packing_slip")
        return await asyncio.to_thread(
            documents.packing_slip, _slip(order, parcels, fulfilment_id, self._seller)
        )

    async def _read(self, order_id: UUID, wanted: Command) -> tuple[Order, list[Fulfilment], list[Reversal]]:
        async with self._db.read() as connection:
            order = await order_store.find(connection, order_id)
            if order is None:
                raise NotFound(detail=f"no order {order_id}")
            _check(order, wanted)
            parcels, reversals = await store.of_order(connection, order_id)
        return order, parcels, reversals


def _check(order: Order, wanted: Command) -> None:
    """Raises WrongTransition; an order that ended before it was confirmed has no papers either."""
    domain.check_command(order.status, wanted)
    if order.refusal is not None and not order.payment_refused:
        raise domain.WrongTransition(
            detail=f"{wanted} is not for an order that was never confirmed",
            order_status=order.status, wanted=wanted,
        )  # fmt: skip


def _invoice(order: Order, reversals: Sequence[Reversal], seller: Seller) -> Invoice:
    method = METHODS.get(order.payment_method, order.payment_method.replace("_", " "))
    return Invoice(
        number=order.number,
        date=order.created_at,
        seller=seller,
        email=order.email,
        name=order.name,
        address=order.address,
        lines=[_line(line, order) for line in order.lines],
        totals=order.totals,
        taxes=[
            TaxRow(name=tax.name, rate=tax.rate, base=tax.base, amount=tax.amount, included=tax.included)
            for tax in order.taxes
        ],
        total=order.total,
        payment=" ".join(
            [f"{PAID.get(order.payment_status, 'To be paid')} {method}.", *map(_further, order.further)]
        ),
        credits=[
            Credit(back.created_at, f"{KINDS.get(back.kind, back.kind)}: {back.reason}", back.amount)
            for back in reversals
            if back.status == "succeeded" and back.amount.minor and back.kind != "edit"  # is in the total
        ],
    )


def _further(payment: FurtherPayment) -> str:
    """What a change of the order was paid by."""
    method = METHODS.get(payment.method, payment.method.replace("_", " "))
    return f"For a change, {payment.amount}: {PAID.get(payment.status, 'to be paid').lower()} {method}."


def _line(line: OrderLine, order: Order) -> InvoiceLine:
    return InvoiceLine(
        name=line.name,
        detail=" · ".join([*line.options.values(), line.sku, *_cancelled(line)]),
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
        tax=line.tax,
        total=domain.paid_for(order, line),
    )


def _cancelled(line: OrderLine) -> list[str]:
    return [f"{line.cancelled} of them cancelled"] if line.cancelled else []


def _slip(
    order: Order, parcels: Sequence[Fulfilment], fulfilment_id: UUID | None, seller: Seller
) -> PackingSlip:
    left = {str(line_id): count for line_id, count in domain.left_to_ship(order).items()}
    parcel = _parcel(order, parcels, fulfilment_id, any_is_left=bool(left))
    here: Mapping[str, int] = parcel.lines if parcel else left
    before = {} if parcel is None else _sent(parcels, parcel)
    return PackingSlip(
        number=order.number,
        date=order.created_at,
        seller=seller,
        name=order.name,
        address=order.address,
        shipping=order.shipping_name,
        tracking=" ".join(filter(None, (parcel.tracking.carrier, parcel.tracking.number))) if parcel else "",
        lines=[
            PackedLine(
                name=line.name,
                sku=line.sku,
                detail=" · ".join(line.options.values()),
                ordered=line.quantity - line.cancelled,
                here=here[str(line.id)],
                left=line.quantity - line.cancelled - before.get(str(line.id), 0) if parcel else 0,
            )
            for line in order.lines
            if str(line.id) in here
        ],
    )


def _parcel(
    order: Order, parcels: Sequence[Fulfilment], wanted: UUID | None, *, any_is_left: bool
) -> Fulfilment | None:
    """The parcel that is asked for; None: the one that is still to be sent."""
    if wanted is None:
        return None if any_is_left or not parcels else parcels[-1]
    parcel = next((parcel for parcel in parcels if parcel.id == wanted), None)
    if parcel is None:
        raise NotFound(detail=f"order {order.number} has no parcel {wanted}")
    return parcel


def _sent(parcels: Sequence[Fulfilment], last: Fulfilment) -> dict[str, int]:
    """How many of each line were sent up to and with `last`."""
    sent: dict[str, int] = {}
    for parcel in parcels[: parcels.index(last) + 1]:
        for line_id, count in parcel.lines.items():
            sent[line_id] = sent.get(line_id, 0) + count
    return sent
