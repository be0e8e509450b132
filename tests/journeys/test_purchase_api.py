"""An API client buys something real through the gateway, and everybody who must know gets to know."""

import asyncio
import re
from uuid import uuid4

import pytest

from shopping import Buyer, log_in, set_stock

pytestmark = pytest.mark.stack


@pytest.fixture
async def client(platform):
    async with platform.client() as opened:
        yield opened


@pytest.fixture
def buyer(client):
    return Buyer(client)


@pytest.fixture
async def staff(client, platform):
    return await log_in(client, platform.demo["admin"])


async def some_sku(client):
    items = (await client.get("/v1/products?limit=50")).json()["items"]
    for item in items:
        product = (await client.get(f"/v1/products/{item['slug']}")).json()
        for variant in product["variants"]:
            if variant["available"] > 5:
                return variant["sku"]
    raise AssertionError("nothing is in stock")


async def mails_to(client, email, count=1):
    for _ in range(1_200):
        mails = (await client.get("/mailbox.json", params={"to": email})).json()
        if len(mails) >= count:
            return mails
        await asyncio.sleep(0.05)
    raise AssertionError(f"no mail to {email}")


class TestGuest:
    async def test_searches_buys_and_gets_the_confirmation_mail(self, client, buyer):
        email = f"guest-{uuid4().hex[:8]}@example.com"
        product = (await client.get("/v1/products?limit=1")).json()["items"][0]
        found = (await client.get("/v1/search", params={"q": product["name"]})).json()
        assert found["items"][0]["slug"] == product["slug"]

        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), email)
        answer = await buyer.order(cart)

        order = answer.json()
        assert answer.status_code == 201, answer.text
        assert (order["status"], order["payment"]["status"]) == ("confirmed", "captured")
        assert order["total"] == cart["total"]
        mail = (await mails_to(client, email))[0]
        assert order["number"] in mail["text"] + mail["subject"]

    async def test_a_repeat_with_the_same_key_gets_the_same_order(self, client, buyer):
        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), "twice@example.com")
        key = uuid4().hex

        first, second = await asyncio.gather(buyer.order(cart, key=key), buyer.order(cart, key=key))

        assert first.json()["id"] == second.json()["id"]
        again = await buyer.order(cart)
        assert again.status_code == 409
        assert again.json()["type"].endswith("cart-already-ordered")

    async def test_a_declined_card_leaves_the_cart_as_it_was(self, client, buyer):
        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), "declined@example.com")

        answer = await buyer.order(cart, token="tok_declined")

        assert (answer.status_code, answer.json()["type"]) == (402, "/problems/payment-declined")
        cart = (await client.get(f"/v1/carts/{cart['id']}")).json()
        assert (cart["status"], len(cart["lines"])) == ("open", 1)
        assert (await buyer.order(cart)).status_code == 201

    async def test_a_total_that_changed_is_refused_with_the_new_one(self, client, buyer):
        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), "total@example.com")
        seen = {**cart["total"], "amount": cart["total"]["amount"] - 1}

        answer = await buyer.order({**cart, "total": seen})

        assert answer.status_code == 409
        assert answer.json()["total"] == cart["total"]

    async def test_more_than_there_is_is_refused(self, client, buyer, staff):
        sku = await some_sku(client)
        await set_stock(client, staff, sku, 2)
        await asyncio.sleep(2.1)  # a cart's quotes may be two seconds old
        cart = (await client.post("/v1/carts", json={})).json()

        answer = await client.post(f"/v1/carts/{cart['id']}/lines", json={"sku": sku, "quantity": 3})

        assert answer.status_code == 409
        assert answer.json()["shortages"] == [{"sku": sku, "requested": 3, "available": 2}]
        await set_stock(client, staff, sku, 50)

    async def test_a_provider_that_answers_late_is_asked_not_charged_again(self, client, buyer, platform):
        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), "late@example.com")

        answer = await buyer.order(cart, token="tok_timeout")
        order = await buyer.outcome(answer.json(), cart)

        assert answer.status_code in {201, 202}
        assert (order["status"], order["payment"]["status"]) == ("confirmed", "captured")

    async def test_pays_on_the_providers_page(self, client, buyer):
        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), "hosted@example.com")
        answer = await buyer.order(cart, token=None)
        assert answer.status_code == 202, answer.text
        url = answer.json()["payment"]["action_url"]

        page = await client.get(url)
        form = re.search(r'<form[^>]*action="([^"]*)"', page.text)
        fields = dict(
            re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
        )
        paid = await client.post(
            (form[1] if form else "") or url,
            data={**fields, "number": "4242 4242 4242 4242", "expiry": "12/40", "cvc": "123", "name": "Ada"},
        )

        assert paid.status_code < 400, paid.text
        assert (await buyer.outcome(answer.json(), cart))["status"] == "confirmed"


class TestAccount:
    async def test_registers_logs_in_buys_and_sees_the_order(self, client, buyer):
        email = f"ada-{uuid4().hex[:8]}@example.com"
        account = {"email": email, "password": "a long enough passphrase", "name": "Ada"}
        assert (await client.post("/v1/users", json=account)).status_code == 201
        me = await log_in(client, account)
        client.headers.update(me)

        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), email)
        answer = await buyer.order(cart)

        assert answer.status_code == 201, answer.text
        listed = (await client.get("/v1/orders")).json()["items"]
        assert [order["id"] for order in listed] == [answer.json()["id"]]
        timeline = (await client.get(f"/v1/orders/{listed[0]['id']}/timeline")).json()["items"]
        assert [entry["step"] for entry in timeline] == [
            "reserve",
            "authorise",
            "confirm",
            "claim",
            "capture",
        ]
        assert len(await mails_to(client, email, count=2)) == 2

    async def test_a_stranger_sees_nothing_of_it(self, client, buyer, platform):
        cart = await buyer.address(await buyer.cart_with(await some_sku(client)), "mine@example.com")
        order = (await buyer.order(cart)).json()

        assert (await client.get(f"/v1/orders/{order['id']}")).status_code == 401
        async with platform.client() as other:
            other.headers.update(await log_in(other, platform.demo["buyer"]))
            assert (await other.get(f"/v1/orders/{order['id']}")).status_code == 404
            assert (await other.get("/v1/inventory/any")).status_code == 403


class TestPlatform:
    async def test_is_healthy_and_ready(self, client):
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200

    async def test_answers_an_unknown_path_with_a_problem(self, client):
        answer = await client.get("/v1/nothing/here")

        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("application/problem+json")

    async def test_describes_every_service_in_one_document(self, client):
        paths = (await client.get("/openapi.json")).json()["paths"]

        for path in (
            "/v1/users",
            "/v1/products",
            "/v1/search",
            "/v1/carts",
            "/v1/orders",
            "/v1/inventory/{sku}",
        ):
            assert path in paths, path
        assert not [path for path in paths if path.startswith("/internal")]

    async def test_each_service_has_a_database_the_others_cannot_read(self, platform):
        import asyncpg

        from shopwright.stack.layout import Layout

        password = (platform.home / "secrets" / "db-orders").read_text().strip()
        sockets = Layout.of(platform.home).run / "pg"

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(f"postgresql://orders:{password}@/payments?host={sockets}")
