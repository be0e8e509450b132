"""Tables of lines in forms: how many of each line, and rows in which staff type a SKU. Pure but for errors,
which stand beside their fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from shopwright.contracts.money import Money

from ..clients.staff_orders import SkuCount
from ..forms import Form

ROWS: int = 3  # blank rows of a form for SKUs


def counts(form: Form, prefix: str, most: dict[UUID, int]) -> dict[UUID, int]:
    """The numbers typed in `<prefix><line>`; an error stands for one that is none or too large."""
    found = {}
    for line_id, limit in most.items():
        name = f"{prefix}{line_id}"
        typed = form[name] or "0"
        if not (typed.isascii() and typed.isdigit() and int(typed[:9]) <= limit):
            form.errors[name] = f"Enter a number from 0 to {limit}"
        else:
            found[line_id] = int(typed)
    return found


def sku_rows(form: Form, currency: str = "", rows: Iterable[int] = range(ROWS)) -> list[SkuCount]:
    """What was typed in `sku-0`, `quantity-0`, `price-0` and so on; blank rows are none."""
    found = []
    for row in rows:
        sku, typed = form[f"sku-{row}"], form[f"quantity-{row}"] or "1"
        if not sku:
            continue
        if not (typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= 999):
            form.errors[f"quantity-{row}"] = "Enter a number from 1 to 999"
            continue
        price: Money | None = None
        if currency and form[f"price-{row}"]:
            price = form.money(f"price-{row}", currency)
        found.append(SkuCount(sku, int(typed), price))
    return found
