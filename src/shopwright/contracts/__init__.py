"""What one service may know of another: money, events, problems, and the shapes of internal calls.

Pure data. Nothing here does I/O or imports anything of Shopwright outside this package; changes are additive,
because a service of the last release reads what one of this release writes.
"""
