"""The wallet of an account and the balance of a gift card."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shopwright.contracts.problems import DeadlineExceeded, PaymentDeclined

PATH = "/account/wallet"


@pytest.fixture
async def buyer(shop):
    await shop.log_in()
    return shop


class TestWallet:
    async def test_belongs_to_an_account(self, shop):
        assert (await shop.get(PATH)).path.startswith("/login?")

    async def test_shows_what_is_in_it_and_what_changed_it(self, buyer, mesh):
        mesh.vault.balances["buyer@example.com"] = 1_500
        eur = {"currency": "EUR"}
        mesh.vault.entries = [
            {"id": 2, "amount": eur | {"amount": -500}, "balance": eur | {"amount": 1_500},
             "reason": "payment", "payment_id": None, "at": datetime.now(UTC)},
            {"id": 1, "amount": eur | {"amount": 2_000}, "balance": eur | {"amount": 2_000},
             "reason": "top_up", "payment_id": None, "at": datetime.now(UTC)},
        ]  # fmt: skip

        text = (await buyer.get(PATH)).text

        assert "In your wallet €15.00" in text
        assert "Paid an order" in text
        assert "−€5.00" in text
        assert "+ €20.00" in text or "+€20.00" in text

    async def test_is_filled_on_the_providers_page(self, buyer, mesh):
        mesh.vault.action_url = "https://provider.test/pay/1"

        page = await buyer.send(await buyer.get(PATH), PATH, amount="25")

        assert "https://provider.test/pay/1" in page.links
        assert "Your wallet , €25.00" in page.text
        sent = mesh.calls("/v1/wallet/top-ups")[0]
        assert sent.body["amount"] == {"amount": 2_500, "currency": "EUR"}
        assert sent.body["payment"]["return_url"].endswith(f"{PATH}/return")

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("captured", "The money is in your wallet"),
            ("declined", "Nothing was put in"),
            ("pending", "not finished yet"),
        ],
    )
    async def test_tells_how_it_went_to_who_comes_back(self, buyer, mesh, status, words):
        mesh.vault.top_up_status = status

        page = await buyer.get(f"{PATH}/return?payment={uuid4()}")

        assert (page.path, words in page.text) == (PATH, True)

    @pytest.mark.parametrize(("typed", "words"), [("", "how much"), ("-5", "above zero"), ("x", "")])
    async def test_refuses_beside_the_field(self, buyer, mesh, typed, words):
        page = await buyer.send(await buyer.get(PATH), PATH, amount=typed)

        assert page.status == 422
        assert page.all("input", name="amount")[0]["aria-invalid"] == "true"
        assert words in page.text
        assert not mesh.calls("/v1/wallet/top-ups")

    async def test_too_much_is_refused_and_kept(self, buyer):
        page = await buyer.send(await buyer.get(PATH), PATH, amount="600")

        assert page.form(PATH)["amount"] == "600"
        assert "Enter at most 50000" in page.text

    async def test_an_unknown_outcome_asks_again_with_the_same_key(self, buyer, mesh):
        page = await buyer.get(PATH)
        mesh.refusals["/v1/wallet/top-ups"] = DeadlineExceeded()

        again = await buyer.send(page, PATH, amount="25")

        assert again.status == 422
        assert again.form(PATH)["key"] == page.form(PATH)["key"]

    async def test_a_declined_card_says_why(self, buyer, mesh):
        page = await buyer.get(PATH)
        mesh.refusals["/v1/wallet/top-ups"] = PaymentDeclined(code="expired_card")

        page = await buyer.send(page, PATH, amount="25")

        assert page.status == 422

    async def test_payments_being_away_is_told(self, buyer, mesh):
        mesh.away.add("payments")

        assert "cannot be shown right now" in (await buyer.get(PATH)).text


class TestGiftCard:
    async def test_tells_a_guest_what_is_left(self, shop, mesh):
        mesh.vault.add_card("GIFT-ABCD-1234", 2_000)

        page = await shop.get("/account/gift-card")
        page = await shop.send(page, "/account/gift-card", gift_card="GIFT-ABCD-1234 ")

        assert "There is €20.00 left on it" in page.text

    async def test_an_unknown_one_is_told_beside_the_field(self, shop):
        page = await shop.send(
            await shop.get("/account/gift-card"), "/account/gift-card", gift_card="GIFT-NOPE"
        )

        assert page.status == 422
        assert page.form("/account/gift-card")["gift_card"] == "GIFT-NOPE"
