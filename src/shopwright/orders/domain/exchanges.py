"""What an exchange sends costs what it is worth less what comes back: its lines are reduced by that. Pure.

The reduction is spread over the lines by what they are worth, to the last unit, and takes off goods and tax
alike: what could be paid back of all lines together is exactly what was paid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec

from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money, total
from shopwright.contracts.orders import Total

from .edits import Added
from .orders import Order, OrderLine
from .promotions import Discount
from .taxes import Tax


class Noted(NamedTuple):
    """What is to come back once the other side is paid: units of lines, and `amount` in minor units."""

    order_id: UUID
    back: Mapping[UUID, int]
    amount: int
    restock: bool
    reason: str
    by_user: UUID | None


def worth_of(added: Added, currency: str) -> Money:
    """What a buyer would pay for it."""
    return total((_worth(line, _included(added)) for line in added.lines), currency)


def sent_for(order: Order, added: Added, gone: Money) -> Order:
    """The order that sends `added` for what was paid `gone` and comes back; it costs the difference."""
    currency = order.currency
    worth = worth_of(added, currency)
    credited = min(gone, worth).share([_worth(line, _included(added)).minor for line in added.lines])
    lines = [
        _reduced(line, credit, included=_included(added))
        for line, credit in zip(added.lines, credited, strict=True)
    ]
    net = total((line.total for line in lines), currency)
    off = total((line.discount for line in lines), currency)
    tax = total((line.tax for line in lines), currency)
    rows = [Total("subtotal", net), Total("discount", -off)]
    due = net - off
    if not _included(added) and tax.minor:
        rows.append(Total("tax", tax))
        due += tax
    nothing = Money(0, currency)
    return msgspec.structs.replace(
        order, id=new_id(), number="", cart_id=uuid4(), status="in_progress", payment_id=new_id(),
        payment_status="pending", payment_token="", return_url="", action_url=None,
        totals=rows, total=due, refusal=None, created_at=datetime.now(UTC), lines=lines,
        refunding=nothing, refunded=nothing, taken_off=0, unpaid=0, further=[],
        taxes=_taxes(added.taxes, lines, currency) if due.minor else [],
        discounts=[
            Discount(promotion_id=order.id, name=f"Exchange of {order.number}", code=None, amount=off)
        ],
        exchange_of=order.id, tender=None,
    )  # fmt: skip


def _included(added: Added) -> bool:
    return all(tax.included for tax in added.taxes)


def _worth(line: OrderLine, included: bool) -> Money:
    return line.total if included else line.total + line.tax


def _reduced(line: OrderLine, credit: Money, *, included: bool) -> OrderLine:
    """The line with `credit` off: what is left of it is price and tax in the same proportion."""
    worth = _worth(line, included)
    paid = worth - credit
    tax = Money(line.tax.minor * paid.minor // worth.minor if worth.minor else 0, worth.currency)
    price = paid if included else paid - tax
    return msgspec.structs.replace(line, discount=line.total - price, tax=tax)


def _taxes(rows: Sequence[Tax], lines: Sequence[OrderLine], currency: str) -> list[Tax]:
    """The rows of tax as far as the lines still cost something."""
    if not rows:
        return []
    tax = total((line.tax for line in lines), currency)
    price = total((line.total - line.discount for line in lines), currency)
    base = price - tax if all(row.included for row in rows) else price
    amounts, bases = (
        tax.share([row.amount.minor for row in rows]),
        base.share([row.base.minor for row in rows]),
    )
    return [
        msgspec.structs.replace(row, amount=amount, base=on)
        for row, amount, on in zip(rows, amounts, bases, strict=True)
    ]
