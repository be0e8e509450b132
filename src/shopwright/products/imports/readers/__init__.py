"""Readers: one module per format, pure, from a file to drafts of products.

A reader names its columns, splits a file into units (a row, an object) that know which product they belong
to, and makes one product of all units of it. `detect` recognises which reader a file needs; `spool` brings
the units of a product together, however far apart they stand in the file.
"""
