"""Orders in the back office: found, understood step by step, cancelled or pushed on; and the first page."""

import pytest

from officing import Office, hire, placed, step
from shopwright.contracts.problems import InternalError


@pytest.fixture
async def office(web, mesh):
    browser = Office(web)
    await browser.enter()
    return browser


class TestList:
    async def test_shows_the_newest_first_with_status_payment_and_total(self, office, mesh):
        placed(mesh)
        newest = placed(mesh, "awaiting_buyer", "requires_action")

        page = await office.get("/admin/orders")

        orders = [link for link in page.links if link.startswith("/admin/orders/")]
        assert orders[0] == f"/admin/orders/{newest['id']}"
        assert len(orders) == 2
        assert "Waiting for payment" in page.text
        assert "€49.00" in page.text

    async def test_filters_by_status(self, office, mesh):
        placed(mesh)
        refused = placed(mesh, "refused", "declined")

        page = await office.get("/admin/orders?status=refused")

        assert [link for link in page.links if "/admin/orders/" in link] == [f"/admin/orders/{refused['id']}"]
        assert page.all("a", href="/admin/orders?status=refused")[0]["aria-current"] == "true"

    @pytest.mark.parametrize("typed", ["SW-100002", "sw-100002", "100002"])
    async def test_a_whole_number_leads_to_its_order(self, office, mesh, typed):
        placed(mesh)
        second = placed(mesh)

        page = await office.get("/admin/orders", params={"q": typed})

        assert page.path == f"/admin/orders/{second['id']}"

    async def test_an_address_lists_all_orders_of_that_buyer(self, office, mesh):
        placed(mesh)
        placed(mesh, email="bob@example.com")

        page = await office.get("/admin/orders?q=ADA@example.com")

        assert len([link for link in page.links if "/admin/orders/" in link]) == 1

    async def test_pages_go_on_with_the_same_filter(self, office, mesh):
        for _ in range(51):
            placed(mesh)

        page = await office.get("/admin/orders?status=confirmed")
        onward = page.all("a", rel="next")[0]["href"]
        second = await office.get(f"/admin/orders{onward}")

        assert "status=confirmed" in onward
        assert len([link for link in second.links if "/admin/orders/" in link]) == 1
        assert not second.all("a", rel="next")

    async def test_asks_for_one_page_only_however_many_orders_there_are(self, office, mesh):
        for _ in range(60):
            placed(mesh)

        await office.get("/admin/orders")

        assert len(mesh.calls("/v1/orders")) == 1

    async def test_says_how_to_search_when_nothing_fits(self, office, mesh):
        page = await office.get("/admin/orders?q=nobody")

        assert "No order fits" in page.text
        assert "whole number" in page.text

    async def test_a_status_that_does_not_exist_is_no_filter(self, office, mesh):
        placed(mesh)

        page = await office.get("/admin/orders?status=%22%3E%3Cscript%3E")

        assert page.status == 200
        assert "<script>" not in page.html.replace("<script src", "")


class TestOrder:
    async def test_shows_lines_totals_payment_and_address(self, office, mesh):
        order = placed(mesh)

        page = await office.get(f"/admin/orders/{order['id']}")

        for words in ("Oak lamp", "€49.00", "1 Long Lane", "Captured", "ch_sw-100001", "ada@example.com"):
            assert words in page.text
        assert "/admin/orders?q=ada%40example.com" in page.links
        assert "/admin/stock/OAK-LAMP-0" in page.links

    async def test_tells_attempts_errors_and_undoing_in_plain_words(self, office, mesh):
        order = placed(mesh, "refused", "declined")
        mesh.purchases.timelines[order["id"]] = [
            step("reserve"),
            *(step("authorise", "failed", detail="payments did not answer", seconds=2**n) for n in range(4)),
            step("authorise", "refused", detail="The payment was declined insufficient_funds", seconds=20),
            step("release", direction="backward", seconds=21),
        ]

        page = await office.get(f"/admin/orders/{order['id']}")

        assert "Ask the payment provider to authorise – No answer, 4 attempts over 7 seconds" in page.text
        assert page.text.count("payments did not answer") == 1
        assert "The payment was declined insufficient_funds" in page.text
        assert "Put the items back into stock (undoing) – Done" in page.text
        assert "Jan 31, 2026, 12:00:21 UTC" in page.text

    async def test_says_why_an_order_was_refused(self, office, mesh):
        reason = {"type": "out-of-stock", "title": "Not enough stock", "detail": "MUG: 2 wanted, 1 there"}
        order = placed(mesh, "refused", "voided", refusal=reason)

        page = await office.get(f"/admin/orders/{order['id']}")

        assert "Not enough stock. MUG: 2 wanted, 1 there" in page.text
        assert "No payment was begun" in page.text
        assert "Given back" not in page.text

    async def test_an_order_whose_first_step_is_not_back_yet_has_a_page(self, office, mesh):
        order = placed(mesh, "in_progress", "pending")
        mesh.purchases.timelines[order["id"]] = []

        page = await office.get(f"/admin/orders/{order['id']}")

        assert "The first step is under way" in page.text

    async def test_payments_being_away_costs_only_their_part(self, office, mesh):
        order = placed(mesh)
        mesh.away.add("payments")

        page = await office.get(f"/admin/orders/{order['id']}")

        assert page.status == 200
        assert "Amounts and events cannot be shown" in page.text
        assert "Oak lamp" in page.text

    async def test_payments_are_not_asked_for_without_the_scope(self, web, mesh):
        order, office = placed(mesh), Office(web)
        await office.enter(**hire(mesh, "orders:read"))

        page = await office.get(f"/admin/orders/{order['id']}")

        assert page.status == 200
        assert not mesh.calls("/v1/payments")
        assert not [form for form in page.forms if "/admin/orders/" in form.action]

    async def test_one_that_does_not_exist_is_not_found(self, office, mesh):
        assert (await office.get("/admin/orders/018f0000-0000-7000-8000-000000000000")).status == 404


class TestCancel:
    async def test_cancels_an_order_that_waits_for_its_buyer(self, office, mesh):
        order = placed(mesh, "awaiting_buyer", "requires_action")

        page = await office.send(await office.get(f"/admin/orders/{order['id']}"), ".*/cancel")

        assert mesh.purchases.orders[order["id"]]["status"] == "cancelled"
        assert "was cancelled" in page.text
        assert not [form for form in page.forms if form.action.endswith("/cancel")]

    async def test_tells_when_it_came_too_late(self, office, mesh):
        order = placed(mesh, "awaiting_buyer", "requires_action")
        page = await office.get(f"/admin/orders/{order['id']}")
        mesh.purchases.finish(order["id"], "fulfilled")

        page = await office.send(page, ".*/cancel")

        assert "Not cancelled" in page.text
        assert mesh.purchases.orders[order["id"]]["status"] == "fulfilled"

    async def test_one_that_is_paid_needs_the_scope_to_give_money_back(self, office, web, mesh):
        order, clerk = placed(mesh), Office(web)
        await clerk.enter(**hire(mesh, "orders:read orders:write"))

        page = await clerk.get(f"/admin/orders/{order['id']}")
        assert not [form for form in page.forms if form.action.endswith(("/cancel", "/refund"))]

        await office.send(await office.get(f"/admin/orders/{order['id']}"), ".*/cancel")
        assert mesh.purchases.orders[order["id"]]["status"] == "cancelled"


class TestRefusedPayment:
    @pytest.fixture
    def unpaid(self, mesh):
        title = "The payment of this order was refused for good"
        refusal = {"type": "payment-refused", "title": title, "detail": "the authorisation expired"}
        order = placed(mesh, "confirmed", "voided", refusal=refusal)
        mesh.purchases.timelines[order["id"]] = [
            step("confirm"), step("capture", "refused", detail=refusal["detail"]),
        ]  # fmt: skip
        return order

    async def test_is_told_and_leaves_only_cancelling_to_do(self, office, unpaid):
        page = await office.get(f"/admin/orders/{unpaid['id']}")

        assert "The payment of this order was refused for good. the authorisation expired" in page.text
        assert "Capture the payment – Refused" in page.text
        assert [f.action.rpartition("/")[2] for f in page.forms if unpaid["id"] in f.action] == ["cancel"]

    async def test_says_that_no_money_goes_back(self, office, unpaid):
        page = await office.get(f"/admin/orders/{unpaid['id']}")

        assert "The items go back into stock. Nothing was paid, so no money goes back." in page.text

    async def test_is_named_where_orders_need_attention(self, office, mesh, unpaid):
        mesh.purchases.stuck.add(unpaid["id"])

        page = await office.get("/admin")

        assert "or their payment was refused" in page.text


async def test_refunds_that_failed_are_among_what_needs_attention(office, mesh):
    order = placed(mesh)
    mesh.purchases.failed_refunds = [
        {
            "order_id": order["id"], "number": order["number"], "failure": "The provider refused <it>.",
            "amount": {"amount": 1_250, "currency": "EUR"}, "ways": ["source", "wallet"],
        }
    ]  # fmt: skip

    page = await office.get("/admin")

    assert "12.50. The provider refused <it>." in page.text
    assert "refund it again, or to the buyer’s wallet" in page.text
    assert f"/admin/orders/{order['id']}" in page.links


class TestShip:
    async def test_tells_what_went_out_and_where_it_can_be_followed(self, office, mesh):
        order = placed(mesh)
        page = await office.get(f"/admin/orders/{order['id']}")

        page = await office.send(
            page, ".*/ship", carrier="DHL", number="0034", url="https://dhl.example/0034"
        )

        assert mesh.purchases.orders[order["id"]]["status"] == "fulfilled"
        assert "Shipped 1 unit with DHL, 0034 track" in page.text
        assert "https://dhl.example/0034" in page.links
        assert not [form for form in page.forms if form.action.endswith(("/ship", "/cancel"))]

    async def test_is_done_once_however_often_it_is_sent(self, office, mesh):
        order = placed(mesh)
        fields = (await office.get(f"/admin/orders/{order['id']}")).form(".*/ship").fields

        answers = [await office.post(f"/admin/orders/{order['id']}/ship", fields) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert len(mesh.after_sale.fulfilments[order["id"]]) == 1

    async def test_takes_only_a_tracking_address_that_is_safe_to_follow(self, office, mesh):
        order = placed(mesh)
        page = await office.get(f"/admin/orders/{order['id']}")

        page = await office.send(page, ".*/ship", carrier="DHL", url="javascript:alert(1)")

        assert page.status == 422
        assert "begins with https://" in page.text
        assert page.form(".*/ship")["carrier"] == "DHL"
        assert order["id"] not in mesh.after_sale.fulfilments

    async def test_one_that_was_cancelled_meanwhile_is_told(self, office, mesh):
        order = placed(mesh)
        page = await office.get(f"/admin/orders/{order['id']}")
        mesh.purchases.finish(order["id"], "cancelled", "refunded")

        page = await office.send(page, ".*/ship")

        assert page.status == 422
        assert order["id"] not in mesh.after_sale.fulfilments


class TestRefund:
    async def test_pays_an_amount_back_and_then_the_rest(self, office, mesh):
        order = placed(mesh)
        page = await office.get(f"/admin/orders/{order['id']}")

        page = await office.send(page, ".*/refund", amount="9,00", reason="Scratched")
        assert "Refund of €9.00 paid back: Scratched" in page.text

        page = await office.send(page, ".*/refund", reason="Sent back")
        assert "Refund of €40.00 paid back: Sent back" in page.text
        assert not [form for form in page.forms if form.action.endswith("/refund")]

    async def test_is_paid_once_however_often_it_is_sent(self, office, mesh):
        order = placed(mesh)
        form = (await office.get(f"/admin/orders/{order['id']}")).form(".*/refund")
        fields = dict(form.fields) | {"amount": "5", "reason": "Late"}

        for _ in range(3):
            await office.post(f"/admin/orders/{order['id']}/refund", fields)

        assert len(mesh.after_sale.refunds[order["id"]]) == 1

    @pytest.mark.parametrize(
        ("amount", "reason", "words"),
        [
            ("much", "Late", "not a decimal number"),
            ("0", "Late", "above zero"),
            ("5", "", "Say why"),
            ("49.01", "Late", "more than is left"),
        ],
    )
    async def test_is_refused_at_its_field(self, office, mesh, amount, reason, words):
        order = placed(mesh)
        page = await office.get(f"/admin/orders/{order['id']}")

        page = await office.send(page, ".*/refund", amount=amount, reason=reason)

        assert page.status == 422
        assert words in page.text
        assert page.form(".*/refund")["amount"] == amount
        assert order["id"] not in mesh.after_sale.refunds

    async def test_needs_its_scope(self, web, mesh):
        order, clerk = placed(mesh), Office(web)
        page = await clerk.enter(**hire(mesh, "orders:read orders:write"))
        token = {"form_token": page.form("/admin/logout")["form_token"], "reason": "Late"}

        answer = await clerk.post(f"/admin/orders/{order['id']}/refund", token)

        assert answer.status_code == 403
        assert order["id"] not in mesh.after_sale.refunds


class TestLookAgain:
    async def test_pushes_an_order_that_does_not_move(self, office, mesh):
        order = placed(mesh, "in_progress", "unknown")
        mesh.purchases.stuck.add(order["id"])

        page = await office.send(await office.get(f"/admin/orders/{order['id']}"), ".*/look-again")

        assert order["id"] not in mesh.purchases.stuck
        assert "tried again" in page.text

    async def test_is_offered_where_the_money_is_not_captured_yet(self, office, mesh):
        done, not_done = placed(mesh), placed(mesh, "confirmed", "authorised")

        offered = [
            bool(
                [f for f in (await office.get(f"/admin/orders/{o['id']}")).forms if "look-again" in f.action]
            )
            for o in (done, not_done)
        ]

        assert offered == [False, True]


class TestOverview:
    async def test_tells_todays_sales_and_what_needs_somebody(self, office, mesh):
        placed(mesh, minutes_ago=0)
        stuck = placed(mesh, "in_progress", "unknown", minutes_ago=0)
        mesh.purchases.stuck.add(stuck["id"])

        page = await office.get("/admin")

        assert "1 order today" in page.text
        assert "€49.00 revenue today" in page.text
        assert f"/admin/orders/{stuck['id']}" in page.links

    async def test_shows_what_is_running_out(self, office, mesh):
        page = await office.get("/admin")

        scarce = [link for link in page.links if link.startswith("/admin/stock/")]
        assert scarce == ["/admin/stock/LINEN-APRON-0", "/admin/stock/STONE-MUG-0"]

    @pytest.mark.parametrize(
        ("service", "words"),
        [
            ("orders", "Today’s orders cannot be shown"),
            ("products", "Stock cannot be shown"),
            ("notifications", "notifications is away"),
        ],
    )
    async def test_a_service_that_is_away_is_named_in_its_place(self, office, mesh, service, words):
        mesh.away.add(service)

        page = await office.get("/admin")

        assert page.status == 200
        assert words in page.text

    async def test_a_part_that_breaks_does_not_take_the_others_along(self, office, mesh):
        mesh.refusals["/v1/orders/summary"] = InternalError()

        page = await office.get("/admin")

        assert page.status == 200
        assert "LINEN-APRON-0" in page.text

    async def test_asks_each_service_a_constant_number_of_times(self, office, mesh):
        for _ in range(30):
            placed(mesh)
        mesh.asked.clear()

        await office.get("/admin")

        assert len(mesh.asked) == 12  # summary, low stock, and letters and readiness of five services
