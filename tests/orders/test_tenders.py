"""Orders paid otherwise than by one card, with the real payments at the other end of the wire."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from orders.purchasing import ADA, STAFF, look, place, ready_cart, until
from orders.test_orders import tell
from shopwright.chassis.db import open_database
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.payments import PaymentChanged, PaymentNotAuthorised
from shopwright.orders.testing import FakeShop
from shopwright.payments.rpc import PaymentsRpc
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, Wire, a_shop

TOTAL = 1_490  # a mug at 10.00 and its delivery


@pytest.fixture
async def till(database):
    """Payments as they are, with the sandbox as the provider of cards."""
    db = await database("payments")
    books = Books(db)
    sandbox = SandboxProvider(books, SECRET, Sites(("http://shop.test",)), late=timedelta(seconds=4))
    made = a_shop(db, books, Wire(sandbox), provider_timeout_s=3)
    yield made
    await made.tenders.finish(5)
    await made.payments.finish(5)


@pytest.fixture
async def shop(tmp_path, till):
    running = FakeShop()
    running.till = PaymentsRpc(till.tenders, till.by_hand.instructions)
    await running.start(tmp_path / "mesh.sock")
    yield running
    await running.stop()


async def buy(client, cart, headers=None, **payment):
    return await place(client, cart, payment=payment, headers=headers)


async def tell_all(till, valkey):
    """What payments published, as its relay would bring it."""
    async with till.db.read() as connection:
        rows = await connection.fetch(
            "SELECT convert_from(data, 'UTF8')::jsonb AS data FROM outbox ORDER BY position"
        )
    for row in rows:
        amount = Money(row["data"]["amount"]["amount"], row["data"]["amount"]["currency"])
        await tell(valkey, "payments", PaymentChanged(**row["data"] | {"amount": amount}))


class TestGiftCards:
    async def test_pay_first_and_the_card_pays_the_rest(self, client, shop, till):
        code = await till.gift_card(1_000)
        cart = await ready_cart(client, shop)

        order = (await buy(client, cart, method="card", token="tok_ok", gift_cards=[code])).json()

        assert (order["status"], order["payment"]["status"]) == ("confirmed", "captured")
        assert [tuple(part.values()) for part in order["payment"]["parts"]] == [
            ("gift_card", {"amount": 1_000, "currency": "EUR"}, "captured"),
            ("card", {"amount": TOTAL - 1_000, "currency": "EUR"}, "captured"),
        ]

    async def test_one_that_is_not_valid_places_nothing_and_the_cart_stays_open(self, client, shop):
        cart = await ready_cart(client, shop)

        refused = await buy(client, cart, method="card", token="tok_ok", gift_cards=["ABCD-EFGH-JKLM-NPQR"])
        again = await buy(client, cart, method="card", token="tok_ok")

        assert (refused.status_code, refused.json()["code"]) == (402, "gift_card_unknown")
        assert again.status_code == 201

    async def test_one_card_pays_one_of_two_orders_at_once(self, client, shop, till):
        code = await till.gift_card(TOTAL)
        carts = [await ready_cart(client, shop) for _ in range(6)]

        answers = await asyncio.gather(
            *[buy(client, cart, method="gift_card", gift_cards=[code]) for cart in carts]
        )

        assert sorted(answer.status_code for answer in answers) == [201] + [402] * 5

    @pytest.mark.parametrize(("worth", "left"), [(TOTAL, 0), (TOTAL + 500, 500)])
    async def test_who_was_slower_reads_what_is_left_and_pays_the_rest_by_card(
        self, client, shop, till, worth, left
    ):
        code = await till.gift_card(worth)
        first, cart = [await ready_cart(client, shop) for _ in range(2)]
        await buy(client, first, method="gift_card", gift_cards=[code])

        refused = await buy(client, cart, method="gift_card", gift_cards=[code])

        said = refused.json()
        assert (refused.status_code, said["type"]) == (402, "/problems/gift-card-spent")
        assert said["balance"] == {"amount": left, "currency": "EUR"}
        kept = (await client.get(f"/v1/carts/{cart['id']}")).json()
        assert (kept["status"], kept["lines"], kept["total"]) == ("open", cart["lines"], cart["total"])
        placed = (await client.get("/v1/orders", headers=STAFF)).json()["items"]
        ends = {(order["status"], order["payment"]["status"]) for order in placed}
        assert ends == {("confirmed", "captured"), ("refused", "declined")}
        cards = [code] if left else []
        order = (await buy(client, cart, method="card", token="tok_ok", gift_cards=cards)).json()
        assert (order["status"], order["payment"]["status"]) == ("confirmed", "captured")
        parts = order["payment"]["parts"]
        from_card = sum(part["amount"]["amount"] for part in parts if part["method"] == "gift_card")
        assert from_card == left

    async def test_back_to_the_wallet_when_staff_say_so(self, client, shop, till):
        code = await till.gift_card(1_000)
        cart = await ready_cart(client, shop, headers=ADA)
        order = (await buy(client, cart, ADA, method="card", token="tok_ok", gift_cards=[code])).json()

        back = await client.post(
            f"/v1/orders/{order['id']}/refunds",
            json={"amount": {"amount": 700, "currency": "EUR"}, "reason": "scratched", "to": "wallet"},
            headers=STAFF,
        )

        assert (back.status_code, back.json()["status"]) == (201, "succeeded")
        parts = (await client.get(f"/v1/orders/{order['id']}", headers=ADA)).json()["payment"]["parts"]
        assert [part["status"] for part in parts] == ["partially_refunded", "refunded"]
        [wallet] = await till.stored.wallets(UUID(ADA["x-user-id"]))
        assert wallet.balance == 700


class TestWallet:
    async def test_is_not_for_guests(self, client, shop):
        answer = await buy(client, await ready_cart(client, shop), method="wallet")

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/payment/use_wallet")


class TestCashOnDelivery:
    async def test_is_confirmed_at_once_and_captured_when_the_cash_is_there(self, client, shop, till, valkey):
        cart = await ready_cart(client, shop)

        ordered = await buy(client, cart, method="cash_on_delivery")
        order = ordered.json()
        await till.by_hand.received(UUID(order["payment"]["id"]), "till 1", new_id())
        await tell_all(till, valkey)

        assert (ordered.status_code, order["payment"]["status"]) == (201, "authorised")
        assert "14.90 EUR" in order["payment"]["instructions"]
        await until(client, order, cart, "confirmed", "captured")

    async def test_leaves_before_it_is_paid(self, client, shop):
        order = (await buy(client, await ready_cart(client, shop), method="cash_on_delivery")).json()

        sent = await client.post(f"/v1/orders/{order['id']}/fulfilments", json={}, headers=STAFF)

        assert sent.status_code == 201, sent.text

    async def test_that_is_cancelled_is_never_collected(self, client, shop, till):
        code = await till.gift_card(500)
        cart = await ready_cart(client, shop, free=3)
        order = (await buy(client, cart, method="cash_on_delivery", gift_cards=[code])).json()

        cancelled = await client.post(f"/v1/orders/{order['id']}/cancel", headers=STAFF)

        [card] = await till.stored.gift_cards(None, 1)
        assert cancelled.status_code == 200, cancelled.text
        assert (await look(client, order, cart))["payment"]["status"] == "voided"
        assert (card.held, shop.stock.free["MUG"]) == (0, 3)
        with pytest.raises(PaymentNotAuthorised):
            await till.by_hand.received(UUID(order["payment"]["id"]), "till 1", new_id())


async def transfers_awaited(orders_url):
    db = await open_database(orders_url, application="test", size=1)
    async with db.read() as connection:
        rows = await connection.fetch(
            """SELECT convert_from(data, 'UTF8')::jsonb AS data FROM outbox
            WHERE topic = 'orders.transfer_awaited.v1'"""
        )
    await db.close()
    return [row["data"] for row in rows]


class TestBankTransfer:
    async def test_tells_the_buyer_once_where_to_and_with_which_reference(
        self, client, shop, till, orders_url
    ):
        code = await till.gift_card(400)
        cart = await ready_cart(client, shop)
        order = (await buy(client, cart, method="bank_transfer", gift_cards=[code])).json()
        for _ in range(2):
            again = await client.post(
                f"/internal/orders/{order['id']}/look-again", headers={"x-caller": "web"}
            )
            assert again.status_code == 204, again.text

        [told] = await transfers_awaited(orders_url)

        assert (told["order_id"], told["email"]) == (order["id"], "ada@example.com")
        assert told["amount"] == {"amount": TOTAL - 400, "currency": "EUR"}
        assert told["instructions"] == order["payment"]["instructions"] != ""

    async def test_waits_with_instructions_and_goes_on_when_it_came(self, client, shop, till, valkey):
        cart = await ready_cart(client, shop)

        ordered = await buy(client, cart, method="bank_transfer")
        order = ordered.json()
        await till.by_hand.received(UUID(order["payment"]["id"]), "statement 7", new_id())
        await tell_all(till, valkey)

        assert (ordered.status_code, order["status"]) == (202, "awaiting_buyer")
        assert "Give as reference: SW" in order["payment"]["instructions"]
        paid = await until(client, order, cart, "confirmed", "captured")
        assert paid["payment"]["parts"][0]["status"] == "captured"

    async def test_that_the_buyer_gives_up_frees_everything(self, client, shop, till):
        code = await till.gift_card(500)
        cart = await ready_cart(client, shop, free=3)
        order = (await buy(client, cart, method="bank_transfer", gift_cards=[code])).json()

        await client.post(f"/v1/orders/{order['id']}/cancel", headers={"x-cart-id": cart["id"]})

        [card] = await till.stored.gift_cards(None, 1)
        assert (await look(client, order, cart))["status"] == "cancelled"
        assert (card.held, shop.stock.free["MUG"]) == (0, 3)

    async def test_that_never_comes_expires_and_frees_everything(self, client, shop, till, orders_url):
        code = await till.gift_card(500)
        cart = await ready_cart(client, shop, free=3)
        order = (await buy(client, cart, method="bank_transfer", gift_cards=[code])).json()

        db = await open_database(orders_url, application="test", size=1)
        async with db.read() as connection:
            left = await connection.fetchval("SELECT deadline - now() FROM sagas")
            await connection.execute("UPDATE sagas SET deadline = now(), run_at = now()")
        await db.close()

        expired = await until(client, order, cart, "expired")
        [card] = await till.stored.gift_cards(None, 1)
        assert timedelta(days=6) < left <= timedelta(days=7)
        assert (expired["payment"]["status"], card.held, shop.stock.free["MUG"]) == ("voided", 0, 3)

    async def test_that_came_while_it_was_given_up_goes_back(self, client, shop, till):
        cart = await ready_cart(client, shop)
        order = (await buy(client, cart, method="bank_transfer")).json()
        await till.by_hand.received(UUID(order["payment"]["id"]), "statement 7", new_id())

        await client.post(f"/v1/orders/{order['id']}/cancel", headers={"x-cart-id": cart["id"]})

        payment = await till.payments.known(UUID(order["payment"]["id"]))
        assert (await look(client, order, cart))["status"] == "cancelled"
        assert (payment.status, payment.refunded) == ("refunded", TOTAL)


class TestNothingToPay:
    async def test_a_gift_of_the_whole_price_asks_no_provider(self, client, shop, till):
        cart = await ready_cart(client, shop, price=0)
        await client.put(f"/v1/carts/{cart['id']}/shipping", json={"method": "pickup"})

        ordered = await buy(client, cart, method="card")

        order = ordered.json()
        assert (ordered.status_code, order["status"], order["payment"]["status"]) == (
            201,
            "confirmed",
            "captured",
        )
        assert order["total"]["amount"] == 0
        assert till.wire.reached["authorise"] == 0


class TestSecrets:
    async def test_nothing_that_pays_is_kept_once_it_was_used(self, client, shop, till, orders_url):
        code = await till.gift_card(500)
        outcomes = [
            await buy(client, await ready_cart(client, shop), method="card", token=token, gift_cards=[code])
            for token in ("tok_3ds", "tok_declined", "tok_ok")
        ]

        db = await open_database(orders_url, application="test", size=1)
        async with db.read() as connection:
            rows = await connection.fetch("SELECT payment_token, tender::text AS tender FROM orders")
        await db.close()
        assert [outcome.status_code for outcome in outcomes] == [202, 402, 402]
        assert {row["payment_token"] for row in rows} == {""}
        assert not any(code in row["tender"] for row in rows)
