"""What staff see first of orders: how many came in and for how much, and those that do not move on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from shopwright.chassis.db import Connection
from shopwright.contracts.money import Money

from ..domain import BOUGHT, Order
from . import failed_refunds, orders
from .failed_refunds import FailedRefund

ATTENTION_MAX = 10  # what an operator looks at first; the list has the others


class Summary(NamedTuple):
    since: datetime
    orders: int
    revenue: list[Money]
    in_progress: int
    awaiting_buyer: int
    attention: list[Order]
    failed_refunds: list[FailedRefund]


async def read(connection: Connection, since: datetime, slow: timedelta, attempts: int) -> Summary:
    """Four queries, each along an index; `attention` holds the oldest orders whose sagas are late, stuck or
    slow (purchases, changes, what is to go back) or of which a payment was refused once they were confirmed.
    """
    bought = await connection.fetch(_BOUGHT, _first_id(since), list(BOUGHT))
    waiting = {row["status"]: row["orders"] for row in await connection.fetch(_WAITING)}
    ids = [row["id"] for row in await connection.fetch(_STUCK, slow, attempts, ATTENTION_MAX)]
    return Summary(
        since=since,
        orders=sum(row["orders"] for row in bought),
        revenue=[Money(int(row["total"]), row["currency"]) for row in bought],
        in_progress=waiting.get("in_progress", 0),
        awaiting_buyer=waiting.get("awaiting_buyer", 0),
        attention=await orders.of_ids(connection, ids) if ids else [],
        failed_refunds=await failed_refunds.read(connection, ATTENTION_MAX),
    )


def _first_id(since: datetime) -> UUID:
    """The least UUIDv7 of that millisecond: an order's id is made when it is, so the key finds the day."""
    return UUID(int=max(0, int(since.timestamp() * 1_000)) << 80)


_BOUGHT = """
SELECT currency, count(*) AS orders, sum(total) AS total FROM orders
WHERE id >= $1 AND status = ANY($2) GROUP BY currency ORDER BY currency
"""
_WAITING = """
SELECT status, count(*) AS orders FROM orders WHERE status IN ('in_progress', 'awaiting_buyer')
GROUP BY status
"""
_STUCK = """
SELECT coalesce(r.order_id, e.order_id, s.id) AS id FROM sagas s LEFT JOIN reversals r ON r.id = s.id
    LEFT JOIN order_edits e ON e.id = s.id
WHERE s.status IN ('running', 'waiting')
    AND (s.attempts >= $2 OR s.deadline < now() - $1::interval
         OR (s.status = 'running' AND s.created_at < now() - $1::interval))
UNION SELECT id FROM orders WHERE status = 'confirmed' AND payment_status IN ('declined', 'voided')
UNION SELECT p.order_id FROM order_payments p JOIN orders o ON o.id = p.order_id
    WHERE p.status IN ('declined', 'voided') AND o.status = 'confirmed'
ORDER BY 1 LIMIT $3
"""
