"""A merchant's whole business day over the public API: sell, edit, ship in parts, take back, settle.

Goods, coupons and accounts are its own, so that nobody else's stock or settings change. Every tale ends with
books that agree: what was paid, what went back, and what is left on the shelf.
"""

import asyncio
import io
import re
from uuid import uuid4

import pytest
from pypdf import PdfReader

from shopping import ADDRESS, PATIENCE_S, Buyer, log_in

pytestmark = pytest.mark.stack

UNITS, MUG, POT, PEN = 20, 1_000, 1_600, 300
CARD = {"method": "card", "token": "tok_ok"}
GUEST = {"accept": "application/json"}


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


async def until(ask, wanted, seconds=PATIENCE_S):
    """What `ask` answers once it is as wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(found := await ask()):
            await asyncio.sleep(0.1)
        return found


class Merchant:
    """Staff with three products of their own, and the buyers whom they sell to."""

    def __init__(self, client, staff):
        self.client, self.staff, self.buyer = client, staff, Buyer(client)
        self.name = uuid4().hex[:8]
        self.mug, self.pot, self.pen = (f"{what}-{self.name}".upper() for what in ("mug", "pot", "pen"))
        self.email = f"day-{self.name}@example.com"

    async def ask(self, method, path, status=(200, 201, 202), headers=None, **options):
        """As staff, unless other headers are given."""
        answer = await self.buyer.send(method, path, headers=headers or self.staff, **options)
        assert answer.status_code in status, answer.text
        return answer.json()

    async def opens(self):
        prices = {self.mug: MUG, self.pot: POT, self.pen: PEN}
        for sku, price in prices.items():
            variant = {"sku": sku, "price": euros(price), "stock": {"main": UNITS}}
            body = {"name": sku.title(), "status": "active", "variants": [variant]}
            await self.ask("POST", "/v1/products", json=body)
        return self

    async def cart(self, *units, headers=None):
        """A cart with so many of each SKU, ready to be ordered."""
        cart = await self.ask("POST", "/v1/carts", json={}, headers=headers or GUEST)
        return await self.fill(cart, *units, headers=headers)

    async def fill(self, cart, *units, headers=None):
        for sku, quantity in units:
            added = {"sku": sku, "quantity": quantity}
            path = f"/v1/carts/{cart['id']}/lines"
            await self.ask("POST", path, json=added, headers=headers or GUEST)
        path, to = f"/v1/carts/{cart['id']}/address", {"email": self.email, "address": ADDRESS}
        return await self.ask("PUT", path, json=to, headers=headers or GUEST)

    async def sells(self, *units, headers=None, **payment):
        """An order of so many of each SKU."""
        return await self.takes(await self.cart(*units, headers=headers), headers=headers, **payment)

    async def takes(self, cart, headers=None, **payment):
        body = {
            "cart_id": cart["id"], "payment": payment or CARD, "expected_total": cart["total"],
        }  # fmt: skip
        return await self.ask("POST", "/v1/orders", json=body, headers=headers or GUEST)

    async def look(self, order):
        return await self.ask("GET", f"/v1/orders/{order['id']}")

    async def until(self, order, wanted):
        return await until(lambda: self.look(order), wanted)

    async def paid(self, order):
        return await self.until(order, lambda seen: _took(seen) and seen["status"] != "pending")

    async def act(self, order, what, **body):
        return await self.ask("POST", f"/v1/orders/{order['id']}/{what}", json=body)

    async def given_back(self, order, count=1):
        """The refunds of an order once all of them are over."""
        path = f"/v1/orders/{order['id']}/refunds"
        found = await until(
            lambda: self.ask("GET", path),
            lambda seen: (
                len(seen["items"]) == count and all(item["status"] != "requested" for item in seen["items"])
            ),
        )
        return found["items"]

    async def received(self, order, reference="statement 1"):
        path = f"/v1/payments/{order['payment']['id']}/received"
        await self.ask("POST", path, json={"reference": reference})
        return await self.paid(order)

    async def link(self, pattern):
        """What the newest mail to the buyer that holds one links to."""

        async def mails():
            answer = await self.client.get("/mailbox.json", params={"to": self.email})
            texts = [mail["text"] for mail in answer.json()]
            return [found[1] for text in texts if (found := re.search(pattern, text))]

        return (await until(mails, bool))[0]

    async def paper(self, order, name, **params):
        path = f"/v1/orders/{order['id']}/{name}.pdf"
        answer = await self.buyer.send("GET", path, headers=self.staff, params=params)
        assert answer.status_code == 200, answer.text
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)

    async def shelf(self):
        """Units that were taken of the mug, the pot and the pen and did not come back."""
        levels = [await self.ask("GET", f"/v1/inventory/{sku}") for sku in (self.mug, self.pot, self.pen)]
        return tuple(UNITS - sum(place["available"] for place in seen["warehouses"]) for seen in levels)

    async def kept(self, order):
        """What the payments of an order took and did not give back; the order must say the same."""
        seen = await self.look(order)
        payments = [await self.ask("GET", f"/v1/payments/{each['id']}") for each in seen["payments"]]
        took = sum(payment["captured"]["amount"] for payment in payments)
        gave = sum(payment["refunded"]["amount"] for payment in payments)
        return took - gave, seen["total"]["amount"] - seen["refunded"]["amount"]


def _left(order):
    return [line for line in order["lines"] if line["quantity"] > line["cancelled"]]


def _took(order):
    return all(payment["status"] in {"captured", "refunded"} for payment in order["payments"])


@pytest.fixture
async def client(platform):
    async with platform.client() as opened:
        yield opened


@pytest.fixture
async def merchant(client, platform):
    return await Merchant(client, await log_in(client, platform.demo["admin"])).opens()


@pytest.fixture
async def account(client, merchant):
    """A buyer's account; its headers."""
    ada = {"email": merchant.email, "password": "a long enough passphrase", "name": "Ada"}
    assert (await client.post("/v1/users", json=ada)).status_code == 201
    return await log_in(client, ada)


async def agree(merchant, *orders, taken):
    """Each order kept what its payments kept, and so many mugs, pots and pens left the shelf."""
    for order in orders:
        kept, says = await merchant.kept(order)
        assert kept == says, order["number"]
    await until(merchant.shelf, lambda seen: seen == taken)


class TestSelling:
    async def test_a_merged_cart_with_a_coupon_is_paid_by_a_wallet_topped_up_before(self, merchant, account):
        promotion = {"name": merchant.name, "kind": "percentage", "percent": "10", "needs_code": True}
        code = f"TEN{merchant.name}".upper()
        made = await merchant.ask("POST", "/v1/promotions", json=promotion)
        await merchant.ask("POST", f"/v1/promotions/{made['id']}/coupons", json={"code": code})
        mine = await merchant.cart((merchant.mug, 1), headers=account)
        guest = await merchant.cart((merchant.pot, 1))

        merged = await merchant.ask("POST", f"/v1/carts/{guest['id']}/merge", headers=account)
        cart = await merchant.fill(merged, headers=account)
        path = f"/v1/carts/{cart['id']}/coupons"
        cart = await merchant.ask("PUT", path, json={"codes": [code]}, headers=account)
        top_up = {"amount": cart["total"], "payment": {"token": "tok_ok"}}
        await merchant.ask("POST", "/v1/wallet/top-ups", json=top_up, headers=account)
        order = await merchant.paid(await merchant.takes(cart, headers=account, method="wallet"))

        assert merged["id"] == mine["id"]
        assert {line["sku"] for line in order["lines"]} == {merchant.mug, merchant.pot}
        assert [discount["amount"]["amount"] for discount in order["discounts"]] == [(MUG + POT) // 10]
        assert order["payment"]["method"] == "wallet"
        wallet = await merchant.ask("GET", "/v1/wallet", headers=account)
        assert [balance["amount"] for balance in wallet["balances"]] == [0]
        await agree(merchant, order, taken=(1, 1, 0))

    async def test_a_gift_card_pays_a_part_and_a_card_the_rest(self, merchant):
        card = await merchant.ask("POST", "/v1/gift-cards", json={"amount": euros(500)})

        order = await merchant.paid(
            await merchant.sells((merchant.mug, 1), **CARD, gift_cards=[card["code"]])
        )

        parts = {part["method"]: part["amount"]["amount"] for part in order["payment"]["parts"]}
        assert parts == {"gift_card": 500, "card": order["total"]["amount"] - 500}
        await agree(merchant, order, taken=(1, 0, 0))

    async def test_a_bank_transfer_and_cash_are_received_by_hand(self, merchant):
        transfer = await merchant.sells((merchant.mug, 1), method="bank_transfer")
        cash = await merchant.sells((merchant.pen, 2), method="cash_on_delivery")

        early = await merchant.ask("POST", f"/v1/orders/{transfer['id']}/fulfilments", (409,), json={})
        came = [await merchant.received(order) for order in (transfer, cash)]

        assert (transfer["status"], cash["status"]) == ("awaiting_buyer", "confirmed")
        assert early["detail"].startswith("fulfil is not for an order that is awaiting_buyer")
        assert [order["payment"]["status"] for order in came] == ["captured", "captured"]
        assert (await merchant.act(transfer, "fulfilments"))["lines"]
        await agree(merchant, *came, taken=(1, 0, 2))

    async def test_a_draft_is_placed_by_its_buyer_over_the_mailed_link(self, merchant):
        line = {"sku": merchant.mug, "quantity": 2, "unit_price": euros(700)}
        draft = {"email": merchant.email, "lines": [line], "address": ADDRESS}
        made = await merchant.ask("POST", "/v1/drafts", json=draft)
        invoice = f"/v1/drafts/{made['id']}/invoice"
        assert (await merchant.buyer.send("POST", invoice, headers=merchant.staff)).status_code == 202

        cart_id = await merchant.link(r"/drafts/([0-9a-f-]{36})")
        cart = await merchant.ask("GET", f"/v1/carts/{cart_id}", headers=GUEST)
        order = await merchant.paid(await merchant.takes(cart))

        assert order["lines"][0]["unit_price"] == euros(700)
        await agree(merchant, order, taken=(2, 0, 0))


class TestEditing:
    async def test_dearer_by_card_dearer_by_link_then_cheaper(self, merchant):
        order = await merchant.paid(await merchant.sells((merchant.mug, 1)))

        by_card = await merchant.act(
            order, "edits", reason="one more", add=[{"sku": merchant.pot, "quantity": 1}], payment=CARD
        )
        await merchant.until(order, lambda seen: len(seen["payments"]) == 2 and _took(seen))
        by_link = await merchant.act(
            order, "edits", reason="and pens", add=[{"sku": merchant.pen, "quantity": 2}]
        )
        link = await merchant.link(r"/pay/(\S+)")
        await merchant.ask("POST", f"/v1/orders/pay-links/{link}", json={"payment": CARD}, headers=GUEST)
        dear = await merchant.until(order, lambda seen: len(seen["lines"]) == 3 and _took(seen))
        pot = next(line for line in dear["lines"] if line["sku"] == merchant.pot)
        less = [{"line_id": pot["id"], "quantity": 0}]
        await merchant.act(order, "edits", reason="without the pot", lines=less)
        await merchant.until(order, lambda seen: seen["unpaid"]["amount"] == 0 and len(_left(seen)) == 2)
        [back] = await merchant.given_back(order)
        kept, _ = await merchant.kept(order)

        assert (by_card["status"], by_link["status"]) == ("applied", "awaiting_payment")
        assert dear["total"]["amount"] == order["total"]["amount"] + POT + 2 * PEN
        assert (back["status"], back["amount"]) == ("succeeded", euros(POT))
        assert kept == dear["total"]["amount"] - POT
        await agree(merchant, taken=(1, 0, 2))


class TestAfterTheSale:
    async def test_two_parcels_a_return_refunds_in_part_and_their_papers(self, merchant, account):
        units = (merchant.mug, 3), (merchant.pot, 1)
        order = await merchant.paid(await merchant.sells(*units, headers=account, **CARD))
        mug = next(line for line in order["lines"] if line["sku"] == merchant.mug)

        tracking = {"carrier": "DHL", "number": "JD014600", "url": "https://dhl.example/JD014600"}
        two = [{"id": mug["id"], "quantity": 2}]
        first = await merchant.act(order, "fulfilments", lines=two, tracking=tracking)
        part = await merchant.look(order)
        await merchant.act(order, "fulfilments", tracking={"carrier": "UPS", "number": "1Z999"})
        whole = await merchant.look(order)
        one = [{"id": mug["id"], "quantity": 1}]
        await merchant.act(order, "returns", lines=one, reason="a crack", refund=euros(MUG))
        await merchant.act(order, "refunds", reason="late", amount=euros(150))
        await merchant.act(order, "refunds", reason="sorry", amount=euros(200), to="wallet")
        back = await merchant.given_back(order, 3)

        assert (part["status"], whole["status"]) == ("partially_fulfilled", "fulfilled")
        assert {item["status"] for item in back} == {"succeeded"}
        wallet = await merchant.ask("GET", "/v1/wallet", headers=account)
        assert [balance["amount"] for balance in wallet["balances"]] == [200]
        seen = await merchant.look(order)
        assert seen["refunded"] == euros(MUG + 350)
        await _papers_say(merchant, order, first)
        await _timelines_say(merchant, order, account)
        await agree(merchant, order, taken=(2, 1, 0))

    async def test_a_dearer_exchange_is_an_order_of_its_own(self, merchant):
        order = await merchant.paid(await merchant.sells((merchant.mug, 1)))
        await merchant.act(order, "fulfilments")

        back, send = {"id": order["lines"][0]["id"], "quantity": 1}, {"sku": merchant.pot, "quantity": 1}
        swap = {"return": [back], "send": [send], "reason": "too small", "payment": CARD}
        made = await merchant.act(order, "exchanges", **swap)
        sent = await merchant.paid(made["order"])

        assert (sent["total"], sent["exchange_of"]) == (euros(POT - MUG), order["id"])
        await agree(merchant, order, sent, taken=(0, 1, 0))

    async def test_a_cancelled_order_gives_all_back_and_is_not_shipped(self, merchant):
        order = await merchant.paid(await merchant.sells((merchant.mug, 2), (merchant.pen, 1)))

        await merchant.act(order, "cancel", reason="changed their mind")
        [back] = await merchant.given_back(order)
        late = await merchant.ask("POST", f"/v1/orders/{order['id']}/fulfilments", (409,), json={})

        assert (back["amount"], back["status"]) == (order["total"], "succeeded")
        assert late["type"] == "/problems/wrong-transition"
        assert late["detail"].startswith("fulfil is not for an order that is cancelled; it is for")
        assert await merchant.kept(order) == (0, 0)
        await agree(merchant, order, taken=(0, 0, 0))


async def _papers_say(merchant, order, parcel):
    total = order["total"]["amount"]
    invoice = await merchant.paper(order, "invoice")
    slip = await merchant.paper(order, "packing-slip", fulfilment=parcel["id"])
    assert order["number"] in invoice
    assert f"{total // 100}.{total % 100:02} EUR" in invoice
    assert merchant.mug in slip
    assert "2 units in this parcel" in slip


async def _timelines_say(merchant, order, account):
    """Staff read who did it; the buyer reads where the parcels are, and nobody's name."""
    path = f"/v1/orders/{order['id']}/timeline"
    buyers = (await merchant.ask("GET", path, headers=account))["items"]
    staffs = (await merchant.ask("GET", path))["items"]
    assert "A parcel with 2 items was sent with DHL JD014600." in [entry["text"] for entry in buyers]
    assert {entry["by"] for entry in buyers} == {""}
    assert {entry["by"] for entry in staffs} > {""}
    assert {"Shipped.", "Took goods back."} <= {entry["text"] for entry in staffs}


class TestSettling:
    async def test_the_providers_report_of_the_day_is_what_the_books_say(self, merchant, platform):
        order = await merchant.paid(await merchant.sells((merchant.mug, 1)))
        await merchant.act(order, "refunds", reason="late", amount=euros(100))
        await merchant.given_back(order)

        async def report():
            return await asyncio.to_thread(platform.cli, "reconcile", check=False)

        told = await until(report, lambda ran: ran.returncode == 0)
        assert "Nets to zero" in told.stdout
        await agree(merchant, order, taken=(1, 0, 0))
