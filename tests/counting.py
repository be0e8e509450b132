"""What a call costs the database: a pool that counts the statements sent through it, and the transactions
that are begun for several of them.
"""


class Counted:
    """A connection pool that counts what is sent through it."""

    def __init__(self, pool):
        self._pool, self.statements, self.transactions = pool, 0, 0

    def acquire(self, **options):
        return Acquired(self, self._pool.acquire(**options))


class Acquired:
    def __init__(self, counted, acquiring):
        self._counted, self._acquiring = counted, acquiring

    async def __aenter__(self):
        return Watched(self._counted, await self._acquiring.__aenter__())

    async def __aexit__(self, *error):
        return await self._acquiring.__aexit__(*error)


class Watched:
    def __init__(self, counted, raw):
        self._counted, self._raw = counted, raw

    def __getattr__(self, name):
        if name in {"fetch", "fetchrow", "fetchval", "execute", "executemany"}:
            self._counted.statements += 1
        if name == "transaction":
            self._counted.transactions += 1
        return getattr(self._raw, name)
