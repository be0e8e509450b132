"""Paying what staff ask for by a link: the page says what for, the button leads to the provider, once."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from browsing import Browser


@pytest.fixture
def link(mesh):
    """A change of an order that costs 6.00 more."""
    link_id = str(uuid4())
    mesh.staff_orders.links[link_id] = {
        "id": link_id, "purpose": "edit", "state": "waiting", "order_id": str(uuid4()), "number": "SW-100001",
        "amount": {"amount": 600, "currency": "EUR"}, "until": datetime(2026, 7, 4, tzinfo=UTC),
        "adds": [], "action_url": None, "decline_code": "",
    }  # fmt: skip
    return mesh.staff_orders.links[link_id]


class TestPayPage:
    async def test_says_what_it_costs_and_leads_to_the_provider(self, web, mesh, link):
        buyer = Browser(web)

        page = await buyer.get(f"/pay/{link['id']}")
        await buyer.send(page, f"/pay/{link['id']}", method="card")

        assert "Your order costs €6.00 more" in page.text
        [paid] = mesh.staff_orders.paid
        assert paid["method"] == "card"
        assert paid["return_url"].endswith(f"/pay/{link['id']}/return")

    @pytest.mark.parametrize(
        ("state", "words"),
        [("paid", "Your order is changed."), ("over", "Nothing is to be paid here any more.")],
    )
    async def test_asks_for_nothing_once_it_is_over(self, web, link, state, words):
        link["state"] = state

        page = await Browser(web).get(f"/pay/{link['id']}")

        assert words in page.text
        assert "Pay €6.00" not in page.text

    async def test_says_why_the_last_card_was_refused(self, web, link):
        link["decline_code"] = "expired_card"

        page = await Browser(web).get(f"/pay/{link['id']}")

        assert "The card has expired." in page.text
