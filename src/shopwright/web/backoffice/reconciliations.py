"""Reconciliations: each day's report of a provider held against the ledger, and what differs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from litestar import Response

from shopwright.contracts.problem import Problem

from ..forms import Form
from .desk import Desk, action, page
from .tax import refuse

PATH: Final = "/admin/reconciliations"
READ, WRITE = "payments:read", "payments:write"
STATUS: Final = {
    "queued": ("Waiting for its turn", "wait"),
    "running": ("Being compared", "wait"),
    "failed": ("Failed", "bad"),
}
WHAT: Final = {
    "missing_here": "Only the provider has it",
    "missing_there": "Only the ledger has it",
    "amount_differs": "The amounts differ",
    "fee_differs": "The fees differ",
    "twice": "The provider has it more often",
}
KINDS: Final = {"capture": "Payment", "refund": "Refund", "chargeback": "Chargeback"}


@page(PATH, READ)
async def list_reconciliations(desk: Desk) -> Response[bytes]:
    return await _show(desk, Form({}))


@action(PATH, WRITE)
async def ask(desk: Desk) -> Response[bytes]:
    """Compare a day, again if it was compared before."""
    form = desk.form
    day = _day(form)
    if day is not None and not form.errors:
        try:
            await desk.site.payments.reconcile(await desk.token(), day)
        except Problem as problem:
            refuse(form, problem, ("day",))
        else:
            return await desk.done(f"{day} is being compared. Look again in a moment.", PATH)
    return await _show(desk, form, status=422)


@page(f"{PATH}/{{run_id:uuid}}", READ)
async def show_reconciliation(desk: Desk, run_id: UUID) -> Response[bytes]:
    cursor = desk.query.get("cursor", "")
    found = await desk.site.payments.reconciliation(await desk.token(), run_id, cursor=cursor)
    return await desk.page(
        "admin/reconciliation.html", run=found.reconciliation, differences=found.items, first=not cursor,
        next_cursor=found.next_cursor, status_words=STATUS, what=WHAT, kinds=KINDS,
    )  # fmt: skip


def _day(form: Form) -> date | None:
    try:
        day = date.fromisoformat(form["day"])
    except ValueError:
        form.errors["day"] = "Enter a day, such as 2027-01-31"
        return None
    if day > datetime.now(UTC).date():
        form.errors["day"] = "This day has not been yet"
    return day


async def _show(desk: Desk, form: Form, status: int = 200) -> Response[bytes]:
    cursor = desk.query.get("cursor", "")
    found = await desk.site.payments.reconciliations(await desk.token(), cursor=cursor)
    return await desk.page(
        "admin/reconciliations.html", status=status, runs=found.items, next_cursor=found.next_cursor,
        first=not cursor, status_words=STATUS, form=form,
    )  # fmt: skip


HANDLERS: list[Any] = [list_reconciliations, ask, show_reconciliation]
