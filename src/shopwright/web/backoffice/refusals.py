"""Refusals as pages of the back office: what happened, and what to do now."""

from __future__ import annotations

from typing import Any, cast

from litestar import Response

from shopwright.chassis import telemetry
from shopwright.chassis.problems import http_status
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import NotAllowed

from ..clients.remote import is_away
from ..forms import StaleForm
from ..visit import Visit
from .desk import Desk
from .words import AREA_OF_SCOPE


def tell(visit: Visit, problem: Problem) -> Response[Any]:
    """The page that tells staff of `problem`."""
    desk = cast("Desk", visit)
    if problem.kind == "unauthenticated":
        return desk.log_in_first()
    if isinstance(problem, StaleForm):
        return desk.render("admin/stale_form.html", status=403, fields=problem.fields, action=desk.path)
    scope = problem.scope if isinstance(problem, NotAllowed) else ""
    away = is_away(problem)
    context = telemetry.current()
    return desk.render(
        "admin/refused.html",
        status=503 if away and problem.kind != "internal" else http_status(problem),
        problem=problem,
        away=away,
        scope=scope,
        scope_words=AREA_OF_SCOPE.get(scope, "do this"),
        request_id=context.request_id if context else "",
    )
