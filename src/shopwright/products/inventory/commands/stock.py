"""Stock and reservations: what can change, and when it is refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from shopwright.chassis import crashpoints
from shopwright.chassis.db import Database, Once, Transaction
from shopwright.chassis.gathering import Gathering
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound, OutOfStock
from shopwright.contracts.products import Offer, Reservation, Reserve, Restock

from .. import store
from ..domain import (
    BundleHasNoStock,
    Movement,
    ReservationEnded,
    StockOf,
    StockTooLow,
    Transfer,
    UnknownWarehouse,
)
from ..store import reservations, stock, warehouses
from ..store.reservations import Asked
from ..store.telling import Said
from .telling import tell
from .together import Together

EXPIRE_BATCH = 200
MAIN = "main"
KEEP = timedelta(days=90)  # far longer than any order is at work: no claim or release comes later
NAMED_MAX = 500


class Labels(Protocol):
    """What SKUs are called, by who knows."""

    async def names(self, skus: Sequence[str]) -> dict[str, str]: ...

    async def skus_called(self, words: str, limit: int) -> list[str]: ...


class Inventory:
    """Stock of all SKUs. StockChanged is published for what staff or imports changed, and when a SKU sells
    out or comes back: not for every sale, so that a SKU everybody wants is not serialised by its own
    event sequence; so is StockLow, when what can be shipped comes down to `low_stock_at` (None: never) or to
    the SKU's own point. `labels` are for staff to read.
    """

    def __init__(self, db: Database, *, low_stock_at: int | None = None) -> None:
        self._db, self._low = db, low_stock_at
        self._together = Together(self._reserve)
        self._claims = Gathering(self._claim)
        self.labels: Labels | None = None

    async def available(self, skus: Sequence[str]) -> dict[str, int]:
        """What can be bought of each SKU now; unknown SKUs are absent."""
        async with self._db.read() as connection:
            return await stock.available(connection, skus)

    async def offers(self, skus: Sequence[str]) -> dict[str, Offer]:
        """What shops show of each SKU now; unknown SKUs are absent."""
        async with self._db.read() as connection:
            return await stock.offers(connection, skus)

    async def on_hand(self, skus: Sequence[str]) -> dict[str, dict[str, int]]:
        """Units of each SKU by warehouse; unknown SKUs are absent."""
        async with self._db.read() as connection:
            rows = await stock.on_hand(connection, skus)
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row.sku, {})[row.warehouse] = row.on_hand
        return found

    async def reserve(self, reservation: UUID, wanted: Reserve) -> Reservation:
        """Hold all lines or none; idempotent by the reservation's id.

        Raises:
            OutOfStock: names every line that is short.
            ReservationEnded: it was released before this came.
        """
        answer = await self._together.ask(Asked(reservation, wanted))
        if answer.shortages:
            raise OutOfStock(shortages=list(answer.shortages))
        if answer.status == "released":
            raise ReservationEnded(reservation=reservation)
        return Reservation(reservation, "claimed" if answer.status == "claimed" else "held")

    async def _reserve(self, many: Sequence[Asked]) -> list[Said]:
        crashpoints.reach("products.reserve.before-commit")
        answers = await reservations.reserve(self._db, many, self._low)
        crashpoints.reach("products.reserve.after-commit")
        return answers

    async def claim(self, reservation: UUID) -> Reservation:
        """Take what is held, or what was held and expired if it is still there. Idempotent.

        Raises:
            OutOfStock: it had expired and was sold meanwhile.
            NotFound: never reserved.
        """
        if not await self._claims.ask(reservation):
            await self._claim_late(reservation)
        return Reservation(reservation, "claimed")

    async def _claim(self, many: Sequence[UUID]) -> list[bool]:
        """Which of them were held, and are taken now; all in one round trip."""
        crashpoints.reach("products.claim.before-commit")
        claimed = await reservations.claim_held(self._db, many)
        crashpoints.reach("products.claim.after-commit")
        return [reservation in claimed for reservation in many]

    async def _claim_late(self, reservation: UUID) -> None:
        async with self._db.begin() as tx:
            answer = await reservations.claim(tx, reservation)
            if answer.shortages:
                raise OutOfStock(shortages=list(answer.shortages))
            await tell(tx, answer)
            crashpoints.reach("products.claim.before-commit")
        crashpoints.reach("products.claim.after-commit")
        if answer.status == "unknown":
            raise NotFound(detail=f"no reservation {reservation}")

    async def release(self, reservation: UUID, reason: str = "released") -> Reservation:
        """Give back what is held. Idempotent; one never seen is noted, so that a late reserve is refused."""
        async with self._db.begin() as tx:
            answer = await reservations.release(tx, reservation, reason)
            await tell(tx, answer)
            crashpoints.reach("products.release.before-commit")
        crashpoints.reach("products.release.after-commit")
        return Reservation(reservation, "claimed" if answer.status == "claimed" else "released")

    async def restock(self, restock_id: UUID, back: Restock) -> None:
        """Put what was sold back on hand, once per id."""
        skus, quantities = [line.sku for line in back.lines], [line.quantity for line in back.lines]
        async with self._db.begin() as tx:
            await tell(tx, await stock.restock(tx, restock_id, skus, quantities, back.reason))
            crashpoints.reach("products.restock.before-commit")
        crashpoints.reach("products.restock.after-commit")

    async def expire(self) -> int:
        """Release holds whose time is over; returns how many."""
        async with self._db.read() as connection:
            due = await reservations.expired(connection, EXPIRE_BATCH)
        for reservation in due:
            await self.release(reservation, "expired")
        return len(due)

    async def adjust(
        self, sku: str, delta: int, reason: str, warehouse: str | None, once: Once | None
    ) -> StockOf:
        """Change what is on hand by `delta` units.

        Raises:
            StockTooLow: it would go below what is reserved for orders.
            UnknownWarehouse: there is none of that code.
            BundleHasNoStock: its components have.
            NotFound: no product has such a SKU, and there never was stock of it.
        """
        place = warehouse or MAIN
        if self.labels is not None:
            await self.levels(sku)
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await _known(tx, place)
                answer = await stock.adjust(tx, sku, place, delta, reason, self._low)
                await _refuse(tx, sku, answer)
                await tell(tx, answer, [sku])
        return await self.levels(sku)

    async def transfer(self, move: Transfer, once: Once | None) -> StockOf:
        """Carry units from one warehouse to another, as two movements under one reference.

        Raises:
            StockTooLow: fewer are free where they shall come from.
            UnknownWarehouse, BundleHasNoStock: as `adjust`.
        """
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await _known(tx, move.source)
                await _known(tx, move.to)
                answer = await stock.transfer(tx, new_id(), move, self._low)
                await _refuse(tx, move.sku, answer)
                await tell(tx, answer, [move.sku])
        return await self.levels(move.sku)

    async def intake(
        self,
        tx: Transaction,
        counts: Sequence[Movement],
        reason: str = "import",
        *,
        told: Collection[str] = (),
    ) -> list[str]:
        """Set what is on hand, within the caller's transaction; returns the SKUs that changed.

        Those of `told` get no StockChanged: the same transaction tells of their new product.
        """
        for code in {count.warehouse for count in counts} - set(await warehouses.codes(tx)):
            await warehouses.ensure(tx, code)
        answer = await stock.intake(tx, counts, reason, self._low)
        changed = set(answer.changed)
        await tell(tx, answer._replace(changed=[sku for sku in answer.changed if sku not in told]))
        return [sku for sku in dict.fromkeys(count.sku for count in counts) if sku in changed]

    async def forget_old(self) -> int:
        """Forget some reservations that ended long ago; the ledger keeps what they moved."""
        async with self._db.begin() as tx:
            return await reservations.forget_old(tx, KEEP)

    async def levels(self, sku: str) -> StockOf:
        """Stock of one SKU, none of a variant that never had any; raises NotFound for no SKU at all."""
        async with self._db.read() as connection:
            found = await stock.levels(connection, sku)
        names = await self.labels.names([sku]) if self.labels else {}
        if found is None and sku not in names:
            raise NotFound(detail=f"no stock of {sku}")
        return replace(found or StockOf(sku, 0, 0, 0, []), name=names.get(sku, ""))

    async def listing(self, wanted: store.Listing, limit: int) -> list[StockOf]:
        """Stock of many SKUs; words are looked for in SKUs and in names."""
        named = await self.labels.skus_called(wanted.q, NAMED_MAX) if self.labels and wanted.q else []
        async with self._db.read() as connection:
            found = await stock.listing(connection, wanted, limit, named)
        names = await self.labels.names([row.sku for row in found]) if self.labels and found else {}
        return [replace(row, name=names.get(row.sku, "")) for row in found]

    async def ledger(self, sku: str, *, before: int | None, limit: int) -> list[store.LedgerRow]:
        async with self._db.read() as connection:
            return await stock.ledger(connection, sku, before, limit)


async def _known(tx: Transaction, warehouse: str) -> None:
    if warehouse not in await warehouses.codes(tx):
        raise UnknownWarehouse(warehouse=warehouse)


async def _refuse(tx: Transaction, sku: str, answer: Said) -> None:
    if answer.refused == "bundle":
        raise BundleHasNoStock(sku=sku)
    if answer.refused:
        now = await stock.levels(tx, sku)
        raise StockTooLow(sku=sku, on_hand=now.on_hand if now else 0, reserved=now.reserved if now else 0)
