"""`make replay`: all of CDNOW's orders through a shop of its own, with kills on the way; prints the verdict.

`--orders N` takes the first N only. The shop stays in `--home`: whatever ended a run, the next goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from platforms import platform

from .purchases import read
from .run import replay


def main() -> int:
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("file", type=Path, help="CDNOW_master.txt of the package lifetimes")
    parser.add_argument("--home", type=Path, default=Path(".shopwright-replay"))
    parser.add_argument("--orders", type=int, default=None)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--kills", type=int, default=12)
    asked = parser.parse_args()
    purchases = read(asked.file.read_text(encoding="utf-8").splitlines())[: asked.orders]
    people = len({purchase.customer for purchase in purchases})
    dollars = f"${sum(purchase.total for purchase in purchases) / 100:,.2f}"
    with platform(home=asked.home.resolve(), SHOPWRIGHT_RATE_LIMIT="off") as running:
        wrong = asyncio.run(replay(running, purchases, clients=asked.clients, kills=asked.kills))
    if wrong:
        print(*wrong[:20], f"{len(wrong)} differences", sep="\n")
        return 1
    print(
        f"{len(purchases):,} orders of {people:,} people for {dollars}: every one is there once, paid once."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
