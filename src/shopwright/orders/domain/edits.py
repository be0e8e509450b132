"""What a change of an order before its shipment does to its lines, sum and taxes. Pure.

What was bought stays in the books: a removed unit is counted as cancelled on its line, an added one is a
line of its own, and the row `edited` of the totals is what both did to the sum. Prices of existing lines
never change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Total
from shopwright.contracts.problem import Problem

from .orders import Order, OrderLine, left_to_ship, paid_for, value_of
from .taxes import Tax

EDITED: Final = "edited"


class EditNeedsPayment(Problem):
    """The change would make the order dearer than what was paid for it."""

    kind = "conflict"
    difference: Money


class ExchangeNeedsPayment(Problem):
    """What is to be sent costs more than what comes back."""

    kind = "conflict"
    difference: Money


class NothingLeft(Problem):
    """Nothing would be left of the order; cancel it instead."""

    kind = "conflict"


class TaxModeDiffers(Problem):
    """Prices include tax now and did not when this was ordered, or the other way round; order anew."""

    kind = "conflict"


class Added(msgspec.Struct, frozen=True):
    """Lines to add at the prices of the moment, and the tax that is in or on them."""

    lines: list[OrderLine] = []
    taxes: list[Tax] = []


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """`removed`: how many of which line; `refusal` says why it was not applied."""

    id: UUID
    order_id: UUID
    removed: dict[UUID, int]
    added: Added
    reason: str
    by_user: UUID | None = None
    status: Literal["requested", "applied", "refused"] = "requested"
    refusal: dict[str, Any] | None = None
    created_at: datetime


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit makes of an order's sum; `back` is paid back."""

    back: Money
    totals: list[Total]
    total: Money
    taken_off: int
    taxes: list[Tax]


def change_of(order: Order, removed: Mapping[UUID, int], added: Added) -> Change:
    """What the edit makes of `order`.

    Raises:
        EditNeedsPayment, NothingLeft, TaxModeDiffers: it must not be done.
    """
    if all(tax.included for tax in order.taxes) != all(tax.included for tax in added.taxes) and added.lines:
        raise TaxModeDiffers
    left = sum(left_to_ship(order).values()) - sum(removed.values())
    if left + sum(line.quantity for line in added.lines) <= 0:
        raise NothingLeft
    gone = value_of(order, removed)
    new = total((paid_for(order, line) for line in added.lines), order.currency)
    if gone < new:
        raise EditNeedsPayment(
            detail="remove as much as you add, or sell what is added as an order of its own",
            difference=new - gone,
        )
    back = gone - new
    taxes = _taxes(order, removed, added)
    more_tax = _on_top(taxes, order.currency) - _on_top(order.taxes, order.currency)
    return Change(
        back=back,
        totals=_totals(order.totals, -back, more_tax),
        total=order.total - back,
        taken_off=order.taken_off + back.minor,
        taxes=taxes,
    )


def _on_top(taxes: Sequence[Tax], currency: str) -> Money:
    """Tax that is added to the prices."""
    return total((tax.amount for tax in taxes if not tax.included), currency)


def _totals(rows: Sequence[Total], difference: Money, more_tax: Money) -> list[Total]:
    """The rows that sum to `difference` more, `more_tax` of it in the row of tax."""
    before = next((row.amount for row in rows if row.type == EDITED), Money(0, difference.currency))
    kept = [
        Total(row.type, row.amount + more_tax) if row.type == "tax" else row
        for row in rows
        if row.type != EDITED
    ]
    after = before + difference - more_tax
    return [*kept, Total(EDITED, after)] if after.minor else kept


def _taxes(order: Order, removed: Mapping[UUID, int], added: Added) -> list[Tax]:
    """The rows of tax with the tax of removed units taken off and that of added lines put on."""
    rows = list(order.taxes)
    for line in order.lines:
        if count := removed.get(line.id, 0):
            _take_off(rows, order, line, count)
    for tax in added.taxes:
        same = next((row for row in rows if (row.name, row.rate) == (tax.name, tax.rate)), None)
        if same is None:
            rows.append(tax)
        else:
            _replace(rows, same, tax.base, tax.amount)
    return [row for row in rows if row.amount.minor or row.base.minor]


def _take_off(rows: list[Tax], order: Order, line: OrderLine, count: int) -> None:
    before = line.returned + line.cancelled
    tax = Money(
        line.tax.minor * (before + count) // line.quantity - line.tax.minor * before // line.quantity,
        order.currency,
    )
    net = value_of(order, {line.id: count}) - tax
    if not rows or not net.minor:
        return
    rate = Decimal(100 * tax.minor) / net.minor
    _replace(rows, min(rows, key=lambda row: abs(Decimal(row.rate) - rate)), -net, -tax)


def _replace(rows: list[Tax], row: Tax, base: Money, amount: Money) -> None:
    rows[rows.index(row)] = msgspec.structs.replace(row, base=row.base + base, amount=row.amount + amount)
