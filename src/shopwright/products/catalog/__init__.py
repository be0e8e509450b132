"""Catalog: products with their variants, prices and pictures, and the tree of categories.

Owns: products, variants, prices, categories, pictures and their files, listings. Promises: a SKU belongs to
one product; a slug is never two things; what is shown is safe HTML; two staff never overwrite each other
unseen; equal input changes nothing. Publishes: ProductChanged, ProductDeleted, CategoryChanged.
"""
