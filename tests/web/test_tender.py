"""How a buyer pays: by a method, gift cards and the wallet first; codes never stand in a page."""

import pytest

from buying import at_review, the_order
from shopwright.contracts.problems import PaymentDeclined

TYPED, CODE = "gift-abcd 1234", "GIFTABCD1234"
METHODS = [
    {"method": "card", "name": "Card", "instructions": ""},
    {"method": "cash_on_delivery", "name": "Cash on delivery", "instructions": "Pay when it comes."},
    {"method": "bank_transfer", "name": "Bank transfer", "instructions": "DE00 1234"},
    {"method": "gift_card", "name": "Gift card", "instructions": ""},
]


@pytest.fixture(autouse=True)
def methods(mesh):
    mesh.vault.methods = METHODS


async def with_card(shop, mesh, balance=2_000):
    mesh.vault.add_card(CODE, balance)
    return await shop.send(await at_review(shop), "/checkout/gift-cards", gift_card=TYPED)


def sent(mesh):
    return mesh.calls("/v1/orders")[-1].body["payment"]


class TestMethods:
    async def test_those_of_the_place_are_offered_with_the_first_chosen(self, shop, mesh):
        page = await at_review(shop)

        assert page.form("/checkout/place")["method"] == "card"
        assert {item["value"] for item in page.all("input", type="radio")} == {
            "card", "cash_on_delivery", "bank_transfer",
        }  # fmt: skip
        assert mesh.calls("/v1/payments/methods")[0].query == {"currency": "EUR", "country": "DE"}

    async def test_payments_being_away_leaves_the_card(self, shop, mesh):
        mesh.away.add("payments")

        assert (await at_review(shop)).form("/checkout/place")["method"] == "card"

    async def test_cash_on_delivery_is_confirmed_and_said_to_be_paid_later(self, shop, mesh):
        page = await shop.send(await at_review(shop), "/checkout/place", method="cash_on_delivery")

        order = the_order(mesh)
        order["payment"]["parts"] = [
            {"method": "cash_on_delivery", "amount": order["total"], "status": "authorised"}
        ]
        assert page.path == f"/checkout/done/{order['id']}"
        assert "Cash on delivery · To be paid on delivery" in (await shop.get(page.path)).text
        assert sent(mesh)["method"] == "cash_on_delivery"

    async def test_a_transfer_is_placed_and_told_where_to_and_the_cart_is_empty(self, shop, mesh):
        page = await shop.send(await at_review(shop), "/checkout/place", method="bank_transfer")

        order = the_order(mesh)
        assert page.path == f"/checkout/done/{order['id']}"
        for seen in (page, await shop.get(f"/orders/{order['id']}")):
            assert "Please transfer €53.90" in seen.text
            assert "DE00 1234" in seen.text
            assert "Go on to the payment" not in seen.text
        assert "Nothing in it yet" in (await shop.get("/cart")).text

    async def test_who_would_rather_not_transfer_gets_the_cart_back(self, shop, mesh):
        page = await shop.send(await at_review(shop), "/checkout/place", method="bank_transfer")

        page = await shop.send(page, "/checkout/cancel/.*")

        assert the_order(mesh)["status"] == "cancelled"
        assert page.path == "/cart"
        assert "Oak lamp" in page.text

    async def test_the_method_is_still_chosen_after_a_refusal(self, shop, mesh):
        mesh.refusals["/v1/orders"] = PaymentDeclined(code="")

        page = await shop.send(await at_review(shop), "/checkout/place", method="cash_on_delivery")

        assert page.path == "/checkout/review"
        assert page.form("/checkout/place")["method"] == "cash_on_delivery"


class TestGiftCards:
    async def test_pay_first_and_the_rest_is_shown(self, shop, mesh):
        page = await with_card(shop, mesh)

        assert "Gift card ending in 1234" in page.text
        assert "Left to pay €33.90" in page.text
        assert "Order and pay €33.90" in page.text
        assert CODE not in page.html

        await shop.send(page, "/checkout/place")
        assert sent(mesh)["gift_cards"] == [CODE]
        assert sent(mesh)["method"] == "card"
        assert mesh.calls("/v1/orders")[-1].body["expected_total"]["amount"] == 5_390

    async def test_that_pay_everything_ask_for_no_method(self, shop, mesh):
        page = await with_card(shop, mesh, 10_000)

        assert not page.all("input", type="radio")
        await shop.send(page, "/checkout/place")

        assert sent(mesh)["method"] == "gift_card"

    async def test_are_taken_out_again(self, shop, mesh):
        page = await shop.send(await with_card(shop, mesh), "/checkout/gift-cards/remove")

        assert "Gift card ending" not in page.text
        assert "Order and pay €53.90" in page.text

    async def test_one_that_is_spent_meanwhile_is_left_out(self, shop, mesh):
        await with_card(shop, mesh)
        mesh.vault.cards[CODE]["disabled_at"] = "2026-01-01T00:00:00Z"

        page = await shop.get("/checkout/review")

        assert "Gift card ending" not in page.text
        assert "Order and pay €53.90" in page.text

    async def test_one_stays_while_nobody_can_be_asked(self, shop, mesh):
        await with_card(shop, mesh)
        mesh.away.add("payments")
        await shop.get("/checkout/review")
        mesh.away.clear()

        assert "Left to pay €33.90" in (await shop.get("/checkout/review")).text

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("NO-SUCH", "We do not know this gift card"),
            ("", "Enter the code"),
            ("EMPTY", "nothing left"),
            ("DOLLARS", "in USD, and your cart in EUR"),
        ],
    )
    async def test_are_refused_beside_the_field(self, shop, mesh, typed, words):
        mesh.vault.add_card("EMPTY", 0)
        mesh.vault.add_card("DOLLARS", 500, "USD")

        page = await shop.send(await at_review(shop), "/checkout/gift-cards", gift_card=typed)

        assert page.status == 422
        assert words in page.text
        assert page.all("input", name="gift_card")[0]["aria-invalid"] == "true"
        assert page.form("/checkout/gift-cards")["gift_card"] == typed

    async def test_are_sealed_in_the_session_and_come_along_to_the_log_in(self, shop, mesh, web):
        await with_card(shop, mesh)

        await shop.log_in()

        assert "Gift card ending in 1234" in (await shop.get("/checkout/review")).text

    async def test_are_forgotten_with_the_order(self, shop, mesh):
        mesh.purchases.pay = "paid"
        await shop.send(await with_card(shop, mesh), "/checkout/place")

        assert "Gift card ending" not in (await at_review(shop)).text


class TestWallet:
    async def test_is_offered_used_and_left_alone(self, shop, mesh):
        mesh.vault.balances["buyer@example.com"] = 1_500
        await shop.log_in()

        page = await at_review(shop)
        assert "€15.00 in your wallet" in page.text
        assert "Order and pay €53.90" in page.text
        page = await shop.send(page, "/checkout/wallet", use="1")
        assert "Left to pay €38.90" in page.text
        page = await shop.send(page, "/checkout/wallet")
        assert "Left to pay" not in page.text
        page = await shop.send(page, "/checkout/wallet", use="1")
        await shop.send(page, "/checkout/place")

        assert sent(mesh)["use_wallet"] is True

    async def test_a_guest_has_none(self, shop, mesh):
        await at_review(shop)

        assert not mesh.calls("/v1/wallet")


class TestParts:
    async def test_of_a_split_payment_are_told_each(self, shop, mesh):
        mesh.purchases.pay = "paid"
        await shop.send(await at_review(shop), "/checkout/place")
        order = the_order(mesh)
        eur = {"currency": "EUR"}
        order["payment"]["parts"] = [
            {"method": "gift_card", "amount": eur | {"amount": 2_000}, "status": "captured"},
            {"method": "card", "amount": eur | {"amount": 3_390}, "status": "authorised"},
        ]

        text = (await shop.get(f"/orders/{order['id']}")).text

        assert "Gift card: €20.00 · Paid" in text
        assert "Card: €33.90 · Authorised" in text

    async def test_what_goes_back_and_the_invoice_are_shown(self, shop, mesh):
        mesh.purchases.pay = "paid"
        await shop.send(await at_review(shop), "/checkout/place")
        order = the_order(mesh)
        mesh.after_sale.refunds[order["id"]] = [
            {"id": order["id"], "kind": "refund", "amount": {"amount": 500, "currency": "EUR"}, "lines": [],
             "reason": "Scratched", "status": "requested", "failure": "", "created_at": order["created_at"]}
        ]  # fmt: skip

        page = await shop.get(f"/orders/{order['id']}")

        assert "€5.00 · On its way" in page.text
        assert f"/orders/{order['id']}/invoice.pdf" in page.links
