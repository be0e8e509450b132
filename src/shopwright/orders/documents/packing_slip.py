"""The packing slip: what is in a parcel, what went before and what follows. No prices: it may be a gift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from shopwright.contracts.orders import Address

from .sheet import RIGHT, SMALL, WIDTH, Seller, address_lines, day, head, render, text
from .sheet import rows as table


class PackedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line: `here` in this parcel, `left` to be sent after it."""

    name: str
    sku: str
    detail: str
    ordered: int
    here: int
    left: int


class PackingSlip(msgspec.Struct, frozen=True, kw_only=True):
    number: str
    date: datetime
    seller: Seller
    name: str
    address: Address | None
    shipping: str
    tracking: str
    lines: Sequence[PackedLine]


def packing_slip(paper: PackingSlip) -> bytes:
    """The PDF."""
    facts = [
        ("Order", paper.number), ("Ordered", day(paper.date)), ("Delivery", paper.shipping),
        ("Tracking", paper.tracking),
    ]  # fmt: skip
    to = address_lines(paper.address) if paper.address else [paper.name]
    story: list[Flowable] = head(
        "Packing slip", paper.seller, [fact for fact in facts if fact[1]], [line for line in to if line]
    )
    body = [
        [
            [text(line.name), *([text(line.detail, style=SMALL)] if line.detail else [])],
            text(line.sku, style=RIGHT),
            *(text(str(count), style=RIGHT) for count in (line.ordered, line.here, line.left)),
        ]
        for line in paper.lines
    ]
    figures = [36 * mm, 18 * mm, 24 * mm, 20 * mm]
    names = ("Product", "SKU", "Ordered", "In this parcel", "Follows")
    story += [table(names, body, [WIDTH - sum(figures), *figures]), Spacer(0, 6 * mm)]
    units = sum(line.here for line in paper.lines)
    story.append(text(f"{units} unit{'' if units == 1 else 's'} in this parcel."))
    return render(f"Packing slip {paper.number}", paper.seller.name, story)
