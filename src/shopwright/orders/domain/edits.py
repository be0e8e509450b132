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
from .payments import LINK, EditPayment, edit_payment_id
from .taxes import Tax

EDITED: Final = "edited"
EditStatus = Literal["requested", "awaiting_payment", "applied", "refused", "withdrawn"]
PENDING: Final = frozenset[EditStatus]({"requested", "awaiting_payment"})


class EditAwaitsPayment(Problem):
    """Another change of this order waits for its payment; withdraw that one first."""

    kind = "conflict"
    edit_id: UUID


class DifferenceChanged(Problem):
    """It costs another difference than the one that was seen."""

    kind = "conflict"
    expected_difference: Money
    difference: Money


class EditOutdated(Problem):
    """The order changed after the difference was asked for; change it anew."""

    kind = "conflict"


class EditWithdrawn(Problem):
    """The change was withdrawn."""

    kind = "conflict"


class EditNotWaiting(Problem):
    """This change waits for nothing any more."""

    kind = "conflict"
    edit_status: str


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
    """`removed`: how many of which line; `refusal` says why it was not applied.

    `due` is paid by `payment`, at the latest `until`; `link` is the one its buyer was sent.
    """

    id: UUID
    order_id: UUID
    removed: dict[UUID, int]
    added: Added
    reason: str
    by_user: UUID | None = None
    status: EditStatus = "requested"
    refusal: dict[str, Any] | None = None
    due: Money
    payment: EditPayment | None = None
    link: UUID | None = None
    until: datetime | None = None
    created_at: datetime

    @property
    def payment_id(self) -> UUID | None:
        return edit_payment_id(self.id, self.payment.attempt) if self.payment else None

    @property
    def pending(self) -> bool:
        return self.status in PENDING

    @property
    def by_link(self) -> bool:
        """Whether it waits for its buyer to choose how to pay."""
        return self.pending and self.payment is not None and self.payment.method == LINK

    @property
    def being_paid(self) -> bool:
        """Whether its payment is under way and nobody has to act."""
        return self.pending and not self.by_link and not (self.payment and self.payment.action_url)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit makes of an order's sum; `back` is paid back, or `due` is to be paid."""

    back: Money
    due: Money
    totals: list[Total]
    total: Money
    taken_off: int
    taxes: list[Tax]

    @property
    def difference(self) -> Money:
        """What it makes the order dearer; negative when it gets cheaper."""
        return self.due - self.back


def refusal_of(problem: Problem) -> dict[str, Any]:
    """As an edit keeps what ended it."""
    return {"type": problem.slug, "title": problem.title, "detail": problem.detail} | problem.members()


def change_of(order: Order, removed: Mapping[UUID, int], added: Added) -> Change:
    """What the edit makes of `order`.

    Raises:
        NothingLeft, TaxModeDiffers: it must not be done.
    """
    if all(tax.included for tax in order.taxes) != all(tax.included for tax in added.taxes) and added.lines:
        raise TaxModeDiffers
    left = sum(left_to_ship(order).values()) - sum(removed.values())
    if left + sum(line.quantity for line in added.lines) <= 0:
        raise NothingLeft
    gone = value_of(order, removed)
    new = total((paid_for(order, line) for line in added.lines), order.currency)
    nothing = Money(0, order.currency)
    back, due = max(gone - new, nothing), max(new - gone, nothing)
    taxes = _taxes(order, removed, added)
    more_tax = _on_top(taxes, order.currency) - _on_top(order.taxes, order.currency)
    return Change(
        back=back,
        due=due,
        totals=_totals(order.totals, due - back, more_tax),
        total=order.total + due - back,
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
