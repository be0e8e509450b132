"""A process of payments that pays one order in parts and dies where SHOPWRIGHT_CRASH_AT says.

`python dying.py URL PAYMENT ORDER CODE STEP…`: steps of authorise, capture, void, refund.
"""

import asyncio
import sys
from datetime import timedelta
from uuid import UUID, uuid5

from shopwright.chassis.db import open_database
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Wire, a_shop, an_order, wanted

WORTH, TOTAL, BACK = 1_500, 1_999, 1_000


async def step(shop, name, payment, order, code):
    match name:
        case "authorise":
            tender = wanted(an_order(TOTAL, id=payment, order_id=order), gift_cards=(code,))
            return await shop.tenders.authorise(tender)
        case "decline":
            declined = an_order(TOTAL, id=payment, order_id=order, token="tok_declined")
            return await shop.tenders.authorise(wanted(declined, gift_cards=(code,)))
        case "capture":
            return await shop.tenders.capture(payment)
        case "void":
            return await shop.tenders.void(payment)
        case _:
            return (await shop.tenders.refund(uuid5(payment, "refund"), payment, BACK))[0]


async def main(url, payment, order, code, *steps):
    db = await open_database(url, application="dying", size=4)
    books = Books(db)
    wire = Wire(SandboxProvider(books, SECRET, Sites((SITE,)), late=timedelta(seconds=0.6)))
    shop = a_shop(db, books, wire)
    for name in steps:
        await step(shop, name, UUID(payment), UUID(order), code)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
