"""The command line: thin commands, each imports what it needs when it runs, so that `--help` is quick.

Exit status: 0 done, 1 a failure told in words, 2 wrong usage, 3 (`status`) not everything is up.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shopwright.operate.gateway import Gateway
    from shopwright.stack.layout import Layout
    from shopwright.stack.status import Status

app = typer.Typer(
    name="shopwright",
    help="Shopwright: a shop on five services, a gateway and a mesh.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

imports = typer.Typer(help="Take products in from a file, and follow it.", no_args_is_help=True)
exports = typer.Typer(help="Write what the shop has as a file.", no_args_is_help=True)
app.add_typer(imports, name="import")
app.add_typer(exports, name="export")

Token = Annotated[
    str, typer.Option(envvar="SHOPWRIGHT_TOKEN", help="Whose rights; the demo admin's without it.")
]
ErrorsFile = Annotated[
    Path | None, typer.Option("--errors", help="Write all that was refused or left out to this CSV file.")
]
LOADS = "detail, list, search, cart, order; or one of checkout, flash"
LITTLE_MB = 256  # with less, PostgreSQL soon cannot write
WIDTH = 400  # a table is as wide as its content: a terminal may wrap it, a program shall find it whole


@app.command()
def up() -> None:
    """Start everything in the background, wait until it is ready, print where it is."""
    import time

    from shopwright.operate import opening
    from shopwright.stack import bring_up
    from shopwright.stack.layout import Layout

    began = time.monotonic()
    layout = Layout.of_environment()
    started = bring_up.up(layout, _tell, lambda: opening.open_shop(layout, _tell))
    _summary(layout, started, time.monotonic() - began)


@app.command()
def down() -> None:
    """Stop everything that `up` started; data stays."""
    from shopwright.stack import bring_up
    from shopwright.stack.layout import Layout

    stopped = bring_up.down(Layout.of_environment(), _tell)
    typer.echo("Shopwright is down; its data is kept." if stopped else "Nothing was running.")


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Each part's state, process, memory, age, restarts and version; exit status 3 unless all is up."""
    from shopwright.stack import status as stack_status

    seen = stack_status.look(_installation())
    if as_json:
        typer.echo(json.dumps(seen.as_dict()))
    else:
        _print_status(seen)
    raise typer.Exit(0 if seen.up else 3)


@app.command()
def logs(
    part: Annotated[str | None, typer.Argument(help="A part of `status`; all of them without it.")] = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as they grow.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, max=100_000)] = 40,
) -> None:
    """Show the last lines of the logs."""
    from shopwright.stack import logs as stack_logs
    from shopwright.stack.layout import Layout

    for line in stack_logs.read(Layout.of_environment(), part, lines, follow=follow):
        typer.echo(line)


@app.command()
def restart(
    service: Annotated[str | None, typer.Argument(help="One service; all of them without it.")] = None,
) -> None:
    """Replace the running processes of a service one by one; no request is lost."""
    from shopwright.stack import bring_up
    from shopwright.stack.parts import SERVICES

    if service is not None and service not in SERVICES:
        _fail(f"there is no service {service!r}; services are {', '.join(SERVICES)}")
    bring_up.restart(_installation(), [service] if service else SERVICES, _tell)


@app.command()
def migrate() -> None:
    """Bring the databases of a running installation up to date (`up` does it too)."""
    import asyncio

    from shopwright.stack import bring_up
    from shopwright.stack.parts import Plan
    from shopwright.stack.supervision import Supervisor

    layout = _installation()
    if not Supervisor(layout).running():
        _fail("Shopwright is down. `shopwright up` starts it and brings its databases up to date.")
    asyncio.run(bring_up.migrate_all(Plan.of(layout)))
    typer.echo("The databases are up to date.")


@app.command(hidden=True)
def serve(service: str) -> None:
    """Run one service in the foreground: requests and background work (what the supervisor runs)."""
    _installation()  # before anything reads the environment
    from shopwright.chassis import server

    server.run(service)


@app.command(hidden=True)
def work(service: str) -> None:
    """Run only the background work of a service in the foreground."""
    _installation()
    from shopwright.chassis import server

    server.run(service, serve=False)


@app.command(hidden=True)
def keep() -> None:
    """Renew certificates (what the supervisor runs)."""
    from shopwright.stack.certificates import identity_life
    from shopwright.stack.keeper import keep as run
    from shopwright.stack.layout import Layout

    run(Layout.of_environment(), identity_life(os.environ))


@app.command()
def load(
    scenarios: Annotated[list[str] | None, typer.Argument(help=LOADS)] = None,
    *,
    clients: Annotated[int, typer.Option(min=1, max=512)] = 16,
    seconds: Annotated[float, typer.Option(min=1, max=600)] = 8,
    buyers: Annotated[int, typer.Option(min=1, max=100_000, help="Of flash.")] = 10_000,
    units: Annotated[int, typer.Option(min=1, max=100_000, help="Of flash.")] = 100,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure this installation through its gateway: requests/s, latency, CPU by process."""
    from shopwright.operate import load as generator
    from shopwright.operate import loading
    from shopwright.stack import status as stack_status

    seen = stack_status.look(layout := _installation())
    if not seen.up:
        _fail("the platform is not up; `shopwright up` first")
    if scenarios in (["checkout"], ["flash"]):
        told = loading.run(
            scenarios[0], layout, seen, clients=clients, seconds=seconds, buyers=buyers, units=units
        )
        typer.echo(told.as_json() if as_json else told.as_table())
        return
    names = scenarios or list(generator.SCENARIOS)
    if unknown := set(names) - generator.SCENARIOS.keys():
        _fail(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(generator.SCENARIOS)}")
    parts = {part.name: part.pid for part in seen.parts if part.pid and part.name != "supervisor"}
    results = generator.run(seen.url, names, clients=clients, seconds=seconds, parts=parts)
    typer.echo(generator.as_json(results) if as_json else generator.as_table(results, clients))


@app.command()
def reconcile(
    *,
    day: Annotated[str, typer.Option(help="today, yesterday or a date (UTC); today so far without it.")] = "",
    provider: Annotated[str, typer.Option(help="One of them; all that make reports without it.")] = "",
    token: Token = "",
) -> None:
    """Hold what payment providers report of a day against the ledger; exit status 1 if anything differs."""
    from shopwright.operate import reconciling

    raise typer.Exit(0 if reconciling.run(_gateway(token), reconciling.day_of(day), provider) else 1)


@imports.command("products")
def import_products(
    file: Annotated[Path, typer.Argument(help="CSV, JSON, JSON Lines or SQL; also gzipped, or in a zip.")],
    *,
    pictures: Annotated[Path | None, typer.Option(help="The folder of the pictures that it names.")] = None,
    currency: Annotated[str, typer.Option(help="Of prices whose file names none, such as EUR.")] = "",
    format_: Annotated[str, typer.Option("--format", help="shopify, saleor …; found out without it.")] = "",
    warehouse: Annotated[str, typer.Option(help="Of stock whose file names none.")] = "main",
    stock: Annotated[
        int | None, typer.Option(min=0, help="Units on hand of variants whose stock the file lacks.")
    ] = None,
    errors: ErrorsFile = None,
    token: Token = "",
) -> None:
    """Import products of another shop or of our own; the same file again changes nothing."""
    from shopwright.operate import importing, telling

    wanted = importing.Wanted(
        file=file, pictures=pictures, format=format_, currency=currency, warehouse=warehouse, stock=stock
    )
    raise typer.Exit(0 if telling.import_products(_gateway(token), wanted, errors) else 1)


@imports.command("watch")
def watch_import(job: str, *, errors: ErrorsFile = None, token: Token = "") -> None:
    """Follow an import that runs, or show the report of one that is over."""
    from shopwright.operate import telling

    raise typer.Exit(0 if telling.watch(_gateway(token), job, errors) else 1)


@imports.command("cancel")
def cancel_import(job: str, *, token: Token = "") -> None:
    """End an import; the products it has put in stay."""
    from shopwright.operate import importing

    report = importing.cancel(_gateway(token), job)
    typer.echo("It ends after the batch at hand." if report.status == "running" else "It is cancelled.")


@exports.command("products")
def export_products(
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output without it.")] = None,
    *,
    format_: Annotated[
        str, typer.Option("--format", help="csv or jsonl; by the file's ending without it.")
    ] = "",
    token: Token = "",
) -> None:
    """Write all products in our own format, which `import` takes back unchanged."""
    from shopwright.operate import importing

    ending = file.suffix.removeprefix(".") if file else ""
    wanted = format_ or ("csv" if ending == "csv" else "jsonl")
    if file is None:
        importing.export(_gateway(token), wanted, sys.stdout.buffer)
        return
    fresh = file.with_name(f"{file.name}.part")
    with fresh.open("wb") as target:
        size = importing.export(_gateway(token), wanted, target)
    fresh.rename(file)
    typer.echo(f"{size:,} bytes in {file}.")


def main() -> None:
    """Entry point: expected failures are told in words, with their way out, and no trace."""
    try:
        app()
    except RuntimeError as error:
        if os.environ.get("SHOPWRIGHT_TRACE"):
            raise
        typer.secho(f"\n{error}", err=True, fg="red")
        sys.exit(1)


def _installation() -> Layout:
    """The installation in question; where the environment says nothing, as it was started."""
    from shopwright.stack import choices
    from shopwright.stack.layout import Layout

    layout = Layout.of_environment()
    choices.recall(layout)
    return layout


def _gateway(token: str) -> Gateway:
    from shopwright.operate import gateway
    from shopwright.stack.layout import Layout

    return gateway.of_installation(Layout.of_environment().demo, token)


def _tell(words: str) -> None:
    typer.echo(f"  · {words}")


def _fail(words: str) -> None:
    typer.secho(words, err=True, fg="red")
    raise typer.Exit(1)


def _summary(layout: Layout, started: bool, seconds: float) -> None:
    demo = json.loads(layout.demo.read_text())
    typer.echo(f"Shopwright is up ({seconds:.1f} s)." if started else "Shopwright is up already.")
    url, tls = demo["gateway"], demo["gateway_tls"]
    typer.echo(f"""
  Storefront   {url}          {tls} (the CA is in {demo["ca"]})
  Back office  {url}/admin
  API          {url}/docs
  Mailbox      {url}/mailbox

  Staff   {demo["admin"]["email"]}   {demo["admin"]["password"]}
  Buyer   {demo["buyer"]["email"]}   {demo["buyer"]["password"]}
""")


def _print_status(seen: Status) -> None:
    from rich.console import Console
    from rich.table import Table

    if not seen.parts:
        typer.echo("Shopwright is down. `shopwright up` starts it.")
        return
    columns = ("part", "state", "pid", f"MiB {seen.memory_kind}", "up", "restarts", "version", "address")
    right = (*columns[2:6],)
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    for part in seen.parts:
        age = f"{part.uptime_s // 3600}:{part.uptime_s // 60 % 60:02}:{part.uptime_s % 60:02}"
        state = part.state if part.up else f"[red]{part.state}[/red]"
        numbers = (str(part.pid or ""), f"{part.memory_mb:.0f}", age, str(part.restarts))
        table.add_row(part.name, state, *numbers, part.version, part.address)
    Console(width=WIDTH).print(table)
    where = f"; {seen.url}; rate limits {seen.rate_limit}" if seen.url else ""
    typer.echo(f"\n{seen.memory_mb:.0f} MiB {seen.memory_kind} in all{where}")
    if seen.disk_free_mb < LITTLE_MB:
        typer.secho(f"Only {seen.disk_free_mb} MiB are free on its disk: make room.", fg="red")
    troubles: dict[tuple[str, str, str], list[str]] = {}
    for part in seen.parts:
        if not part.up:
            troubles.setdefault((part.note, part.last_words, part.way_out), []).append(part.name)
    for (note, last_words, way_out), names in troubles.items():
        typer.secho(f"\n{', '.join(names)}: {note}", fg="red")
        typer.echo("\n".join(filter(None, (last_words, way_out))))


if __name__ == "__main__":
    main()
