"""Whether the shop's books say what CDNOW's say: orders, people, dollars, stock, mails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from platforms import Platform
from truth import disagreements

from .purchases import Purchase

_ORDERS = """SELECT email, count(*) AS orders, sum(total)::bigint AS total FROM orders
    WHERE email LIKE 'customer-%@cdnow.example' AND status = 'confirmed' GROUP BY 1"""
_OTHERS = """SELECT count(*) FROM orders WHERE email LIKE 'customer-%@cdnow.example'
    AND status NOT IN ('confirmed', 'refused', 'expired', 'cancelled')"""
_REVENUE = """SELECT coalesce(-sum(e.amount), 0)::bigint FROM ledger_entries e
    WHERE e.account = 'revenue' AND e.currency = 'USD'"""
_CHARGED = "SELECT coalesce(sum(captured), 0)::bigint FROM sandbox.charges WHERE currency = 'USD'"
_LEFT = "SELECT coalesce(sum(on_hand), 0)::bigint FROM stock WHERE sku LIKE 'CD-%'"
_MAILS = """SELECT count(*) FROM notifications
    WHERE kind = 'order_confirmed' AND state = 'sent' AND email LIKE 'customer-%@cdnow.example'"""


async def differences(platform: Platform, purchases: Sequence[Purchase]) -> list[str]:
    """What is not as it was: none, if every order is there once and paid to the cent."""
    wanted = Counter(purchase.email for purchase in purchases)
    dollars = sum(purchase.total for purchase in purchases)
    rows = await _rows(platform, "orders", _ORDERS)
    counted = {row["email"]: row["orders"] for row in rows}
    told = [
        f"{email} bought {wanted[email]} times, the shop knows {counted.get(email, 0)}"
        for email in wanted.keys() | counted.keys()
        if wanted[email] != counted.get(email, 0)
    ]
    sums = {
        "orders that are not over": (0, (await _rows(platform, "orders", _OTHERS))[0][0]),
        "cents of all orders": (dollars, sum(row["total"] for row in rows)),
        "cents of revenue in the ledger": (dollars, (await _rows(platform, "payments", _REVENUE))[0][0]),
        "cents taken by the provider": (dollars, (await _rows(platform, "payments", _CHARGED))[0][0]),
        "CDs left on the shelf": (0, (await _rows(platform, "products", _LEFT))[0][0]),
        "confirmations sent": (len(purchases), (await _rows(platform, "notifications", _MAILS))[0][0]),
    }
    told += [f"{what}: {should}, found {found}" for what, (should, found) in sums.items() if should != found]
    return told or await disagreements(platform, sorted(wanted))


async def _rows(platform: Platform, service: str, sql: str) -> list:
    connection = await platform.database(service)
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()
