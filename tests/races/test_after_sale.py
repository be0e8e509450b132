"""Races of staff with staff over a paid order, on two replicas: money and goods go one way each."""

import pytest

from orders.purchasing import STAFF, look, place, ready_cart, until
from races.rounds import ROUNDS, rounds, together

PRICE, SHIPPING = 1_000, 490
UNITS = 10_000


@pytest.fixture(autouse=True)
def mugs(shop):
    shop.stock.put("MUG", price=PRICE, free=UNITS)


async def sold(replicas, shop):
    cart = await ready_cart(replicas[0], shop)
    order = (await place(replicas[0], cart)).json()
    assert order["payment"]["status"] == "captured", order
    return order, cart


async def post(client, order, what, **body):
    return await client.post(f"/v1/orders/{order['id']}/{what}", json=body, headers=STAFF)


def line(order):
    return [{"id": order["lines"][0]["id"], "quantity": 1}]


def statuses(answers):
    return tuple(sorted(answer.status_code for answer in answers))


def paid_back(shop, order):
    state = shop.till.payments[order["payment"]["id"]]
    return state.amount - state.refunded


class TestTwoRefunds:
    async def test_of_the_whole_give_it_back_once(self, replicas, shop):
        async def both(_number):
            order, _cart = await sold(replicas, shop)
            answers = await together(*(post(client, order, "refunds", reason="asked") for client in replicas))
            return statuses(answers), paid_back(shop, order)

        assert await rounds(both) == {((201, 409), 0): ROUNDS}
        assert len(shop.till.refunds) == ROUNDS


class TestFulfilmentAgainstCancel:
    async def test_ships_what_is_paid_or_pays_back_what_stays(self, replicas, shop):
        async def both(number):
            order, cart = await sold(replicas, shop)
            ship, cancel = await together(
                post(replicas[0], order, "fulfilments"),
                post(replicas[1], order, "cancel"),
                number=number,
            )
            seen = await look(replicas[0], order, cart)
            assert {ship.status_code, cancel.status_code} <= {200, 201, 409}, (ship.text, cancel.text)
            return seen["status"], ship.is_success, cancel.is_success, paid_back(shop, order) == 0

        ends = await rounds(both)

        assert set(ends) == {("fulfilled", True, False, False), ("cancelled", False, True, True)}, ends
        assert shop.stock.free["MUG"] == UNITS - ends["fulfilled", True, False, False]


class TestReturnAgainstRefund:
    async def test_never_gives_back_more_than_was_paid(self, replicas, shop):
        async def both(number):
            order, cart = await sold(replicas, shop)
            await post(replicas[0], order, "fulfilments")
            back, refund = await together(
                post(replicas[0], order, "returns", reason="broken", lines=line(order)),
                post(replicas[1], order, "refunds", reason="asked"),
                number=number,
            )
            seen = await until(replicas[0], order, cart, "returned" if back.is_success else "fulfilled")
            assert seen["refunded"] == seen["total"]
            assert paid_back(shop, order) == 0
            return back.status_code, refund.status_code, await by_kind(replicas[0], order)

        ends = await rounds(both)

        goods_first = {"return": PRICE, "refund": SHIPPING}
        money_first = {"return": 0, "refund": PRICE + SHIPPING}
        wanted = {(201, 201, tuple(sorted(end.items()))) for end in (goods_first, money_first)}
        assert set(ends) == wanted, ends


async def by_kind(client, order):
    """What went back of an order, by kind."""
    answer = await client.get(f"/v1/orders/{order['id']}/refunds", headers=STAFF)
    return tuple(sorted((item["kind"], item["amount"]["amount"]) for item in answer.json()["items"]))


class TestEditAgainstFulfilment:
    async def test_every_unit_is_shipped_or_paid_back(self, replicas, shop):
        async def both(number):
            cart = await ready_cart(replicas[0], shop, quantity=4)
            order = (await place(replicas[0], cart)).json()
            taken_out = {"line_id": order["lines"][0]["id"], "quantity": 2}
            edit, ship = await together(
                post(replicas[0], order, "edits", reason="called", lines=[taken_out]),
                post(replicas[1], order, "fulfilments"),
                number=number,
            )
            assert ship.status_code == 201, ship.text
            seen = await look(replicas[0], order, cart)
            line = seen["lines"][0]
            return edit.status_code, line["fulfilled"], line["cancelled"], seen["refunded"]["amount"]

        ends = await rounds(both)

        assert set(ends) == {(409, 4, 0, 0), (201, 2, 2, 2 * PRICE)}, ends
        assert shop.stock.free["MUG"] == UNITS - sum(end[1] * count for end, count in ends.items())
