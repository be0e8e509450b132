"""Discounts, coupons and taxes in the cart: named, summed, refused in words beside the field."""

import pytest

from buying import at_review
from shopwright.contracts.problems import Unavailable
from shopwright.web.storefront.words import coupon_text
from shopwright.web.testing.people import refusal

REASONS = (
    "unknown", "not_started", "ended", "used_up", "used_by_you", "minimum_not_met", "not_for_these_products",
    "not_for_you", "not_in_this_currency", "does_not_combine",
)  # fmt: skip


@pytest.fixture
def offers(mesh):
    mesh.purchases.offers.coupons["SPRING"] = {"name": "Spring sale", "amount": 500}
    return mesh.purchases.offers


class TestCoupon:
    async def test_is_put_in_named_in_the_total_and_taken_out(self, shop, offers):
        await shop.put_in_cart()

        page = await shop.send(await shop.get("/cart"), "/cart/coupons", coupon="SPRING")
        assert "Spring sale SPRING −€5.00" in page.text
        assert "Total €44.00" in page.text
        page = await shop.send(page, "/cart/coupons/remove")

        assert "Total €49.00" in page.text
        assert "Spring sale" not in page.text

    async def test_stands_beside_those_that_were_there(self, shop, mesh, offers):
        offers.coupons["MORE"] = {"name": "More", "amount": 100}
        await shop.put_in_cart()

        page = await shop.send(await shop.get("/cart"), "/cart/coupons", coupon="SPRING")
        await shop.send(page, "/cart/coupons", coupon="MORE")

        assert next(iter(mesh.purchases.carts.values()))["coupons"] == ["SPRING", "MORE"]

    async def test_is_refused_beside_the_field_and_kept_in_it(self, shop, offers):
        await shop.put_in_cart()

        page = await shop.send(await shop.get("/cart"), "/cart/coupons", coupon="SPRNG")

        assert page.status == 422
        assert page.all("input", name="coupon")[0]["aria-invalid"] == "true"
        assert page.form("/cart/coupons")["coupon"] == "SPRNG"
        assert "We do not know the coupon SPRNG" in page.text
        assert page.all("details", open="")

    async def test_that_stopped_being_valid_is_told_and_can_be_taken_out(self, shop, offers):
        await shop.put_in_cart()
        await shop.send(await shop.get("/cart"), "/cart/coupons", coupon="SPRING")
        offers.coupons["SPRING"]["reason"] = "ended"

        page = await shop.get("/cart")

        assert "The coupon SPRING has run out." in page.text
        assert "Spring sale" not in page.text
        assert page.form("/cart/coupons/remove")["code"] == "SPRING"

    async def test_an_away_service_keeps_what_was_typed(self, shop, mesh, offers):
        await shop.put_in_cart()
        page = await shop.get("/cart")
        cart = next(iter(mesh.purchases.carts))
        mesh.refusals[f"/v1/carts/{cart}/coupons"] = Unavailable()

        page = await shop.send(page, "/cart/coupons", coupon="SPRING")

        assert page.status == 422
        assert page.form("/cart/coupons")["coupon"] == "SPRING"

    async def test_that_somebody_else_used_up_meanwhile_is_told_when_ordering(self, shop, mesh, offers):
        await shop.put_in_cart()
        await shop.send(await shop.get("/cart"), "/cart/coupons", coupon="SPRING")
        page = await at_review(shop)
        mesh.refusals["/v1/orders"] = refusal("coupon-not-valid", 422, code="SPRING", reason="used_up")
        offers.coupons["SPRING"]["reason"] = "used_up"

        page = await shop.send(page, "/checkout/place")

        assert page.path == "/cart"
        told = "The coupon SPRING has been used as often as it may be. You were not charged."
        assert told in page.text
        assert page.form("/cart/coupons/remove")["code"] == "SPRING"

    def test_every_reason_has_words_of_its_own(self):
        said = {coupon_text("X", reason, guest=False) for reason in REASONS}

        assert len(said) == len(REASONS)
        assert "log in" in coupon_text("X", "not_for_you", guest=True)


class TestTaxes:
    async def test_included_ones_are_told_and_not_added(self, shop, offers):
        offers.tax = {"name": "VAT", "rate": "19", "included": True}

        page = await at_review(shop)

        assert "Includes 19 % VAT €8.60" in page.text.replace("\xa0", " ")
        assert "Total €53.90" in page.text

    async def test_added_ones_are_a_row_of_the_sum(self, shop, offers):
        offers.tax = {"name": "Sales tax", "rate": "8.875", "included": False}

        page = await at_review(shop)

        assert "8.875 % Sales tax €4.78" in page.text.replace("\xa0", " ")
        assert "Total €58.68" in page.text
        assert "Includes" not in page.text

    async def test_the_order_tells_what_the_cart_told(self, shop, mesh, offers):
        offers.tax = {"name": "VAT", "rate": "19", "included": True}
        mesh.purchases.pay = "paid"
        await shop.put_in_cart()
        await shop.send(await shop.get("/cart"), "/cart/coupons", coupon="SPRING")

        done = await shop.send(await at_review(shop), "/checkout/place")
        order = await shop.get(f"/orders/{next(iter(mesh.purchases.orders))}")

        for page in (done, order):
            assert "Spring sale SPRING" in page.text
            assert "Includes" in page.text
            assert "Discount −€5.00" in page.text
