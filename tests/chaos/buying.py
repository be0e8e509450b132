"""What the kill tests share: buyers of four kinds, all careful clients, and the check of what was left."""

import asyncio
import time
from collections import Counter
from uuid import uuid4

from shopping import Buyer, set_stock
from truth import disagreements

#: What each kind of buyer may end with.
ENDS = {
    "pays": {"confirmed"},
    "is_declined": {"refused"},
    "changes_mind": {"cancelled"},
    "is_paid_back": {"confirmed", "cancelled"},
}
KINDS = tuple(ENDS)
PATIENCE_S = 240  # of buyers, over all the restarts that a slow machine may take


async def pays(buyer, sku, email, token="tok_ok"):
    """One purchase by a client that repeats what got no answer; the outcome as the API tells it."""
    order, cart = await _place(buyer, sku, email, token)
    return (await buyer.outcome(order, cart, seconds=PATIENCE_S))["status"] if order else "refused"


async def is_declined(buyer, sku, email):
    return await pays(buyer, sku, email, "tok_declined")


async def changes_mind(buyer, sku, email):
    """Is sent to the provider's page, and cancels instead of paying."""
    order, cart = await _place(buyer, sku, email, "")
    if order is None:
        return "refused"
    path, opens = f"/v1/orders/{order['id']}", {"x-cart-id": cart["id"]}
    answer = await buyer.send("POST", f"{path}/cancel", headers=opens)
    assert answer.status_code in {200, 409}, answer.text
    return (await buyer.outcome(order, cart, seconds=PATIENCE_S))["status"]


async def is_paid_back(buyer, sku, email, staff):
    """Buys, and staff give the money back: with the goods, or for nothing."""
    order, cart = await _place(buyer, sku, email, "tok_ok")
    if order is None:
        return "refused"
    seen = await buyer.outcome(order, cart, seconds=PATIENCE_S)
    if seen["status"] != "confirmed":
        return seen["status"]
    what = ("cancel", "refunds")[int(order["number"].rpartition("-")[2]) % 2]
    answer = await buyer.send(
        "POST", f"/v1/orders/{order['id']}/{what}", headers=staff, json={"reason": "asked"}
    )
    assert answer.is_success, answer.text
    answer = await buyer.send("GET", f"/v1/orders/{order['id']}", headers={"x-cart-id": cart["id"]})
    return answer.json()["status"]


async def _place(buyer, sku, email, token):
    cart = await buyer.address(await buyer.cart_with(sku), email)
    answer = await buyer.order(cart, token=token, key=uuid4().hex)
    if answer.status_code in {201, 202}:
        return answer.json(), cart
    assert answer.status_code in {402, 409}, answer.text
    return None, cart


async def buy(client, sku, email, *, kind, staff):
    """What became of it."""
    buyer = Buyer(client, patience_s=PATIENCE_S)
    if kind == "is_paid_back":
        return await is_paid_back(buyer, sku, email, staff)
    act = {"pays": pays, "is_declined": is_declined, "changes_mind": changes_mind}[kind]
    return await act(buyer, sku, email)


async def stocked(client, staff):
    """Five SKUs with enough of each."""
    items = (await client.get("/v1/products?limit=5")).json()["items"]
    products = [(await client.get(f"/v1/products/{item['slug']}")).json() for item in items]
    variants = [product["variants"][0] for product in products]
    few = [variant["sku"] for variant in variants if variant["available"] < 500]
    for sku in few:
        await set_stock(client, staff, sku, 5_000)
    await asyncio.sleep(2.1 if few else 0)  # quotes of a cart may be two seconds old
    return [variant["sku"] for variant in variants]


async def settled(platform, emails, seconds=120):
    """What still disagrees once recovery had its time."""
    until = time.monotonic() + seconds
    while wrong := await disagreements(platform, emails):
        if time.monotonic() > until:
            return wrong
        await asyncio.sleep(0.2)
    return []


async def one_confirmation(client, email):
    """To a buyer whom nothing else was told."""
    until, mails = time.monotonic() + 120, []
    while not mails and time.monotonic() < until:
        answer = await client.get("/mailbox.json", params={"to": email})
        mails = answer.json() if answer.status_code == 200 else []  # it may be starting again
        await asyncio.sleep(0 if mails else 0.1)
    assert len(mails) == 1, f"{len(mails)} mails to {email}"


def too_few(well):
    """Whether there is a kind of which not two ended well; the first and the last are asked for mail."""
    return any(well[kind] < 2 for kind in KINDS)


def assert_each_ended_as_it_may(ended, *, lost=0):
    """`ended`: pairs of a kind and its outcome.

    As many as `lost` were on their way through payments when it died. A charge that the provider has not
    heard of then is sent again; only an order whose time was over by then ends unpaid, as expired.
    """
    for kind, ends in ENDS.items():
        outcomes = {outcome for seen, outcome in ended if seen == kind}
        assert outcomes <= ends | ({"expired"} if lost else set()), f"{kind}: {outcomes}"
        assert outcomes & ends, f"{kind}: {outcomes}"
    assert sum(outcome == "expired" for _kind, outcome in ended) <= lost, Counter(ended)
