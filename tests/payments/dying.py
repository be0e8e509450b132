"""Processes of payments that each pay one order in parts and die at a named point of it.

`SHOPWRIGHT_CRASH_AT=@FOLDER python dying.py URL FOLDER` reads lines of POINT PAYMENT ORDER CODE STEP…
and answers with the number of the signal that it died of. It forks them, so that each need not import anew.
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid5

from shopwright.chassis.db import open_database
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Wire, a_shop, an_order, wanted

WORTH, TOTAL, SMALL, BACK = 1_500, 1_999, 1_200, 1_000


async def step(shop, name, payment, order, code):
    match name:
        case "authorise":
            tender = wanted(an_order(TOTAL, id=payment, order_id=order), gift_cards=(code,))
            return await shop.tenders.authorise(tender)
        case "spend":
            small = an_order(SMALL, id=payment, order_id=order)
            return await shop.tenders.authorise(wanted(small, gift_cards=(code,)))
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
    shop = a_shop(db, books, wire, provider_timeout_s=5)
    for name in steps:
        await step(shop, name, UUID(payment), UUID(order), code)
    await db.close()


def forked(url, folder, point, *arguments):
    (folder / point).touch()
    child = os.fork()
    if child == 0:
        asyncio.run(main(url, *arguments))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(forked(sys.argv[1], Path(sys.argv[2]), *line.split()), flush=True)
