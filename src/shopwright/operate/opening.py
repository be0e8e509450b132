"""Opens the demo shop: the staff and buyer accounts, the catalogue, and `demo.json` that says how to get in.

Everything here is done once per installation and is safe to do again.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
from collections.abc import Callable
from typing import Any

from shopwright.stack import secrets
from shopwright.stack.layout import Layout, ports
from shopwright.stack.parts import Plan

Tell = Callable[[str], None]

ACCOUNTS = {
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
            _catalogue(layout)
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


def _catalogue(layout: Layout) -> None:
    if importlib.util.find_spec("shopwright.operate.importing") is None:
        return
    from shopwright import demo
    from shopwright.operate import importing

    folder = layout.data / "demo"
    demo.write(folder)
    importing.run(layout, folder / "products.jsonl", pictures=folder / "pictures")
