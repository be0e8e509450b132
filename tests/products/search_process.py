"""A process that keeps a search index, for tests that kill it: `search_process.py DATABASE INDEX COUNT`.

Its catalogue is `COUNT` chairs in memory. It prints a line after each turn.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from shopwright.chassis.db import open_database
from shopwright.products.search.index import TantivyIndex
from shopwright.products.search.keeper import Keeper
from shopwright.products.search.testing import Shelf, product


async def main(url: str, folder: str, count: int) -> None:
    db = await open_database(url, application="test", size=4)
    shelf = Shelf(product("Chair", number) for number in range(1, count + 1))
    keeper = Keeper(db, shelf, TantivyIndex(Path(folder), "EUR"), timedelta(seconds=2))
    while True:
        await keeper.turn()
        print("turned", flush=True)
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
