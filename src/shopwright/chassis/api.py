"""The HTTP side of a service: a Litestar application with the chassis' own paths, problems and telemetry
around it.

Own paths: `/healthz` (the process lives), `/readyz` (it can serve), `/metrics`, and for other services only
`/internal/dead-letters…`, `/internal/traces/{id}`, `/internal/schema/openapi.json`. Every error leaves as a
problem document; a bug as 500 with the request id, its trace in the log only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.config.response_cache import ResponseCacheConfig
from litestar.di import Provide
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import Method
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import (
    FieldError,
    InternalError,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    RequestTooLarge,
    Unavailable,
    WrongMethod,
)

from . import deadline, problems, telemetry, validation
from .auth import Principal, principal_of
from .deadletters import DeadLetter, DeadLetters

log = structlog.get_logger()

BODY_MAX = 1_048_576
METHODS: tuple[Method, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPERATORS = ("web",)  # the services that may read dead letters and traces for the back office

Check = Callable[[], Awaitable[bool]]


def create_asgi(
    service: str,
    handlers: Sequence[Any],
    dependencies: Mapping[str, Any],
    *,
    draining: asyncio.Event,
    ready: Sequence[Check] = (),
    dead_letters: DeadLetters | None = None,
    body_max: int = BODY_MAX,
) -> Any:
    """The service's ASGI application.

    Args:
        dependencies: what handlers ask for by parameter name (`orders: Orders`), made once by the caller.
        ready: checks that must all hold for `/readyz`.
    """
    provided = {name: Provide(_constant(value), sync_to_thread=False) for name, value in dependencies.items()}
    provided["principal"] = Provide(principal_of, sync_to_thread=False)
    own = [*_health(draining, ready), _metrics, _trace]
    if dead_letters is not None:
        own += [_dead_letters, _replay, _replay_all]
        provided["dead_letters"] = Provide(_constant(dead_letters), sync_to_thread=False)
    app = Litestar(
        route_handlers=[*handlers, *own],
        dependencies=provided,
        exception_handlers={Problem: _on_problem, HTTPException: _on_http, Exception: _on_bug},
        openapi_config=OpenAPIConfig(
            title=f"Shopwright {service}",
            version="1",
            path="/internal/schema",
            render_plugins=[JsonRenderPlugin()],
            use_handler_docstrings=True,
        ),
        request_max_body_size=body_max,
        response_cache_config=ResponseCacheConfig(default_expiration=0),
        logging_config=None,
    )
    return Telemetry(app)


def _constant(value: Any) -> Callable[[], Any]:
    def give() -> Any:
        return value

    return give


def _health(draining: asyncio.Event, checks: Sequence[Check]) -> list[Any]:
    @get("/healthz", media_type=MediaType.TEXT, include_in_schema=False)
    async def healthz() -> str:
        return "ok"

    @get("/readyz", media_type=MediaType.TEXT, include_in_schema=False)
    async def readyz() -> str:
        if draining.is_set():
            raise Unavailable(detail="this process is shutting down")
        if not all([await check() for check in checks]):
            raise Unavailable(detail="a part this service needs is away")
        return "ok"

    return [healthz, readyz]


@get("/metrics", media_type=MediaType.TEXT, include_in_schema=False, sync_to_thread=False)
def _metrics(principal: Principal) -> Response[bytes]:
    if principal.caller == "edge":
        raise NotFound
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@get("/internal/traces/{trace_id:str}", include_in_schema=False, sync_to_thread=False)
def _trace(trace_id: str, principal: Principal) -> list[telemetry.Span]:
    principal.require_caller(OPERATORS)
    return [item for item in telemetry.spans if item.trace_id == trace_id]


@get("/internal/dead-letters", include_in_schema=False)
async def _dead_letters(
    principal: Principal, dead_letters: DeadLetters, after: UUID | None = None, limit: int = 50
) -> list[DeadLetter]:
    principal.require_caller(OPERATORS)
    return await dead_letters.page(after=after, limit=min(limit, 200))


@post("/internal/dead-letters/{letter:uuid}/replay", status_code=204, include_in_schema=False)
async def _replay(letter: UUID, principal: Principal, dead_letters: DeadLetters) -> None:
    principal.require_caller(OPERATORS)
    await dead_letters.replay(letter)


@post("/internal/dead-letters/replay", status_code=200, include_in_schema=False)
async def _replay_all(
    principal: Principal, dead_letters: DeadLetters, topic: str | None = None
) -> dict[str, int]:
    principal.require_caller(OPERATORS)
    return {"replayed": await dead_letters.replay_all(topic)}


def problem_response(problem: Problem) -> Response[bytes]:
    context = telemetry.current()
    headers = {}
    if retry_after := problem.members().get("retry_after_s"):
        headers["retry-after"] = str(retry_after)
    return Response(
        problems.encode(problem, context.request_id if context else ""),
        status_code=problems.http_status(problem),
        media_type=problems.MEDIA_TYPE,
        headers=headers,
    )


def _on_problem(_request: Request, problem: Problem) -> Response[bytes]:
    log.info("refused", problem=problem.slug, detail=problem.detail)
    return problem_response(problem)


def _on_http(request: Request, error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals, in our words."""
    problem: Problem
    if isinstance(error, ValidationException) or error.status_code == 400:
        problem = _malformed(request, error)
    elif error.status_code == 405:
        return _wrong_method(request)
    elif error.status_code == 404:
        problem = NotFound(detail=f"{request.method} {request.url.path} is not a path of this API")
    elif error.status_code == 413:
        problem = RequestTooLarge(detail="the body is larger than this path takes")
    elif error.status_code == 401:
        problem = NotAuthenticated(detail=error.detail)
    elif error.status_code == 403:
        problem = NotAllowed(detail=error.detail)
    elif error.status_code >= 500:
        # Litestar takes a wrong field for a broken dependency of its own if the two have one name
        wrong = _wrong_body(request) if isinstance(error.__cause__, msgspec.ValidationError) else None
        if wrong is None:
            return _on_bug(request, error)
        problem = wrong
    else:
        problem = InvalidInput(detail=error.detail, errors=[])
    return problem_response(problem)


def _wrong_method(request: Request) -> Response[bytes]:
    allowed = [str(method) for method in METHODS if _takes(request, method)]
    detail = f"{request.url.path} takes {', '.join(allowed)}, not {request.method}"
    response = problem_response(WrongMethod(detail=detail, allowed=allowed))
    response.headers["allow"] = ", ".join(allowed)
    return response


def _takes(request: Request, method: Method) -> bool:
    try:
        request.app.asgi_router.handle_routing(path=request.scope["path"], method=method)
    except (MethodNotAllowedException, NotFoundException):
        return False
    return True


def _malformed(request: Request, error: HTTPException) -> Problem:
    if wrong := _wrong_body(request):
        return wrong
    extra = error.extra if isinstance(error.extra, list) else []
    errors = [
        FieldError(f"/{_source(item)}/{item['key']}", item["message"])
        for item in extra
        if isinstance(item, dict) and "key" in item and "message" in item
    ]
    return InvalidInput(detail=error.detail, errors=errors)


def _wrong_body(request: Request) -> InvalidInput | None:
    """What the body is refused for, if it is wrong at all."""
    field = getattr(request.route_handler, "parsed_data_field", None)
    content = _body(request)
    if field is not None and content is not None:
        try:
            validation.check(validation.parsed(content), field.annotation, _uuid)
        except InvalidInput as problem:
            return problem
    return None


def _body(request: Request) -> bytes | None:
    """What was read of the body; None if nothing asked for it."""
    content = getattr(getattr(request, "_connection_state", None), "body", None)
    return content if isinstance(content, bytes) else None


def _source(item: dict[str, Any]) -> str:
    """Where a refused parameter stood; Litestar tells it as a member of an enumeration."""
    source = item.get("source", "query")
    return str(getattr(source, "value", source))


def _uuid(expected: type, value: Any) -> Any:
    return expected(value)


def _on_bug(request: Request, error: Exception) -> Response[bytes]:
    if isinstance(error, validation.UNREADABLE) and (content := _body(request)) is not None:
        try:
            validation.parsed(content)
        except InvalidInput as problem:
            return _on_problem(request, problem)
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return problem_response(InternalError(detail="the request id tells our engineers what happened"))


class Telemetry:
    """ASGI wrapper: trace context and deadline in; request id and one metric out."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id", b"").decode("latin-1")
        timeout_ms = headers.get(b"x-timeout-ms", b"")
        deadline.start(int(timeout_ms) / 1_000 if timeout_ms.isdigit() else deadline.DEFAULT_S)
        status = "500"

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                if request_id:
                    message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        began = time.perf_counter()
        remote = headers.get(b"traceparent", b"").decode("latin-1")
        with telemetry.span(f"http {scope['method']}", remote=remote, request_id=request_id) as span:
            try:
                await self._app(scope, receive, sending)
            finally:
                route = scope.get("path_template") or "unmatched"
                span.attributes = {"route": route, "status": status}
                elapsed = time.perf_counter() - began
                telemetry.REQUESTS.labels(route, scope["method"], status).observe(elapsed)
