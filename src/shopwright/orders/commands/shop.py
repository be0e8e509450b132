"""What staff decide about taxes and shipping: rates, whether prices include tax, zones, methods.

Each change is one transaction and moves the rules' version: no order is placed by rules that have changed.
Lists are small by their limits and answered whole.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from shopwright.chassis.db import Database, ForeignKeyViolation, Once, UniqueViolation
from shopwright.chassis.validation import invalid
from shopwright.contracts.problems import NotFound

from ..domain import Place, ShippingMethod, ShippingZone, TaxRate, TaxSettings
from ..domain.shipping import PlaceInOtherZone, ZoneInUse
from ..domain.taxes import TaxRateExists, TooManyRules
from ..store import shop as store

RATES_MAX = 5_000  # every state's of every country, with four classes each
ZONES_MAX = 500
METHODS_MAX = 100


class Shop:
    def __init__(self, db: Database, changed: Callable[[], None]) -> None:
        self._db, self._changed = db, changed

    async def rates(self) -> list[TaxRate]:
        async with self._db.read() as connection:
            return await store.rates(connection)

    async def put_rate(self, rate: TaxRate, once: Once | None, *, new: bool) -> TaxRate:
        """Add a rate, or change one; raises TaxRateExists, NotFound, TooManyRules."""
        try:
            async with self._db.begin(once) as tx:
                if tx.repeated:
                    wanted = UUID(bytes=tx.stored) if tx.stored else rate.id
                else:
                    known = {known.id for known in await store.rates(tx)}
                    _check_known(rate.id in known, f"no tax rate {rate.id}", new=new)
                    _check_room(len(known), RATES_MAX, new=new)
                    await store.put_rate(tx, rate)
                    tx.remember(rate.id.bytes)
                    wanted = rate.id
        except UniqueViolation as error:
            raise TaxRateExists(country=rate.country, region=rate.region, tax_class=rate.tax_class) from error
        self._changed()
        return next(found for found in await self.rates() if found.id == wanted)

    async def delete_rate(self, rate_id: UUID, once: Once | None) -> None:
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                _check_known(await store.delete_rate(tx, rate_id), f"no tax rate {rate_id}")
        self._changed()

    async def settings(self) -> TaxSettings:
        async with self._db.read() as connection:
            return await store.settings(connection)

    async def set_settings(self, wanted: TaxSettings, once: Once | None) -> TaxSettings:
        """Say whether prices include tax, where the shop is, and as what shipping is taxed."""
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                await store.set_settings(tx, wanted)
        self._changed()
        return await self.settings()

    async def zones(self) -> list[ShippingZone]:
        async with self._db.read() as connection:
            return await store.zones(connection)

    async def put_zone(self, zone: ShippingZone, once: Once | None, *, new: bool) -> ShippingZone:
        """Add a zone, or replace one; raises PlaceInOtherZone, NotFound, TooManyRules."""
        _check_places(zone.places)
        try:
            async with self._db.begin(once) as tx:
                if tx.repeated:
                    wanted = UUID(bytes=tx.stored) if tx.stored else zone.id
                else:
                    known = {known.id for known in await store.zones(tx)}
                    _check_known(zone.id in known, f"no shipping zone {zone.id}", new=new)
                    _check_room(len(known), ZONES_MAX, new=new)
                    if (held := await store.taken(tx, zone)) is not None:
                        raise PlaceInOtherZone(country=held.country, region=held.region)
                    await store.put_zone(tx, zone)
                    tx.remember(zone.id.bytes)
                    wanted = zone.id
        except UniqueViolation as error:
            raise invalid("/name", "another zone has this name") from error
        self._changed()
        return next(found for found in await self.zones() if found.id == wanted)

    async def delete_zone(self, zone_id: UUID, once: Once | None) -> None:
        """Raises ZoneInUse while a rule is for it."""
        try:
            async with self._db.begin(once) as tx:
                if not tx.repeated:
                    _check_known(await store.delete_zone(tx, zone_id), f"no shipping zone {zone_id}")
        except ForeignKeyViolation as error:
            raise ZoneInUse from error
        self._changed()

    async def methods(self) -> list[ShippingMethod]:
        async with self._db.read() as connection:
            return await store.methods(connection)

    async def put_method(self, method: ShippingMethod, once: Once | None) -> ShippingMethod:
        """Add a way of shipping, or replace it with all its rules."""
        _check_rules(method)
        try:
            async with self._db.begin(once) as tx:
                if not tx.repeated:
                    known = {known.code for known in await store.methods(tx)}
                    _check_room(len(known), METHODS_MAX, new=method.code not in known)
                    await store.put_method(tx, method)
        except ForeignKeyViolation as error:
            known_zones = {zone.id for zone in await self.zones()}
            place = next((n for n, r in enumerate(method.rules) if r.zone_id not in {None, *known_zones}), 0)
            raise invalid(f"/rules/{place}/zone_id", "there is no such shipping zone") from error
        self._changed()
        return next(found for found in await self.methods() if found.code == method.code)

    async def delete_method(self, code: str, once: Once | None) -> None:
        """Carts that chose it must choose again; orders keep it."""
        async with self._db.begin(once) as tx:
            if not tx.repeated:
                _check_known(await store.delete_method(tx, code), f"no shipping method {code}")
        self._changed()


def _check_known(known: bool, detail: str, *, new: bool = False) -> None:
    if not known and not new:
        raise NotFound(detail=detail)


def _check_room(count: int, most: int, *, new: bool) -> None:
    if new and count >= most:
        raise TooManyRules(most=most)


def _check_places(places: list[Place]) -> None:
    seen: set[tuple[str, str]] = set()
    for number, place in enumerate(places):
        key = (place.country, place.region.casefold())
        if key in seen:
            raise invalid(f"/places/{number}", "is in this zone already")
        seen.add(key)


def _check_rules(method: ShippingMethod) -> None:
    """Raises InvalidInput naming the first bound that leaves nothing between."""
    if method.days_max < method.days_min:
        raise invalid("/days_max", f"must not be less than days_min ({method.days_min})")
    for number, rule in enumerate(method.rules):
        if rule.weight_below_g is not None and rule.weight_below_g <= rule.weight_from_g:
            raise invalid(f"/rules/{number}/weight_below_g", "must be more than weight_from_g")
        if rule.total_below is not None and rule.total_below <= rule.total_from:
            raise invalid(f"/rules/{number}/total_below", "must be more than total_from")
