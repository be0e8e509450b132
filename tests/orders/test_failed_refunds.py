"""Refunds that a provider refused: staff see them, with what can be done, until the money is back."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from orders.test_summary import order, summary

STAFF = {"x-user-id": str(uuid4()), "x-user-scope": "shop orders:read orders:refund"}


async def failed(client):
    found = await summary(client, {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()})
    return found["failed_refunds"]


async def refund(client, bought, amount=None):
    body = {"reason": "late"} | ({"amount": {"amount": amount, "currency": "EUR"}} if amount else {})
    answer = await client.post(f"/v1/orders/{bought['id']}/refunds", json=body, headers=STAFF)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def refused(client, shop):
    """An order of which 6 € of 10 € were refused to be paid back."""
    bought = await order(client, shop)
    shop.till.refuses_refunds = True
    made = await refund(client, bought, 600)
    shop.till.refuses_refunds = False
    return bought, made


async def test_staff_see_why_it_failed_and_where_the_money_can_go(client, refused):
    bought, made = refused

    (seen,) = await failed(client)

    assert (seen["id"], seen["order_id"], seen["number"]) == (made["id"], bought["id"], bought["number"])
    assert (seen["amount"]["amount"], seen["ways"]) == (600, ["source"])
    assert seen["failure"] == made["failure"] != ""


@pytest.mark.parametrize(("amount", "left"), [(600, 0), (None, 0), (599, 1)])
async def test_it_is_over_once_as_much_went_back(client, refused, amount, left):
    bought, _ = refused

    await refund(client, bought, amount)

    assert len(await failed(client)) == left


async def test_one_that_fails_again_is_over_with_the_first(client, shop, refused):
    bought, _ = refused
    shop.till.refuses_refunds = True
    await refund(client, bought, 600)
    assert len(await failed(client)) == 2
    shop.till.refuses_refunds = False

    await refund(client, bought, 600)

    assert await failed(client) == []
