"""Imports: products out of somebody else's file, and our own file out of the shop.

Owns: import jobs, their reports, and the uploaded files while a job needs them. Promises: a file is never
held in memory; one job runs at a time; what a batch changed and what the report counts commit together, so
a killed job goes on where it was and counts no row twice; the same file again changes nothing; every row
that is left out is told with its line, field and reason. Publishes nothing: the catalogue does.
"""
