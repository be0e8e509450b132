"""Stock against a model of numbers: whatever is done to it in whatever order, both agree, the ledger sums to
the balances, and nothing is sold that is not there or allowed. `SHOPWRIGHT_LONG_PROOFS=1` runs it a hundred
times as long.
"""

import asyncio
import os
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shopwright.chassis.db import open_database
from shopwright.contracts.problems import OutOfStock
from shopwright.contracts.products import ReserveLine, Restock
from shopwright.products.inventory.domain import Movement, Policy, StockTooLow, Transfer
from stocking import Stockroom, wanted

LONG = 100 if os.environ.get("SHOPWRIGHT_LONG_PROOFS") else 1
SKUS = ("mug", "spoon")
PLACES = st.sampled_from(["main", "north"])
UNITS = st.integers(1, 4)
COUNTS = st.integers(0, 6)


class Sku:
    """What lies somewhere, what of it is held for orders, and what was sold beyond it."""

    def __init__(self):
        self.on_hand = self.held = self.promised = self.owed = self.safety = self.allowed = 0

    @property
    def shelf(self):
        return max(0, self.on_hand - self.held - self.safety)

    @property
    def available(self):
        return self.shelf + max(0, self.allowed - self.promised - self.owed)

    def figures(self):
        return self.on_hand, self.held, self.promised, self.owed, self.available


class Machine(RuleBasedStateMachine):
    def __init__(self, runner, room):
        super().__init__()
        self.run, self.room = runner.run, room
        self.model = {sku: Sku() for sku in SKUS}
        self.bundle = {}
        self.held = {}  # reservation → SKU → [units of stock, units promised], the oldest first
        self.ended = {}  # reservations that were given back → SKU → units
        self.run(room.empty())
        for sku in SKUS:
            self.adjust(sku, "main", more=True, units=3)
            self.set_policy(sku, safety=0, beyond=3)

    def parts(self, sku, quantity):
        if sku != "set":
            return {sku: quantity}
        return {part: count * quantity for part, count in self.bundle.items()}

    def settle(self, sku):
        """What can be sold pays what is owed, then what was promised first."""
        its = self.model[sku]
        paid = min(its.shelf, its.owed)
        its.on_hand, its.owed = its.on_hand - paid, its.owed - paid
        for lines in self.held.values():
            if sku in lines:
                filled = min(its.shelf, lines[sku][1])
                its.held, its.promised = its.held + filled, its.promised - filled
                lines[sku] = [lines[sku][0] + filled, lines[sku][1] - filled]

    def take(self, parts):
        """Hold in the model; None when there are too few."""
        if any(self.model[sku].available < count for sku, count in parts.items()):
            return None
        lines = {}
        for sku, count in parts.items():
            its = self.model[sku]
            lines[sku] = [min(count, its.shelf), count - min(count, its.shelf)]
            its.held, its.promised = its.held + lines[sku][0], its.promised + lines[sku][1]
        return lines

    def give(self, lines, *, claimed):
        for sku, (stock, promised) in lines.items():
            its = self.model[sku]
            its.held, its.promised = its.held - stock, its.promised - promised
            if claimed:
                its.on_hand, its.owed = its.on_hand - stock, its.owed + promised

    def attempt(self, work, refusal):
        """Whether it was done, not refused."""
        try:
            self.run(work)
        except refusal:
            return False
        return True

    @rule(mugs=st.integers(0, 3), spoons=st.integers(0, 2), sets=st.integers(0, 2))
    def reserve(self, mugs, spoons, sets):
        lines = {"mug": mugs, "spoon": spoons, "set": sets if self.bundle else 0}
        lines = {sku: count for sku, count in lines.items() if count}
        if lines:
            self.order(lines)

    @rule(sku=st.sampled_from(SKUS), beside=st.integers(-2, 1))
    def reserve_the_rest(self, sku, beside):
        self.order({sku: max(1, self.model[sku].available + beside)})

    def order(self, lines):
        parts = dict.fromkeys(SKUS, 0)
        for sku, count in lines.items():
            for part, units in self.parts(sku, count).items():
                parts[part] += units
        reservation = uuid4()

        done = self.attempt(self.room.inventory.reserve(reservation, wanted(*lines.items())), OutOfStock)

        taken = self.take({sku: count for sku, count in parts.items() if count})
        assert done == (taken is not None)
        if taken is not None:
            self.held[reservation] = taken

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def claim(self, data):
        reservation = data.draw(st.sampled_from(list(self.held)))
        self.run(self.room.inventory.claim(reservation))
        self.give(self.held.pop(reservation), claimed=True)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), expires=st.booleans())
    def release(self, data, expires):
        reservation = data.draw(st.sampled_from(list(self.held)))
        self.run(self.room.expire(reservation) if expires else self.room.inventory.release(reservation))
        lines = self.held.pop(reservation)
        self.ended[reservation] = {sku: sum(units) for sku, units in lines.items()}
        self.give(lines, claimed=False)
        for sku in lines:
            self.settle(sku)

    @precondition(lambda self: self.ended)
    @rule(data=st.data())
    def claim_too_late(self, data):
        reservation = data.draw(st.sampled_from(list(self.ended)))
        done = self.attempt(self.room.inventory.claim(reservation), OutOfStock)
        taken = self.take(self.ended[reservation])
        assert done == (taken is not None)
        if taken is not None:
            self.give(taken, claimed=True)
            del self.ended[reservation]

    @rule(sku=st.sampled_from(SKUS), place=PLACES, more=st.booleans(), units=st.integers(-1, 5))
    def adjust(self, sku, place, more, units):
        free = self.run(self.room.free_in(sku, place))
        delta = units if more else units - 1 - free
        done = self.attempt(self.room.put(sku, delta, place), StockTooLow)
        assert done == (free + delta >= 0)
        if done:
            self.model[sku].on_hand += delta
            self.settle(sku)

    @rule(sku=st.sampled_from(SKUS), place=PLACES, beside=st.integers(-2, 1))
    def transfer(self, sku, place, beside):
        to = "north" if place == "main" else "main"
        free = self.run(self.room.free_in(sku, place))
        quantity = max(1, free + beside)
        move = Transfer(sku, place, to, quantity, "moved")
        done = self.attempt(self.room.inventory.transfer(move, None), StockTooLow)
        assert done == (free >= quantity)

    @rule(sku=st.sampled_from(SKUS), place=PLACES, count=COUNTS)
    def count(self, sku, place, count):
        before = self.run(self.room.level_in(sku, place))
        self.run(self.room.intake(Movement(sku, place, count)))
        self.model[sku].on_hand += max(count, before.reserved) - before.on_hand
        self.settle(sku)

    @rule(sku=st.sampled_from([*SKUS, "set"]), quantity=UNITS)
    def restock(self, sku, quantity):
        if sku == "set" and not self.bundle:
            return
        self.run(self.room.inventory.restock(uuid4(), Restock([ReserveLine(sku, quantity)], "back")))
        for part, units in self.parts(sku, quantity).items():
            self.model[part].on_hand += units
            self.settle(part)

    @rule(sku=st.sampled_from(SKUS), safety=COUNTS, beyond=COUNTS)
    def set_policy(self, sku, safety, beyond):
        self.run(self.room.rules.set_policy(sku, Policy(safety_stock=safety, backorder_max=beyond)))
        self.model[sku].safety, self.model[sku].allowed = safety, beyond
        self.settle(sku)

    @rule(mugs=st.integers(1, 2), spoons=st.integers(1, 3))
    def make_bundle(self, mugs, spoons):
        self.bundle = {"mug": mugs, "spoon": spoons}
        self.run(self.room.bundle("set", **self.bundle))

    @precondition(lambda self: self.bundle)
    @rule()
    def take_apart(self):
        self.run(self.room.rules.unbundle("set"))
        self.bundle = {}

    @rule(strategy=st.sampled_from(["priority", "fewest_parcels", "nearest"]))
    def choose(self, strategy):
        self.run(self.room.warehouses.choose(strategy))

    @invariant()
    def agrees(self):
        assert self.run(self.room.figures(SKUS)) == {sku: self.model[sku].figures() for sku in SKUS}
        assert self.run(self.room.held()) == self.held
        assert self.run(self.room.wrong()) == []
        if self.bundle:
            expected = min(self.model[part].available // count for part, count in self.bundle.items())
            assert self.run(self.room.available("set")) == expected


def test_stock_agrees_with_a_model(databases):
    with asyncio.Runner() as runner:
        db = runner.run(_open(databases))
        room = Stockroom(db)
        run_state_machine_as_test(
            lambda: Machine(runner, room),
            settings=settings(max_examples=40 * LONG, stateful_step_count=30, deadline=None),
        )
        runner.run(db.close())


async def _open(databases):
    return await open_database(await databases.fresh("products"), application="test", size=4)
