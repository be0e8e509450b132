"""Tells others what a change of stock did, within its transaction."""

from __future__ import annotations

from collections.abc import Sequence

from shopwright.chassis.db import Transaction
from shopwright.contracts.products import StockChanged

from ..store import stock
from ..store.telling import Said


async def tell(tx: Transaction, said: Said, always: Sequence[str] = ()) -> None:
    """StockChanged of what sold out or came back and of `always`; StockLow of what is low."""
    skus = sorted({*said.changed, *always})
    if skus:
        now = await stock.available(tx, skus)
        tx.publish(*(StockChanged(sku=sku, available=now.get(sku, 0)) for sku in skus))
    tx.publish(*said.low)
