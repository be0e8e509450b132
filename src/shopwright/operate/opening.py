"""Opens the demo shop: the staff and buyer accounts, the catalogue, and `demo.json` that says how to get in.

Everything here is done once per installation and is safe to do again.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from shopwright.stack import secrets
from shopwright.stack.layout import Layout, ports
from shopwright.stack.parts import Plan
from shopwright.users.domain import Role

from . import importing
from .gateway import Gateway

Tell = Callable[[str], None]
SEARCHABLE_S = 60

ACCOUNTS: Final[dict[str, tuple[str, str, Role]]] = {
    "admin": ("admin@shopwright.example", "Alex Admin", "admin"),
    "buyer": ("buyer@shopwright.example", "Billie Buyer", "buyer"),
}


def open_shop(layout: Layout, tell: Tell) -> None:
    """Fill what is missing of the demo shop; skips the catalogue with SHOPWRIGHT_DEMO=off."""
    done = layout.config / "demo-filled"
    demo = _demo(layout)
    if not done.exists():
        tell("demo accounts")
        asyncio.run(_accounts(layout, demo))
        if os.environ.get("SHOPWRIGHT_DEMO", "on") != "off":
            tell("demo shop")
            _catalogue(layout, demo)
        done.touch()
    fresh = layout.demo.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(demo, indent=2) + "\n")
    fresh.rename(layout.demo)


def _demo(layout: Layout) -> dict[str, Any]:
    port, tls_port = ports()
    password = secrets.read(layout, "demo-password")
    return {
        role: {"email": email, "password": f"{role}-{password[:12]}"}
        for role, (email, _name, _role) in ACCOUNTS.items()
    } | {
        "gateway": f"http://127.0.0.1:{port}",
        "gateway_tls": f"https://localhost:{tls_port}",
        "ca": str(layout.tls / "ca.crt"),
    }


async def _accounts(layout: Layout, demo: dict[str, Any]) -> None:
    from shopwright.users import accounts

    url = Plan.of(layout).postgres.url("users", "users", secrets.read(layout, "db-users"))
    for key, (email, name, role) in ACCOUNTS.items():
        await accounts.ensure(url, email, demo[key]["password"], name, role)


def _catalogue(layout: Layout, demo: dict[str, Any]) -> None:
    """Import the demo's products through the gateway, as a merchant would."""
    from shopwright import demo as shop

    folder = layout.data / "demo"
    shop.write(folder)
    gateway = Gateway(demo["gateway"], login=(demo["admin"]["email"], demo["admin"]["password"]))
    wanted = importing.Wanted(file=folder / "products.jsonl", pictures=folder / "pictures")
    report = importing.run(gateway, wanted)
    if report.refused:
        first = report.errors[0]
        raise importing.BadImport(f"the demo shop refuses {first['identifier']}: {first['detail']}")
    _until_searchable(gateway, wanted.file)


def _until_searchable(gateway: Gateway, file: Path) -> None:
    """The index follows the catalogue by events: `up` is done when a search finds every product for sale."""
    lines = msgspec.json.Decoder().decode_lines(file.read_bytes())
    for_sale = sum(draft["status"] == "active" for draft in lines)
    until = time.monotonic() + SEARCHABLE_S
    while gateway.call("GET", "/v1/search", query={"limit": 1})["total"] < for_sale:
        if time.monotonic() > until:
            raise importing.BadImport(
                f"after {SEARCHABLE_S} s a search still does not find all {for_sale} products of the demo "
                "shop; `shopwright logs products-0` may say why"
            )
        time.sleep(0.1)
