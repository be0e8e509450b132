"""Search: how buyers find products by words, facets and prices.

Owns: the search index (a folder, a projection of the catalogue that may be deleted at any time), the list of
products that wait to be indexed, and the lease of the one process that writes. Promises: exact matches stand
above near ones; totals are exact; pages neither repeat nor skip; a change shows within a second; whatever
process dies, the shop searches on.
Publishes: nothing. Consumes: ProductChanged, ProductDeleted, CategoryChanged, StockChanged.
Calls: nobody; reads the catalogue through `domain.Source`.
"""
