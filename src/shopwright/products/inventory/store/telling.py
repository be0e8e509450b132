"""What inventory's functions say: what they found or refused, and what others should hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shopwright.chassis.db import Row
from shopwright.contracts.problems import Shortage
from shopwright.contracts.products import StockLow


class Said(NamedTuple):
    """`status` found; the reason `refused`; shortages; SKUs that sold out or came back; SKUs that came down
    to their low point.
    """

    status: str = ""
    refused: str = ""
    shortages: Sequence[Shortage] = ()
    changed: Sequence[str] = ()
    low: Sequence[StockLow] = ()


def said(rows: Sequence[Row]) -> Said:
    return Said(
        _first(rows, "status"),
        _first(rows, "refused"),
        [Shortage(row["sku"], row["requested"], row["available"]) for row in rows if row["kind"] == "short"],
        [row["sku"] for row in rows if row["kind"] == "changed"],
        [
            StockLow(sku=row["sku"], available=row["available"], threshold=row["requested"])
            for row in rows
            if row["kind"] == "low"
        ],
    )


def _first(rows: Sequence[Row], kind: str) -> str:
    return next((row["sku"] for row in rows if row["kind"] == kind), "")
