"""Loads: the two of the budget that `shopwright load` sends at a running platform, and what they cost inside.

`checkout` and `flash` are the loads, `buying` the client's side, `stock` their goods, `counting` the servers'
own counters. Only ever aimed at this installation's own gateway and servers, on loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopwright.stack.layout import Layout
    from shopwright.stack.status import Status

    from .telling import Told


def run(
    load: str, layout: Layout, seen: Status, *, clients: int, seconds: float, buyers: int, units: int
) -> Told:
    """Run `checkout` or `flash` with the demo admin's rights for its stock."""
    from shopwright.operate import gateway
    from shopwright.stack import secrets
    from shopwright.stack.parts import Plan

    from . import checkout, flash
    from .counting import Servers

    admin = gateway.of_installation(layout.demo, "")
    if load == "flash":
        return flash.run(seen.url, admin, buyers=buyers, units=units)
    plan = Plan.of(layout)
    superuser = secrets.read(layout, "db-superuser")
    servers = Servers(
        {part.name: part.pid for part in seen.parts if part.pid and part.name != "supervisor"},
        plan.postgres.url("postgres", "postgres", superuser),
        plan.valkey.url,
    )
    return checkout.run(seen.url, admin, servers, clients=clients, seconds=seconds)
