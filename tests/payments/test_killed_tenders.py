"""kill -9 between the parts of a payment: the same call again ends it, nothing twice, nothing left held.

A child process dies at a named point; this one repeats, as orders' saga does. Each death has an order and a
gift card of its own.
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from payments import dying
from shopwright.chassis.db import open_database
from shopwright.contracts.ids import new_id
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.store import payments as store
from shopwright.payments.testing import SECRET, SITE, Wire, a_shop

AUTHORISING = [
    "payments.parts.before-plan", "payments.parts.after-plan", "payments.authorise.before-call",
    "payments.authorise.after-call", "payments.authorise.after-commit", "payments.parts.0.authorised",
    "payments.parts.1.authorised",
]  # fmt: skip
TAKING = [
    "payments.capture.before-call", "payments.capture.after-call", "payments.capture.after-commit",
    "payments.parts.1.captured", "payments.parts.0.captured",
]  # fmt: skip
GIVING = ["payments.void.before-call", "payments.void.after-call", "payments.void.after-commit"]
REFUNDING = ["payments.refund.before-call", "payments.refund.after-call", "payments.parts.share-given"]
DEATHS = [
    *[(point, ("authorise",)) for point in AUTHORISING],
    *[(point, ("authorise", "capture")) for point in TAKING],
    *[(point, ("authorise", "void")) for point in GIVING],
    *[(point, ("decline",)) for point in (*GIVING, "payments.parts.0.given-back")],
    *[(point, ("authorise", "capture", "refund")) for point in REFUNDING],
    *[(point, ("spend", "capture", "refund")) for point in REFUNDING],
]


@pytest.fixture
async def shops(database_url):
    """A shop, and the address of its database for processes that will die."""
    url = await database_url("payments")
    db = await open_database(url, application="test", size=8)
    books = Books(db)
    wire = Wire(SandboxProvider(books, SECRET, Sites((SITE,)), late=timedelta(seconds=0.6)))
    made = a_shop(db, books, wire, provider_timeout_s=5)
    yield made, url
    await made.tenders.finish(5)
    await made.payments.finish(5)
    await db.close()


async def die(url, folder, deaths):
    """Each death is (point, steps, payment, order, code)."""
    lines = [
        " ".join([point, str(payment), str(order), code, *steps])
        for point, steps, payment, order, code in deaths
    ]
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(dying.__file__)), url, str(folder),
        env=os.environ | {"SHOPWRIGHT_CRASH_AT": f"@{folder}"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    told, _ = await child.communicate("\n".join(lines).encode())
    signals = [int(line) for line in told.split() if line.isdigit()]
    assert signals == [9] * len(deaths), [
        death[:2] for death, of in zip(deaths, signals, strict=False) if of != 9
    ]


async def age(shop):
    """Let a minute pass for what is open: leases end, and what never arrived is given up."""
    async with shop.db.read() as connection:
        await connection.execute(
            """UPDATE payments SET open_since = open_since - interval '1 minute',
            look_at = look_at - interval '1 minute'"""
        )


async def of_charges(shop, payment):
    """What provider and gift card know of one payment: (charges per part, taken, given back, still held)."""
    async with shop.db.read() as connection:
        row = await connection.fetchrow(
            """WITH parts AS (SELECT payment_id::text AS id FROM payment_parts WHERE group_id = $1),
            charges AS (
                SELECT c.reference, c.captured, c.state,
                    (SELECT coalesce(sum(amount), 0) FROM sandbox.refunds WHERE charge_id = c.id) AS refunded
                FROM sandbox.charges c WHERE c.reference IN (SELECT id FROM parts)
                UNION ALL SELECT reference::text, captured, state, refunded FROM stored_charges
                WHERE reference::text IN (SELECT id FROM parts))
            SELECT coalesce(max(per), 0) AS charges, coalesce(sum(captured), 0)::bigint AS taken,
                coalesce(sum(refunded), 0)::bigint AS back,
                coalesce(sum(CASE WHEN state = 'authorised' AND captured = 0 THEN 1 ELSE 0 END), 0) AS held
            FROM (SELECT *, count(*) OVER (PARTITION BY reference) AS per FROM charges) AS all_of_them""",
            payment,
        )
    return tuple(row)


async def test_a_repeat_after_kill_9_at_any_point_ends_it_once(shops, tmp_path):
    shop, url = shops
    dead = [(point, steps, new_id(), new_id(), await shop.gift_card(dying.WORTH)) for point, steps in DEATHS]
    await die(url, tmp_path, dead)
    await age(shop)
    ends = {}
    for point, steps, payment, order, code in dead:
        tender = await dying.step(shop, steps[-1], payment, order, code)
        if steps == ("authorise",):
            assert tender.status == "authorised", point
            tender = await dying.step(shop, "void", payment, order, code)
        ends[point, steps] = (tender.status, await of_charges(shop, payment))

    wrong = {death: end for death, end in ends.items() if end != right(death[1])}
    assert not wrong
    assert all(card.held == 0 for card in await shop.stored.gift_cards(None, 100))
    assert sum((await store.balances(shop.db)).values()) == 0


def right(steps):
    """How a death at these steps ends: status and (charges per part, taken, given back, held)."""
    match steps[-1]:
        case "capture":
            return ("captured", (1, dying.TOTAL, 0, 0))
        case "refund":
            paid = dying.SMALL if steps[0] == "spend" else dying.TOTAL
            return ("partially_refunded", (1, paid, dying.BACK, 0))
        case "decline":
            return ("declined", (1, 0, 0, 0))
        case _:
            return ("voided", (1, 0, 0, 0))
