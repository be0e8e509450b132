"""What staff change in promotions and coupons.

A limit is set while no order is claiming a use, so what was used before is counted exactly; one below it is
refused. Carts of other processes see a change within two seconds; an order is never placed by a promotion
that has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from shopwright.chassis.db import CheckViolation, Database, Once, Transaction
from shopwright.chassis.validation import invalid
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound

from ..domain import Promotion
from ..domain.promotions import BY_THEMSELVES_MAX, CouponExists, TooManyPromotions
from ..store import promotions as store
from ..store.promotions import Coupon

_NEEDED = {
    "percentage": ("percent",),
    "amount": ("amounts",),
    "buy_x_get_y": ("buy_quantity", "get_quantity"),
    "free_shipping": (),
}


class Promotions:
    def __init__(self, db: Database, changed: Callable[[], None]) -> None:
        self._db, self._changed = db, changed

    async def create(self, terms: Mapping[str, Any], once: Once | None) -> Promotion:
        """Begin a promotion; raises InvalidInput naming the field, TooManyPromotions."""
        promotion = msgspec.convert({"id": new_id()} | dict(terms), Promotion, strict=False)
        _check(promotion)
        async with self._db.begin(once) as tx:
            if tx.repeated and tx.stored:
                return await self.find(UUID(bytes=tx.stored))
            await self._check_room(tx, promotion)
            await store.insert(tx, promotion)
            tx.remember(promotion.id.bytes)
        self._changed()
        return await self.find(promotion.id)

    async def change(self, promotion_id: UUID, terms: Mapping[str, Any], once: Once | None) -> Promotion:
        """Change some of a promotion's terms; orders that were placed keep theirs."""
        try:
            async with self._db.begin(once) as tx:
                if not tx.repeated:
                    await store.hold_claims(tx)
                    before = await store.find(tx, promotion_id)
                    if before is None:
                        raise NotFound(detail=f"no promotion {promotion_id}")
                    promotion = msgspec.structs.replace(before, **terms)
                    _check(promotion)
                    await self._check_room(tx, promotion)
                    await store.update(tx, promotion)
        except CheckViolation as error:
            raise invalid("/uses_max", "it was used more often than that already") from error
        self._changed()
        return await self.find(promotion_id)

    async def delete(self, promotion_id: UUID, once: Once | None) -> None:
        """Remove a promotion and its coupons; orders keep what they got."""
        async with self._db.begin(once) as tx:
            if not tx.repeated and not await store.delete(tx, promotion_id):
                raise NotFound(detail=f"no promotion {promotion_id}")
        self._changed()

    async def find(self, promotion_id: UUID) -> Promotion:
        async with self._db.read() as connection:
            promotion = await store.find(connection, promotion_id)
        if promotion is None:
            raise NotFound(detail=f"no promotion {promotion_id}")
        return promotion

    async def listing(self, before: UUID | None, limit: int) -> list[Promotion]:
        async with self._db.read() as connection:
            return await store.listing(connection, before, limit)

    async def uses(self, promotion_ids: Sequence[UUID]) -> dict[UUID, int]:
        """How many orders that count have claimed each."""
        async with self._db.read() as connection:
            return await store.uses(connection, promotion_ids)

    async def add_coupon(
        self,
        promotion_id: UUID,
        code: str,
        once: Once | None,
        *,
        uses_max: int | None,
        uses_per_customer_max: int | None,
    ) -> Coupon:
        """Give out a code; raises CouponExists, and InvalidInput for a promotion that needs none."""
        promotion = await self.find(promotion_id)
        if not promotion.needs_code:
            raise invalid("/code", "this promotion applies without a code; set its needs_code first")
        now = datetime.now(UTC)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                coupon = Coupon(code, promotion_id, uses_max, uses_per_customer_max, 0, now)
                if not await store.add_coupon(tx, coupon):
                    raise CouponExists(code=code)
        async with self._db.read() as connection:
            added = await store.coupon(connection, code)
        if added is None:
            raise NotFound(detail=f"no coupon {code}")
        return added

    async def delete_coupon(self, code: str, once: Once | None) -> None:
        """Take a code back; carts that hold it are told that it is unknown."""
        async with self._db.begin(once) as tx:
            if not tx.repeated and not await store.delete_coupon(tx, code):
                raise NotFound(detail=f"no coupon {code}")

    async def coupons(self, promotion_id: UUID, after: str | None, limit: int) -> list[Coupon]:
        await self.find(promotion_id)
        async with self._db.read() as connection:
            return await store.coupons(connection, promotion_id, after, limit)

    async def _check_room(self, tx: Transaction, promotion: Promotion) -> None:
        if promotion.active and not promotion.needs_code:
            others = await store.applying_by_themselves(tx, promotion.id)
            if others >= BY_THEMSELVES_MAX:
                raise TooManyPromotions


def _check(promotion: Promotion) -> None:
    """Raises InvalidInput naming the field that the promotion lacks, or that says too much."""
    for field in _NEEDED[promotion.kind]:
        if not getattr(promotion, field):
            raise invalid(f"/{field}", f"a promotion of kind {promotion.kind} needs it")
    for field in ("percent", "get_percent"):
        if getattr(promotion, field) == 0:
            raise invalid(f"/{field}", "must be more than 0 and at most 100")
    for field in ("starts_at", "ends_at"):
        moment = getattr(promotion, field)
        if moment is not None and moment.tzinfo is None:
            raise invalid(f"/{field}", "needs a time zone, such as 2026-01-31T00:00:00Z")
    if promotion.starts_at and promotion.ends_at and promotion.ends_at <= promotion.starts_at:
        raise invalid("/ends_at", "must be after starts_at")
