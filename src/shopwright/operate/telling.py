"""How `shopwright import` shows itself: a bar while it runs, the report and its errors when it is over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from . import importing
from .gateway import Gateway
from .importing import Report, Wanted

ERRORS_SHOWN = 20
_COLOURS = {"refused": "red", "skipped": "yellow", "warning": "yellow"}


def import_products(gateway: Gateway, wanted: Wanted, errors: Path | None) -> bool:
    """Import a file and tell of it; whether all of it is in."""
    console = Console(stderr=not sys.stdout.isatty())
    job_id = ""
    try:
        with _bar(console) as bar:
            task = bar.add_task(f"sending {escape(wanted.file.name)}", total=None)
            report = importing.start(
                gateway, wanted, lambda done, of: bar.update(task, completed=done, total=of)
            )
            job_id = report.id
            report = importing.watch(gateway, job_id, _following(bar, task))
    except KeyboardInterrupt:
        _interrupted(job_id)
        return False
    return tell(gateway, report, errors)


def watch(gateway: Gateway, job_id: str, errors: Path | None) -> bool:
    """Follow a job that runs, or tell of one that is over."""
    try:
        with _bar(Console(stderr=not sys.stdout.isatty())) as bar:
            task = bar.add_task("importing", total=None)
            report = importing.watch(gateway, job_id, _following(bar, task))
    except KeyboardInterrupt:
        _interrupted(job_id)
        return False
    return tell(gateway, report, errors)


def tell(gateway: Gateway, report: Report, errors: Path | None) -> bool:
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{escape(report.file)} ({report.format}): {report.status}. {report.created:,} created, "
        f"{report.changed:,} changed, {report.unchanged:,} unchanged, {report.skipped:,} skipped, "
        f"{report.refused:,} refused; {report.rows:,} rows."
    )
    if report.detail:
        console.print(f"[red]{escape(report.detail)}[/red]")
    for hint in report.hints:
        console.print(f"[yellow]{escape(hint)}.[/yellow]")
    for error in report.errors[:ERRORS_SHOWN]:
        colour = _COLOURS.get(str(error.get("outcome")), "red")
        console.print(
            f"  [{colour}]line {error['line']}[/{colour}]  {escape(str(error['identifier']))}  "
            f"{escape(str(error['pointer']))} {escape(str(error['detail']))}"
        )
    more = report.errors_total - ERRORS_SHOWN
    if errors is not None:
        console.print(
            f"{importing.write_errors(gateway, report.id, errors):,} notes in {escape(str(errors))}."
        )
    elif more > 0:
        console.print(f"  … and {more:,} more; `--errors FILE` writes all of them.")
    return report.good


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _following(bar: Progress, task: TaskID) -> Callable[[Report], None]:
    def follow(report: Report) -> None:
        words = "reading" if report.products is None else f"{report.rows:,} of {report.total:,} rows"
        if report.status == "queued":
            words = "waiting for its turn"
        bar.update(task, description=words, completed=report.progress, total=1.0)

    return follow


def _interrupted(job_id: str) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if job_id:
        console.print(
            f"\nThe import goes on in the shop. `shopwright import watch {job_id}` follows it, "
            f"`shopwright import cancel {job_id}` ends it."
        )
    else:
        console.print("\nNothing was imported yet; run the same command again.")
