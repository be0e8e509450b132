"""Payments against what the world outside knows: any order of calls, lost, late and repeated answers,
webhooks twice and out of turn, one part or several. `SHOPWRIGHT_LONG_PROOFS=1` runs it a hundred times as
long.

The model keeps what was asked for; the sandbox and the stored value keep what was really done. Never is more
done than was asked, once; never do our books say more than was done; and in the end they say the same.
"""

import asyncio
import os
import time
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from payments.outside import age, done_outside, in_our_books, unbalanced
from shopwright.chassis.db import open_database
from shopwright.contracts.ids import new_id
from shopwright.contracts.problem import Problem
from shopwright.payments.sandbox import signature
from shopwright.payments.sandbox.books import Books
from shopwright.payments.sandbox.provider import SandboxProvider
from shopwright.payments.sites import Sites
from shopwright.payments.testing import SECRET, SITE, Wire, a_shop, an_order, wanted

LONG = 100 if os.environ.get("SHOPWRIGHT_LONG_PROOFS") else 1
TOTAL, ON_CARD = 2_500, 1_000
TOKENS = ["tok_ok", "tok_ok", "tok_duplicate_webhook", "tok_3ds", "tok_declined"]
FAULTS = st.lists(st.sampled_from(["", "lost", "silent", "refused"]), max_size=2)
NUMBERS = st.integers(0, 3)
AMOUNTS = st.sampled_from([1, 300, 700, 1_500, TOTAL])


class Asked:
    """What was asked for of one order."""

    def __init__(self, order, codes):
        self.order, self.codes = order, codes
        self.user = new_id()
        self.capture = self.void = False
        self.refunds = {}


class Machine(RuleBasedStateMachine):
    def __init__(self, runner, shop):
        super().__init__()
        self.run, self.shop = runner.run, shop
        self.orders = []
        self.heard = []
        shop.wire.faults = []

    def ask(self, work, faults=()):
        """The answer, or None when it was refused."""
        self.shop.wire.faults = list(faults)
        try:
            return self.run(work)
        except Problem:
            return None
        finally:
            self.shop.wire.faults = []

    def authorise(self, asked, faults=()):
        tender = wanted(asked.order, gift_cards=asked.codes)
        return self.ask(self.shop.tenders.authorise(tender), faults)

    @initialize(in_parts=st.booleans())
    def one_is_paid(self, in_parts):
        self.order("tok_ok", in_parts, [])
        self.capture(0, [])

    @precondition(lambda self: len(self.orders) < 4)
    @rule(token=st.sampled_from(TOKENS), in_parts=st.booleans(), faults=FAULTS)
    def order(self, token, in_parts, faults):
        codes = (self.run(self.shop.gift_card(ON_CARD)),) if in_parts else ()
        self.orders.append(Asked(an_order(TOTAL, token=token), codes))
        self.authorise(self.orders[-1], faults)

    def one(self, number):
        return self.orders[number % len(self.orders)]

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, faults=FAULTS)
    def authorise_again(self, number, faults):
        self.authorise(self.one(number), faults)

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, faults=FAULTS)
    def capture(self, number, faults):
        self.one(number).capture = True
        self.ask(self.shop.tenders.capture(self.one(number).order.id), faults)

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, faults=FAULTS)
    def void(self, number, faults):
        self.one(number).void = True
        self.ask(self.shop.tenders.void(self.one(number).order.id), faults)

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, amount=AMOUNTS, to_wallet=st.booleans(), faults=FAULTS, again=st.booleans())
    def refund(self, number, amount, to_wallet, faults, again):
        asked = self.one(number)
        refund, terms = new_id(), (amount, asked.user if to_wallet else None)
        if again and asked.refunds:
            refund, terms = next(iter(asked.refunds.items()))
        asked.refunds[refund] = terms
        self.ask(self.shop.tenders.refund(refund, asked.order.id, *terms), faults)

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, faults=FAULTS)
    def look(self, number, faults):
        self.ask(self.shop.tenders.get(self.one(number).order.id), faults)

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, decision=st.sampled_from(["authorised", "declined"]))
    def the_buyer_decides(self, number, decision):
        tender = self.ask(self.shop.tenders.get(self.one(number).order.id))
        if tender is not None and tender.action_url:
            session = httpx.URL(tender.action_url).path.rsplit("/", 1)[-1]
            self.run(self.shop.books.complete(session, "challenge", decision, "rejected"))

    @rule(twice=st.booleans(), newest_first=st.booleans())
    def webhooks_come(self, twice, newest_first):
        queued = self.run(self.shop.books.to_send(20))
        self.heard += [one.body for one in queued] * (2 if twice else 1)
        for body in self.heard[:: -1 if newest_first else 1]:
            header = {signature.HEADER: signature.sign(SECRET, body, int(time.time()))}
            self.ask(self.shop.payments.receive("sandbox", header, body))

    @rule()
    def time_passes(self):
        self.run(age(self.shop.db, timedelta(minutes=1)))

    @invariant()
    def no_more_is_done_than_was_asked(self):
        for asked in self.orders:
            outside, ours = self.run(self.both(asked))
            assert outside.most_charges <= 1
            assert outside.held + outside.taken <= TOTAL
            assert not outside.taken or asked.capture
            assert outside.back <= outside.taken
            assert outside.back + ours.credited <= sum(amount for amount, _ in asked.refunds.values())
            assert ours.taken <= outside.taken
            assert ours.back <= outside.back

    @invariant()
    def every_book_balances(self):
        assert self.run(unbalanced(self.shop.db)) == []

    async def both(self, asked):
        return (
            await done_outside(self.shop.db, asked.order.id),
            await in_our_books(self.shop.db, asked.order.id),
        )

    def teardown(self):
        """Once everybody answers again, asking is enough: both say the same, and nothing stays in doubt."""
        for _ in range(3):
            self.run(age(self.shop.db, timedelta(minutes=1)))
            for asked in self.orders:
                self.authorise(asked)
                self.ask(self.shop.tenders.void(asked.order.id) if asked.void else _nothing())
                self.ask(self.shop.tenders.capture(asked.order.id) if asked.capture else _nothing())
                for refund, terms in asked.refunds.items():
                    self.ask(self.shop.tenders.refund(refund, asked.order.id, *terms))
                self.ask(self.shop.tenders.get(asked.order.id))
        for asked in self.orders:
            outside, ours = self.run(self.both(asked))
            assert (ours.taken, ours.back, ours.held) == (outside.taken, outside.back, outside.held)
            assert ours.unknown == 0


async def _nothing():
    return None


@pytest.mark.timeout(120 * LONG)
def test_payments_never_do_more_than_was_asked_and_know_what_was_done(databases):
    with asyncio.Runner() as runner:
        db = runner.run(_open(databases))
        books = Books(db)
        sandbox = SandboxProvider(books, SECRET, Sites((SITE,)), late=timedelta(seconds=0.6))
        shop = a_shop(db, books, Wire(sandbox), provider_timeout_s=5)
        run_state_machine_as_test(
            lambda: Machine(runner, shop),
            settings=settings(
                max_examples=60 * LONG,
                stateful_step_count=16,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],  # to shrink takes minutes, and the database remembers
            ),
        )
        runner.run(db.close())


async def _open(databases):
    return await open_database(await databases.fresh("payments"), application="test", size=4)
