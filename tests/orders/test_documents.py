"""The papers of an order: an invoice that adds up, a packing slip without prices, in any script, safely."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from orders.purchasing import ADA, BOB, STAFF, place, ready_cart
from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address, Total
from shopwright.orders import documents
from shopwright.orders.documents import Invoice, InvoiceLine, Seller, fonts

SELLER = Seller.of("Kubki i Spółka", "Długa 1,  80-827 Gdańsk , Polska", "NIP 5260001246", "shop@example.com")


def pages(content):
    assert content.startswith(b"%PDF-")
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(content)).pages]


def euros(minor):
    return Money(minor, "EUR")


def paper(name="Ada Buyer", lines=1):
    line = InvoiceLine(
        name="Mug", detail="Red", quantity=2, unit_price=euros(123_456), discount=euros(100),
        tax=euros(39_403), total=euros(246_812),
    )  # fmt: skip
    return Invoice(
        number="SW-100001", date=datetime(2026, 11, 24, tzinfo=UTC), seller=SELLER, email="ada@example.com",
        name=name, address=Address(name=name, line1="1 Lane", city="Berlin", postal_code="1", country="DE"),
        lines=[line] * lines, totals=[Total("subtotal", euros(246_812))], taxes=[], total=euros(246_812),
        payment="Paid by card.", credits=[],
    )  # fmt: skip


class TestInvoice:
    @pytest.mark.parametrize(
        "name",
        [
            "Łukasz Żółć-Gęś",
            "Ελένη Παπαδοπούλου",
            "Юлия Щёголева",
            "山田太郎",
            "김철수",
            "李小龙",
            "Nguyễn Ái",
        ],
    )
    def test_prints_any_name(self, name):
        assert name in pages(documents.invoice(paper(name)))[0]

    def test_reads_nothing_that_people_wrote_as_markup(self):
        wicked = '<b>Bold</b> & <img src="file:///etc/passwd"/> </para>'

        assert wicked in pages(documents.invoice(paper(wicked)))[0]

    def test_has_every_character_of_a_name_in_some_font(self):
        assert fonts.markup("Żółć 山田 <i>") == 'Żółć <font name="HeiseiKakuGo-W5">山田</font> &lt;i&gt;'
        assert fonts.markup("a\x00b\ue000") == "a b "

    def test_breaks_a_long_order_over_pages_that_say_what_they_are(self):
        found = pages(documents.invoice(paper(lines=200)))

        assert len(found) > 5
        assert all("Unit price" in page for page in found)
        assert f"Page 2 of {len(found)}" in found[1]
        assert sum(page.count("Mug") for page in found) == 200

    def test_names_the_seller_and_splits_an_amount_at_thousands(self):
        page = pages(documents.invoice(paper()))[0]

        assert "Kubki i Spółka Długa 1 80-827 Gdańsk Polska NIP 5260001246" in page
        assert "2 1,234.56 EUR -1.00 EUR 394.03 EUR 2,468.12 EUR" in page


async def read(client, order, what, headers=STAFF, **query):
    return await client.get(f"/v1/orders/{order['id']}/{what}", headers=headers, params=query)


class TestPapersOfAnOrder:
    @pytest.fixture
    async def sold(self, client, shop):
        """An order of four mugs at 10.00, shipping 4.90, bought by an account."""
        cart = await ready_cart(client, shop, quantity=4, price=1_000, free=4, headers=ADA)
        return (await place(client, cart, headers=ADA)).json()

    async def test_the_buyer_and_staff_get_the_invoice_and_nobody_else(self, client, sold):
        answers = [await read(client, sold, "invoice.pdf", headers) for headers in (ADA, STAFF, BOB, {})]

        assert [answer.status_code for answer in answers] == [200, 200, 404, 401]
        assert answers[0].headers["content-type"] == "application/pdf"
        page = pages(answers[0].content)[0]
        assert f"Number {sold['number']}" in page
        assert "Product MUG MUG 4 10.00 EUR – – 40.00 EUR" in page
        assert "Delivery 4.90 EUR Total 44.90 EUR" in page
        assert "Paid by card." in page

    async def test_what_was_paid_back_is_a_credit_on_the_invoice(self, client, sold):
        back = {"reason": "scratch", "amount": {"amount": 90, "currency": "EUR"}}
        await client.post(f"/v1/orders/{sold['id']}/refunds", json=back, headers=STAFF)

        page = pages((await read(client, sold, "invoice.pdf")).content)[0]

        assert "Refund: scratch" in page
        assert "-0.90 EUR Left after what was paid back: 44.00 EUR" in page

    async def test_what_a_change_took_off_is_in_the_sum_and_no_credit_beside_it(self, client, sold):
        body = {"reason": "fewer", "lines": [{"line_id": sold["lines"][0]["id"], "quantity": 3}]}
        await client.post(f"/v1/orders/{sold['id']}/edits", json=body, headers=STAFF)

        page = pages((await read(client, sold, "invoice.pdf")).content)[0]

        assert "MUG · 1 of them cancelled 4 10.00 EUR" in page
        assert "Changes to the order -10.00 EUR Total 34.90 EUR" in page
        assert "Paid back" not in page

    async def test_there_is_none_before_the_order_is_confirmed_or_when_it_never_was(self, client, shop):
        cart = await ready_cart(client, shop, headers=ADA)
        waiting = (await place(client, cart, token="", headers=ADA)).json()

        early = await read(client, waiting, "invoice.pdf", ADA)
        await client.post(f"/v1/orders/{waiting['id']}/cancel", headers=ADA)
        late = await read(client, waiting, "invoice.pdf", ADA)

        assert [answer.status_code for answer in (early, late)] == [409, 409]
        refusal = early.json()
        assert (refusal["type"], refusal["order_status"], refusal["wanted"]) == (
            "/problems/wrong-transition", "awaiting_buyer", "invoice",
        )  # fmt: skip

    async def test_a_slip_tells_what_is_in_a_parcel_and_what_follows_without_a_price(self, client, sold):
        lines = [{"id": sold["lines"][0]["id"], "quantity": 1}]
        parcel = (
            await client.post(
                f"/v1/orders/{sold['id']}/fulfilments", headers=STAFF,
                json={"lines": lines, "tracking": {"carrier": "DHL", "number": "42"}},
            )
        ).json()  # fmt: skip

        first = pages((await read(client, sold, "packing-slip.pdf", fulfilment=parcel["id"])).content)[0]
        rest = pages((await read(client, sold, "packing-slip.pdf")).content)[0]

        assert "Tracking DHL 42" in first
        assert "MUG 4 1 3 1 unit in this parcel." in first
        assert "MUG 4 3 0 3 units in this parcel." in rest
        assert "EUR" not in first + rest
        assert (await read(client, sold, "packing-slip.pdf", ADA)).status_code == 403
        unknown = await read(client, sold, "packing-slip.pdf", fulfilment=sold["id"])
        assert unknown.status_code == 404
