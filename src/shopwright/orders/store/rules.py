"""What the shop has decided, read in one statement: so its version is that of everything in it."""

from __future__ import annotations

import msgspec

from shopwright.chassis.db import Connection

from ..domain import Promotion, Rules, ShippingMethod, ShippingZone, TaxRate
from .promotions import PROMOTION


async def read(connection: Connection) -> Rules:
    row = await connection.fetchrow(_READ)
    assert row is not None, "a migration makes the row"
    return Rules(
        version=row["version"],
        promotions=msgspec.convert(row["promotions"], list[Promotion]),
        used_up=frozenset(row["used_up"]),
        rates=msgspec.convert(row["rates"], list[TaxRate]),
        zones=msgspec.convert(row["zones"], list[ShippingZone]),
        methods=msgspec.convert(row["methods"], list[ShippingMethod]),
        prices_include_tax=row["prices_include_tax"],
        country=row["country"],
        shipping_tax_class=row["shipping_tax_class"],
    )


ZONES = """
SELECT coalesce(jsonb_agg(jsonb_build_object('id', z.id, 'name', z.name, 'places', coalesce((
    SELECT jsonb_agg(jsonb_build_object('country', country, 'region', region) ORDER BY country, region)
    FROM shipping_zone_places WHERE zone_id = z.id), '[]')) ORDER BY z.name), '[]')
FROM shipping_zones z
"""
METHODS = """
SELECT coalesce(jsonb_agg(to_jsonb(m) || jsonb_build_object('rules', coalesce((
    SELECT jsonb_agg(to_jsonb(r) ORDER BY r.position) FROM shipping_rules r WHERE r.code = m.code), '[]'))
    ORDER BY m.position, m.code), '[]')
FROM shipping_methods m
"""
RATES = """
SELECT coalesce(jsonb_agg(to_jsonb(t) || jsonb_build_object('percent', trim_scale(t.percent)::text)
    ORDER BY t.country, t.region, t.tax_class), '[]')
FROM tax_rates t
"""
_LIVE = "p.active AND NOT p.needs_code AND (p.ends_at IS NULL OR p.ends_at > now())"
_READ = f"""
SELECT s.version, s.prices_include_tax, s.country, s.shipping_tax_class,
    (SELECT coalesce(jsonb_agg({PROMOTION} ORDER BY p.priority DESC, p.id), '[]')
     FROM promotions p WHERE {_LIVE}) AS promotions,
    ARRAY(SELECT p.id FROM promotions p WHERE {_LIVE} AND p.uses >= p.uses_max) AS used_up,
    ({RATES}) AS rates, ({ZONES}) AS zones, ({METHODS}) AS methods
FROM shop_rules s
"""
