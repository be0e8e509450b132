"""The invoice: who sold what to whom, with discount and tax of each line, what it sums up to, how it was
paid, and what was paid back since.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table

from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Address, Total

from .sheet import (
    EDGES,
    HEADING,
    RIGHT,
    SMALL,
    TOTAL,
    WIDTH,
    Seller,
    address_lines,
    amount,
    day,
    head,
    render,
    text,
)
from .sheet import rows as table

TOTALS = {
    "subtotal": "Subtotal",
    "discount": "Discount",
    "shipping": "Delivery",
    "shipping_discount": "Discount on delivery",
    "tax": "Tax",
    "edited": "Changes to the order",
}


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is what was paid for the line; `discount` and `tax` are its shares, positive."""

    name: str
    detail: str
    quantity: int
    unit_price: Money
    discount: Money
    tax: Money
    total: Money


class TaxRow(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` in percent; `included` in the prices or added to them."""

    name: str
    rate: str
    base: Money
    amount: Money
    included: bool


class Credit(msgspec.Struct, frozen=True):
    """Money that went back; `amount` is positive."""

    at: datetime
    what: str
    amount: Money


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    number: str
    date: datetime
    seller: Seller
    email: str
    name: str
    address: Address | None
    lines: Sequence[InvoiceLine]
    totals: Sequence[Total]
    taxes: Sequence[TaxRow]
    total: Money
    payment: str
    credits: Sequence[Credit]


def invoice(paper: Invoice) -> bytes:
    """The PDF."""
    buyer = [*(address_lines(paper.address) if paper.address else [paper.name]), paper.email]
    facts = [("Number", paper.number), ("Date", day(paper.date)), ("Currency", paper.total.currency)]
    story: list[Flowable] = head("Invoice", paper.seller, facts, [line for line in buyer if line])
    story += [_lines(paper), Spacer(0, 4 * mm), _totals(paper)]
    if paper.taxes:
        story += [text("Tax", style=HEADING), _taxes(paper)]
    story += [text("Payment", style=HEADING), text(paper.payment)]
    if paper.credits:
        story += [text("Paid back", style=HEADING), _credits(paper), Spacer(0, 2 * mm), _balance(paper)]
    return render(f"Invoice {paper.number}", paper.seller.name, story)


def _lines(paper: Invoice) -> Flowable:
    body = [
        [
            [text(line.name), *([text(line.detail, style=SMALL)] if line.detail else [])],
            *(
                text(value, style=RIGHT)
                for value in (
                    str(line.quantity), amount(line.unit_price),
                    amount(-line.discount) if line.discount.minor else "–",
                    amount(line.tax) if line.tax.minor else "–", amount(line.total),
                )
            ),
        ]
        for line in paper.lines
    ]  # fmt: skip
    names = ("Product", "Quantity", "Unit price", "Discount", "Tax", "Total")
    figures = [16 * mm, 27 * mm, 25 * mm, 25 * mm, 29 * mm]
    return table(names, body, [WIDTH - sum(figures), *figures])


def _totals(paper: Invoice) -> Flowable:
    body = [
        [text(TOTALS.get(row.type, row.type.replace("_", " ").capitalize()), style=RIGHT),
         text(amount(row.amount), style=RIGHT)]
        for row in paper.totals
    ]  # fmt: skip
    body.append([text("Total", style=TOTAL), text(amount(paper.total), style=TOTAL)])
    return Table(body, colWidths=[50 * mm, 45 * mm], hAlign="RIGHT", style=[*EDGES])


def _taxes(paper: Invoice) -> Flowable:
    body = [
        [
            text(f"{row.name} {row.rate} %{' (included in the prices)' if row.included else ''}"),
            text(amount(row.base), style=RIGHT),
            text(amount(row.amount), style=RIGHT),
        ]
        for row in paper.taxes
    ]
    return table(("Rate", "On", "Tax"), body, [WIDTH - 80 * mm, 40 * mm, 40 * mm])


def _credits(paper: Invoice) -> Flowable:
    body = [
        [text(row.what), text(day(row.at), style=RIGHT), text(amount(-row.amount), style=RIGHT)]
        for row in paper.credits
    ]
    return table(("What", "Date", "Amount"), body, [WIDTH - 80 * mm, 40 * mm, 40 * mm])


def _balance(paper: Invoice) -> Flowable:
    back = total((row.amount for row in paper.credits), paper.total.currency)
    return text(f"Left after what was paid back: {amount(paper.total - back)}", style=TOTAL)
