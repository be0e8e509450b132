"""Which provider a payment goes to: the shop's rules, and what this process knows of who can be reached.

Rules are read again every few seconds, never while a buyer waits. A provider that cannot be reached is
known to this process only: each finds out by itself, and tries again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

import structlog

from shopwright.chassis.db import Database
from shopwright.chassis.validation import invalid
from shopwright.contracts.problems import Unavailable

from .. import domain
from ..domain import Circuit, Payment, Rule, Wanted
from ..provider import Provider
from ..store import routing as store

log = structlog.get_logger()

READ_EVERY_S = 5.0


class Routing:
    def __init__(
        self,
        db: Database,
        providers: Mapping[str, Provider],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._db, self._providers, self._clock = db, providers, clock
        self._rules: Sequence[Rule] = ()
        self._circuits: dict[str, Circuit] = {}

    def first(self, wanted: Wanted) -> str:
        """The provider to ask for what the order's method pays. Raises InvalidInput if none takes it."""
        order = wanted.order
        able = self._able(order.method)
        if not able:
            known = sorted({method for one in self._providers.values() for method in one.methods})
            raise invalid("/method", f"must be one of {known}")
        named = domain.route(self._rules, order.method, order.amount, wanted.country, able)
        now = self._clock()
        name = domain.in_reach(named, self._circuits, now)[0]
        circuit = self._circuits.get(name)
        if circuit is not None and circuit.closed_until is not None:
            self._circuits[name] = circuit.tried(now)
        return name

    def another(self, wanted: Wanted, tried: Collection[str]) -> str | None:
        """The next provider after those that could not be reached; None when all were tried."""
        order = wanted.order
        named = domain.route(
            self._rules, order.method, order.amount, wanted.country, self._able(order.method)
        )
        left = [name for name in named if name not in tried]
        return domain.in_reach(left, self._circuits, self._clock())[0] if left else None

    def failed(self, name: str) -> None:
        """It could not be reached."""
        circuit = self._circuits.get(name, Circuit()).failed(self._clock())
        self._circuits[name] = circuit
        log.warning("provider out of reach", provider=name, failures=circuit.failures)

    def worked(self, payment: Payment) -> None:
        if payment.status != "unknown" and payment.decline_code != domain.UNREACHABLE:
            self._circuits.pop(payment.provider, None)

    def methods(self) -> list[str]:
        """What buyers can pay with here."""
        return sorted({method for provider in self._providers.values() for method in provider.methods})

    async def rules(self) -> list[Rule]:
        return await store.read(self._db)

    async def replace(self, rules: list[Rule]) -> None:
        """The rules from now on. Raises InvalidInput for one that can never fit, or names nobody."""
        for number, rule in enumerate(rules):
            for name in rule.providers:
                if name not in self._able(rule.method):
                    able = self._able(rule.method)
                    raise invalid(
                        f"/rules/{number}/providers", f"must be of those that take {rule.method}: {able}"
                    )
            bounded = rule.minimum is not None or rule.maximum is not None
            if bounded and not rule.currency:
                raise invalid(f"/rules/{number}/currency", "is needed with a minimum or maximum")
        await store.write(self._db, rules)
        self._rules = tuple(rules)

    async def run(self, stop: asyncio.Event) -> None:
        """Worker: follow the rules as others change them."""
        while not stop.is_set():
            try:
                self._rules = tuple(await store.read(self._db))
            except Unavailable as problem:
                log.warning("routing keeps its rules", error=str(problem))
            try:
                await asyncio.wait_for(stop.wait(), READ_EVERY_S)
            except TimeoutError:
                continue

    def _able(self, method: str) -> list[str]:
        return [name for name, provider in self._providers.items() if method in provider.methods]
