"""Products: what is for sale, how much of it there is, and how buyers find it.

Owns: products with variants, prices and pictures, categories (`catalog`); stock, reservations and their
ledger (`inventory`); the search index, rebuilt from the catalogue at any time (`search`); import jobs and
their reports (`imports`). The rooms meet in `app` and through events only.
Promises: a unit is never sold twice; a SKU belongs to one product; prices and stock come from here, never
from a client; a read is at most two seconds behind the stock; one bad product never stops an import.
Publishes: ProductChanged, ProductDeleted, CategoryChanged, StockChanged.
Consumes: OrderConfirmed (what sells), its own events (caches and the index of every replica).
Calls: nobody.
"""
