"""Reconciliations over HTTP, for staff: ask for one, look at what it found."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import Parameter

from shopwright.chassis.auth import Principal
from shopwright.chassis.db import Database
from shopwright.chassis.paging import Limit, Page, decode_cursor, encode_cursor, page_of
from shopwright.contracts.money import Money
from shopwright.contracts.problems import NotFound

from . import store
from .commands import Reconciliations
from .domain import Difference, Run, Status, Total, What


class Asked(msgspec.Struct, frozen=True):
    """A day (UTC), and one provider or, without it, all that report."""

    day: date
    provider: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What moved according to one side; `net` is what the provider owes us for it."""

    captured: Money
    refunded: Money
    charged_back: Money
    fees: Money
    net: Money


class TotalView(msgspec.Struct, frozen=True, kw_only=True):
    """`difference`: the provider's net less the ledger's; zero on a clean day."""

    currency: str
    provider: Side
    ledger: Side
    difference: Money


class ReconciliationView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    provider: str
    day: date
    status: Status
    error: str
    rows: int
    differences: int
    totals: list[TotalView]
    asked_at: datetime
    finished_at: datetime | None


class Seen(msgspec.Struct, frozen=True):
    """An amount and fee as one side has them."""

    amount: Money
    fee: Money


class DifferenceView(msgspec.Struct, frozen=True, kw_only=True):
    what: What
    kind: str
    payment_id: UUID | None
    ref: str
    key: str
    provider: Seen | None
    ledger: Seen | None
    at: datetime


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A reconciliation with a page of its differences."""

    reconciliation: ReconciliationView
    items: list[DifferenceView]
    next_cursor: str | None = None


class Begun(msgspec.Struct, frozen=True):
    items: list[ReconciliationView]


@post("/v1/reconciliations", status_code=202, tags=["payments"])
async def ask_for_reconciliation(
    data: Asked, principal: Principal, reconciliations: Reconciliations
) -> Begun:
    """Hold a day's report against the ledger, again if it was; look at it until it is done. Scope
    payments:write.
    """
    principal.require("payments:write")
    runs = await reconciliations.ask(data.day, data.provider)
    return Begun([_view(run, []) for run in runs])


@get("/v1/reconciliations", tags=["payments"])
async def list_reconciliations(
    principal: Principal,
    db: Database,
    provider: Annotated[str | None, Parameter(max_length=40)] = None,
    limit: Limit = 20,
    cursor: str | None = None,
) -> Page[ReconciliationView]:
    """Reconciliations, the latest day first. Scope payments:read."""
    principal.require("payments:read")
    before = decode_cursor(cursor, tuple[date, UUID])
    runs = await store.latest(db, provider or None, before, limit + 1)
    totals = await store.totals(db, [run.id for run in runs])
    views = [_view(run, totals[run.id]) for run in runs]
    return page_of(views, limit, lambda view: (view.day, view.id))


@get("/v1/reconciliations/{run_id:uuid}", tags=["payments"])
async def read_reconciliation(
    run_id: UUID, principal: Principal, db: Database, limit: Limit = 50, cursor: str | None = None
) -> Found:
    """What one reconciliation found, its differences in pages. Scope payments:read."""
    principal.require("payments:read")
    run = await store.find(db, run_id)
    if run is None:
        raise NotFound(detail=f"no reconciliation {run_id}")
    after = decode_cursor(cursor, int) or 0
    rows = await store.differences(db, run_id, after, limit + 1)
    totals = await store.totals(db, [run_id])
    more = encode_cursor(rows[limit - 1].number) if len(rows) > limit else None
    return Found(
        reconciliation=_view(run, totals[run_id]),
        items=[_difference(row) for row in rows[:limit]],
        next_cursor=more,
    )


HANDLERS = (ask_for_reconciliation, list_reconciliations, read_reconciliation)


def _view(run: Run, totals: list[Total]) -> ReconciliationView:
    return ReconciliationView(
        id=run.id,
        provider=run.provider,
        day=run.day,
        status=run.status,
        error=run.error,
        rows=run.rows_there,
        differences=run.differences,
        totals=[_total(total) for total in totals],
        asked_at=run.asked_at,
        finished_at=run.finished_at,
    )


def _total(total: Total) -> TotalView:
    def money(minor: int) -> Money:
        return Money(minor, total.currency)

    there = Side(
        captured=money(total.there_captured),
        refunded=money(total.there_refunded),
        charged_back=money(total.there_charged_back),
        fees=money(total.there_fees),
        net=money(total.there_net),
    )
    here = Side(
        captured=money(total.here_captured),
        refunded=money(total.here_refunded),
        charged_back=money(total.here_charged_back),
        fees=money(total.here_fees),
        net=money(total.here_net),
    )
    difference = money(total.there_net - total.here_net)
    return TotalView(currency=total.currency, provider=there, ledger=here, difference=difference)


def _difference(row: Difference) -> DifferenceView:
    def seen(amount: int | None, fee: int | None) -> Seen | None:
        return None if amount is None else Seen(Money(amount, row.currency), Money(fee or 0, row.currency))

    return DifferenceView(
        what=row.what,
        kind=row.kind,
        payment_id=row.payment_id,
        ref=row.ref,
        key=row.key,
        provider=seen(row.there_amount, row.there_fee),
        ledger=seen(row.here_amount, row.here_fee),
        at=row.at,
    )
