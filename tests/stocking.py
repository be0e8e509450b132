"""For tests of inventory: stock on a real database, and what must be true of it whatever happened."""

from __future__ import annotations

from uuid import uuid4

from shopwright.contracts.products import Reserve, ReserveLine
from shopwright.products.inventory.commands import Inventory, Rules, Warehouses
from shopwright.products.inventory.domain import Component, Transfer


def wanted(*lines, seconds=600, country=None):
    return Reserve([ReserveLine(sku, quantity) for sku, quantity in lines], seconds, country)


class Stockroom:
    """Inventory, warehouses and rules on one database."""

    def __init__(self, db, low_stock_at=None):
        self.db = db
        self.inventory = Inventory(db, low_stock_at=low_stock_at)
        self.warehouses = Warehouses(db, low_stock_at=low_stock_at)
        self.rules = Rules(db, low_stock_at=low_stock_at)

    async def put(self, sku, units, warehouse=None):
        await self.inventory.adjust(sku, units, "count", warehouse, None)

    async def hold(self, *lines, country=None):
        reservation = uuid4()
        await self.inventory.reserve(reservation, wanted(*lines, country=country))
        return reservation

    async def sell(self, *lines):
        await self.inventory.claim(await self.hold(*lines))

    async def carry(self, sku, source, to, quantity, once=None):
        await self.inventory.transfer(Transfer(sku, source, to, quantity, "moved"), once)

    async def bundle(self, sku, **parts):
        return await self.rules.set_bundle(sku, [Component(part, count) for part, count in parts.items()])

    async def free(self, sku):
        """Units that are free in each warehouse."""
        return {place.code: place.available for place in (await self.inventory.levels(sku)).warehouses}

    async def available(self, sku):
        return (await self.inventory.available([sku])).get(sku)

    async def owed(self, sku):
        level = await self.inventory.levels(sku)
        return level.promised, level.owed

    async def facts(self, topic):
        async with self.db.read() as connection:
            rows = await connection.fetch("SELECT data FROM outbox WHERE topic = $1 ORDER BY position", topic)
        return [bytes(row["data"]).decode() for row in rows]

    async def level_in(self, sku, place):
        await self.put(sku, 0, place)
        return next(one for one in (await self.inventory.levels(sku)).warehouses if one.code == place)

    async def free_in(self, sku, place):
        return (await self.level_in(sku, place)).available

    async def figures(self, skus):
        """On hand, reserved, promised, owed and available of each SKU."""
        async with self.db.read() as connection:
            rows = await connection.fetch("SELECT * FROM stock_levels WHERE sku = ANY($1)", list(skus))
        found = {
            row["sku"]: tuple(row[name] for name in ("on_hand", "reserved", "promised", "owed", "available"))
            for row in rows
        }
        return dict.fromkeys(skus, (0,) * 5) | found

    async def held(self):
        """Units of stock and units promised of each SKU, by the reservation that holds them."""
        found = {}
        async with self.db.read() as connection:
            for row in await connection.fetch(_HELD):
                found.setdefault(row["id"], {})[row["sku"]] = [row["stock"], row["promised"]]
        return found

    async def intake(self, *counts):
        async with self.db.begin() as tx:
            await self.inventory.intake(tx, counts)

    async def expire(self, reservation):
        async with self.db.begin() as tx:
            past = "UPDATE reservations SET expires_at = now() - interval '1 second' WHERE id = $1"
            await tx.execute(past, reservation)
        await self.inventory.expire()

    async def empty(self):
        """As on the first day."""
        async with self.db.begin() as tx:
            await tx.execute(
                "TRUNCATE stock, reservations, reservation_lines, movements, stock_rules, bundle_components"
            )
            await tx.execute("UPDATE allocation SET strategy = 'priority'")

    async def wrong(self):
        """What is not as it must be: balances and their ledger, what is held, debts beside stock for sale."""
        async with self.db.read() as connection:
            return [tuple(row) for row in await connection.fetch(_WRONG)]


_HELD = """
SELECT r.id, l.sku, coalesce(sum(l.quantity) FILTER (WHERE l.warehouse <> '~owed'), 0)::integer AS stock,
    coalesce(sum(l.quantity) FILTER (WHERE l.warehouse = '~owed'), 0)::integer AS promised
FROM reservations r JOIN reservation_lines l ON l.reservation_id = r.id WHERE r.status = 'held'
GROUP BY r.id, l.sku
"""
_WRONG = """
SELECT 'balance is not the sum of its ledger', s.sku, s.warehouse
FROM stock s FULL JOIN (
    SELECT sku, warehouse, sum(delta_on_hand) AS on_hand, sum(delta_reserved) AS reserved
    FROM movements GROUP BY 1, 2) m USING (sku, warehouse)
WHERE coalesce(s.on_hand, 0) <> coalesce(m.on_hand, 0) OR coalesce(s.reserved, 0) <> coalesce(m.reserved, 0)
UNION ALL
SELECT 'reserved is not what is held', s.sku, s.warehouse
FROM stock s FULL JOIN (
    SELECT l.sku, l.warehouse, sum(l.quantity) AS held FROM reservation_lines l
    JOIN reservations r ON r.id = l.reservation_id WHERE r.status = 'held' GROUP BY 1, 2) h
USING (sku, warehouse) WHERE coalesce(s.reserved, 0) <> coalesce(h.held, 0)
UNION ALL
SELECT 'owed while stock is for sale', l.sku, '' FROM stock_levels l
WHERE l.shelf > 0 AND l.owed + l.promised > 0
UNION ALL
SELECT 'a bundle has stock', s.sku, s.warehouse FROM stock s JOIN bundle_components b ON b.bundle = s.sku
WHERE s.on_hand <> 0 OR s.reserved <> 0
UNION ALL
SELECT 'held nothing', r.id::text, '' FROM reservations r
WHERE r.status = 'held' AND NOT EXISTS (SELECT FROM reservation_lines l WHERE l.reservation_id = r.id)
"""
