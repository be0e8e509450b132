"""A day in the back office with a real browser through the real gateway: a file imported, an order read, a
price changed and seen in the shop, stock counted, a dead letter replayed.
"""

import asyncio
import re
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

import chromium
from shopping import Buyer
from shopwright.contracts.events import Envelope
from shopwright.contracts.ids import new_id
from shopwright.contracts.money import Money
from shopwright.contracts.orders import OrderConfirmed, OrderedLine, Total

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest.fixture
async def started():
    async with chromium.browser() as running:
        yield running


@pytest.fixture
async def client(platform):
    async with platform.client() as opened:
        yield opened


@pytest.fixture(params=[1280, 390], ids=["desk", "telephone"])
async def office(started, platform, request):
    """Staff, logged in."""
    admin = platform.demo["admin"]
    async with chromium.visitor(started, platform.url, width=request.param) as page:
        await page.goto("/admin")
        await chromium.check(page)
        await page.fill("#email", admin["email"])
        await page.fill("#password", admin["password"])
        await page.click("text=Log in >> visible=true")
        await page.wait_for_url("**/admin")
        yield page


@pytest.fixture
def name():
    return f"Test mug {uuid4().hex[:8]}"


def slug_of(name):
    return name.lower().replace(" ", "-")


async def import_mug(office, name, tmp_path):
    """A file with one good and one broken product, handed over and read to its end."""
    sku = slug_of(name).upper()
    file = tmp_path / "mugs.csv"
    file.write_text(
        f"slug,name,sku,price,stock\n{slug_of(name)},{name},{sku},12.50,20\nbroken-{sku.lower()},,B-{sku},x,1\n"
    )
    await office.goto("/admin/imports")
    await chromium.check(office)
    await office.set_input_files("#file", file)
    await office.click("main button >> text=Import")
    await office.wait_for_selector("main >> text=Done")
    return sku


async def seen_in_shop(client, slug, words):
    """The shop's page of a product, as soon as it has `words` (caches live for seconds)."""
    for _ in range(600):
        page = await client.get(f"/product/{slug}", headers={"accept": "text/html"})
        if words in page.text:
            return page.text
        await asyncio.sleep(0.2)
    raise AssertionError(f"{words} is not on the page of {slug}")


class TestImport:
    async def test_a_file_becomes_products_and_a_report_of_what_was_refused(
        self, office, client, name, tmp_path
    ):
        await import_mug(office, name, tmp_path)

        text = await office.inner_text("main")
        assert re.search(r"1\s+created", text)
        assert re.search(r"1\s+refused", text)
        assert "broken-" in text
        await chromium.check(office)
        await seen_in_shop(client, slug_of(name), "12.50")


class TestOrders:
    async def test_an_order_is_found_and_its_timeline_read(self, office, client, name, tmp_path):
        sku, email = await import_mug(office, name, tmp_path), f"ada-{uuid4().hex[:8]}@example.com"
        buyer = Buyer(client)
        cart = await buyer.address(await buyer.cart_with(sku), email)
        order = await buyer.outcome((await buyer.order(cart)).json(), cart)

        await office.goto("/admin/orders")
        await chromium.check(office)
        await office.fill("#q", email)
        await office.press("#q", "Enter")
        await office.click(f"main >> text={order['number']}")

        await office.wait_for_url(f"**/admin/orders/{order['id']}")
        text = await office.inner_text("main")
        for words in (
            name,
            "Reserve the items in stock – Done",
            "Capture the payment – Done",
            "Captured",
            email,
        ):
            assert words in text
        await chromium.check(office)

    async def test_an_order_is_shipped_and_partly_refunded(self, office, client, name, tmp_path):
        sku = await import_mug(office, name, tmp_path)
        buyer = Buyer(client)
        cart = await buyer.address(await buyer.cart_with(sku), "eve@example.com")
        order = await buyer.outcome((await buyer.order(cart)).json(), cart)

        await office.goto(f"/admin/orders/{order['id']}")
        await office.click("text=Ship what is left…")
        await office.fill("#carrier", "DHL")
        await office.fill("#number", "00340434")
        await office.click("text=Mark as shipped")
        await office.wait_for_selector("text=The order is shipped")
        await office.click("text=Refund…")
        await office.fill("#amount", "2,50")
        await office.fill("#reason", "Scratched")
        await office.click("text=Pay back")

        await office.wait_for_selector("text=Scratched")
        text = await office.inner_text("main")
        assert "Shipped 1 unit with DHL" in text
        assert "Refund of €2.50" in text
        await chromium.check(office)

    async def test_an_order_that_waits_for_its_buyer_is_cancelled(self, office, client, name, tmp_path):
        sku = await import_mug(office, name, tmp_path)
        buyer = Buyer(client)
        cart = await buyer.address(await buyer.cart_with(sku), "bob@example.com")
        order = (await buyer.order(cart, token=None)).json()

        await office.goto(f"/admin/orders/{order['id']}")
        await office.click("text=Try the next step now")
        await office.wait_for_selector("text=The next step was tried again")
        await office.click("text=Cancel this order…")
        await office.click(f"text=Cancel order {order['number']}")

        await office.wait_for_selector("text=The order was cancelled")
        assert (await buyer.outcome(order, cart))["status"] == "cancelled"


class TestProducts:
    async def test_a_price_is_changed_and_seen_in_the_shop(self, office, client, name, tmp_path):
        sku = await import_mug(office, name, tmp_path)
        await seen_in_shop(client, slug_of(name), "12.50")

        await office.goto("/admin/products")
        await chromium.check(office)
        await office.fill("#q", sku)
        await office.press("#q", "Enter")
        await office.click(f"main >> text={name}")
        await office.wait_for_selector("text=Variants and prices")
        await chromium.check(office)
        await office.fill(f"[aria-label='Price of {sku} in EUR']", "17,90")
        await office.click("text=Save prices")

        await office.wait_for_selector("text=1 price was saved")
        await seen_in_shop(client, slug_of(name), "17.90")

    async def test_a_change_on_top_of_another_is_told(self, office, started, platform, name, tmp_path):
        await import_mug(office, name, tmp_path)
        await office.goto(f"/admin/products/{slug_of(name)}")
        other = await office.context.new_page()
        await other.goto(f"/admin/products/{slug_of(name)}")
        await other.fill("#name", f"{name} of theirs")
        await other.click("text=Save details")
        await other.wait_for_selector("text=was saved")

        await office.fill("#name", f"{name} of mine")
        await office.click("text=Save details")

        await office.wait_for_selector("text=Somebody else saved this product")
        assert await office.input_value("#name") == f"{name} of mine"
        assert f"{name} of theirs" in await office.inner_text("main")
        await chromium.check(office)


class TestStock:
    async def test_is_counted_and_the_ledger_says_why(self, office, client, name, tmp_path):
        sku = await import_mug(office, name, tmp_path)

        await office.goto("/admin/stock")
        await chromium.check(office)
        await office.fill("#q", sku)
        await office.press("#q", "Enter")
        await office.wait_for_url(f"**/admin/stock/{sku}")
        await chromium.check(office)
        await office.fill("#delta", "-8")
        await office.fill("#reason", "Damaged in the window")
        await office.click("main button >> text=Adjust stock")

        await office.wait_for_selector(f"text=Stock of {sku} is now 12")
        assert "Damaged in the window" in await office.inner_text("main")
        product = (await client.get(f"/v1/products/{slug_of(name)}")).json()
        assert product["available"] == 12


class TestDeadLetters:
    async def test_one_is_read_and_replayed_and_then_handled(self, office, client, platform):
        email, letter = f"late-{uuid4().hex[:8]}@example.com", new_id()
        await given_up(platform, letter, email)

        await office.goto("/admin/letters")
        await chromium.check(office)
        text = await office.inner_text("main")
        assert "SMTP did not answer" in text
        assert email not in await office.inner_html("main")
        await office.click(f"form[action='/admin/letters/notifications.{letter}/replay'] button")
        await office.wait_for_selector("text=The message is being tried again")

        for _ in range(600):
            if (await client.get("/mailbox.json", params={"to": email})).json():
                break
            await asyncio.sleep(0.2)
        else:
            raise AssertionError("the replayed message sent no mail")
        await office.reload()
        assert str(letter) not in await office.inner_html("main")


async def given_up(platform, letter, email):
    """A confirmation that notifications could not handle six times."""
    order_id, price = new_id(), Money(1_250, "EUR")
    fact = OrderConfirmed(
        order_id=order_id,
        number=f"SW-{str(order_id)[-6:]}",
        user_id=None,
        email=email,
        name="Ada Late",
        lines=[OrderedLine(sku="MUG", name="Mug", quantity=1, unit_price=price, total=price)],
        totals=[Total("subtotal", price)],
        total=price,
    )
    envelope = Envelope(
        id=str(letter),
        source="orders",
        type=fact.topic,
        subject=str(order_id),
        time=datetime.now(UTC),
        sequence=1,
        data=msgspec.Raw(msgspec.json.encode(fact)),
    )
    connection = await platform.database("notifications")
    await connection.execute(
        "INSERT INTO dead_letters (id, topic, subject, envelope, state, attempts, error, next_attempt_at)"
        " VALUES ($1, $2, $3, $4, 'dead', 6, 'SMTP did not answer', now())",
        letter,
        fact.topic,
        str(order_id),
        msgspec.json.encode(envelope),
    )
    await connection.close()


class TestOverview:
    async def test_shows_the_day_and_that_all_services_are_ready(self, office):
        text = await office.inner_text("main")

        assert "today" in text
        assert text.count("ready") >= 5
        await chromium.check(office)


class TestReference:
    async def test_documents_every_service_and_narrows_while_one_types(self, office, platform):
        await office.goto("/docs")
        await chromium.check(office)
        await office.fill("#q", "adjust stock")

        assert await office.locator("article.call:visible").count() == 1
        await office.goto("/docs?q=cart")
        assert await office.locator("text=Create cart >> visible=true").count() > 0
