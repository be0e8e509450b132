"""Authorise, capture, void and refund: once each, whatever repeats, is lost or dies."""



from shopwright.payments.testing import an_order


class TestAuthorise:
    async def test_holds_the_amount_at_the_provider(self, shop):
        payment = await shop.payments.authorise(an_order(1_999))

        assert (payment.status, payment.authorised) == ("authorised", 1_999)
        assert await shop.events(payment) == [("authorise", "requested"), ("authorise", "succeeded")]
        assert await shop.facts() == ["authorised"]
