"""Every refund is told of, also one that leaves the status as it is."""

from shopwright.contracts.ids import new_id


async def test_a_second_refund_in_part_is_told_of(shop):
    payment = await shop.captured(1_000)
    for amount in (100, 200, 700):
        await shop.payments.refund(new_id(), payment.id, amount)

    assert await shop.facts() == [
        "authorised", "captured", "partially_refunded", "partially_refunded", "refunded",
    ]  # fmt: skip
