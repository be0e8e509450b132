"""How `shopwright reconcile` works: have a day reconciled through the gateway, wait, show what was found."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shopwright.contracts.money import Money

from .gateway import Gateway

PATIENCE_S: Final = 900  # a busy day at a provider that tells a hundred rows a call
POLL_S: Final = 0.2
SHOWN: Final = 20
WIDTH: Final = 400  # a table is as wide as its content
PATH: Final = "/v1/reconciliations"

_WORDS: Final = {
    "missing_here": "not in our books",
    "missing_there": "not in the provider's report",
    "amount_differs": "another amount",
    "fee_differs": "another fee",
    "twice": "more than once at the provider",
}
_COLUMNS: Final = ("captured", "refunded", "charged_back", "fees", "net")


class BadDay(RuntimeError):
    """This is no day to reconcile."""


class NotReconciled(RuntimeError):
    """It found no end; the message says why."""


def day_of(text: str, today: date | None = None) -> date:
    """`today`, `yesterday` or a date; in UTC, as providers report."""
    today = today or datetime.now(UTC).date()
    named = {"": today, "today": today, "yesterday": today - timedelta(days=1)}
    if text in named:
        return named[text]
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadDay(f"--day {text}: must be today, yesterday or a date such as {today}") from None


def run(gateway: Gateway, day: date, provider: str) -> bool:
    """Reconcile, and show it; whether every provider's report is what our books say."""
    body = {"day": day.isoformat(), "provider": provider}
    begun = gateway.call("POST", PATH, body=body)
    console = Console(width=WIDTH, highlight=False)
    clean = True
    for asked in begun["items"]:
        found = _wait(gateway, asked["id"])
        clean = _show(console, found, day) and clean
    return clean


def _wait(gateway: Gateway, run_id: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE_S
    while True:
        found = gateway.call("GET", f"{PATH}/{run_id}", query={"limit": SHOWN})
        seen = found["reconciliation"]
        if seen["status"] == "done":
            return found
        if seen["error"]:
            raise NotReconciled(
                f"{seen['provider']} made no report of {seen['day']}: {seen['error']}. The shop tries again "
                "by itself."
            )
        if time.monotonic() > until:
            raise NotReconciled(f"{seen['provider']} is not reconciled after {PATIENCE_S} s; ask again later")
        time.sleep(POLL_S)


def _show(console: Console, found: dict[str, Any], day: date) -> bool:
    seen = found["reconciliation"]
    so_far = " so far" if day == datetime.now(UTC).date() else ""
    console.print(
        f"\n[bold]{escape(seen['provider'])}[/bold], {day}{so_far} (UTC): {seen['rows']:,} movements"
    )
    if seen["totals"]:
        console.print(_totals(seen["totals"]))
    differences = int(seen["differences"])
    owed = [total["difference"] for total in seen["totals"] if total["difference"]["amount"]]
    if not differences and not owed:
        console.print("[green]Nets to zero: the report is what our books say.[/green]")
        return True
    nets = ", ".join(_money(amount) for amount in owed) or "nothing"
    words = "difference" if differences == 1 else "differences"
    console.print(f"[red]{differences:,} {words}; the provider's net less ours: {nets}.[/red]")
    console.print(_differences(found["items"]))
    if differences > len(found["items"]):
        console.print(f"… and {differences - len(found['items']):,} more: GET {PATH}/{seen['id']}")
    return False


def _totals(totals: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in _COLUMNS:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for total in totals:
        for side, words in (("provider", "provider"), ("ledger", "our ledger")):
            table.add_row(words, *(_money(total[side][name]) for name in _COLUMNS))
    return table


def _differences(items: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("what", "movement", "provider", "fee", "ours", "fee", "payment", "at the provider", "time"):
        table.add_column(
            name, no_wrap=True, justify="right" if name in {"provider", "fee", "ours"} else "left"
        )
    for item in items:
        there, here = item["provider"], item["ledger"]
        table.add_row(
            _WORDS.get(item["what"], item["what"]), item["kind"],
            _money(there and there["amount"]), _money(there and there["fee"]),
            _money(here and here["amount"]), _money(here and here["fee"]),
            item["payment_id"] or "unknown", escape(item["ref"]), item["at"],
        )  # fmt: skip
    return table


def _money(amount: dict[str, Any] | None) -> str:
    return "–" if amount is None else str(Money(amount["amount"], amount["currency"]))
