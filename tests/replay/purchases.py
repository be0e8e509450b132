"""CDNOW's orders as carts: 69,659 purchases of 23,570 people, from January 1997 to June 1998.

A row tells of a customer, a day, a number of CDs and dollars, not of single prices. They are shared out so
that each order is its number of CDs in one or two lines, and its dollars to the cent: of 5 CDs for $12.03 two
cost $2.40 and three $2.41. A SKU for each price is the catalogue. The rows are in `lifetimes` of PyPI
(MIT), from Fader and Hardie, http://brucehardie.com/datasets/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Purchase:
    """`lines`: price in cents of a CD, and how many; `number` is the row's, from 1."""

    number: int
    customer: str
    total: int
    lines: tuple[tuple[int, int], ...]

    @property
    def email(self) -> str:
        return f"customer-{self.customer}@cdnow.example"


def read(rows: Iterable[str]) -> list[Purchase]:
    """What rows of the file `CDNOW_master.txt` say; its first line names the columns."""
    fields = [row.split() for row in rows if row.split() and row.split()[0].isdigit()]
    return [
        Purchase(number, customer, cents, _shared_out(cents, int(cds)))
        for number, (customer, _day, cds, dollars) in enumerate(fields, 1)
        for cents in [int(Decimal(dollars) * 100)]
    ]


def _shared_out(cents: int, cds: int) -> tuple[tuple[int, int], ...]:
    price, rest = divmod(cents, cds)
    lines = ((price, cds - rest), (price + 1, rest))
    return tuple(line for line in lines if line[1])


def sku_of(price: int) -> str:
    return f"CD-{price:06}"


def catalogue(purchases: Iterable[Purchase]) -> str:
    """A file of products for the import: each price with exactly the units that are bought at it."""
    units: Counter[int] = Counter()
    for purchase in purchases:
        for price, quantity in purchase.lines:
            units[price] += quantity
    rows = [
        f"{sku_of(price).lower()},A CD at {price / 100:.2f} dollars,{sku_of(price)},{price / 100:.2f},{count}"
        for price, count in sorted(units.items())
    ]
    return "\n".join(["slug,name,sku,price:USD,stock:main", *rows, ""])
