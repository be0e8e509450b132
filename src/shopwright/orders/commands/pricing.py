"""What a cart costs now: the shop's rules from memory, coupons and limits from the database, tax from its
provider.

The rules may be `RULES_AGE_S` old; an order is placed only by those of the version that stands at its
commit (`place_order`). A cart without coupons, priced by rules without limits per customer or groups, costs
no round trip.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from shopwright.chassis.db import Database
from shopwright.contracts.problems import Unavailable
from shopwright.contracts.products import Quote

from .. import domain
from ..clients import Users
from ..domain import Candidate, Cart, Item, Priced, Rules, TaxProvider
from ..store import promotions as store
from ..store import rules as rules_store

RULES_AGE_S = 2.0


class Pricing:
    def __init__(self, db: Database, users: Users, taxes: TaxProvider) -> None:
        self._db, self._users, self._taxes = db, users, taxes
        self._rules: Rules | None = None
        self._read_at = 0.0
        self._forgotten = 0

    async def rules(self, *, fresh: bool = False) -> Rules:
        """What the shop has decided."""
        known = self._rules
        if not fresh and known is not None and time.monotonic() - self._read_at <= RULES_AGE_S:
            return known
        read_at, forgotten = time.monotonic(), self._forgotten
        self._read_at = read_at  # one reads; whoever comes meanwhile takes what is known
        async with self._db.read() as connection:
            rules = await rules_store.read(connection)
        newest = self._rules is None or rules.version >= self._rules.version
        if forgotten == self._forgotten and newest:
            self._rules = rules
        return rules

    def forget(self) -> None:
        """The rules changed: read them anew when they are needed next; what is being read may be too old."""
        self._rules = None
        self._forgotten += 1

    async def price(
        self, cart: Cart, quotes: Mapping[str, Quote], customer: str, *, rules: Rules, firm: bool = False
    ) -> Priced:
        """The cart's sum at `quotes` (what was last seen, where one is missing) for `customer_of` somebody.

        Raises:
            Unavailable: `firm`, and the buyer's groups cannot be told.
        """
        candidates = await self._candidates(cart, customer, rules)
        known = {candidate.code for candidate in candidates}
        basket = domain.Basket(
            currency=cart.currency,
            items=[_item(line, quotes.get(line.sku)) for line in cart.lines],
            candidates=candidates,
            unknown_codes=[code for code in cart.coupons if code not in known],
            groups=await self._groups(cart.user_id, candidates, firm=firm),
            address=cart.address,
            shipping_method=cart.shipping_method,
            now=datetime.now(UTC),
        )
        included = rules.prices_include_tax
        reckoned = domain.reduce_and_ship(basket, rules)
        taxed = await self._taxes.taxes(
            reckoned.taxables, reckoned.destination, rules.rates, included=included
        )  # fmt: skip
        return domain.with_taxes(reckoned, taxed, included=included)

    async def _candidates(self, cart: Cart, customer: str, rules: Rules) -> list[Candidate]:
        """What may apply; limits bar nothing of a cart that was ordered, for its order has claimed them."""
        limited = [promotion.id for promotion in rules.promotions if promotion.uses_per_customer_max]
        limited = limited if customer and cart.status == "open" else []
        coupons: list[Candidate] = []
        spent = rules.used_up if cart.status == "open" else frozenset[UUID]()
        if cart.coupons or limited:
            async with self._db.read() as connection:
                if cart.coupons:
                    coupons = await store.candidates(connection, cart.coupons, customer)
                if limited:
                    spent |= await store.used_by(connection, customer, limited)
        if cart.status != "open":
            coupons = [Candidate(coupon.promotion, coupon.code) for coupon in coupons]
        return coupons + [Candidate(promotion) for promotion in rules.promotions if promotion.id not in spent]

    async def _groups(
        self, user_id: UUID | None, candidates: list[Candidate], *, firm: bool
    ) -> frozenset[str]:
        """The buyer's groups; who keeps accounts is asked only if a promotion is for a group of accounts."""
        if user_id is None:
            return frozenset({domain.GUEST})
        plain = {domain.GUEST, domain.REGISTERED}
        if all(plain.issuperset(candidate.promotion.customer_groups) for candidate in candidates):
            return frozenset({domain.REGISTERED})
        try:
            buyer = await self._users.buyer(user_id)
        except Unavailable:
            if firm:
                raise
            buyer = None
        return frozenset({domain.REGISTERED, *(buyer.groups if buyer else [])})


def customer_of(user_id: UUID | None, email: str | None) -> str:
    """Who uses a promotion: an account, else an e-mail address, which is not kept."""
    if user_id is not None:
        return f"user:{user_id}"
    return f"email:{hashlib.sha256(email.strip().lower().encode()).hexdigest()}" if email else ""


def _item(line: domain.CartLine, quote: Quote | None) -> Item:
    if quote is None:
        seen = line.seen
        return Item(sku=line.sku, slug=seen.slug, quantity=line.quantity, unit_price=seen.unit_price)
    return Item(
        sku=line.sku,
        slug=quote.slug,
        quantity=line.quantity,
        unit_price=quote.unit_price,
        categories=quote.category_slugs,
        tax_class=quote.tax_class,
        weight_g=quote.weight_g or 0,
    )
