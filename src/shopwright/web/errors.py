"""Refusals as pages: what happened, what still works, and where to go from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from shopwright.chassis import telemetry
from shopwright.chassis.problems import http_status
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import InternalError, InvalidInput, NotFound, RequestTooLarge

from .clients.remote import is_away
from .forms import StaleForm
from .site import Site
from .visit import Visit

log = structlog.get_logger()

Tell = Callable[[Visit, Problem], Response[Any]]


def error_pages(site: Site, visit_class: type[Visit] | None = None, tell: Tell | None = None) -> Any:
    """Exception handlers of pages. Closures, because Litestar copies whatever else it is given.

    `tell` makes the page of a problem (the shop's own without it).
    """

    def on_problem(request: Request, problem: Problem) -> Response[Any]:
        visit = request.state.get("visit")
        if not isinstance(visit, Visit):  # refused before the request got that far
            visit = (visit_class or Visit)(site, request)
        log.info("refused", problem=problem.slug, detail=problem.detail)
        return (tell or page_of)(visit, problem)

    def on_http(request: Request, error: HTTPException) -> Response[Any]:
        """The framework's own refusals."""
        if error.status_code in {404, 405}:
            return on_problem(request, NotFound())
        if error.status_code == 413:
            return on_problem(request, RequestTooLarge(detail="Please send less at once."))
        if error.status_code >= 500:
            return on_bug(request, error)
        return on_problem(request, InvalidInput(detail=error.detail, errors=[]))

    def on_bug(request: Request, error: Exception) -> Response[Any]:
        log.error("page failed", method=request.method, path=request.url.path, exc_info=error)
        return on_problem(request, InternalError())

    return {Problem: on_problem, HTTPException: on_http, Exception: on_bug}


def page_of(visit: Visit, problem: Problem) -> Response[Any]:
    """The page that tells a person of `problem`."""
    if problem.kind == "unauthenticated":
        return visit.log_in_first()
    if isinstance(problem, StaleForm):
        return visit.render("stale_form.html", status=403, fields=problem.fields, action=visit.path)
    if problem.kind == "not_found":
        return visit.render("not_found.html", status=404)
    away = is_away(problem)
    status = 503 if away and problem.kind != "internal" else http_status(problem)
    context = telemetry.current()
    request_id = context.request_id if context else ""
    return visit.render("error.html", status=status, problem=problem, away=away, request_id=request_id)
