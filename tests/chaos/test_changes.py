"""kill -9 at every named point of a change of an order, while many are changed: changed and paid, or neither.

As in `test_points`: points are armed in waves, and orders are changed until all of a wave were hit.
"""

import asyncio
import time
from collections import Counter
from itertools import count
from uuid import UUID, uuid4

import pytest

from chaos.buying import PATIENCE_S, stocked
from chaos.test_points import CALL, COMMIT, arm, points, unhit, wake
from shopping import Buyer, log_in
from truth import DRIFT, Reader, at_provider

pytestmark = pytest.mark.stack

STAFF_AT_WORK, LEAST = 8, 16
POINTS = [
    "edit_order.start.before-commit",
    *points(
        "edit_order", ("reserve", "authorise", "apply", "claim", "capture", "give_back", "restock"), CALL
    ),
    *points("edit_order", ("void", "release"), CALL),
    *points("edit_order", ("authorise", "capture", "give_back"), COMMIT),
]
#: What each kind of change may end with.
ENDS = {"dearer": "applied", "declined": "refused", "withdrawn": "withdrawn", "cheaper": "applied"}
KINDS = tuple(ENDS)


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("wave", [POINTS[::2], POINTS[1::2]], ids=["even", "odd"])
async def test_dying_there_changes_and_charges_once_or_never(unlimited_platform, wave):
    platform = unlimited_platform
    async with platform.client() as client:
        staff = await log_in(client, platform.demo["admin"])
        skus = await stocked(client, staff)
        arm(platform.crashes, wave)

        over = asyncio.Event()
        waking = asyncio.create_task(wake(platform, over))
        changed = await change_until_all_are_hit(client, skus, staff, platform.crashes)
        over.set()
        await waking

    assert await settled(platform, changed) == []


async def change_until_all_are_hit(client, skus, staff, folder, seconds=600):
    """(order, kind) of every change that was asked for while processes died."""
    numbers, changed = count(), []
    until = time.monotonic() + seconds

    async def at_work():
        while (number := next(numbers)) < LEAST or unhit(folder, until, Counter(kind for _, kind in changed)):
            kind = KINDS[number % len(KINDS)]
            sku, added = skus[number % len(skus)], skus[(number + 1) % len(skus)]
            changed.append((await change(Buyer(client, PATIENCE_S), sku, added, kind, staff), kind))

    await asyncio.gather(*(at_work() for _ in range(STAFF_AT_WORK)))
    return changed


async def change(buyer, sku, added, kind, staff):
    """The id of an order of two units, confirmed and paid, that staff then ask to change."""
    cart = await buyer.address(await buyer.cart_with(sku, 2), f"change-{uuid4().hex}@example.com")
    answer = await buyer.order(cart)
    assert answer.status_code in {201, 202}, answer.text
    order = await buyer.outcome(answer.json(), cart, seconds=PATIENCE_S)
    path = f"/v1/orders/{order['id']}/edits"
    if kind == "cheaper":
        body = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": 1}]}
    else:
        body = {"add": [{"sku": added, "quantity": 1}]}
    if kind in {"dearer", "declined"}:
        token = "tok_ok" if kind == "dearer" else "tok_declined"
        body["payment"] = {"method": "card", "token": token}
    answer = await buyer.send("POST", path, headers=staff, json={"reason": "called", **body})
    assert answer.status_code in {201, 202, 402}, answer.text
    if kind == "withdrawn":
        withdrawn = await buyer.send("POST", f"{path}/{answer.json()['id']}/withdraw", headers=staff)
        assert withdrawn.is_success, withdrawn.text
    return UUID(order["id"])


async def settled(platform, changed, seconds=180):
    """What still disagrees once recovery had its time."""
    until = time.monotonic() + seconds
    while wrong := await disagreements(platform, dict(changed)):
        if time.monotonic() > until:
            return wrong
        await asyncio.sleep(0.2)
    return []


async def disagreements(platform, kinds):
    read = Reader(platform)
    try:
        ids = list(kinds)
        orders = {row["id"]: row for row in await read("orders", _ORDERS, ids)}
        edits = await read("orders", "SELECT * FROM order_edits WHERE order_id = ANY($1)", ids)
        mine = {edit["payment_id"]: edit["order_id"] for edit in edits if edit["payment_id"]}
        mine |= {order["payment_id"]: order["id"] for order in orders.values()}
        payments = {row["id"]: row for row in await read("payments", _PAYMENTS, list(mine))}
        held = {row["id"]: row["status"] for row in await read("products", _HELD, [e["id"] for e in edits])}
        wrong = [f"{len(edits)} changes of {len(ids)} orders"] if len(edits) != len(ids) else []
        for edit in edits:
            wrong += _of(edit, kinds[edit["order_id"]], held, payments)
        for order in orders.values():
            wrong += _money(order, [row for key, row in payments.items() if mine[key] == order["id"]])
        wrong += [f"stock of {row['sku']} is not its ledger's sum" for row in await read("products", DRIFT)]
        return wrong + await at_provider(read, payments)
    finally:
        await read.close()


def _of(edit, kind, held, payments):
    """A change ended as it may, and its stock and its payment went the same way."""
    if edit["status"] != ENDS[kind]:
        return [f"a change that is {kind} is {edit['status']}"]
    stock, payment = held.get(edit["id"]), payments.get(edit["payment_id"])
    wanted = {"claimed"} if kind == "dearer" else {None} if kind == "cheaper" else {None, "released"}
    wrong = [f"{kind}: its stock is {stock}"] if stock not in wanted else []
    status = payment["status"] if payment else None
    may = {"captured"} if kind == "dearer" else {None, "voided", "declined"}
    return wrong + ([f"{kind}: its payment is {status}"] if status not in may else [])


def _money(order, payments):
    """The order and its payments tell of the same money, and the buyer paid what the order costs now."""
    taken = sum(row["captured"] for row in payments)
    given = sum(row["refunded"] for row in payments)
    told = (order["total"] + order["taken_off"], order["refunded"])
    if (taken, given) != told or order["unpaid"] or order["refunding"] != order["refunded"]:
        return [f"{order['number']}: {taken} taken and {given} given back, it tells {told}"]
    return []


_ORDERS = "SELECT * FROM orders WHERE id = ANY($1)"
_PAYMENTS = "SELECT * FROM payments WHERE id = ANY($1)"
_HELD = "SELECT id, status FROM reservations WHERE id = ANY($1)"
