"""The command line: thin commands, each imports what it needs when it runs, so that `--help` is quick.

Exit status: 0 done, 1 a failure told in words, 2 wrong usage, 3 (`status`) not everything is up.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="shopwright",
    help="Shopwright: a shop on five services, a gateway and a mesh.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def up() -> None:
    """Start everything in the background, wait until it is ready, print where it is."""
    import time

    from shopwright.stack import bring_up
    from shopwright.stack.layout import Layout

    began = time.monotonic()
    layout = Layout.of_environment()
    started = bring_up.up(layout, _tell)
    if started:
        _fill_demo(layout)
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
    from shopwright.stack.layout import Layout

    seen = stack_status.look(Layout.of_environment())
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
    from shopwright.stack.layout import Layout
    from shopwright.stack.parts import SERVICES

    if service is not None and service not in SERVICES:
        _fail(f"there is no service {service!r}; services are {', '.join(SERVICES)}")
    for name in [service] if service else SERVICES:
        bring_up.restart(Layout.of_environment(), name, _tell)


@app.command()
def migrate() -> None:
    """Bring the databases of a running installation up to date (`up` does it too)."""
    import asyncio

    from shopwright.stack import bring_up
    from shopwright.stack.layout import Layout
    from shopwright.stack.parts import Plan

    asyncio.run(bring_up.migrate_all(Plan.of(Layout.of_environment())))
    typer.echo("The databases are up to date.")


@app.command(hidden=True)
def serve(service: str) -> None:
    """Run one service in the foreground: requests and background work (what the supervisor runs)."""
    from shopwright.chassis import server

    server.run(service)


@app.command(hidden=True)
def work(service: str) -> None:
    """Run only the background work of a service in the foreground."""
    from shopwright.chassis import server

    server.run(service, serve=False)


@app.command(hidden=True)
def keep() -> None:
    """Renew certificates (what the supervisor runs)."""
    from shopwright.stack.keeper import keep as run
    from shopwright.stack.layout import Layout

    run(Layout.of_environment())


@app.command()
def load(
    scenarios: Annotated[list[str] | None, typer.Argument(help="detail, list, search, cart, order")] = None,
    *,
    clients: Annotated[int, typer.Option(min=1, max=512)] = 16,
    seconds: Annotated[float, typer.Option(min=1, max=120)] = 8,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure this installation through its gateway: requests/s, latency, CPU by process."""
    from shopwright.operate import load as generator
    from shopwright.stack import status as stack_status
    from shopwright.stack.layout import Layout

    seen = stack_status.look(Layout.of_environment())
    if not seen.up:
        _fail("the platform is not up; `shopwright up` first")
    names = scenarios or list(generator.SCENARIOS)
    if unknown := set(names) - generator.SCENARIOS.keys():
        _fail(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(generator.SCENARIOS)}")
    parts = {part.name: part.pid for part in seen.parts if part.pid}
    results = generator.run(seen.url, names, clients=clients, seconds=seconds, parts=parts)
    typer.echo(generator.as_json(results) if as_json else generator.as_table(results, clients))


def main() -> None:
    """Entry point: expected failures are told in words, with their way out, and no trace."""
    try:
        app()
    except RuntimeError as error:
        if os.environ.get("SHOPWRIGHT_TRACE"):
            raise
        typer.secho(f"\n{error}", err=True, fg="red")
        sys.exit(1)


def _tell(words: str) -> None:
    typer.echo(f"  · {words}")


def _fail(words: str) -> None:
    typer.secho(words, err=True, fg="red")
    raise typer.Exit(1)


def _fill_demo(layout: object) -> None:
    from shopwright.operate import opening

    opening.open_shop(layout, _tell)  # type: ignore[arg-type]


def _summary(layout: object, started: bool, seconds: float) -> None:
    demo_file: Path = layout.demo  # type: ignore[attr-defined]
    demo = json.loads(demo_file.read_text())
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


def _print_status(seen: object) -> None:
    from rich.console import Console
    from rich.table import Table

    if not seen.parts:  # type: ignore[attr-defined]
        typer.echo("Shopwright is down. `shopwright up` starts it.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("part", "state", "pid", "MiB", "up", "restarts", "version", "address"):
        table.add_column(column, justify="right" if column in {"pid", "MiB", "up", "restarts"} else "left")
    for part in seen.parts:  # type: ignore[attr-defined]
        state = part.state if part.up else f"[red]{part.state}[/red] {part.note}"
        age = f"{part.uptime_s // 3600}:{part.uptime_s // 60 % 60:02}:{part.uptime_s % 60:02}"
        table.add_row(
            part.name,
            state,
            str(part.pid or ""),
            f"{part.memory_mb:.0f}",
            age,
            str(part.restarts),
            part.version,
            part.address,
        )
    Console().print(table)
    typer.echo(f"\n{seen.memory_mb:.0f} MiB in all; {seen.url}; rate limits {seen.rate_limit}")  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
