"""Orders that nobody pays end by themselves, free what they held and leave the cart as it was."""

from orders.purchasing import look, place, ready_cart, until
from shopwright.chassis.db import open_database


async def let_time_pass(orders_url):
    """The buyer's time is over."""
    db = await open_database(orders_url, application="test", size=1)
    async with db.read() as connection:
        await connection.execute("UPDATE sagas SET deadline = now(), run_at = now()")
    await db.close()


class TestUnpaidCard:
    async def test_frees_the_stock_and_opens_the_cart_again(self, client, shop, orders_url):
        cart = await ready_cart(client, shop, quantity=2, free=3)
        order = (await place(client, cart, token="")).json()
        held = shop.stock.free["MUG"]

        await let_time_pass(orders_url)

        expired = await until(client, order, cart, "expired")
        assert (held, shop.stock.free["MUG"], expired["payment"]["status"]) == (1, 3, "voided")
        assert (await client.get(f"/v1/carts/{cart['id']}")).json()["status"] == "open"
        again = await place(client, cart)
        assert (again.status_code, again.json()["status"]) == (201, "confirmed")

    async def test_paid_in_the_last_moment_is_confirmed_or_given_back_and_never_both(
        self, client, shop, orders_url
    ):
        cart = await ready_cart(client, shop, free=3)
        order = (await place(client, cart, token="")).json()
        shop.till.act(order["payment"]["id"], "authorised")

        await let_time_pass(orders_url)
        await client.post(f"/v1/orders/{order['id']}/cancel", headers={"x-cart-id": cart["id"]})

        seen = await look(client, order, cart)
        paid = shop.till.payments[order["payment"]["id"]].status
        assert (seen["status"], paid, shop.stock.free["MUG"]) in {
            ("confirmed", "captured", 2), ("cancelled", "voided", 3), ("expired", "voided", 3),
        }  # fmt: skip
