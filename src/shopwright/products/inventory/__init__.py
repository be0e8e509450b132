"""Inventory: how many of a SKU are where, held for whom, and every change that made it so.

Owns: warehouses, stock, reservations, the ledger of movements. Promises: `0 <= reserved <= on_hand` per SKU
and warehouse, also by constraint; a reservation holds all its lines or none; the ledger's sums are the
balances; holds end by themselves. Publishes: StockChanged.
"""
