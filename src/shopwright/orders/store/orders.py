"""Orders: one function call places one, one query reads one with its lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from shopwright.chassis.db import Change, Connection, Once, Row, Transaction
from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address, OrderStatus, Total

from ..domain import Candidate, Discount, FurtherPayment, Order, OrderLine, Reason, Tax, Tender

RECENT_MAX = 101  # one page and the row that tells whether there is another


class Listing(NamedTuple):
    """Which orders to list, newest first."""

    user_id: UUID | None = None
    status: str | None = None
    text: str | None = None
    before: UUID | None = None


class Terms(NamedTuple):
    """What an order was priced by: the rules' version, and which uses it claims for whom."""

    rules_version: int
    claims: Sequence[Candidate] = ()
    customer: str = ""


class Placing(NamedTuple):
    """An order to be written: of its cart at `version`, by `terms`, to be paid `until` then."""

    order: Order
    version: int
    terms: Terms
    until: datetime


class Chosen(NamedTuple):
    """How the buyer of an order that is paid by a link wants to pay."""

    method: str
    token: str
    return_url: str


class Placed(NamedTuple):
    """The order's number; without one the cart moved on, or `refusal` says why (of which coupon)."""

    number: str | None
    refusal: Reason | Literal["rules_changed"] | None
    code: str | None


async def place(tx: Transaction, order: Order, version: int, terms: Terms) -> Placed:
    """Write `order`, claim its promotions, close its cart at `version`; roll back if that gives no number."""
    row = await tx.fetchrow(
        "SELECT number, refusal, code FROM place_order($1, $2, $3, $4, $5, $6)",
        *_written(order, version, terms),
    )
    assert row is not None, "a function with OUT parameters gives one row"
    return Placed(**row)


def placed_at_once(placing: Placing, once: Once | None) -> Change:
    """The same under the key of its request, as a query that is a whole transaction: raises Overtaken if
    anything stands against it.
    """
    key, fingerprint = once or (None, None)
    return Change(
        "SELECT number, created_at FROM place_order_once($1, $2, $3, $4, $5, $6, $7, $8)",
        (key, fingerprint, *_written(placing.order, placing.version, placing.terms)),
    )


def _written(order: Order, version: int, terms: Terms) -> tuple[Any, ...]:
    return (
        order.cart_id, version, order.id, order.payment_id, _head(order) | _claims(terms),
        [_line_row(line) for line in order.lines],
    )  # fmt: skip


async def find(connection: Connection, order_id: UUID) -> Order | None:
    row = await connection.fetchrow(f"{_SELECT} WHERE o.id = $1", order_id)
    return _order(row) if row else None


async def of_ids(connection: Connection, order_ids: Sequence[UUID]) -> list[Order]:
    rows = await connection.fetch(f"{_SELECT} WHERE o.id = ANY($1) ORDER BY o.id", list(order_ids))
    return [_order(row) for row in rows]


async def of_cart(connection: Connection, cart_id: UUID) -> Order | None:
    """The cart's newest order."""
    row = await connection.fetchrow(f"{_SELECT} WHERE o.cart_id = $1 ORDER BY o.id DESC LIMIT 1", cart_id)
    return _order(row) if row else None


async def exchanges(connection: Connection, order_id: UUID) -> list[Order]:
    """Those that were sent for goods of this one, oldest first."""
    rows = await connection.fetch(f"{_SELECT} WHERE o.exchange_of = $1 ORDER BY o.id", order_id)
    return [_order(row) for row in rows]


async def mark_exchange(tx: Transaction, order_id: UUID, of: UUID) -> None:
    """Say that this order is sent for goods of another that came back."""
    await tx.execute("UPDATE orders SET exchange_of = $2 WHERE id = $1", order_id, of)


async def choose(tx: Transaction, order_id: UUID, chosen: Chosen) -> bool:
    """False when it was chosen already, or the order is decided."""
    return bool(await tx.execute(_CHOOSE, order_id, *chosen))


async def listing(connection: Connection, wanted: Listing, limit: int) -> list[Order]:
    """Only the conditions asked for are in the query, so each combination is walked along an index."""
    asked = [(_WHERE[name], value) for name, value in wanted._asdict().items() if value is not None]
    where = " AND ".join(condition.format(place) for place, (condition, _) in enumerate(asked, 2)) or "true"
    rows = await connection.fetch(
        f"{_SELECT} WHERE {where} ORDER BY o.id DESC LIMIT $1", limit, *(value for _, value in asked)
    )
    return [_order(row) for row in rows]


async def set_status(
    tx: Transaction,
    order_id: UUID,
    status: OrderStatus,
    *,
    payment_status: str,
    action_url: str | None = None,
    refusal: dict[str, Any] | None = None,
) -> None:
    await tx.execute(_SET_STATUS, order_id, status, payment_status, action_url, refusal)


def status_set(order_id: UUID, status: OrderStatus, *, payment_status: str) -> Change:
    """The same as a change that commits together with others."""
    return Change(_SET_STATUS, (order_id, status, payment_status, None, None))


def payment_status_set(order_id: UUID, payment_status: str) -> Change:
    return Change(_SET_PAYMENT_STATUS, (order_id, payment_status))


async def refuse_payment(
    tx: Transaction, order_id: UUID, payment_status: str, refusal: dict[str, Any]
) -> None:
    """Book that a confirmed order will not be paid; its status stays."""
    await tx.execute(
        "UPDATE orders SET payment_status = $2, refusal = $3, updated_at = now() WHERE id = $1",
        order_id, payment_status, refusal,
    )  # fmt: skip


async def forget_user(tx: Transaction, user_id: UUID) -> None:
    """Erase who bought; what was bought and paid stays for the books."""
    await tx.execute(_FORGET, user_id)


def _head(order: Order) -> dict[str, Any]:
    return {
        "user_id": str(order.user_id) if order.user_id else None,
        "email": order.email,
        "name": order.name,
        "currency": order.currency,
        "payment_method": order.payment_method,
        "payment_token": order.payment_token,
        "return_url": order.return_url,
        "totals": msgspec.to_builtins(order.totals),
        "total": order.total.minor,
        "address": msgspec.to_builtins(order.address),
        "shipping_method": order.shipping_method,
        "shipping_name": order.shipping_name,
        "discounts": msgspec.to_builtins(order.discounts),
        "taxes": msgspec.to_builtins(order.taxes),
    }


def _claims(terms: Terms) -> dict[str, Any]:
    claims = [{"promotion_id": str(c.promotion.id), "code": c.code or ""} for c in terms.claims]
    return {"rules_version": terms.rules_version, "claims": claims, "customer": terms.customer}


def _line_row(line: OrderLine) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(line)
    return row | {name: getattr(line, name).minor for name in _AMOUNTS}


def _order(row: Row) -> Order:
    currency = row["currency"]
    return Order(
        **{name: row[name] for name in _PLAIN},
        totals=msgspec.convert(row["totals"], list[Total]),
        total=Money(row["total"], currency),
        refunding=Money(row["refunding"], currency),
        refunded=Money(row["refunded"], currency),
        discounts=msgspec.convert(row["discounts"], list[Discount]),
        taxes=msgspec.convert(row["taxes"], list[Tax]),
        tender=msgspec.convert(row["tender"], Tender) if row["tender"] else None,
        further=[_further(payment, currency) for payment in row["further"] or []],
        address=msgspec.convert(row["address"], Address) if row["address"] else None,
        lines=[
            OrderLine(
                id=UUID(line["id"]),
                sku=line["sku"],
                name=line["name"],
                slug=line["slug"],
                quantity=line["quantity"],
                **{name: Money(line[name], currency) for name in _AMOUNTS},
                options=line["options"],
                picture=line["picture"],
                fulfilled=line["fulfilled"],
                returned=line["returned"],
                cancelled=line["cancelled"],
            )
            for line in row["lines"]
        ],
    )


def _further(row: dict[str, Any], currency: str) -> FurtherPayment:
    return FurtherPayment(
        id=UUID(row["id"]),
        edit_id=UUID(row["edit_id"]),
        method=row["method"],
        amount=Money(row["amount"], currency),
        status=row["status"],
        refunding=Money(row["refunding"], currency),
        tender=msgspec.convert(row["tender"], Tender) if row["tender"] else None,
    )


_AMOUNTS = ("unit_price", "total", "discount", "tax")
_PLAIN = (
    "id", "number", "cart_id", "user_id", "email", "name", "currency", "status", "payment_id",
    "payment_status", "payment_method", "payment_token", "return_url", "action_url", "shipping_method",
    "shipping_name", "refusal", "created_at", "taken_off", "exchange_of", "unpaid",
)  # fmt: skip
_SELECT = """
SELECT o.*, (
    SELECT jsonb_agg(to_jsonb(l) ORDER BY l.position) FROM order_lines l WHERE l.order_id = o.id) AS lines,
    CASE WHEN o.more_paid > 0 THEN (
        SELECT jsonb_agg(to_jsonb(p) ORDER BY p.edit_id) FROM order_payments p WHERE p.order_id = o.id) END
        AS further
FROM orders o
"""
_WHERE = {
    "user_id": "o.user_id = ${0}",
    "status": "o.status = ${0}",
    "text": "o.id IN (SELECT id FROM orders WHERE number = upper(${0})"
    " UNION ALL SELECT id FROM orders WHERE lower(email) = lower(${0}))",
    "before": "o.id < ${0}",
}
_SET_STATUS = """
UPDATE orders SET status = $2, payment_status = $3, action_url = $4, refusal = $5, updated_at = now(),
    payment_token = '',
    confirmed_at = CASE WHEN $2 = 'confirmed' THEN coalesce(confirmed_at, now()) ELSE confirmed_at END
WHERE id = $1
"""
_CHOOSE = """
UPDATE orders SET payment_method = $2, payment_token = $3, return_url = $4, action_url = NULL,
    status = 'in_progress'
WHERE id = $1 AND payment_method = 'link' AND status IN ('in_progress', 'awaiting_buyer')
"""
_SET_PAYMENT_STATUS = "UPDATE orders SET payment_status = $2, updated_at = now() WHERE id = $1"
_FORGET = """
UPDATE orders SET email = 'erased', name = 'erased', address = NULL, user_id = NULL, updated_at = now()
WHERE user_id = $1
"""
