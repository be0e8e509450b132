"""A buyer pays what a change costs more while staff ship or cancel the order, on two replicas."""

import asyncio
from collections import Counter

import pytest

from orders.purchasing import STAFF, place, ready_cart
from races.rounds import together

ROUNDS = 16  # at once: each is six requests and a saga; both ends are forced, the rest is luck
DUE = 800


@pytest.fixture(autouse=True)
def goods(shop):
    shop.stock.put("MUG", price=1_000, free=10_000)
    shop.stock.put("CUP", price=DUE, free=10_000)


async def asked(replicas, shop):
    """An order, and the link by which its buyer is asked to pay for one cup more."""
    order = (await place(replicas[0], await ready_cart(replicas[0], shop))).json()
    body = {"reason": "called", "add": [{"sku": "CUP", "quantity": 1}]}
    made = await replicas[0].post(f"/v1/orders/{order['id']}/edits", json=body, headers=STAFF)
    assert made.status_code == 202, made.text
    return order, "/v1/orders/pay-links" + made.json()["payment"]["action_url"].removeprefix("/pay")


async def settled(client, order):
    """How the change ended, once its saga has."""
    async with asyncio.timeout(60):
        while True:
            answer = await client.get(f"/v1/orders/{order['id']}/edits", headers=STAFF)
            [edit] = answer.json()["items"]
            seen = (await client.get(f"/v1/orders/{order['id']}", headers=STAFF)).json()
            if edit["status"] in {"applied", "withdrawn", "refused"} and not seen["unpaid"]["amount"]:
                return edit, seen
            await asyncio.sleep(0.05)


def taken(shop, edit):
    """What was kept of the difference: nothing of a payment that was never asked for, or voided."""
    state = shop.till.payments.get(edit["payment"]["id"])
    return state.captured - state.refunded if state is not None else 0


@pytest.mark.parametrize("what", ["fulfilments", "cancel"])
async def test_it_is_changed_and_paid_or_neither(replicas, shop, what):
    async def both(number):
        order, link = await asked(replicas, shop)
        card = {"payment": {"method": "card", "token": "tok_ok"}}
        paid, staff = await together(
            replicas[0].post(link, json=card),
            replicas[1].post(f"/v1/orders/{order['id']}/{what}", json={}, headers=STAFF),
            number=number,
        )
        assert {paid.status_code, staff.status_code} <= {200, 201, 409}, (paid.text, staff.text)
        edit, seen = await settled(replicas[0], order)
        changed = len(seen["lines"]) == 2
        gone = what == "cancel" and staff.is_success
        assert changed == (edit["status"] == "applied")
        assert taken(shop, edit) == (DUE if changed and not gone else 0)
        return changed, staff.is_success

    ends = Counter(await asyncio.gather(*map(both, range(ROUNDS))))

    assert set(ends) <= {(True, True), (False, True), (True, False)}, ends
    assert {changed for changed, _ in ends} == {True, False}, ends
    async with asyncio.timeout(60):
        kept = {(True, False)} if what == "cancel" else {(True, True), (True, False)}
        cups = sum(count for end, count in ends.items() if end in kept)
        while shop.stock.free["CUP"] != 10_000 - cups:
            await asyncio.sleep(0.05)
