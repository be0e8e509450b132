"""Reads every database of a platform and says what does not agree: the checker of the kill and race tests.

An order was sold if it was ever confirmed, whatever staff took back of it later.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from platforms import Platform

UNSOLD = {"refused", "expired", "cancelled"}
SOLD = {"confirmed", "partially_fulfilled", "fulfilled", "returned", "cancelled"}


async def disagreements(platform: Platform, emails: list[str]) -> list[str]:
    """What contradicts "sold and paid once, or refused and unpaid" for the orders of `emails`."""
    read = Reader(platform)
    try:
        orders = await read("orders", "SELECT * FROM orders WHERE email = ANY($1)", emails)
        ids = [order["id"] for order in orders]
        payments = {
            row["id"]: row
            for row in await read(
                "payments", "SELECT * FROM payments WHERE id = ANY($1)", [o["payment_id"] for o in orders]
            )
        }
        back = await read("orders", "SELECT * FROM reversals WHERE order_id = ANY($1)", ids)
        return [
            *_paid(orders, payments),
            *_paid_back(orders, payments, back),
            *await _stock(read, orders, back),
            *await at_provider(read, payments),
            *await _told(read, orders),
            *await _mailed(read, orders),
            *await _ledger(read, payments),
        ]
    finally:
        await read.close()


class Reader:
    """Rows of any service's database, each over one connection."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._open: dict = {}

    async def __call__(self, service: str, sql: str, *values) -> list:
        if service not in self._open:
            self._open[service] = await self._platform.database(service)
        return await self._open[service].fetch(sql, *values)

    async def close(self) -> None:
        for connection in self._open.values():
            await connection.close()


def _sold(order) -> bool:
    return order["confirmed_at"] is not None


def _paid(orders: list, payments: dict) -> list[str]:
    """One outcome for each order, and its payment went the same way, for the same amount."""
    wrong = []
    for order in orders:
        payment = payments.get(order["payment_id"])
        captured = payment["captured"] if payment else 0
        status = payment["status"] if payment else "none"
        if order["status"] not in (SOLD if _sold(order) else UNSOLD):
            wrong.append(f"{order['number']} is still {order['status']}")
        elif _sold(order) and captured != order["total"]:
            wrong.append(f"{order['number']} of {order['total']} was sold and {captured} captured ({status})")
        elif not _sold(order) and status not in {"voided", "declined", "none"}:
            wrong.append(f"{order['number']} is {order['status']} but its payment is {status}")
        if payment and payment["amount"] not in {order["total"], 0 if payment["voided"] else order["total"]}:
            wrong.append(f"{order['number']} is {order['total']} but {payment['amount']} was asked")
    return wrong


def _paid_back(orders: list, payments: dict, back: list) -> list[str]:
    """What staff gave back is over, and is the same in the order and in its payment."""
    given = Counter()
    for reversal in back:
        if reversal["status"] == "requested":
            return [f"{reversal['kind']} {reversal['id']} is not over"]
        given[reversal["order_id"]] += reversal["amount"] if reversal["status"] == "succeeded" else 0
    wrong = []
    for order in orders:
        payment = payments.get(order["payment_id"])
        says = (given[order["id"]], order["refunded"], payment["refunded"] if payment else 0)
        if len(set(says)) > 1:
            wrong.append(f"{order['number']}: given back, in the order, in the payment: {says}")
        if order["status"] == "cancelled" and _sold(order) and order["refunded"] != order["total"]:
            wrong.append(f"{order['number']} was cancelled and {order['refunded']} given back")
    return wrong


async def _stock(read: Reader, orders: list, back: list) -> list[str]:
    """Each sale took its units once, nothing else holds any, and what came back came back once."""
    wrong = []
    sold = {order["id"] for order in orders if _sold(order)}
    ids = [order["id"] for order in orders]
    lines = await read("orders", "SELECT * FROM order_lines WHERE order_id = ANY($1)", ids)
    wanted = Counter()
    for line in lines:
        wanted[line["sku"]] += line["quantity"] if line["order_id"] in sold else 0
    found = await read("products", "SELECT id, status FROM reservations WHERE id = ANY($1)", ids)
    reservations = {row["id"]: row["status"] for row in found}
    for order in orders:
        expected = {"claimed"} if order["id"] in sold else {"released", None}
        if reservations.get(order["id"]) not in expected:
            status = reservations.get(order["id"])
            wrong.append(f"{order['number']} is {order['status']}, its stock is {status}")
    taken = {row["sku"]: row["quantity"] for row in await read("products", _TAKEN, ids)}
    if taken != dict(+wanted):
        wrong.append(f"sold {dict(+wanted)} but stock gave {taken}")
    moved = {row["reference"]: row["quantity"] for row in await read("products", _RESTOCKED)}
    for reversal in back:
        units = sum(line["quantity"] for line in _json(reversal["restock"]))
        if moved.get(str(reversal["id"]), 0) != units:
            wrong.append(f"{reversal['kind']} {reversal['id']} of {units} units moved {moved}")
    drift = await read("products", DRIFT)
    return wrong + [f"stock of {row['sku']} in {row['warehouse']} is not its ledger's sum" for row in drift]


def _json(value) -> list:
    return json.loads(value) if isinstance(value, str) else value


async def at_provider(read: Reader, payments: dict) -> list[str]:
    """What the provider's own books say against ours: a buyer is charged there, not in our tables."""
    ours = {str(key): row for key, row in payments.items()}
    wrong = []
    for charge in await read("payments", _CHARGES, list(ours)):
        payment = ours[charge["reference"]]
        if charge["charges"] > 1:
            wrong.append(f"payment {charge['reference']} is {charge['charges']} charges at the provider")
        if charge["captured"] != payment["captured"]:
            wrong.append(f"the provider took {charge['captured']} of payment {charge['reference']}")
        if charge["refunded"] != payment["refunded"]:
            wrong.append(f"the provider gave {charge['refunded']} back of payment {charge['reference']}")
        if charge["held"] and payment["status"] != "authorised":
            wrong.append(f"the provider still holds money of payment {charge['reference']}")
    return wrong


async def _told(read: Reader, orders: list) -> list[str]:
    """Each sold order is told once: a confirmation that is not told is an order nobody ships."""
    told = await read("orders", _TOLD, [str(order["id"]) for order in orders])
    times = {row["subject"]: row["times"] for row in told}
    return [
        f"{order['number']} is {order['status']} and was told as confirmed {count} times"
        for order in orders
        if (count := times.get(str(order["id"]), 0)) != _sold(order)
    ]


async def _mailed(read: Reader, orders: list) -> list[str]:
    """Each buyer gets one confirmation for each sold order, and it is out."""
    due = Counter(order["email"] for order in orders if _sold(order))
    sent, waiting = Counter(), Counter()
    for row in await read("notifications", _MAILS, [order["email"] for order in orders]):
        (sent if row["state"] == "sent" else waiting)[row["email"]] += 1
    return [
        f"{email} bought {due[email]} times and got {sent[email]} confirmations, {waiting[email]} wait"
        for email in due.keys() | sent.keys() | waiting.keys()
        if sent[email] != due[email] or waiting[email]
    ]


async def _ledger(read: Reader, payments: dict) -> list[str]:
    """One authorisation and one capture at most; every journal balances and says what the payments say."""
    wrong = [
        f"payment {row['payment_id']}: {row['kind']} succeeded {row['times']} times"
        for row in await read("payments", _TWICE)
    ]
    wrong += [f"journal {row['journal_id']} is off by {row['off']}" for row in await read("payments", _OFF)]
    booked: dict = defaultdict(Counter)
    for row in await read("payments", _BOOKED, list(payments)):
        booked[row["payment_id"]][row["account"]] += row["amount"]
    for key, payment in payments.items():
        says = (-booked[key]["revenue"], booked[key]["refunds"])
        if says != (payment["captured"], payment["refunded"]):
            wrong.append(f"payment {key}: the ledger says {says}")
    return wrong


_TAKEN = """SELECT sku, sum(quantity)::int AS quantity FROM reservation_lines
    JOIN reservations r ON r.id = reservation_id
    WHERE r.id = ANY($1) AND r.status = 'claimed' GROUP BY sku"""
_RESTOCKED = """SELECT m.reference, sum(m.delta_on_hand)::int AS quantity
    FROM movements m JOIN restocks r ON r.id::text = m.reference GROUP BY 1"""
DRIFT = """SELECT s.sku, s.warehouse FROM stock s
    LEFT JOIN (SELECT sku, warehouse, sum(delta_on_hand) AS on_hand, sum(delta_reserved) AS reserved
               FROM movements GROUP BY 1, 2) m USING (sku, warehouse)
    WHERE s.on_hand <> coalesce(m.on_hand, 0) OR s.reserved <> coalesce(m.reserved, 0)"""
_CHARGES = """SELECT c.reference, count(*) AS charges, sum(c.captured)::bigint AS captured,
        count(*) FILTER (WHERE c.state = 'authorised' AND c.captured = 0) AS held,
        coalesce(sum((SELECT sum(r.amount) FROM sandbox.refunds r WHERE r.charge_id = c.id)), 0)::bigint
            AS refunded
    FROM sandbox.charges c WHERE c.reference = ANY($1) GROUP BY c.reference"""
_TOLD = """SELECT subject, count(*) AS times FROM outbox
    WHERE topic = 'orders.order_confirmed.v1' AND subject = ANY($1) GROUP BY subject"""
_MAILS = "SELECT email, state FROM notifications WHERE kind = 'order_confirmed' AND email = ANY($1)"
_TWICE = """SELECT payment_id, kind, count(*) AS times FROM payment_events
    WHERE kind IN ('authorise', 'capture') AND outcome = 'succeeded' GROUP BY 1, 2 HAVING count(*) > 1"""
_OFF = """SELECT journal_id, sum(amount)::bigint AS off FROM ledger_entries GROUP BY journal_id, currency
    HAVING sum(amount) <> 0"""
_BOOKED = """SELECT j.payment_id, e.account::text, sum(e.amount)::bigint AS amount FROM ledger_journals j
    JOIN ledger_entries e ON e.journal_id = j.id WHERE j.payment_id = ANY($1) GROUP BY 1, 2"""
