"""How a fake service names the paths it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Handler = Callable[..., Any]
#: (service or *, method, path pattern, name of the method that answers)
ROUTES: list[tuple[str, str, re.Pattern[str], str]] = []


def route(service: str, method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Answer `method` on paths like `pattern`; its groups are given to the handler."""

    def register(handler: Handler) -> Handler:
        ROUTES.append((service, method, re.compile(f"^{pattern}$"), handler.__name__))
        return handler

    return register


def money(minor: int, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": minor, "currency": currency}
