"""What the shop decides about taxes and shipping; every change moves the rules' version by a trigger."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shopwright.chassis.db import Connection, Transaction

from ..domain import Place, ShippingMethod, ShippingRule, ShippingZone, TaxRate, TaxSettings
from .rules import METHODS, RATES, ZONES


async def rates(connection: Connection) -> list[TaxRate]:
    """By place."""
    return msgspec.convert(await connection.fetchval(RATES), list[TaxRate])


async def put_rate(tx: Transaction, rate: TaxRate) -> None:
    """Raises UniqueViolation when another rate holds there for that class."""
    await tx.execute(
        _PUT_RATE, rate.id, rate.name, rate.country, rate.region, rate.tax_class, rate.percent
    )  # fmt: skip


async def delete_rate(tx: Transaction, rate_id: UUID) -> bool:
    return bool(await tx.execute("DELETE FROM tax_rates WHERE id = $1", rate_id))


async def settings(connection: Connection) -> TaxSettings:
    row = await connection.fetchrow("SELECT prices_include_tax, country, shipping_tax_class FROM shop_rules")
    assert row is not None, "a migration makes the row"
    return TaxSettings(**row)


async def set_settings(tx: Transaction, wanted: TaxSettings) -> None:
    await tx.execute(
        "UPDATE shop_rules SET prices_include_tax = $1, country = $2, shipping_tax_class = $3",
        wanted.prices_include_tax, wanted.country, wanted.shipping_tax_class,
    )  # fmt: skip


async def zones(connection: Connection) -> list[ShippingZone]:
    """By name."""
    return msgspec.convert(await connection.fetchval(ZONES), list[ShippingZone])


async def put_zone(tx: Transaction, zone: ShippingZone) -> None:
    """Raises UniqueViolation when the name is taken, or another zone holds one of the places."""
    await tx.execute(
        "INSERT INTO shipping_zones (id, name) VALUES ($1, $2)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        zone.id, zone.name,
    )  # fmt: skip
    await tx.execute("DELETE FROM shipping_zone_places WHERE zone_id = $1", zone.id)
    await tx.execute(
        "INSERT INTO shipping_zone_places (zone_id, country, region)"
        " SELECT $1, country, region FROM unnest($2::text[], $3::text[]) AS p (country, region)",
        zone.id, *_columns(zone.places),
    )  # fmt: skip


async def taken(tx: Transaction, zone: ShippingZone) -> Place | None:
    """The first of the zone's places that another zone holds."""
    row = await tx.fetchrow(_TAKEN, zone.id, *_columns(zone.places))
    return Place(row["country"], row["region"]) if row else None


async def delete_zone(tx: Transaction, zone_id: UUID) -> bool:
    """Raises ForeignKeyViolation while a rule is for it."""
    return bool(await tx.execute("DELETE FROM shipping_zones WHERE id = $1", zone_id))


async def methods(connection: Connection) -> list[ShippingMethod]:
    """In the order in which they are offered."""
    return msgspec.convert(await connection.fetchval(METHODS), list[ShippingMethod])


async def put_method(tx: Transaction, method: ShippingMethod) -> None:
    """Write the method with all its rules; raises ForeignKeyViolation for a zone that is none."""
    await tx.execute(
        _PUT_METHOD, method.code, method.name, method.needs_address, method.days_min, method.days_max,
        method.position,
    )  # fmt: skip
    await tx.execute("DELETE FROM shipping_rules WHERE code = $1", method.code)
    await tx.executemany(
        _ADD_RULE, [[method.code, place, *_rule(rule)] for place, rule in enumerate(method.rules, 1)]
    )


async def delete_method(tx: Transaction, code: str) -> bool:
    return bool(await tx.execute("DELETE FROM shipping_methods WHERE code = $1", code))


def _columns(places: Sequence[Place]) -> tuple[list[str], list[str]]:
    return [place.country for place in places], [place.region for place in places]


def _rule(rule: ShippingRule) -> list[object]:
    return [getattr(rule, name) for name in _RULE]


_RULE = (
    "zone_id", "currency", "amount", "free_from", "weight_from_g", "weight_below_g", "total_from",
    "total_below",
)  # fmt: skip
_ADD_RULE = f"""
INSERT INTO shipping_rules (code, position, {", ".join(_RULE)})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_PUT_RATE = """
INSERT INTO tax_rates (id, name, country, region, tax_class, percent) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, country = excluded.country, region = excluded.region,
    tax_class = excluded.tax_class, percent = excluded.percent
"""
_PUT_METHOD = """
INSERT INTO shipping_methods (code, name, needs_address, days_min, days_max, position)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, needs_address = excluded.needs_address,
    days_min = excluded.days_min, days_max = excluded.days_max, position = excluded.position
"""
_TAKEN = """
SELECT held.country, held.region
FROM unnest($2::text[], $3::text[]) AS wanted (country, region)
JOIN shipping_zone_places held ON held.country = wanted.country AND lower(held.region) = lower(wanted.region)
WHERE held.zone_id <> $1 LIMIT 1
"""
