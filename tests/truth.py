"""Reads every database of a platform and says what does not agree: the checker of the kill and race tests."""

from __future__ import annotations

from collections import Counter

from platforms import Platform

OVER = {"refused", "expired", "cancelled"}


async def disagreements(platform: Platform, emails: list[str]) -> list[str]:
    """What contradicts "confirmed and paid once, or refused and unpaid" for the orders of `emails`."""
    orders = await _rows(platform, "orders", "SELECT * FROM orders WHERE email = ANY($1)", emails)
    lines = await _rows(
        platform,
        "orders",
        "SELECT l.* FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE o.email = ANY($1)",
        emails,
    )
    wrong: list[str] = []
    payments = {
        row["id"]: row
        for row in await _rows(
            platform,
            "payments",
            "SELECT * FROM payments WHERE id = ANY($1)",
            [o["payment_id"] for o in orders],
        )
    }
    for order in orders:
        payment = payments.get(order["payment_id"])
        status = payment["status"] if payment else "none"
        if order["status"] == "confirmed" and status != "captured":
            wrong.append(f"{order['number']} is confirmed but its payment is {status}")
        elif order["status"] in OVER and status not in {"voided", "declined", "none"}:
            wrong.append(f"{order['number']} is {order['status']} but its payment is {status}")
        elif order["status"] not in OVER | {"confirmed"}:
            wrong.append(f"{order['number']} is still {order['status']}")
        if payment and payment["amount"] != order["total"]:
            wrong.append(f"{order['number']} is {order['total']} but {payment['amount']} was asked")
    wrong += await _stock(platform, orders, lines)
    wrong += await _provider(platform, list(payments.values()))
    wrong += await _told(platform, orders)
    wrong += await _ledger(platform)
    return wrong


async def _stock(platform: Platform, orders: list, lines: list) -> list[str]:
    wrong = []
    sold = Counter()
    confirmed = {order["id"] for order in orders if order["status"] == "confirmed"}
    for line in lines:
        if line["order_id"] in confirmed:
            sold[line["sku"]] += line["quantity"]
    reservations = {
        row["id"]: row["status"]
        for row in await _rows(
            platform,
            "products",
            "SELECT id, status FROM reservations WHERE id = ANY($1)",
            [o["id"] for o in orders],
        )
    }
    for order in orders:
        expected = {"claimed"} if order["id"] in confirmed else {"released", None}
        if reservations.get(order["id"]) not in expected:
            wrong.append(
                f"{order['number']} is {order['status']}, its stock is {reservations.get(order['id'])}"
            )
    claimed = await _rows(
        platform,
        "products",
        """SELECT sku, sum(quantity) AS quantity FROM reservation_lines
        JOIN reservations r ON r.id = reservation_id
        WHERE r.id = ANY($1) AND r.status = 'claimed' GROUP BY sku""",
        [o["id"] for o in orders],
    )
    taken = {row["sku"]: int(row["quantity"]) for row in claimed}
    if taken != dict(sold):
        wrong.append(f"sold {dict(sold)} but stock gave {taken}")
    drift = await _rows(
        platform,
        "products",
        """SELECT s.sku, s.warehouse FROM stock s
        LEFT JOIN (SELECT sku, warehouse, sum(delta_on_hand) AS on_hand, sum(delta_reserved) AS reserved
                   FROM movements GROUP BY 1, 2) m USING (sku, warehouse)
        WHERE s.on_hand <> coalesce(m.on_hand, 0) OR s.reserved <> coalesce(m.reserved, 0)""",
    )
    return wrong + [
        f"stock of {row['sku']} in {row['warehouse']} is not the sum of its ledger" for row in drift
    ]


async def _provider(platform: Platform, payments: list) -> list[str]:
    """What the provider's own books say against ours: a buyer is charged there, not in our tables."""
    ours = {str(row["id"]): row for row in payments}
    charges = await _rows(
        platform,
        "payments",
        """SELECT reference, count(*) AS charges, sum(captured)::bigint AS captured,
            count(*) FILTER (WHERE state = 'authorised' AND captured = 0) AS held
            FROM sandbox.charges WHERE reference = ANY($1) GROUP BY reference""",
        list(ours),
    )
    wrong = []
    for charge in charges:
        payment = ours[charge["reference"]]
        if charge["charges"] > 1:
            wrong.append(f"payment {charge['reference']} is {charge['charges']} charges at the provider")
        if charge["captured"] != payment["captured"]:
            wrong.append(f"the provider took {charge['captured']} of payment {charge['reference']}")
        if charge["held"] and payment["status"] != "authorised":
            wrong.append(f"the provider still holds money of payment {charge['reference']}")
    return wrong


async def _told(platform: Platform, orders: list) -> list[str]:
    """Each confirmed order is told once: a confirmation that is not told is an order nobody ships."""
    told = await _rows(
        platform,
        "orders",
        """SELECT subject, count(*) AS times FROM outbox
        WHERE topic = 'orders.order_confirmed.v1' AND subject = ANY($1) GROUP BY subject""",
        [str(order["id"]) for order in orders],
    )
    times = {row["subject"]: row["times"] for row in told}
    return [
        f"{order['number']} is {order['status']} and was told as confirmed {count} times"
        for order in orders
        if (count := times.get(str(order["id"]), 0)) != (order["status"] == "confirmed")
    ]


async def _ledger(platform: Platform) -> list[str]:
    rows = await _rows(
        platform,
        "payments",
        """SELECT p.id, p.amount, p.currency,
            count(e.*) FILTER (WHERE e.kind = 'capture' AND e.outcome = 'succeeded') AS captures
            FROM payments p LEFT JOIN payment_events e ON e.payment_id = p.id GROUP BY p.id""",
    )
    return [
        f"payment {row['id']} was captured {row['captures']} times" for row in rows if row["captures"] > 1
    ]


async def _rows(platform: Platform, service: str, sql: str, *values) -> list:
    connection = await platform.database(service)
    try:
        return await connection.fetch(sql, *values)
    finally:
        await connection.close()
