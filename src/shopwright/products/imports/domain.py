"""What is true of imports: a job, what its report counts, its limits, and the problems that refuse. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from shopwright.contracts.problem import Problem

from .readers.reading import Form, Options, Outcome
from .readers.saleor import UNTRACKED_STOCK

Status = Literal["queued", "running", "done", "failed", "cancelled"]

UPLOAD_MAX = 536_870_912  # as the gateway lets through; a catalogue of 100,000 products is about 100 MB
WAITING_MAX = 20  # uploads that lie on the disk until their turn
KEEP = timedelta(days=30)
KEEP_JOBS = 100
ERRORS_SHOWN = 1_000  # in a report; the others by pages
ERRORS_KEPT = 100_000  # of a job: who has more corrects the cause and imports again
ATTEMPTS_MAX = 5  # starts in a row that brought a job no further


class NotAProductFile(Problem):
    """That is no product file that can be read."""

    kind = "invalid"
    formats: list[str]


class TooManyImports(Problem):
    """Too many imports wait for their turn; try again when some are done."""

    kind = "rate_limited"
    retry_after_s: int = 60


class ImportOver(Problem):
    """This import has ended already."""

    kind = "conflict"
    import_status: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An import. `position` counts products of the file, `rows` and `total` its rows; the counts of products
    add up to `position`. `unstocked`, `untracked`, `unpriced` and `currencies` are as in `Lacks`.
    """

    id: UUID
    status: Status = "queued"
    file: str = ""
    bytes: int = 0
    form: Form
    options: Options
    total: int | None = None
    products: int | None = None
    position: int = 0
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    errors: int = 0
    unstocked: int = 0
    untracked: int = 0
    unpriced: int = 0
    currencies: list[str] = []
    detail: str = ""
    attempts: int = 0
    cancel: bool = False
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def progress(self) -> float:
        """0 to 1 by products."""
        if self.status == "done":
            return 1.0
        return self.position / self.products if self.products else 0.0

    @property
    def hints(self) -> list[str]:
        """What the file as a whole lacks, told once, and what would help."""
        found = []
        if self.unstocked:
            found.append(
                f"{_many(self.unstocked, 'variant has', 'variants have')} no stock in this file and are sold "
                "out until they get some; import it again with units for them, such as `--stock 100`"
            )
        if self.untracked:
            found.append(
                f"{_many(self.untracked, 'variant is', 'variants are')} sold without being counted in the "
                f"shop of this file (`track_inventory: false`): each got {UNTRACKED_STOCK:,} units, more "
                "than a line of an order may ask for; `--stock` gives another number"
            )
        if self.unpriced:
            own, others = self.options.shop_currency, ", ".join(self.currencies)
            found.append(
                f"{_many(self.unpriced, 'product has', 'products have')} no price in {own} (they have "
                f"{others}): they are shown in those currencies and sold in a cart of their own; import them "
                f"with prices in {own}, or set SHOPWRIGHT_CURRENCY"
            )
        return found


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


class RowError(msgspec.Struct, frozen=True):
    """A line of a report: what was refused or skipped, or (warning) left out of a product."""

    line: int
    identifier: str
    outcome: Outcome
    pointer: str
    detail: str


class Lacks(NamedTuple):
    """What accepted products of a file have not: `unstocked` variants without a number of units, `untracked`
    variants whose shop does not count them, `unpriced` products that the shop's currency has no price for,
    with the `currencies` they have instead.
    """

    unstocked: int = 0
    untracked: int = 0
    unpriced: int = 0
    currencies: Sequence[str] = ()


class Step(NamedTuple):
    """What one batch adds to a job."""

    before: int
    products: int
    rows: int
    created: int
    changed: int
    unchanged: int
    skipped: int
    refused: int
    errors: Sequence[RowError]
    lacks: Lacks
